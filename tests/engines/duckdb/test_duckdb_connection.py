"""The locked connection refuses what the guard would never let through; no guard is in front."""

import os
import time
from pathlib import Path

import duckdb
import polars as pl
import pytest

from contractwatch.engines.duckdb.connection import Limits, QueryError, run_query
from contractwatch.engines.duckdb.streams import RowStream, with_arrow_types

SECRET = "s3cret-of-another"
ROWS = {"t": RowStream(pl.LazyFrame({"a": [1, 2, 3], "b": ["x", SECRET, None]}))}
ATTACKS = [
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_csv_auto('{file}')",
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM read_json('{file}')",
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM parquet_metadata('{file}')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM '{file}'",
    'SELECT * FROM "{file}"',
    "SELECT * FROM 'file://{file}'",
    "SELECT * FROM read_csv('https://example.invalid/x.csv')",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "SELECT * FROM sqlite_scan('{file}', 'x')",
    "SELECT * FROM postgres_scan('host=localhost', 'public', 'x')",
    "SELECT getenv('SECRET_OF_TEST')",
    "SELECT * FROM duckdb_secrets() WHERE name = getenv('SECRET_OF_TEST')",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY t FROM '{file}'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/out.db' AS x",
    "ATTACH '{file}' AS x (TYPE sqlite)",
    "ATTACH '.tmp/x.db' AS x",
    "COPY (SELECT 1) TO '.tmp/out.csv'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{file}'",
    "FORCE INSTALL sqlite FROM community",
    "SET enable_external_access = true",
    "SET temp_directory = '{folder}'",
    "SET lock_configuration = false",
    "RESET lock_configuration",
    "SET allowed_directories = ['{folder}']",
    "SET allowed_paths = ['{file}']",
    "SET python_enable_replacements = true",
    "SET memory_limit = '100GB'",
    "SET home_directory = '{folder}'",
    "SET extension_directory = '{folder}'",
    "SET log_query_path = '{folder}/log'",
    "SET allow_unsigned_extensions = true",
    "PRAGMA enable_profiling = 'json'",
    "PRAGMA profiling_output = '{folder}/out.json'",
    "SET profiling_output = '{folder}/out.json'",
    "CREATE SECRET x (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "CREATE PERSISTENT SECRET x (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "SELECT * FROM frame_of_the_caller",
    "SELECT * FROM pragma_storage_info('{file}')",
    "SELECT * FROM which_secret('{file}', 's3')",
    "CALL load_aws_credentials()",
    "CHECKPOINT; COPY (SELECT 1) TO '{folder}/out.csv'",
    "SELECT * FROM query('SELECT * FROM read_text(''{file}'')')",
    "SELECT * FROM query_table('{file}')",
    "CREATE VIEW v AS SELECT * FROM read_text('{file}'); SELECT * FROM v",
]


def _outcome(query: str) -> tuple[str, tuple[tuple[object, ...], ...]]:
    try:
        return "", run_query(query, ROWS).values
    except QueryError as error:
        return str(error), ()


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_outside_is_reached(
    attack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_TEST", SECRET)
    monkeypatch.chdir(tmp_path)
    frame_of_the_caller = pl.DataFrame({"a": [SECRET]})
    file = tmp_path / "other.csv"
    file.write_text(SECRET)
    query = attack.format(file=file, folder=tmp_path)
    said, values = _outcome(query)
    assert SECRET not in said
    assert values == ()
    assert [one.name for one in tmp_path.iterdir()] == ["other.csv"]
    assert frame_of_the_caller.height == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT sum(CAST(b AS INTEGER)) FROM t",
        "SELECT CAST(b AS DATE) FROM t",
        "SELECT strptime(b, '%Y') FROM t",
        "SELECT count(*) FROM t WHERE b = 5",
        "SELECT error(b) FROM t",
        "SELECT sum(CAST(b AS STRUCT(x INTEGER))) FROM t",
        "SELECT CAST(b AS JSON) FROM t",
        "SELECT json_extract(b, '$.a') FROM t",
        "SELECT regexp_matches('x', b || '(') FROM t",
        "SELECT CAST(b AS TIMESTAMPTZ) AT TIME ZONE b FROM t",
        "SELECT b::UUID FROM t",
        "SELECT date_part(b, DATE '2026-01-01') FROM t",
        "SELECT CAST(b AS DECIMAL(4, 2)) FROM t",
    ],
)
def test_a_message_quotes_no_value_of_the_data(query: str) -> None:
    with pytest.raises(QueryError) as raised:
        run_query(query, ROWS)
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None
    assert str(raised.value).startswith("the query ")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM range(1000000000000) a, range(9999) b WHERE sin(a.range) > b.range",
        "SELECT count(*) FROM t a, t b, range(100000) c, range(100000) d WHERE c.range > d.range",
        "WITH RECURSIVE r AS (SELECT 1 x UNION ALL SELECT x FROM r) SELECT count(*) FROM r",
        "SELECT sum(a.range * sin(b.range)) FROM range(1000000) a, range(1000000) b",
    ],
)
def test_a_query_without_end_is_interrupted(query: str) -> None:
    began = time.monotonic()
    with pytest.raises(QueryError, match=r"took longer than 0\.3 s|more memory"):
        run_query(query, ROWS, Limits(256 << 20, 0.3, 1))
    assert time.monotonic() - began < 10


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit is Linux's")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT length(repeat('x', 2000000000)) + length(repeat('y', 2000000000)) FROM t",
        "SELECT len(list(range)) FROM range(1000000000)",
        "SELECT length(string_agg(range::VARCHAR, 'xxxxxxxxxxxxxxxx')) FROM range(1000000000)",
        "SELECT count(*) FROM (SELECT DISTINCT hash(range) FROM range(1000000000))",
    ],
)
def test_a_query_that_needs_too_much_memory_is_ended(query: str) -> None:
    before = _resident()
    with pytest.raises(QueryError, match=r"more memory than it may have|took longer"):
        run_query(query, ROWS, Limits(128 << 20, 20, 1))
    assert _resident() - before < 1 << 30


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("rows", [1, 1_000, 300_000])
def test_a_table_that_is_named_twice_is_read_twice(rows: int) -> None:
    frame = pl.LazyFrame({"a": pl.int_range(rows, eager=True)})
    for table in (frame, frame.collect()):
        tables = {"t": RowStream(table)}
        query = "SELECT count(*) FROM t x JOIN t y ON x.a = y.a"
        assert run_query(query, tables).values == ((rows,),)
        query = (
            "SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM t) + (SELECT max(a) FROM t)"
        )
        assert run_query(query, tables).values == ((3 * rows - 1,),)


def test_types_that_arrow_does_not_share_are_read() -> None:
    frame = pl.LazyFrame(
        {
            "whole": pl.Series([2**100, None], dtype=pl.Int128),
            "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
            "level": pl.Series(["lo", "hi"], dtype=pl.Enum(["lo", "hi"])),
            "nothing": pl.Series([None, None], dtype=pl.Null),
            "inner": [{"n": None, "l": [None]}, {"n": None, "l": []}],
            "bad\x00name": [1, 2],
            "s": [{"bad\x00": 1}, {"bad\x00": 2}],
        }
    )
    tables = {"t": RowStream(with_arrow_types(frame))}
    assert run_query("SELECT max(whole)::VARCHAR FROM t", tables).values == ((str(2**100),),)
    assert run_query("SELECT max(kind) || max(level) FROM t", tables).values == (("ylo",),)
    assert run_query("SELECT count(nothing) FROM t", tables).values == ((0,),)
    assert run_query('SELECT count("inner".n) FROM t', tables).values == ((0,),)
    with pytest.raises(QueryError):
        run_query('SELECT "bad" FROM t', tables)


def test_an_open_connection_would_reach_it(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text(SECRET)
    found = duckdb.connect().execute(f"SELECT content FROM read_text('{file}')").fetchall()
    assert found == [(SECRET,)]
