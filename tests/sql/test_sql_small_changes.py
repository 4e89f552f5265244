"""Small things of the guard of SQL that a change could lose without a loud failure."""

import logging

import pytest
from test_sql_written import CUSTOMERS, ORDERS, column

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.path import StructField
from contractwatch.model.contract.contract import Table
from contractwatch.odcs.sql.sql_errors import InvalidSqlError, UnsafeSqlError, UnsupportedSqlError
from contractwatch.odcs.sql.sql_guard import guard_predicate, guard_query

TABLES = (ORDERS, CUSTOMERS)


def test_the_parser_quotes_no_contract_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("sqlglot").setLevel(logging.NOTSET)
    with caplog.at_level(logging.DEBUG), pytest.raises(UnsafeSqlError):
        guard_query("EXPLAIN SELECT secret", TABLES)
    assert not caplog.records


def test_other_logs_keep_their_level(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        guard_query("SELECT COUNT(*) FROM orders", TABLES)
        assert logging.getLogger().level == logging.DEBUG


def test_what_stands_between_dollars_is_text_and_no_type() -> None:
    nested = f"{'STRUCT(' * 9}INT{')' * 9}"
    with pytest.raises(UnsupportedSqlError, match="RAWSTRING is not allowed"):
        guard_query(f"SELECT COUNT(*) FROM orders WHERE state = $${nested}$$", TABLES)


@pytest.mark.parametrize("text", [";", " ; ;\n", "", "\t"])
def test_nothing_at_all_is_a_mistake_and_no_attack(text: str) -> None:
    with pytest.raises(UnsupportedSqlError, match="there is no SQL in it; expected one query"):
        guard_query(text, TABLES)


@pytest.mark.parametrize("name", ["OCTET_LENGTH", "octet_length", "BIT_COUNT", "strftime"])
def test_a_listed_function_that_the_parser_does_not_know_runs(name: str) -> None:
    more = ", '%Y'" if name == "strftime" else ""
    found = guard_query(f"SELECT MAX({name}(state{more})) FROM orders", TABLES)
    assert name.upper() in found.text


def test_a_name_that_is_made_in_the_query_is_found_in_any_case() -> None:
    found = guard_query("SELECT COUNT(*) AS Total FROM orders ORDER BY total", TABLES)
    assert '"Total"' in found.text.partition("ORDER BY")[2]


NESTED = Table(
    Clause("schema[0]", 1),
    "events",
    "events",
    (
        column(
            "a",
            nested=(
                column("a.x", "a", path=(StructField("x"),)),
                column("a.x.b", "a", path=(StructField("x"), StructField("b"))),
            ),
        ),
    ),
)


def test_a_name_of_with_that_is_an_object_is_refused_for_its_members() -> None:
    with pytest.raises(InvalidSqlError, match="'a' is a table and an object column"):
        guard_query("WITH a AS (SELECT 1 AS x) SELECT a.x FROM events", (NESTED,))


def test_a_member_of_a_member_is_no_member_of_the_column() -> None:
    assert guard_query("SELECT a.b FROM events AS a", (NESTED,)).tables == ("events",)
    with pytest.raises(InvalidSqlError, match="'a' is a table and an object column"):
        guard_query("SELECT a.x FROM events AS a", (NESTED,))


@pytest.mark.parametrize("written", ["STATE", "State", "state_cd", "STATE_CD"])
def test_a_condition_finds_its_column_in_any_case_of_either_name(written: str) -> None:
    assert guard_predicate(f"{written} = 'x'", ORDERS) == "\"STATE_CD\" = 'x'"


def test_the_name_of_a_function_is_told_whole() -> None:
    with pytest.raises(UnsupportedSqlError, match="the function 'xmlx' is not run over files"):
        guard_query("SELECT XMLX(1) FROM orders", TABLES)
