"""SQL rules run in the database, in its own dialect, over the contract's tables alone."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from database_engines import CONTRACT_TABLE, EngineUnderTest
from engine_values import TABLE

from contractwatch.model.contract.database import DatabaseTables
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import QueryValue, SqlScalar, text_digest

ROWS = [
    {
        "whole": whole,
        "small": 1,
        "real": 0.5,
        "money": Decimal("2.50"),
        "word": "ä",
        "flag": True,
        "day": date(2026, 1, whole),
        "local": datetime(2026, 1, 1),  # noqa: DTZ001
        "zoned": datetime(2026, 1, 1, tzinfo=UTC),
    }
    for whole in (1, 2, 2)
]


def answer(engine: EngineUnderTest, query: str, *, where: str = "") -> Measurement:
    engine.database.fill(ROWS)
    metric = SqlScalar(TABLE, query, (TABLE,), written=query)
    with engine.opened() as (asking, table):
        found = DatabaseTables("live", "test", (replace(table, where=where),))
        return asking.survey(found, [metric], (CONTRACT_TABLE,)).measurements[metric]


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SELECT COUNT(*) FROM orders", QueryValue(3)),
        ("SELECT SUM(money) FROM Orders O WHERE O.whole = 2", QueryValue(5.0)),
        ("SELECT MAX(word) FROM orders", QueryValue(text_digest=text_digest("ä"))),
        ("SELECT MIN(day) FROM orders", QueryValue(text_digest=text_digest("2026-01-01"))),
        (
            (
                "WITH Often AS (SELECT whole, COUNT(*) AS n FROM orders GROUP BY whole)"
                " SELECT COUNT(*) FROM Often WHERE n > 1"
            ),
            QueryValue(1),
        ),
        (
            (
                "SELECT COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY whole ORDER BY day)"
                " AS r FROM orders) AS d WHERE d.r > 1"
            ),
            QueryValue(1),
        ),
    ],
)
def test_a_query_has_its_one_value(engine: EngineUnderTest, query: str, value: QueryValue) -> None:
    assert answer(engine, query) == value


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT MAX(whole) FROM orders WHERE whole > 9", "no value"),
        ("SELECT whole FROM orders", "several rows"),
        ("SELECT MIN(whole), MAX(whole) FROM orders", "2 columns"),
        ("SELECT MAX(wohle) FROM orders", "there is no column 'wohle'"),
        ("SELECT COUNT(*) FROM customers", "has no table 'customers'"),
        ("SELECT MAX(o.row_to_json) FROM orders o", "there is no column 'row_to_json'"),
        ("DELETE FROM orders", "no SELECT"),
        ("SELECT SUM(word) / 0 FROM orders WHERE COUNT(*) > 1", "refused the question"),
    ],
)
def test_a_query_without_a_value_says_why(engine: EngineUnderTest, query: str, why: str) -> None:
    found = answer(engine, query)
    assert isinstance(found, Unmeasured)
    assert why in found.reason


def test_a_table_with_a_condition_is_not_queried_past_it(engine: EngineUnderTest) -> None:
    found = answer(engine, "SELECT COUNT(*) FROM orders", where='"whole" = 1')
    assert isinstance(found, Unmeasured)
    assert "condition on its rows" in found.reason
