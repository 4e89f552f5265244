"""Functions agree with DuckDB, and every allowed one is known to the engine."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from contractwatch.engines.duckdb.connection import run_query
from contractwatch.engines.duckdb.streams import RowStream
from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Column, Table
from contractwatch.odcs.sql.sql_allow_list import QUERY_FUNCTIONS
from contractwatch.odcs.sql.sql_errors import InvalidSqlError
from contractwatch.odcs.sql.sql_guard import guard_predicate, guard_query

ROWS = {
    "id": [1, 2, 3, 4],
    "word": ["Ann", "bob", None, "anna"],
    "amount": [1.5, -2.0, 8.0, None],
    "day": [dt.date(2026, 1, 31), dt.date(2026, 3, 5), None, dt.date(2024, 2, 29)],
}
COLUMNS = tuple(Column(Clause("p", at), name, name) for at, name in enumerate(ROWS))
T = Table(Clause("schema[0]", 1), "t", "t", COLUMNS)
VALUES = """
(VALUES (1, 'Ann', 1.5::DOUBLE, DATE '2026-01-31'), (2, 'bob', -2.0, DATE '2026-03-05'),
        (3, NULL, 8.0, NULL), (4, 'anna', NULL, DATE '2024-02-29')) AS t(id, word, amount, day)
"""


def ours(query: str, *, integer_division: bool = False) -> Any:
    rows = {"t": RowStream(pl.LazyFrame(ROWS))}
    return run_query(query, rows, integer_division=integer_division).values[0][0]


def theirs(query: str) -> Any:
    found = duckdb.sql(query.replace("FROM t", f"FROM {VALUES}")).fetchall()
    return found[0][0]


def plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None).isoformat().removesuffix("T00:00:00")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return pytest.approx(float(value)) if isinstance(value, float | Decimal | int) else value


@pytest.mark.parametrize(
    "query",
    [
        "SELECT LOG(2, 8)",
        "SELECT LOG(3, 81)",
        "SELECT LOG(10, 1000)",
        "SELECT LOG(100)",
        "SELECT LOG10(1000)",
        "SELECT LOG2(16)",
        "SELECT LN(2.5)",
        "SELECT SUM(LOG(2, id)) FROM t",
        "SELECT 12 / LOG(2, 8)",
        "SELECT CONCAT_WS(',', 'a', NULL, 'b')",
        "SELECT MAX(CONCAT_WS('-', word, id)) FROM t WHERE id = 3",
        "SELECT CONCAT('a', NULL, 'b')",
        "SELECT MIN(word || '!') FROM t",
        "SELECT COUNT(*) FROM t WHERE word ~ '^[a-z]'",
        "SELECT COUNT(*) FROM t WHERE word LIKE 'a%'",
        "SELECT COUNT(*) FROM t WHERE word ILIKE 'A%'",
        "SELECT COUNT(*) FROM t WHERE NOT word LIKE '%n'",
        "SELECT STRPOS('hello', 'l')",
        "SELECT POSITION('z' IN 'hello')",
        "SELECT SUBSTRING('hello' FROM 2 FOR 3)",
        "SELECT SUBSTR('hello', 2)",
        "SELECT LEFT('hello', -2)",
        "SELECT RIGHT('hello', -2)",
        "SELECT SPLIT_PART('a,b', ',', 2)",
        "SELECT LPAD('hi', 4, 'x')",
        "SELECT RPAD('hello', 3, ' ')",
        "SELECT LTRIM('xax', 'x')",
        "SELECT TRIM(BOTH FROM ' a ')",
        "SELECT REPLACE('aXbX', 'X', '-')",
        "SELECT REGEXP_REPLACE('aaa', 'a', 'b')",
        "SELECT REVERSE('abc')",
        "SELECT LENGTH('\u00e9t\u00e9')",
        "SELECT STRING_AGG(word, ',' ORDER BY id) FROM t",
        "SELECT ROUND(2.345, 1)",
        "SELECT ROUND(-1.5)",
        "SELECT TRUNC(-2.7)",
        "SELECT CEIL(1.2) + FLOOR(-1.2)",
        "SELECT MOD(-7, 3)",
        "SELECT 2 ^ 3",
        "SELECT POWER(2, 0.5)",
        "SELECT CBRT(27)",
        "SELECT SIGN(-2)",
        "SELECT PI()",
        "SELECT GREATEST(1, NULL, 3)",
        "SELECT LEAST(2, NULL, 3)",
        "SELECT NULLIF(2, 3)",
        "SELECT COALESCE(NULL, 4)",
        "SELECT AVG(amount) FROM t",
        "SELECT MEDIAN(amount) FROM t",
        "SELECT QUANTILE_CONT(amount, 0.25) FROM t",
        "SELECT QUANTILE_DISC(amount, 0.5) FROM t",
        "SELECT STDDEV(amount) FROM t",
        "SELECT STDDEV_SAMP(amount) FROM t",
        "SELECT VARIANCE(amount) FROM t",
        "SELECT VAR_SAMP(amount) FROM t",
        "SELECT CORR(id, amount) FROM t",
        "SELECT COVAR_POP(id, amount) FROM t",
        "SELECT COVAR_SAMP(id, amount) FROM t",
        "SELECT COUNT(DISTINCT LOWER(word)) FROM t",
        "SELECT COUNT(*) FILTER (WHERE amount > 0) FROM t",
        "SELECT EXTRACT(DOW FROM DATE '2026-03-01')",
        "SELECT EXTRACT(ISODOW FROM DATE '2026-03-01')",
        "SELECT EXTRACT(WEEK FROM DATE '2026-01-01')",
        "SELECT EXTRACT(EPOCH FROM TIMESTAMP '2026-03-01 00:00:01')",
        "SELECT DATE_PART('quarter', DATE '2026-04-01')",
        "SELECT YEAR(MAX(day)) + MONTH(MAX(day)) + DAY(MAX(day)) FROM t",
        "SELECT DATE_TRUNC('month', MAX(day)) FROM t",
        "SELECT DATE_TRUNC('week', MAX(day)) FROM t",
        "SELECT DATE '2026-01-31' + INTERVAL '1 month'",
        "SELECT STRFTIME(MAX(day), '%Y/%m') FROM t",
        "SELECT MAX(day) > DATE '2026-01-01' FROM t",
        "SELECT (SELECT ROW_NUMBER() OVER (ORDER BY id DESC) FROM t ORDER BY id LIMIT 1)",
        "SELECT SUM(n) FROM (SELECT LAG(id, 1) OVER (ORDER BY id) AS n FROM t) AS x",
        "SELECT SUM(n) FROM (SELECT NTILE(3) OVER (ORDER BY id) AS n FROM t) AS x",
        "SELECT 1 WHERE NULL IS NOT DISTINCT FROM NULL",
        "SELECT COUNT(*) FROM t WHERE id NOT IN (SELECT id FROM t WHERE amount > 0)",
    ],
)
def test_a_function_gives_what_another_engine_gives(query: str) -> None:
    written = guard_query(query, (T,)).text
    assert plain(ours(written)) == plain(theirs(query))


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("word ~* '^a'", [1, 4]),
        ("word !~* '^a'", [2]),
        ("word ~ '^a'", [4]),
        ("word !~ '^a'", [1, 2]),
        ("word ~* 'N{2}' AND NOT word ~* 'a$'", [1]),
        ("regexp_like(word, '^A', 'i')", [1, 4]),
        ("word ~~* 'a%'", [1, 4]),
        ("EXTRACT('month' FROM day) = 3", [2]),
    ],
)
def test_a_pattern_is_compared_in_either_case_where_it_says_so(
    condition: str, kept: list[int]
) -> None:
    rows = pl.DataFrame(ROWS)
    found = rows.filter(pl.sql_expr(guard_predicate(condition, T)))
    assert found["id"].to_list() == kept
    query = guard_query(f"SELECT COUNT(*) FROM t WHERE {condition}", (T,))
    assert ours(query.text) == len(kept)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("WITH New AS (SELECT id FROM t) SELECT COUNT(*) FROM NEW", 4),
        ("WITH New AS (SELECT id FROM t) SELECT MAX(NEW.ID) FROM new", 4),
        ("WITH New AS (SELECT id FROM t) SELECT MAX(n.id) FROM nEW N WHERE N.id < 3", 2),
        ('WITH "New" AS (SELECT id FROM t) SELECT MAX(new.id) FROM "New"', 4),
        ("WITH New(Key) AS (SELECT id FROM t) SELECT SUM(KEY) FROM new", 10),
        ("WITH New AS (SELECT COUNT(*) AS Total FROM t) SELECT TOTAL FROM new", 4),
        ("WITH A AS (SELECT id FROM t), B AS (SELECT id FROM a) SELECT COUNT(*) FROM b, a", 16),
        ("SELECT SUM(X.KEY) FROM (SELECT id FROM t) AS x(Key)", 10),
        ("SELECT (WITH Inner_One AS (SELECT id FROM t) SELECT MIN(id) FROM INNER_ONE)", 1),
    ],
)
def test_a_name_of_with_is_found_in_either_case(query: str, expected: int) -> None:
    assert ours(guard_query(query, (T,)).text) == expected


SPECIAL_FORMS = {
    *("ARRAY", "CAST", "COALESCE", "DATE", "EXISTS", "EXTRACT", "IF", "IFNULL", "TRY_CAST"),
    *("CUME_DIST", "DENSE_RANK", "FIRST_VALUE", "LAG", "LAST_VALUE", "LEAD", "NTH_VALUE", "NTILE"),
    *("GROUPING", "GROUPING_ID", "PERCENT_RANK", "RANK", "ROW_NUMBER"),
}


def test_all_that_may_be_called_is_a_function_of_the_engine_without_side_effects() -> None:
    found = duckdb.sql(
        "SELECT upper(function_name), bool_or(coalesce(has_side_effects, false)) "
        "FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'macro') GROUP BY 1"
    ).fetchall()
    pure = {name for name, has_side_effects in found if not has_side_effects}
    assert sorted(QUERY_FUNCTIONS - pure - SPECIAL_FORMS) == []


DOCS = Path(__file__).parents[2] / "docs" / "sql.md"
TABLE = DOCS.read_text().partition("| about | functions |")[2].partition("\n\n")[0]


def test_the_table_of_functions_in_the_docs_names_no_function_that_is_not_run() -> None:
    names = re.findall(r"`(\w+)`", TABLE)
    assert len(names) > 100
    lacking: list[str] = []
    for name in names:
        told: list[str] = []
        for arguments in (
            "",
            "id",
            "id, id",
            "id, id, id",
            "id AS INT",
            "'a' IN word",
            "DAY FROM day",
            "id, 9",
        ):
            try:
                query = f"SELECT {name.removeprefix('current_')}({arguments}) FROM t"
                told.append(guard_query(query, (T,)).text)
            except InvalidSqlError as error:
                told.append(str(error))
        if not any(one.startswith("SELECT ") for one in told):
            lacking.append(f"{name}: {told}")
    assert lacking == []
