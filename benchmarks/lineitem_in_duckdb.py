"""The same promises as one aggregate query by hand in DuckDB, where it happens to be installed.

Run: python benchmarks/lineitem_in_duckdb.py FILE
"""

import importlib
import sys

KEY = "l_orderkey, l_linenumber"
RANGES = {
    "l_quantity": "1 AND 50",
    "l_extendedprice": "0.01 AND 200000",
    "l_discount": "0 AND 0.1",
    "l_tax": "0 AND 0.08",
    "l_shipdate": "DATE '1992-01-01' AND DATE '1998-12-31'",
}
VALUES = {
    "l_returnflag": "'A', 'N', 'R'",
    "l_linestatus": "'O', 'F'",
    "l_shipmode": "'AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK'",
    "l_shipinstruct": "'COLLECT COD', 'DELIVER IN PERSON', 'NONE', 'TAKE BACK RETURN'",
}
OTHERS = ("l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_commitdate", "l_receiptdate")


def query(path: str) -> str:
    columns = (*OTHERS, *RANGES, *VALUES, "l_comment")
    asked = ["count(*)", "max(l_shipdate)", "count_if(length(l_comment) > 43)"]
    asked.append("count_if(NOT regexp_matches(l_comment, '^[A-Za-z0-9 ,.;:!?''-]+$'))")
    asked += [f"count_if({name} IS NULL)" for name in columns]
    asked += [f"count_if({name} NOT BETWEEN {bounds})" for name, bounds in RANGES.items()]
    asked += [f"count_if({name} NOT IN ({values}))" for name, values in VALUES.items()]
    rows = f"read_parquet('{path}')"  # the path of the benchmark's own file
    repeated = f"SELECT 1 FROM {rows} GROUP BY {KEY} HAVING count(*) > 1"
    return f"SELECT {', '.join(asked)}, (SELECT count(*) FROM ({repeated})) FROM {rows}"


if __name__ == "__main__":
    # Found at run time: it is no dependency, and the benchmark says so where it is missing.
    print(importlib.import_module("duckdb").sql(query(sys.argv[1])).fetchall())
