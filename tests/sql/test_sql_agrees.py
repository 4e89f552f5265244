"""SQL and library metrics that ask the same give the same answer, on Parquet and on CSV."""

import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sql_values import HEAD, sql, verdicts

_QUERIES = {
    "nulls": "SELECT COUNT(*) FROM {object} WHERE {property} IS NULL",
    "duplicates": "SELECT COUNT({property}) - COUNT(DISTINCT {property}) FROM {object}",
    "range": "SELECT COUNT(*) FROM {object} WHERE NOT {property} IN (1, 2, 3)",
    "rows": "SELECT COUNT(*) FROM {object}",
}
_LIBRARY = {
    "nulls": {"metric": "nullValues"},
    "duplicates": {"metric": "duplicateValues"},
    "range": {"metric": "invalidValues", "arguments": {"validValues": [1, 2, 3]}},
}


def _contract(data_format: str, where: str) -> bytes:
    operator = {"mustBeGreaterOrEqualTo": 0}
    rules: list[Any] = [sql(query, id=name, **operator) for name, query in _QUERIES.items()]
    rules += [{**rule, "id": f"library-{name}", **operator} for name, rule in _LIBRARY.items()]
    table = {
        "name": "t",
        "quality": [{"metric": "rowCount", "id": "library-rows", **operator}],
        "customProperties": [{"property": "contractwatch.where", "value": where}],
        "properties": [
            {"name": "a", "logicalType": "integer", "quality": rules},
            {"name": "b", "logicalType": "integer"},
        ],
    }
    server = {"server": "s", "type": "local", "path": f"t.{data_format}", "format": data_format}
    return json.dumps({**HEAD, "servers": [server], "schema": [table]}).encode()


_CONTRACTS = {
    (data_format, where): _contract(data_format, where)
    for data_format in ("parquet", "csv")
    for where in ("TRUE", "b > 0 OR b IS NULL")
}
_CELLS = st.none() | st.integers(-1, 5)


@pytest.mark.parametrize("kind", _CONTRACTS)
@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(_CELLS, _CELLS), max_size=12))
def test_a_query_counts_what_the_library_counts(
    kind: tuple[str, str], rows: list[tuple[int | None, int | None]]
) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.Int64}, orient="row")
    with tempfile.TemporaryDirectory() as folder:
        if kind[0] == "csv":
            frame.write_csv(Path(folder) / "t.csv")
        else:
            frame.write_parquet(Path(folder) / "t.parquet")
        found = verdicts(Path(folder), _CONTRACTS[kind])
    of_sql = {name: found["sql", name].observed for name in _QUERIES}
    library = {
        name: next(
            verdict.observed
            for (of, rule), verdict in found.items()
            if rule.removeprefix("library-") == name and of != "sql"
        )
        for name in _QUERIES
    }
    assert of_sql == library
    in_scope = [a for a, b in rows if kind[1] == "TRUE" or b is None or b > 0]
    assert of_sql["rows"] == len(in_scope)
    assert of_sql["nulls"] == in_scope.count(None)
