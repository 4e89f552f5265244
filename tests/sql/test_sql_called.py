"""Which functions a query may call, and what messages name."""

from collections.abc import Callable

import pytest
from sql_values import contract
from sqlglot import exp

from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Column, Table
from contractwatch.odcs.load import parse_contract
from contractwatch.odcs.sql.sql_allow_list import QUERY_FUNCTIONS
from contractwatch.odcs.sql.sql_errors import UnsafeSqlError, UnsupportedSqlError
from contractwatch.odcs.sql.sql_guard import guard_predicate, guard_query
from contractwatch.odcs.sql.sql_writer import to_duckdb_sql, to_polars_sql

COLUMNS = (Column(Clause("p", 1), "id", "id"), Column(Clause("p", 2), "day", "day"))
ORDERS = Table(Clause("schema[0]", 1), "orders", "orders", COLUMNS)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("foo(id)", "foo"),
        ("Foo (id)", "foo"),
        ('"Foo"(id)', "foo"),
        ("txid_current(day)", "txid_current"),
        ("SUM(id) + random()", "random"),
        ("getvariable('x')", "getvariable"),
        ("version()", "version"),
        ("REPEAT('a', 1000000000)", "repeat"),
        ("my_schema.foo(id)", "foo"),
        (f"f{'o' * 80}(id)", f"f{'o' * 59}"),
    ],
)
def test_a_function_that_is_not_run_is_named_as_it_was_written(call: str, name: str) -> None:
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query(f"SELECT {call} FROM orders", (ORDERS,))
    assert str(raised.value) == f"the function '{name}' is not run over files"


def test_a_rule_with_such_a_function_is_skipped_and_the_rest_is_judged() -> None:
    rule = {"type": "sql", "id": "x", "query": "SELECT max(txid_current(id)) FROM orders"}
    read, (problem,) = parse_contract(contract({**rule, "mustBe": 0}), "orders.yaml")
    why = "the function 'txid_current' is not run over files"
    assert problem.message == f"the rule is skipped: {why}"
    assert [(one.kind, one.reason) for one in read.skipped] == [("sql", f"unsupported: {why}")]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT EXTRACT(\"day) FROM read_csv('/etc/*') --\" FROM day) FROM orders",
        "SELECT EXTRACT(\"day FROM day) FROM READ_CSV('/ETC/*') --\" FROM day) FROM orders",
        'SELECT EXTRACT("year FROM day) FROM orders UNION SELECT day(" FROM day) FROM orders',
        "SELECT DATE_TRUNC(\"x') FROM read_csv('/etc/passwd') --\", day) FROM orders",
        'SELECT EXTRACT("a b" FROM day) FROM orders',
        'SELECT EXTRACT("day--" FROM day) FROM orders',
        'SELECT EXTRACT("day;" FROM day) FROM orders',
    ],
)
def test_a_quoted_name_in_the_place_of_a_unit_is_no_sql_of_its_own(query: str) -> None:
    with pytest.raises(UnsafeSqlError, match="where a word is expected"):
        guard_query(query, (ORDERS,))


@pytest.mark.parametrize(
    "condition",
    [
        "EXTRACT(\"day) > 1 OR read_csv('/etc/*') --\" FROM day) > 1",
        'EXTRACT("day FROM day) > 1 OR EXTRACT(day" FROM day) > 1',
    ],
)
def test_nor_is_it_one_in_a_condition(condition: str) -> None:
    with pytest.raises(UnsafeSqlError, match="where a word is expected"):
        guard_predicate(condition, ORDERS)


@pytest.mark.parametrize("unit", ["day", "DAY", '"day"', "'day'"])
def test_a_unit_may_be_quoted(unit: str) -> None:
    query = guard_query(f"SELECT EXTRACT({unit} FROM day) FROM orders", (ORDERS,))
    assert query.text.upper().replace("'", "").startswith("SELECT EXTRACT(DAY FROM ")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT \"a(1) FROM read_csv('/etc/passwd') --\"(1)",
        "SELECT U&\"\\0072ead_csv\"('/etc/passwd')",
        "SELECT \u017fystem('id')",
        "SELECT COUNT(*) FROM \"read_csv\"('/etc/passwd')",
        "SELECT COUNT(*) FROM a.read_csv('/etc/passwd')",
        "SELECT COUNT(*) FROM \uff52ead_csv('/etc/passwd')",
        "SELECT COUNT(*) FROM ROWS FROM (read_csv('/etc/passwd'))",
        "SELECT COUNT(*) FROM orders CROSS APPLY read_csv('/etc/passwd')",
        "SELECT COUNT(*) FROM $$/etc/passwd$$",
        "SELECT {fn read_csv('/etc/passwd')}",
        "SELECT 1 OPERATOR(\"=) 1 FROM read_csv('/etc/passwd') --\") 2",
        "SELECT XMLELEMENT(NAME foo, 'x')",
        "SELECT MATCH(id) AGAINST('x') FROM orders",
        "SELECT COLUMNS('.*') FROM orders",
        "SELECT COUNT(*) FROM orders, LATERAL read_csv('/etc/passwd') AS f",
        "SELECT COUNT(*) FROM (TABLE read_csv('/etc/passwd'))",
    ],
)
def test_no_way_of_writing_a_call_gets_past_the_list(query: str) -> None:
    with pytest.raises((UnsupportedSqlError, UnsafeSqlError)):
        guard_query(query, (ORDERS,))


@pytest.mark.parametrize("write", [to_duckdb_sql, to_polars_sql])
@pytest.mark.parametrize(
    "raw",
    ["read_csv('x')", "READ_CSV ('x')", "1 FROM scan_parquet('x')", "1 /* x */", "1 -- x", "1; 2"],
)
def test_what_was_written_is_looked_at_by_itself(
    raw: str, write: Callable[[exp.Expr], str]
) -> None:
    """Whatever way a text found into a tree, the words that would run are seen."""
    with pytest.raises(UnsupportedSqlError):
        write(exp.Select(expressions=[exp.Var(this=raw)]))


@pytest.mark.parametrize("write", [to_duckdb_sql, to_polars_sql])
@pytest.mark.parametrize("name", ["read_csv", "READ_CSV", "scan_parquet", "foo"])
def test_the_first_word_is_looked_at_as_any_other(
    name: str, write: Callable[[exp.Expr], str]
) -> None:
    call = exp.Anonymous(this=name, expressions=[exp.Literal.string("/etc/passwd")])
    with pytest.raises(UnsupportedSqlError) as raised:
        write(call)
    assert str(raised.value) == f"the function '{name.lower()}' is not run over files"


@pytest.mark.parametrize("kind", ["DECIMAL(10, 2)", "VARCHAR(5)", "NUMERIC(3)", "CHAR(2)"])
def test_a_type_with_a_size_is_no_call(kind: str) -> None:
    assert guard_query(f"SELECT id::{kind} FROM orders", (ORDERS,)).tables == ("orders",)


def test_names_of_columns_in_parentheses_are_no_calls() -> None:
    query = guard_query(
        "WITH n(Total) AS (SELECT COUNT(*) FROM orders) "
        "SELECT total FROM n UNION ALL (SELECT b FROM (SELECT id FROM orders) AS t(b) LIMIT 1)",
        (ORDERS,),
    )
    assert query.text.startswith('WITH "n"("Total") AS (SELECT COUNT(*)')
    assert 'SELECT "Total" FROM "n" UNION ALL' in query.text
    assert 'SELECT "b" FROM (SELECT "id" FROM "orders" AS "orders") AS "t"("b")' in query.text


@pytest.mark.parametrize("name", ["orders AS o(a, id)", "orders AS o(a)", "orders o(id, b, c)"])
def test_other_names_for_the_columns_of_a_table_are_not_ignored(name: str) -> None:
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query(f"SELECT SUM(o.id) FROM {name}", (ORDERS,))
    told = "'o' has names for the columns of a table; expected FROM table AS t"
    assert str(raised.value) == told


def test_rows_that_a_window_leaves_out_are_not_ignored() -> None:
    frame = "ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW"
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query(f"SELECT SUM(id) OVER ({frame}) FROM orders", (ORDERS,))
    assert str(raised.value) == "EXCLUDE is not allowed in a window; expected OVER without it"
    kept = guard_query(f"SELECT SUM(id) OVER ({frame[:-20]}) FROM orders", (ORDERS,))
    assert kept.text.startswith('SELECT SUM("id") OVER (ORDER BY "id" ROWS BETWEEN')


@pytest.mark.parametrize("width", ["1001", "1000000000", "id", "-1", "500 + 500", "1e3", "'9'"])
@pytest.mark.parametrize("pad", ["lpad", "RPAD"])
def test_a_text_is_filled_up_to_a_width_that_is_known_and_small(pad: str, width: str) -> None:
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query(f"SELECT {pad}('a', {width}) FROM orders", (ORDERS,))
    expected = "expected a number of at most 1,000"
    assert str(raised.value) == f"the width of '{pad.lower()}' is not known; {expected}"


def test_a_text_is_filled_up_to_a_thousand_characters() -> None:
    assert guard_query("SELECT lpad('a', 1000)", ()).text == "SELECT LPAD('a', 1000, ' ')"
    assert guard_query("SELECT rpad('a', 3, 'x')", ()).text == "SELECT RPAD('a', 3, 'x')"


def test_nothing_that_may_run_reads_or_makes_a_table() -> None:
    words = (
        "READ",
        "SCAN",
        "GLOB",
        "COPY",
        "SERIES",
        "RANGE",
        "EXPLODE",
        "REPEAT",
        "COL",
    )
    assert [name for name in QUERY_FUNCTIONS if any(word in name for word in words)] == []


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT {'STRUCT(' * 70}1{')' * 70}",
        f"SELECT 1::{'DECIMAL(' * 70}1{')' * 70}",
        f"SELECT {'INT[' * 70}1{']' * 70}",
        f"SELECT {'date (abs(' * 35}1{'))' * 35}",
        f"SELECT {'VARCHAR(' * 70}",
        f"SELECT CAST(1 AS {'ENUM(' * 7}1{')' * 7})",
        f"SELECT {'1::INT[' * 7}1{']' * 7}",
    ],
)
def test_types_in_types_cost_no_time_that_doubles_with_each_level(query: str) -> None:
    with pytest.raises(UnsupportedSqlError) as raised:
        guard_query(query, ())
    told = "types are nested too deeply in the query; expected at most 6 levels"
    assert str(raised.value) == told


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT {'DATE(' * 6}'2026-01-01'{')' * 6}",
        f"SELECT {' + '.join(['LENGTH(CAST(1 AS VARCHAR(9)))'] * 30)}",
        f"SELECT {'abs(' * 20}1::DECIMAL(5, 2){')' * 20}",
    ],
)
def test_types_beside_types_are_read(query: str) -> None:
    assert guard_query(query, ()).text.startswith("SELECT ")


def test_a_bracket_that_closes_nothing_is_not_understood() -> None:
    with pytest.raises(UnsupportedSqlError, match="is not understood as SQL"):
        guard_query("SELECT 1)) + STRUCT(1)", ())
