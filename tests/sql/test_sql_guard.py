"""Hostile SQL is refused clearly, or rewritten into what it harmlessly says."""

import pytest
from sql_values import contract, loaded, refusals, sql

from contractwatch.errors import ContractError
from contractwatch.odcs.load import parse_contract
from contractwatch.odcs.sql.sql_errors import UnsupportedSqlError
from contractwatch.odcs.sql.sql_guard import guard_query

HOSTILE = {
    "SELECT read_text('/etc/passwd')": "the function 'read_text' is not allowed",
    "SELECT pg_read_file('/etc/passwd')": "the function 'pg_read_file' is not allowed",
    "SELECT COUNT(*) FROM read_csv('/etc/passwd')": "the function 'read_csv' is not allowed",
    "SELECT COUNT(*) FROM read_parquet('x')": "the function 'read_parquet' is not allowed",
    "DROP TABLE orders": "the query is no SELECT",
    "COPY orders TO 'x.csv'": "the query is no SELECT",
    "INSERT INTO orders VALUES (1)": "the query is no SELECT",
    "CREATE TABLE x AS SELECT 1": "the query is no SELECT",
    "EXPLAIN SELECT 1": "the query is no SELECT",
    "SHOW TABLES": "the query is no SELECT",
    "ATTACH 'x.db' AS x": "the query is no SELECT",
    "SET x = 1": "the query is no SELECT",
    "SELECT 1; DROP TABLE orders": "2 statements instead of one",
    "SELECT 1 /*;*/; /**/ SELECT 2": "2 statements instead of one",
    "/*! DROP TABLE orders */": "0 statements instead of one",
    "SELECT * INTO x FROM orders": "INTO is not allowed",
    "WITH d AS (DELETE FROM orders RETURNING *) SELECT COUNT(*) FROM d": "DELETE is not allowed",
    "SELECT COUNT(*)\u200b FROM orders": "the query holds the invisible character U+200B",
    "SELECT COUNT(*) FROM orders -- \u202e x": "the query holds the invisible character U+202E",
    "SELECT 1 \x00": "the query holds the invisible character U+0000",
    "SELECT": "the query selects nothing",
}


OF_OTHERS = {
    "SELECT COUNT(*ROM orders": "the query is not understood as SQL; expected one",
    "SELECT COUNT(*) FROM ordrs": "the contract has no table 'ordrs'; expected one of",
    "SELECT COUNT(*) FROM range(3)": "found a function where a table is expected",
    "SELECT COUNT(*) FROM '/etc/passwd'": "the contract has no table '/etc/passwd'",
    'SELECT COUNT(*) FROM "../other.csv"': "the contract has no table '../other.csv'",
    "SELECT COUNT(*) FROM information_schema.tables": "the contract has no table 'information_",
    "WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT 1 FROM x) SELECT COUNT(*) FROM x": "WITH RECU",
    "WITH orders AS (SELECT 1) SELECT COUNT(*) FROM orders": "'orders' is a table",
    "SELECT COUNT(*) FROM generate_series(1, 1000000000)": "found a function where a table",
    "SELECT COUNT(*) FROM UNNEST(range(9))": "generate_series is not allowed",
    "SELECT COUNT(*) FROM (VALUES (1)) v": "VALUES is not allowed",
    "SELECT COUNT(*) FROM orders FOR UPDATE": "FOR UPDATE is not allowed",
    "SELECT $1": "a placeholder is not allowed",
    "SELECT COUNT(*) FROM \u043erders": "the contract has no table '\u043erders'",
    f"SELECT {'(' * 500}1{')' * 500}": "the query is nested too deeply",
    f"SELECT {'NOT ' * 500}TRUE": "the query is nested too deeply",
    f"SELECT {'1+' * 5000}1": "the query is nested too deeply",
    f"SELECT {'1,' * 20000}1": "the query is longer than 20,000 characters",
    f"SELECT COUNT(*) FROM orders a0{''.join(f', orders a{n}' for n in range(1, 13))}": "the quer",
    " UNION ALL ".join(["SELECT 1"] * 30): "the query has 30 SELECTs; expected at most 20",
}


@pytest.mark.parametrize("query", HOSTILE)
def test_hostile_sql_is_a_problem_of_the_contract(query: str) -> None:
    (found,) = refusals(sql(query))
    assert found.startswith(HOSTILE[query])


@pytest.mark.parametrize("query", OF_OTHERS)
def test_sql_that_another_engine_may_run_is_skipped_with_a_warning(query: str) -> None:
    read, (problem,) = parse_contract(contract(sql(query, id="x")), "orders.yaml")
    assert read.tables[0].queries == ()
    assert problem.path == "schema[0].quality[0].query"
    assert problem.message.startswith(f"the rule is skipped: {OF_OTHERS[query]}")
    (skipped,) = read.skipped
    assert (skipped.kind, skipped.clause.path) == ("sql", "schema[0].quality[0]")
    assert skipped.reason.startswith(f"unsupported: {OF_OTHERS[query]}")


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("id IN (SELECT id FROM orders)", "SUBQUERY is not allowed in a condition on rows"),
        ("EXISTS (SELECT 1)", "the function 'exists' is not allowed in a condition"),
        ("COUNT(*) > 1", "the function 'count' is not allowed in a condition"),
        ("read_csv('x') = 1", "the function 'read_csv' is not allowed in a condition"),
        ("amount > RANDOM()", "the function 'random' is not allowed in a condition"),
        ("state = CURRENT_DATE", "the function 'current_date' is not allowed in a condition"),
        ("id = 1; DROP TABLE orders", "2 statements instead of one; expected one condition"),
        ("id = 1) OR (1 = 1", "the condition is not understood as SQL; expected one condition"),
        ("customers.id = 1", "the condition is on table 'orders'; expected its columns only"),
        ("stat = 'x'", "table 'orders' has no column 'stat'; did you mean 'state'?"),
        ("id + 1", "the condition is not true or false for a row; expected such as status <> 'x'"),
    ],
)
def test_a_hostile_condition_is_a_problem_of_the_contract(condition: str, message: str) -> None:
    assert refusals(where=condition) == [message]


def test_what_runs_is_written_anew_from_what_was_understood() -> None:
    query = "select count(*) /* x */ from Orders_v1 o where o.ID > 1 -- y"
    (rule,) = loaded(contract(sql(query))).tables[0].queries
    assert rule.query == 'SELECT COUNT(*) FROM "orders" AS "o" WHERE "o"."id" > 1'
    assert rule.tables == ("orders",)


def test_a_refusal_names_the_line_of_the_query() -> None:
    with pytest.raises(ContractError) as refused:
        parse_contract(contract(sql("DROP TABLE orders")), "orders.yaml")
    (problem,) = refused.value.problems
    assert (problem.path, problem.line) == ("schema[0].quality[0].query", 1)


@pytest.mark.parametrize("opening", ["(", "[", "{"])
def test_letters_between_parentheses_do_not_hide_how_deep_they_are(opening: str) -> None:
    query = f"SELECT {('X' + opening) * 500}"
    with pytest.raises(UnsupportedSqlError, match="nested too deeply"):
        guard_query(query, ())


def test_letters_are_not_counted_as_parentheses() -> None:
    tables = loaded(contract()).tables
    text = f"SELECT COUNT(*) FROM orders WHERE state = '{'X' * 500}'"
    assert guard_query(text, tables).tables == ("orders",)
