"""The guard of SQL that a database runs: hostile queries are refused before they reach it."""

import pytest

from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Table
from contractwatch.odcs.sql.sql_errors import InvalidSqlError
from contractwatch.odcs.sql.sql_guard import guard_database_query
from contractwatch.odcs.sql.sql_writer import to_database_sql

TABLES = (Table(Clause("schema[0]", 1), "orders", "orders", ()),)
DIALECTS = ["postgres", "mysql", "duckdb"]

HOSTILE = [
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_sleep(9) FROM orders",
    'SELECT "pg_sleep"(9) FROM orders',
    "SELECT pg_catalog.pg_sleep(1)",
    "SELECT COUNT(*) FROM pg_catalog.pg_authid",
    "SELECT COUNT(*) FROM pg_authid",
    "SELECT COUNT(*) FROM information_schema.tables",
    "SELECT lo_import('/etc/passwd')",
    "COPY orders TO PROGRAM 'x'",
    "SELECT 1; DROP TABLE orders",
    "WITH x AS (DELETE FROM orders RETURNING 1) SELECT COUNT(*) FROM x",
    "SELECT * INTO y FROM orders",
    "SELECT COUNT(*) FROM orders FOR UPDATE",
    "SELECT dblink('x', 'y')",
    "SELECT LOAD_FILE('/etc/passwd')",
    "SELECT SLEEP(9)",
    "SELECT BENCHMARK(1000000, MD5('x'))",
    "SELECT current_user",
    "SELECT user()",
    "SELECT version()",
    "SELECT current_setting('x')",
    "SELECT set_config('a', 'b', false)",
    "SELECT COUNT(*) FROM generate_series(1, 1000000000)",
    "SELECT query_to_xml('select 1', true, true, '')",
    "SELECT 'x'::regclass",
    "SELECT COUNT(*) FROM orders, LATERAL (SELECT pg_sleep(1)) x",
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 1000000000)",
    "SELECT COUNT(*) FROM read_csv('/etc/passwd')",
    "SELECT COUNT(*) FROM '/etc/passwd'",
    "SELECT getenv('HOME')",
    "SELECT COUNT(*) FROM orders WHERE id = (SELECT nextval('s'))",
    'SELECT CAST(id AS "foo) FROM pg_authid --") FROM orders',
    "SELECT COUNT(*) FROM orders INTO OUTFILE '/tmp/x'",
    "WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT COUNT(*) FROM r",
    "EXPLAIN ANALYZE SELECT 1",
    "SET ROLE postgres",
    "SELECT pg_terminate_backend(1)",
    "SELECT extractvalue(1, concat(0x7e, version()))",
    "SELECT SYS_EVAL('id')",
    "SELECT mysql.f(1)",
    "SELECT * FROM orders TABLESAMPLE SYSTEM (1)",
    "SELECT json_agg(orders) FROM orders",
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("query", HOSTILE)
def test_a_hostile_query_is_refused(query: str, dialect: str) -> None:
    with pytest.raises(InvalidSqlError):
        guard_database_query(query, TABLES, dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT /*! LOAD_FILE('/etc/passwd') */ 1",
        "SELECT 1 /*!50000 UNION SELECT LOAD_FILE(0x41)*/",
        "SELECT COUNT(*) FROM orders -- ; DROP TABLE orders",
    ],
)
def test_no_comment_reaches_the_database(query: str, dialect: str) -> None:
    written = to_database_sql(guard_database_query(query, TABLES, dialect).root, dialect)
    assert "*" not in written.replace("COUNT(*)", "")
    assert "DROP" not in written


@pytest.mark.parametrize("dialect", DIALECTS)
def test_names_keep_the_quotes_that_they_have(dialect: str) -> None:
    quote = "`" if dialect == "mysql" else '"'
    query = f"SELECT MAX(O.id), MAX(O.{quote}Id{quote}) FROM Orders O"
    written = to_database_sql(guard_database_query(query, TABLES, dialect).root, dialect)
    assert f"O.{quote}Id{quote}" in written
    assert "MAX(O.id)" in written
    assert written.endswith(f"FROM {quote}orders{quote} AS O")
