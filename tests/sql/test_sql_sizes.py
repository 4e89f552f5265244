"""The bounds on joins and SELECTs of one query."""

import pytest

from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Table
from contractwatch.odcs.sql.sql_errors import UnsupportedSqlError
from contractwatch.odcs.sql.sql_guard import guard_query

ORDERS = Table(Clause("schema[0]", 1), "orders", "orders", ())


def with_joins(count: int) -> str:
    joins = "".join(f" JOIN orders o{at} ON o.id = o{at}.id" for at in range(count))
    return f"SELECT count(*) FROM orders o{joins}"


def with_selects(count: int) -> str:
    return " UNION ALL ".join(["SELECT count(*) FROM orders"] * count)


def test_ten_joins_and_twenty_selects_are_read() -> None:
    assert guard_query(with_joins(10), (ORDERS,)).tables == ("orders",)
    assert guard_query(with_selects(20), (ORDERS,)).tables == ("orders",)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (with_joins(11), "the query has 11 joins; expected at most 10"),
        (with_selects(21), "the query has 21 SELECTs; expected at most 20"),
    ],
)
def test_one_more_is_refused_with_both_numbers(query: str, told: str) -> None:
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query(query, (ORDERS,))
    assert str(raised.value) == told
