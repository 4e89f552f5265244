"""Queries over columns that the contract does not list, and messages of those that cannot run."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contractwatch.engines.query.engine import measure
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Column, LogicalType, Table
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import QueryValue, SqlScalar
from contractwatch.odcs.sql.sql_errors import UnsupportedSqlError
from contractwatch.odcs.sql.sql_guard import guard_query

NOW = datetime(2026, 3, 1, tzinfo=UTC)
COLUMNS = (
    Column(Clause("schema[0].properties[0]", 1), "id", "id", LogicalType.INTEGER),
    Column(Clause("schema[0].properties[1]", 2), "day", "day", LogicalType.DATE),
)
ORDERS = Table(Clause("schema[0]", 1), "orders", "orders", COLUMNS)
CSV = "id,day,name,amount\n1,2026-01-05,ab,5\n2,2026-01-06,b,7.5\n3,2026-02-01,,-1\n"


def answer(folder: Path, query: str, content: str = CSV) -> Measurement:
    path = folder / "orders.csv"
    path.write_text(content)
    file = DataFile(str(path), path.stat().st_size, NOW)
    data = Dataset("live", (TableFiles("orders", (file,), DataFormat.CSV, COLUMNS),), "v1", NOW)
    guarded = guard_query(query, (ORDERS,))
    asked = SqlScalar("orders", guarded.text, guarded.tables)
    return measure(data, [asked], now=NOW)[asked]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT count(*) FROM orders WHERE amount > 5", 1),
        ("SELECT count(*) FROM orders WHERE 5 <= amount", 2),
        ("SELECT count(*) FROM orders o WHERE o.amount BETWEEN -1 AND 6", 2),
        ("SELECT count(*) FROM orders WHERE amount IN (5, 7)", 1),
        ("SELECT count(*) FROM orders WHERE (amount) = -1", 1),
        ("SELECT sum(amount) FROM orders", 11.5),
        ("SELECT max(amount * 2) FROM orders", 15.0),
        ("WITH a AS (SELECT * FROM orders WHERE amount > 0) SELECT count(*) FROM a", 2),
        ("SELECT count(*) FROM orders WHERE strpos(name, 'b') > 1 AND amount > 0", 1),
        (
            "SELECT count(DISTINCT date_trunc('month', day)) FROM orders WHERE amount > -2",
            2,
        ),
        ("SELECT count(*) FROM orders WHERE name = 'b' AND amount = '7.5'", 1),
        ("SELECT count(*) FROM orders WHERE name IS NULL", 1),
    ],
)
def test_a_column_that_the_contract_does_not_list_is_read(
    tmp_path: Path, query: str, expected: float
) -> None:
    assert answer(tmp_path, query) == QueryValue(expected)


def test_a_cell_that_is_no_number_where_one_is_meant_leaves_no_answer(tmp_path: Path) -> None:
    found = answer(tmp_path, "SELECT count(*) FROM orders WHERE amount > 5", CSV + "4,,c,secret\n")
    assert isinstance(found, Unmeasured)
    assert "secret" not in found.reason


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT sum(name || 'a') FROM orders", "the function 'sum' does not take"),
        ("SELECT max(id) FROM orders GROUP BY day HAVING name = 'x'", "column 'name' must be in"),
        ("SELECT count(*) FROM orders WHERE day > 5", "compares DATE with INTEGER"),
        ("SELECT count(*) FROM orders WHERE nothere > 1", "no column 'nothere'"),
    ],
)
def test_what_cannot_be_run_is_named(tmp_path: Path, query: str, told: str) -> None:
    found = answer(tmp_path, query)
    assert isinstance(found, Unmeasured)
    assert told in found.reason
    assert not set("{}[]") & set(found.reason)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT make_interval(days => 1)", "a named argument (=>)"),
        ("SELECT count(*) FROM orders FOR UPDATE", "FOR UPDATE"),
        ("SELECT generate_series(1, 1000000000)", "generate_series"),
        ("SELECT count(*) FROM orders WHERE name SIMILAR TO 'a%'", "SIMILAR TO (write LIKE or ~)"),
        ("SELECT 1 OPERATOR(pg_catalog.+) 2", "OPERATOR ( )"),
        ("SELECT id FROM orders FETCH FIRST 1 ROWS ONLY", "FETCH (write LIMIT)"),
    ],
)
def test_a_part_that_is_not_allowed_is_named_as_it_is_written(query: str, told: str) -> None:
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query(query, (ORDERS,))
    assert str(raised.value).startswith(f"{told}")
