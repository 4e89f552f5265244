"""Soda: a contract over a DuckDB view of the file, its fastest documented way; telemetry is off.

Run: SODA_CORE_TELEMETRY_ENABLED=false python in_soda.py FILE
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import promises as told
from soda_core.contracts import verify_contract_locally

_TYPES = {
    **dict.fromkeys(told.INTEGERS, "BIGINT"),
    "l_linenumber": "INTEGER",
    **dict.fromkeys(told.NUMBERS, "DECIMAL(15,2)"),
    **dict.fromkeys(told.DATES, "DATE"),
    **dict.fromkeys(told.TEXTS, "VARCHAR"),
}


def _checks(name: str) -> list[object]:
    checks: list[object] = [{"missing": {}}]
    if name in told.RANGES:
        low, high = (float(bound) for bound in told.RANGES[name])
        checks.append({"invalid": {"valid_min": low, "valid_max": high}})
    if name in told.VALUES:
        checks.append({"invalid": {"valid_values": list(told.VALUES[name])}})
    if name == told.COMMENT:
        pattern = told.PATTERN.replace("'", "''")  # it goes into the SQL as it is
        form = {"regex": pattern, "name": "plain text"}
        checks.append({"invalid": {"name": "text", "qualifier": "text", "valid_format": form}})
        long = {"valid_max_length": told.LONGEST}
        checks.append({"invalid": {"name": "length", "qualifier": "length", **long}})
    return checks


def _contract() -> dict[str, object]:
    day, first, last = told.DAYS
    columns = [
        {"name": name, "data_type": _TYPES[name].split("(")[0], "checks": _checks(name)}
        for name in told.COLUMNS
    ]
    outside = f"{day} < DATE '{first}' OR {day} > DATE '{last}'"
    expression = f"MAX({day}) >= DATE '{told.OLDEST_NEWEST}'"
    fresh = {"expression": f"CASE WHEN {expression} THEN 0 ELSE 1 END", "threshold": {"must_be": 0}}
    return {
        "dataset": "rows/main/lineitem",
        "columns": columns,
        "checks": [
            {"schema": {}},
            {"row_count": {"threshold": {"must_be_greater_than": told.LEAST_ROWS}}},
            {"duplicate": {"columns": list(told.KEY)}},
            {"failed_rows": {"name": "days", "qualifier": "days", "expression": outside}},
            {"metric": {"name": "fresh", "qualifier": "fresh", **fresh}},
        ],
    }


def main(path: str, folder: Path) -> None:
    base = folder / "rows.duckdb"
    types = ", ".join(f"'{name}': '{_TYPES[name]}'" for name in told.COLUMNS)
    csv = f"read_csv('{path}', header=true, columns={{{types}}})"
    source = csv if path.endswith(".csv") else f"read_parquet('{path}')"
    with duckdb.connect(str(base)) as connection:
        connection.execute(f"CREATE VIEW lineitem AS SELECT * FROM {source}")
    place = {"type": "duckdb", "name": "rows", "connection": {"database": str(base)}}
    (folder / "rows.yml").write_text(json.dumps(place))  # every JSON document is YAML
    (folder / "contract.yml").write_text(json.dumps(_contract()))
    result = verify_contract_locally(
        data_source_file_path=str(folder / "rows.yml"),
        contract_file_path=str(folder / "contract.yml"),
    )
    print(result.get_errors_str() if result.has_errors else result.number_of_checks_failed)


if __name__ == "__main__":
    with TemporaryDirectory() as made:
        main(str(Path(sys.argv[1]).absolute()), Path(made))
