"""DuckDB: one aggregate query by hand, and a group-by of the key.

Run: python in_duckdb.py FILE
"""

import sys

import duckdb
import promises as told

TYPES = {
    **dict.fromkeys(told.INTEGERS, "BIGINT"),
    "l_linenumber": "INTEGER",
    **dict.fromkeys(told.NUMBERS, "DECIMAL(15,2)"),
    **dict.fromkeys(told.DATES, "DATE"),
    **dict.fromkeys(told.TEXTS, "VARCHAR"),
}


def rows_in(path: str) -> str:
    """Return the file as a table expression; the path is the benchmark's own."""
    types = ", ".join(f"'{name}': '{TYPES[name]}'" for name in told.COLUMNS)
    csv = f"read_csv('{path}', header=true, columns={{{types}}})"
    return csv if path.endswith(".csv") else f"read_parquet('{path}')"


def query(path: str) -> str:
    day, first, last = told.DAYS
    pattern = told.PATTERN.replace("'", "''")
    asked = ["count(*)", f"max({day})", f"count_if(length({told.COMMENT}) > {told.LONGEST})"]
    asked.append(f"count_if(NOT regexp_matches({told.COMMENT}, '{pattern}'))")
    asked += [f"count_if({name} IS NULL)" for name in told.COLUMNS]
    asked += [
        f"count_if({name} NOT BETWEEN {low} AND {high})"
        for name, (low, high) in told.RANGES.items()
    ]
    asked.append(f"count_if({day} NOT BETWEEN DATE '{first}' AND DATE '{last}')")
    for name, values in told.VALUES.items():
        asked.append(f"count_if({name} NOT IN ({', '.join(map(repr, values))}))")
    rows = rows_in(path)
    repeated = f"SELECT 1 FROM {rows} GROUP BY {', '.join(told.KEY)} HAVING count(*) > 1"
    return f"SELECT {', '.join(asked)}, (SELECT count(*) FROM ({repeated})) FROM {rows}"


if __name__ == "__main__":
    print(duckdb.sql(query(sys.argv[1])).fetchall())
