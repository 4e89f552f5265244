"""The condition on a table's rows means the same to each database as to Polars over files."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from database_engines import EngineUnderTest
from engine_values import TABLE
from naive_oracle import Row

from contractwatch.engines.sql.conditions import row_condition
from contractwatch.engines.sql.pull import PullFailure
from contractwatch.model.contract.database import DatabaseTables
from contractwatch.model.measure.metric import (
    CountWhere,
    IsInvalid,
    IsNull,
    RowCount,
    SurplusRows,
)
from contractwatch.model.measure.state import Count, DuplicateCounts


def row(whole: int | None, word: str | None, day: date | None, money: str | None) -> Row:
    return {
        "whole": whole,
        "small": 1,
        "real": 0.5,
        "money": None if money is None else Decimal(money),
        "word": word,
        "flag": True,
        "day": day,
        "local": datetime(2026, 1, 1),  # noqa: DTZ001
        "zoned": None,
    }


ROWS = [
    row(1, "a", date(2026, 1, 1), "1.50"),
    row(2, "A", date(2026, 1, 2), "2.50"),
    row(2, "b", date(2026, 1, 3), None),
    row(None, None, None, "2.50"),
]
ASKED = [RowCount(TABLE), CountWhere(TABLE, IsNull("money")), SurplusRows(TABLE, ("whole",))]


@pytest.mark.parametrize(
    ("where", "rows", "is_asked"),
    [
        ('"whole" > 1', 2, True),
        ('1 < "whole"', 2, True),
        ('NOT ("whole" = 1)', 2, True),
        ("\"word\" = 'a'", 1, True),
        ("\"word\" IN ('a', 'b') AND \"money\" IS NULL", 1, True),
        ('"money" = 2.5 OR "whole" BETWEEN 1 AND 1', 3, True),
        ('"flag"', 4, True),
        ('"whole" IS NULL', 1, True),
        ("UPPER(\"word\") = 'A'", 2, False),
        ('"whole" + 1 = 3', 2, False),
        ('"real" > 0', 4, False),
    ],
)
def test_rows_out_of_scope_count_for_nothing(
    engine: EngineUnderTest, where: str, rows: int, *, is_asked: bool
) -> None:
    engine.database.fill(ROWS)
    with engine.opened() as (asking, table):
        scoped = replace(table, where=where)
        assert (row_condition(asking.dialect, scoped) is not None) is is_asked
        found = asking.survey(DatabaseTables("live", "test", (scoped,)), ASKED)
        assert not found.failures
        assert found.measurements[RowCount(TABLE)] == Count(rows)
        frame = asking.frame(scoped, PullFailure())
        assert frame.rows.collect().height == rows


def test_keys_and_counts_are_those_of_the_scope(engine: EngineUnderTest) -> None:
    engine.database.fill(ROWS)
    with engine.opened() as (asking, table):
        scoped = replace(table, where='"whole" >= 2')
        found = asking.survey(DatabaseTables("live", "test", (scoped,)), ASKED).measurements
    assert found[CountWhere(TABLE, IsNull("money"))] == Count(1)
    assert found[SurplusRows(TABLE, ("whole",))] == DuplicateCounts(2, 1, 1, 2)


def test_a_pattern_is_pulled_within_the_scope(engine: EngineUnderTest) -> None:
    engine.database.fill(ROWS)
    metric = CountWhere(TABLE, IsInvalid("word", pattern=r"^\w$"))
    upper = CountWhere(TABLE, IsInvalid("word", pattern=r"^\p{Lu}$"))
    with engine.opened() as (asking, table):
        scoped = replace(table, where='"whole" = 2')
        found = asking.survey(DatabaseTables("live", "test", (scoped,)), [metric, upper])
    assert found.measurements == {metric: Count(0), upper: Count(1)}
