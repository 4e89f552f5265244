"""The dialect that a rule names, and what DuckDB adds to what a rule may say."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sql_values import contract, loaded, outcome, publish, refusals, sql, verdict, verdicts
from sqlglot.dialects.dialect import Dialect

from contractwatch.engines.core.memory_budget import KEY_BYTES
from contractwatch.engines.duckdb.connection import Limits, QueryError, run_query
from contractwatch.engines.duckdb.streams import RowStream
from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Column, Table
from contractwatch.model.record.check import Outcome
from contractwatch.odcs.sql.dialects import DIALECTS, dialect_named, divides_integers
from contractwatch.odcs.sql.placeholders import fill_placeholders
from contractwatch.odcs.sql.sql_errors import InvalidSqlError
from contractwatch.odcs.sql.sql_guard import guard_query

ORDERS = "id,STATE_CD,amount\n1,open,5\n2,closed,7.5\n2,test,x\n,,9\n"
T = Table(
    Clause("schema[0]", 1),
    "orders",
    "orders",
    tuple(Column(Clause("p", at), name, name) for at, name in enumerate(("id", "day", "word"))),
)
ROWS = pl.LazyFrame(
    {
        "id": [7, 2, 2],
        "day": pl.Series(["2026-01-01", "2026-02-01", None]).str.to_date(),
        "word": ["a,b", "B", None],
    }
)


FIRST_OF_EACH = "SELECT id FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY day) = 1"


def of(dialect: str) -> dict[str, object]:
    return {"customProperties": [{"property": "contractwatch.dialect", "value": dialect}]}


def answer(query: str, dialect: str = "") -> Any:
    text = guard_query(query, (T,), dialect).text
    tables = {"orders": RowStream(ROWS)}
    found = run_query(text, tables, integer_division=divides_integers(dialect))
    ((value,),) = found.values
    return value


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_integers_divide_as_the_dialect_says(dialect: str) -> None:
    is_whole = Dialect.get_or_raise(dialect).TYPED_DIVISION
    assert divides_integers(dialect) is is_whole
    for query in (
        "SELECT 7 / 2",
        "SELECT MAX(id) / 2 FROM orders",
        "SELECT MAX(id / 2) FROM orders",
    ):
        assert answer(query, dialect) == (3 if is_whole else 3.5)
    assert answer("SELECT MAX(id) / 2.0 FROM orders", dialect) == 3.5


def test_without_a_dialect_a_division_gives_a_fraction(tmp_path: Path) -> None:
    publish(tmp_path, ORDERS)
    rule = sql("SELECT 7 / 2", mustBe=3.5)
    assert outcome(tmp_path, rule) == (Outcome.PASSED, 3.5)
    assert outcome(tmp_path, {**rule, **of("postgres")}) == (Outcome.FAILED, 3)
    assert outcome(tmp_path, {**rule, **of("PostgreSQL")}) == (Outcome.FAILED, 3)
    assert outcome(tmp_path, {**rule, **of("bigquery")}) == (Outcome.PASSED, 3.5)


def test_a_query_with_variables_is_read_in_its_dialect(tmp_path: Path) -> None:
    publish(tmp_path, ORDERS)
    rule = sql("SELECT COUNT(*) FROM `orders` WHERE `id` = ${ID:-2}", mustBe=2, **of("mysql"))
    assert outcome(tmp_path, rule) == (Outcome.PASSED, 2)


@pytest.mark.parametrize("written", ["klingon", "prql"])
def test_a_dialect_that_is_not_known_is_a_problem_of_the_contract(written: str) -> None:
    (found,) = refusals(sql("SELECT 1", **of(written)))
    assert found.startswith("the dialect of SQL is not known; expected one of athena, bigquery")


def test_a_dialect_has_other_names() -> None:
    assert dialect_named(" PostgreSQL ") == "postgres"
    assert dialect_named("SQLServer") == "tsql"
    assert dialect_named("prql") is None


@pytest.mark.parametrize(
    ("dialect", "query", "expected"),
    [
        ("bigquery", "SELECT COUNTIF(id > 2) FROM `orders`", 1),
        ("bigquery", "SELECT DATE_DIFF(MAX(day), MIN(day), DAY) FROM orders", 31),
        ("bigquery", "SELECT SAFE_DIVIDE(MAX(id), 2) FROM orders", 3.5),
        ("snowflake", "SELECT DATEDIFF(day, MIN(day), MAX(day)) FROM orders", 31),
        ("snowflake", "SELECT IFF(MAX(id) > 3, 1, 0) FROM orders", 1),
        ("snowflake", f"SELECT COUNT(*) FROM ({FIRST_OF_EACH})", 2),
        ("", f"SELECT count(*) FROM ({FIRST_OF_EACH})", 2),
        ("spark", "SELECT DATEDIFF(MAX(day), MIN(day)) FROM orders", 31),
        ("spark", "SELECT COUNT(*) FROM orders WHERE word RLIKE '^a'", 1),
        ("mysql", "SELECT 7 DIV 2", 3),
        ("mysql", "SELECT IFNULL(MAX(`id`), 0) FROM `orders`", 7),
        ("tsql", "SELECT TOP 1 [id] FROM [orders] ORDER BY [id] DESC", 7),
        ("tsql", "SELECT DATEDIFF(day, MIN(day), MAX(day)) FROM orders", 31),
        ("postgres", "SELECT COUNT(*) FROM orders WHERE word ~* '^b'", 1),
        ("oracle", "SELECT NVL(MAX(id), 0) FROM orders", 7),
        ("", "SELECT date_diff('day', min(day), max(day)) FROM orders", 31),
        ("", "SELECT datediff('month', min(day), max(day)) FROM orders", 1),
        ("", "SELECT count(*) FROM (SELECT DISTINCT ON (id) day FROM orders)", 2),
        ("", "SELECT count(*) FROM (SELECT id, count(*) FROM orders GROUP BY ALL)", 2),
        ("", "SELECT count(*) FROM orders o ANTI JOIN (SELECT 7 AS id) x USING (id)", 2),
        ("", "SELECT count(*) FROM orders o FULL JOIN (SELECT 9 AS id) x ON o.id = x.id", 4),
        ("", "SELECT sum(l.n) FROM orders o, LATERAL (SELECT o.id AS n) l", 11),
        ("", "SELECT count(*) FROM orders, UNNEST(str_split(word, ',')) AS u(part)", 3),
        ("", "SELECT len(list_distinct(list(id))) FROM orders", 2),
        ("", "SELECT regexp_extract(max(word), '(.),(.)', 2) FROM orders", "b"),
        ("", "SELECT '{\"a\": 5}'::JSON ->> '$.a'", "5"),
        ("", "SELECT count(*) FILTER (WHERE word IS NULL) FROM orders", 1),
        ("", "SELECT bool_and(id > 1) FROM orders", True),
        ("", "FROM orders SELECT count(*)", 3),
    ],
)  # fmt: skip
def test_a_query_gives_what_its_dialect_means(dialect: str, query: str, expected: object) -> None:
    assert answer(query, dialect) == expected


WAYS_ROUND = [
    "SELECT \"getenv\"('HOME')",
    "SELECT main.getenv('HOME')",
    "SELECT system.main.getenv('HOME')",
    "SELECT 'HOME'.getenv()",
    "SELECT id.getenv() FROM orders",
    "SELECT current_setting('temp_directory')",
    "SELECT getvariable('x')",
    "SELECT current_user",
    "SELECT current_database()",
    "SELECT version()",
    "SELECT random()",
    "SELECT uuid()",
    "SELECT nextval('s')",
    "SELECT sleep_ms(1000)",
    "SELECT write_log('x')",
    "SELECT error('x')",
    "SELECT repeat('x', 2000000000)",
    "SELECT range(1000000000000)",
    "SELECT list_resize([1], 1000000000)",
    "SELECT format('{:>1000000000}', 'x')",
    "SELECT printf('%1000000000d', 1)",
    "SELECT COUNT(*) FROM range(5)",
    "SELECT COUNT(*) FROM read_text('/etc/passwd')",
    "SELECT COUNT(*) FROM query('SELECT 1')",
    "SELECT COUNT(*) FROM query_table('orders')",
    "SELECT COUNT(*) FROM duckdb_settings()",
    "SELECT COUNT(*) FROM duckdb_settings",
    "SELECT COUNT(*) FROM pragma_database_list",
    "SELECT COUNT(*) FROM sqlite_master",
    "SELECT COUNT(*) FROM pg_catalog.pg_class",
    "SELECT COUNT(*) FROM information_schema.tables",
    "SELECT COUNT(*) FROM system.information_schema.tables",
    "SELECT COUNT(*) FROM '/etc/passwd'",
    "SELECT COUNT(*) FROM \"/etc/passwd\"",
    "FROM '/etc/passwd' SELECT COUNT(*)",
    "WITH duckdb_settings AS (SELECT 1) SELECT COUNT(*) FROM duckdb_settings",
    "SELECT (WITH pg_x AS (SELECT 1 x) SELECT x FROM pg_x) + COUNT(*) FROM pg_x",
    'WITH "a.tables" AS (SELECT 1) SELECT COUNT(*) FROM a.tables',
    "SELECT COLUMNS(*) FROM orders",
    "SELECT COLUMNS('i.*') FROM orders",
    "SELECT COUNT(*) FROM (PIVOT orders ON id USING count(*))",
    "SELECT COUNT(*) FROM (SUMMARIZE orders)",
    "SELECT COUNT(*) FROM (DESCRIBE orders)",
    "SELECT COUNT(*) FROM (SHOW TABLES)",
    "SELECT COUNT(*) FROM orders USING SAMPLE 1",
    "SELECT COUNT(*) FROM orders AT (VERSION => 1)",
    "COPY orders TO '/tmp/x'",
    "ATTACH '/tmp/x' AS x",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 1",
    "PRAGMA version",
    "CALL pragma_version()",
    "SELECT 1; SELECT 2",
    "SELECT ?",
    "SELECT CAST('x' AS \"foo) FROM duckdb_settings WHERE (TRUE\")",
    "SELECT CAST('x' AS foo)",
    "SELECT TRY_CAST('x' AS \"foo), (SELECT 1\")",
    "SELECT #1 FROM orders",
    "SELECT list_transform([1], lambda x: getenv('HOME'))",
    "SELECT [getenv(x) for x in ['HOME']]",
    "SELECT count(*) FILTER (WHERE getenv('HOME') <> '') FROM orders",
    "SELECT sum(id) OVER (ORDER BY getenv('HOME')) FROM orders",
    "SELECT * REPLACE (getenv('HOME') AS id) FROM orders",
    "SELECT 1 AS x, read_text AS y, x.read_text('/etc/passwd')",
    "SELECT CAST('x' AS \"getenv('HOME')\")",
]  # fmt: skip


@pytest.mark.parametrize("query", WAYS_ROUND)
@pytest.mark.parametrize("dialect", ["", "postgres", "snowflake", "mysql"])
def test_no_dialect_is_a_way_round_the_guard(query: str, dialect: str) -> None:
    with pytest.raises(InvalidSqlError):
        guard_query(query, (T,), dialect)


def test_a_never_ending_query_costs_its_own_rule_only() -> None:
    query = guard_query(
        "SELECT COUNT(DISTINCT a.id + b.id * c.id) FROM orders a, orders b, orders c", (T,)
    )
    rows = {"orders": RowStream(pl.LazyFrame({"id": pl.int_range(20_000, eager=True)}))}
    with pytest.raises(QueryError, match=r"took longer|more memory"):
        run_query(query.text, rows, Limits(512 << 20, 0.5, 1))


def test_columns_that_differ_in_case_alone_are_told_apart_by_their_spelling(tmp_path: Path) -> None:
    publish(tmp_path, "id,STATE_CD,amount,Odd,odd\n1,a,5,10,20\n")
    assert outcome(tmp_path, sql('SELECT SUM("Odd") FROM orders', mustBe=10)) == (
        Outcome.PASSED,
        10,
    )
    assert outcome(tmp_path, sql('SELECT SUM("odd") FROM orders', mustBe=20)) == (
        Outcome.PASSED,
        20,
    )
    for query in (
        'SELECT SUM("Odd" + "odd") FROM orders',
        "SELECT COUNT(*) FROM (SELECT * FROM orders)",
    ):
        found = verdict(tmp_path, sql(query))
        assert found.outcome is Outcome.ERROR
        assert "'Odd' and 'odd' of table 'orders' differ in case alone" in found.reason


@pytest.mark.parametrize("budget", [0, 1 << 30])
def test_rules_that_share_a_table_answer_as_each_by_itself(tmp_path: Path, budget: int) -> None:
    publish(tmp_path, ORDERS)
    rules = [
        sql("SELECT COUNT(*) FROM orders", id="rows", mustBe=4),
        sql("SELECT SUM(id) FROM orders", id="sum", mustBe=5),
        sql("SELECT COUNT(*) FROM orders a JOIN orders b ON a.id = b.id", id="twice", mustBe=5),
        sql("SELECT COUNT(*) FROM (SELECT * FROM orders)", id="star", mustBe=4),
        sql("SELECT SUM(CAST(state_cd AS INTEGER)) FROM orders", id="fails"),
    ]
    token = KEY_BYTES.set(budget)
    try:
        found = verdicts(tmp_path, contract(*rules))
    finally:
        KEY_BYTES.reset(token)
    kept = {name: found["sql", name].outcome for name in ("rows", "sum", "twice", "star")}
    assert set(kept.values()) == {Outcome.PASSED}
    assert found["sql", "fails"].reason.startswith("the query failed on the data")


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ('or"ders', "SELECT COUNT(*) FROM {object}"),
        ("or'ders", "SELECT COUNT(*) FROM {object}"),
        ("x; DROP TABLE y --", "SELECT COUNT(*) FROM {object}"),
        (
            "x\" UNION SELECT getenv('HOME') --",
            "SELECT COUNT(*) FROM {object} WHERE '{object}' <> ''",
        ),
        ("/* x */", "SELECT COUNT(*) FROM {object} AS t"),
    ],
)
def test_a_name_is_a_name_whatever_it_holds(tmp_path: Path, name: str, query: str) -> None:
    column = 'c" FROM orders; --'
    table = Table(Clause("s", 1), name, name, (Column(Clause("p", 1), column, column),))
    rows = {name: RowStream(pl.LazyFrame({column: [1, 2]}))}
    for text in (query, "SELECT SUM({property}) - 1 FROM {object}"):
        guarded = guard_query(fill_placeholders(text, name, (column,)), (table,))
        assert guarded.tables == (name,)
        assert run_query(guarded.text, rows).values == ((2,),)


def test_loaded_rules_carry_their_dialect() -> None:
    (rule,) = loaded(contract(sql("SELECT 7 / 2", **of("trino")))).tables[0].queries
    assert rule.dialect == "trino"
