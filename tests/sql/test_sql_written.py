"""Golden list of queries that run and of those that are refused, with the whole message."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.path import StructField
from contractwatch.model.contract.contract import Column, Table
from contractwatch.odcs.sql.sql_errors import InvalidSqlError, UnsafeSqlError, UnsupportedSqlError
from contractwatch.odcs.sql.sql_guard import guard_predicate, guard_query


def column(name: str, physical: str = "", **more: object) -> Column:
    return Column(Clause("c", 1), name, physical or name, **more)


COLUMNS = (
    column("id"),
    column("state", "STATE_CD"),
    column("amount"),
    column("Odd"),
    column("odd"),
)
ORDERS = Table(Clause("schema[0]", 1), "orders", "orders_v1", COLUMNS)
CUSTOMERS = Table(Clause("schema[1]", 9), "customers", "Customers", (column("id"), column("Name")))

GOLDEN = yaml.safe_load((Path(__file__).parents[1] / "golden" / "sql_guard.yaml").read_text())
ERRORS = {kind.__name__: kind for kind in (UnsafeSqlError, InvalidSqlError, UnsupportedSqlError)}


@pytest.mark.parametrize("case", GOLDEN["read"])
def test_a_query_is_written_anew(case: Mapping[str, Any]) -> None:
    found = guard_query(case["query"], (ORDERS, CUSTOMERS))
    assert (found.text, list(found.tables)) == (case["sql"], case["tables"])


@pytest.mark.parametrize("case", GOLDEN["refused"])
def test_a_query_is_refused_with_what_is_wrong(case: Mapping[str, str]) -> None:
    with pytest.raises(InvalidSqlError) as raised:
        guard_query(case["query"], (ORDERS, CUSTOMERS))
    assert type(raised.value) is ERRORS[case["error"]]
    assert str(raised.value) == case["told"]


@pytest.mark.parametrize("case", GOLDEN["conditions"])
def test_a_condition_is_written_in_physical_names(case: Mapping[str, str]) -> None:
    assert guard_predicate(case["condition"], ORDERS) == case["sql"]


@pytest.mark.parametrize("case", GOLDEN["refused_conditions"])
def test_a_condition_is_refused_with_what_is_wrong(case: Mapping[str, str]) -> None:
    with pytest.raises(InvalidSqlError) as raised:
        guard_predicate(case["condition"], ORDERS)
    assert type(raised.value) is ERRORS[case["error"]]
    assert str(raised.value) == case["told"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (f"SELECT '{'a' * 19_992}'", "the query is longer than 20,000 characters; expected less"),
        (
            f"SELECT '{'(' * 81}'",
            "the query is nested too deeply; expected at most 80 levels",
        ),
        (
            f"SELECT {'- ' * 80}1",
            "the query is nested too deeply; expected at most 80 levels",
        ),
        (
            f"SELECT {'[' * 81}",
            "the query is nested too deeply; expected at most 80 levels",
        ),
    ],
)
def test_a_query_that_is_too_large_is_for_another_engine(query: str, told: str) -> None:
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query(query, ())
    assert str(raised.value) == told


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT '{'a' * 19_991}'",
        f"SELECT '{'(' * 80}'",
        f"SELECT '{')' * 3}{'(' * 82}'",
        f"SELECT '{'()[]{}' * 81}'",
        f"SELECT {'- ' * 78}1",
    ],
)
def test_a_query_that_is_just_not_too_large_is_read(query: str) -> None:
    assert guard_query(query, ()).text.startswith("SELECT ")


def test_at_most_eight_tables_are_named_where_one_is_not_known() -> None:
    tables = [Table(Clause("s", 1), f"n{at}", f"p{at}", ()) for at in range(9)]
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query("SELECT 1 FROM unknown_table", tables)
    assert str(raised.value) == (
        "the contract has no table 'unknown_table'; expected one of p0, p1, p2, p3, p4, p5, p6, p7"
    )


def test_a_name_that_is_spelt_exactly_wins_over_one_that_differs_in_case() -> None:
    tables = [Table(Clause("s", 1), name, name, ()) for name in ("orders", "Orders", "x")]
    assert guard_query("SELECT 1 FROM Orders", tables).tables == ("Orders",)
    assert guard_query("SELECT 1 FROM orders", tables).tables == ("orders",)
    assert guard_query("SELECT 1 FROM ORDERS", tables).tables == ("orders",)
    by_physical = Table(Clause("s", 1), "a", "b", ()), Table(Clause("s", 2), "b", "c", ())
    assert guard_query("SELECT 1 FROM b", by_physical).tables == ("a",)


def _with_object(name: str) -> Table:
    inner = column(f"{name}.City", name, path=(StructField("City"),))
    owner = column(name, nested=(inner,))
    return Table(Clause("schema[2]", 20), "people", "people_v1", (column("id"), owner))


DOUBLE = (
    "'{}' is a table and an object column; expected FROM {{object}} AS t, where t is another name"
)


@pytest.mark.parametrize(
    ("name", "query", "told"),
    [
        ("people", "SELECT COUNT(*) FROM people WHERE people.city = 'x'", "people"),
        ("people", "SELECT COUNT(*) FROM people WHERE People.CITY = 'x'", "people"),
        ("p", "SELECT COUNT(*) FROM people AS p WHERE p.City = 'x'", "p"),
        ("s", "SELECT COUNT(*) FROM (SELECT id FROM people) AS s WHERE s.city = 'x'", "s"),
        ("w", "WITH w AS (SELECT id FROM people) SELECT COUNT(*) FROM w WHERE w.city = 'x'", "w"),
    ],
)
def test_a_name_of_a_table_and_of_an_object_is_refused(name: str, query: str, told: str) -> None:
    with pytest.raises(InvalidSqlError) as raised:
        guard_query(query, (_with_object(name),))
    assert str(raised.value) == DOUBLE.format(told)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT(*) FROM people AS p WHERE home.city = 'x'",
        "SELECT COUNT(*) FROM people AS home WHERE home.id = 1",
        "SELECT COUNT(*) FROM people AS city WHERE home.city = 'x'",
    ],
)
def test_a_name_with_one_meaning_is_read(query: str) -> None:
    assert guard_query(query, (_with_object("home"),)).tables == ("people",)


def test_a_query_in_parentheses_with_a_name_is_no_query() -> None:
    with pytest.raises(InvalidSqlError):
        guard_query("(SELECT COUNT(*) FROM orders) AS x", (ORDERS,))


def test_a_function_in_a_condition_is_named_as_it_is_written() -> None:
    with pytest.raises(InvalidSqlError) as raised:
        guard_predicate("DateDiff('day', id, id) > 1", ORDERS)
    assert "'datediff'" in str(raised.value)
