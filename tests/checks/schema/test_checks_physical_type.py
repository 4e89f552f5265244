"""A spelling of any system is held against a file's own type, and never against a text's."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from contractwatch import verify
from contractwatch.checks.common.type_spellings import allowed_types, is_allowed
from contractwatch.engines.tables.frames import open_table
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import DataFile, TableFiles
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.state import ColumnType, TableColumns
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, RunOutcome, RunResult
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.scan import ScanJob, scan

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PASSED, FAILED, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED

FRAME = pl.DataFrame(
    {
        "text": ["a"],
        "coded": pl.Series(["a"], dtype=pl.Categorical),
        "truth": [True],
        "i8": pl.Series([1], dtype=pl.Int8),
        "i16": pl.Series([1], dtype=pl.Int16),
        "i32": pl.Series([1], dtype=pl.Int32),
        "i64": pl.Series([1], dtype=pl.Int64),
        "u32": pl.Series([1], dtype=pl.UInt32),
        "f32": pl.Series([1], dtype=pl.Float32),
        "f64": pl.Series([1.0]),
        "money": pl.Series([Decimal(1)], dtype=pl.Decimal(10, 2)),
        "whole": pl.Series([Decimal(1)], dtype=pl.Decimal(38, 0)),
        "day": [date(2026, 3, 1)],
        "local": [datetime(2026, 3, 1)],  # noqa: DTZ001 - it has none
        "zoned": [NOW],
        "clock": [time(1)],
        "bytes": [b"a"],
        "struct": [{"a": 1}],
        "list": [["a"]],
        "map": [[{"key": "a", "value": 1}]],
    }
)
ALLOWED = {
    "text": "varchar(18), VARCHAR2(9 CHAR), character varying(5), string, TEXT, nvarchar, clob,"
    " utf8, uuid, json, bpchar, Utf8, enum('a';'b'), citext, varchar(9) NOT NULL",
    "coded": "string, varchar(3), dictionary<values=string>",
    "truth": "boolean, BOOL, bit, bit(1), tinyint(1)",
    "i8": "tinyint, byte, int8, Int8, tinyint(4)",
    "i16": "smallint, int2, int16, short, tinyint",
    "i32": "int, int4, integer, int32, INT(11), smallint, tinyint, mediumint, number(9)",
    "i64": "bigint, long, int64, int8, integer, bigint(20), NUMBER(38;0), number, decimal(18;0),"
    " numeric, int unsigned",
    "u32": "uint32, int unsigned, unsigned int, UInt32, integer unsigned",
    "f32": "float, real, float4, float(24), Float32, number",
    "f64": "double, double precision, float8, float, float64, real, binary_double",
    "money": "decimal(10;2), numeric(10; 2), number(10;2), decimal, Decimal(precision=10; scale=2),"
    " decimal128(10; 2), bignumeric, money",
    "whole": "number(38;0), decimal(38), number, bigdecimal",
    "day": "date, date32, date32[day]",
    "local": "timestamp, datetime, timestamp_ntz, timestamp without time zone, timestamp(6),"
    " datetime2(7), timestamp(6) without time zone, timestamp[us], timestamp_micros,"
    " Datetime(time_unit='us'; time_zone=None)",
    "zoned": "timestamp, timestamptz, timestamp with time zone, timestamp(6) with time zone,"
    " datetimeoffset, timestamp_ltz, timestamp[us; tz=UTC], TIMESTAMP WITH LOCAL TIME ZONE",
    "clock": "time, time(6), time without time zone, time64[us]",
    "bytes": "binary, bytes, varbinary(9), blob, bytea, fixed[16], fixed_size_binary[16],"
    " byte_array, uuid",
    "struct": "struct<a:int>, record, row(a int), object, STRUCT",
    "list": "array<string>, list, text[], varchar(9)[], integer[3], list<element: string>",
    "map": "map<string;int>, map, MAP(VARCHAR; INT)",
}
REFUSED = {
    "text": "int, date, boolean, binary, decimal(3;1), array<string>, struct<a:int>",
    "truth": "int, string",
    "i32": "bigint, int64, long, float, varchar(4), decimal(9;2), uint64",
    "i64": "int, int4, smallint, tinyint(1), double, number(10;2), bigint unsigned, timestamp",
    "u32": "bigint unsigned, int, smallint unsigned",
    "f32": "double, float8, decimal, integer",
    "f64": "float4, numeric, bigint",
    "money": "decimal(10;3), decimal(12;2), number(10), decimal(10), double",
    "whole": "decimal(18;0), number(10;2)",
    "day": "timestamp, varchar(10), datetime",
    "local": "timestamptz, date, timestamp with time zone, timestamp[us; tz=UTC]",
    "zoned": "timestamp_ntz, date, datetime2, local-timestamp-micros",
    "bytes": "string, varchar(9)",
    "struct": "map, array<int>, string",
    "list": "string, struct<a:int>, map<string;int>",
}
UNKNOWN = (
    "geography",
    "hstore",
    "",
    "interval day to second",
    "bit(8)",
    "(",
    "decimalx(1)",
    "a" * 9999,
)


def columns_of(tmp_path: Path) -> TableColumns:
    path = tmp_path / "t.parquet"
    FRAME.write_parquet(path)
    return open_table(
        TableFiles("t", (DataFile(str(path), 1, NOW),), DataFormat.PARQUET, ())
    ).columns


def spelt(texts: str) -> list[str]:
    return [text.strip().replace(";", ",") for text in texts.split(", ")]


def test_spellings_of_all_systems_allow_the_types_that_they_mean(tmp_path: Path) -> None:
    columns = columns_of(tmp_path)
    assert ALLOWED.keys() == {column.name for column in columns.columns}
    for allowed, table in ((True, ALLOWED), (False, REFUSED)):
        for name, texts in table.items():
            found = columns.find(name)
            assert found is not None
            for spelling in spelt(texts):
                words = allowed_types(spelling)
                assert words, spelling
                assert is_allowed(found, words, by_family=False) is allowed, (name, spelling)


@pytest.mark.parametrize("spelling", UNKNOWN)
def test_a_spelling_that_is_not_known_allows_nothing(spelling: str) -> None:
    assert allowed_types(spelling) == frozenset()


def test_by_family_widths_and_zones_do_not_matter_and_numbers_are_one() -> None:
    whole = ColumnType("c", "integer", "int64")
    local = ColumnType("c", "timestamp", "Datetime")
    for spelling in ("int", "double", "decimal(9,2)"):
        assert is_allowed(whole, allowed_types(spelling), by_family=True)
    assert is_allowed(local, allowed_types("timestamptz"), by_family=True)
    assert not is_allowed(whole, allowed_types("string"), by_family=True)


def run(folder: Path, frame: pl.DataFrame, columns: dict[str, Any], **server: Any) -> RunResult:
    data_format = server.pop("format", "parquet")
    path = folder / f"t.{data_format}"
    match data_format:
        case "csv":
            frame.write_csv(path)
        case "json":
            frame.write_ndjson(path)
        case "arrow":
            frame.write_ipc(path)
        case "avro":
            frame.write_avro(path)
        case "delta":
            frame.write_delta(path)
        case _:
            frame.write_parquet(path)
    place = f"./{{object}}.{data_format}"
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "k",
        "name": "k",
        "version": "1.0.0",
        "status": "active",
        "servers": [
            {"server": "s", "type": "local", "path": place, "format": data_format, **server}
        ],
        "schema": [
            {
                "name": "t",
                "properties": [{"name": name, **said} for name, said in columns.items()],
            }
        ],
    }
    contract, _ = parse_contract(json.dumps(document).encode(), "k.yaml")
    plan = verify.plan(contract)
    job = ScanJob(
        contract.servers[0], contract.tables, plan.metrics, bases=(folder,), roots=None, now=NOW
    )
    return verify.judge(plan, scan(job), now=NOW)


def physical(result: RunResult) -> list[CheckResult]:
    return [one for one in result.results if one.promise.kind == "physicalType"]


TYPED = {"id": "varchar(18)", "many": "int", "truth": "boolean", "day": "date", "x": "double"}
ROWS = pl.DataFrame(
    {"id": ["a"], "many": pl.Series([1], dtype=pl.Int32), "truth": [True], "x": [0.5]}
).with_columns(day=date(2026, 3, 1))


@pytest.mark.parametrize("data_format", ["parquet", "arrow", "avro", "delta"])
def test_the_types_of_typed_files_are_judged_without_a_scan(
    tmp_path: Path, data_format: str
) -> None:
    columns = {name: {"physicalType": spelling} for name, spelling in TYPED.items()}
    result = run(tmp_path, ROWS, columns, format=data_format)
    assert [one.outcome for one in physical(result)] == [PASSED] * len(TYPED)
    assert {one.verdict.evidence for one in physical(result)} == {Evidence.METADATA}


def test_another_width_is_a_warning_and_says_both_types(tmp_path: Path) -> None:
    frame = ROWS.with_columns(pl.col("many").cast(pl.Int64))
    result = run(tmp_path, frame, {"many": {"logicalType": "integer", "physicalType": "int"}})
    (found,) = physical(result)
    assert (found.outcome, found.promise.severity) == (FAILED, Severity.WARNING)
    assert found.verdict.reason == "the column is of type int64"
    assert found.verdict.threshold == "int"
    assert result.outcome is RunOutcome.WARNING


@pytest.mark.parametrize("data_format", ["csv", "json"])
def test_files_of_text_have_no_physical_types_and_lose_no_coverage(
    tmp_path: Path, data_format: str
) -> None:
    columns = {name: {"physicalType": "geography"} for name in TYPED}
    result = run(tmp_path, ROWS, columns, format=data_format)
    assert physical(result) == []
    assert result.coverage.executed == result.coverage.promised


def test_an_unknown_spelling_is_skipped_and_a_missing_column_too(tmp_path: Path) -> None:
    columns = {"id": {"physicalType": "geography"}, "gone": {"physicalType": "int"}}
    result = run(tmp_path, ROWS, columns)
    assert [(one.outcome, one.verdict.reason) for one in physical(result)] == [
        (SKIPPED, "unsupported physical type"),
        (SKIPPED, "column missing"),
    ]
    assert (result.coverage.executed, result.coverage.promised) == (2, 4)


def test_the_names_of_folders_are_text_and_have_no_physical_type(tmp_path: Path) -> None:
    folder = tmp_path / "shop=7"
    folder.mkdir()
    ROWS.write_parquet(folder / "a.parquet")
    file = DataFile(str(folder / "a.parquet"), 1, NOW)
    files = TableFiles("t", (file,), DataFormat.PARQUET, (), hive_root=str(tmp_path))
    column = open_table(files).columns.find("shop")
    assert column == ColumnType("shop", "string", "text", text=True)


def test_a_date_that_has_a_time_of_day_where_the_contract_says_timestamp(tmp_path: Path) -> None:
    frame = pl.DataFrame({"at": [NOW]})
    for logical, expected in (("timestamp", PASSED), ("date", FAILED)):
        columns = {"at": {"logicalType": logical, "physicalType": "DATE"}}
        assert [one.outcome for one in physical(run(tmp_path, frame, columns))] == [expected]


@pytest.mark.parametrize(
    ("values", "logical", "written", "expected"),
    [
        ([NOW], "timestamp", "long", PASSED),
        ([NOW], "timestamp", "INT64", PASSED),
        ([NOW.date()], "date", "int", PASSED),
        ([NOW.time()], "time", "int", PASSED),
        (pl.Series([1], dtype=pl.Decimal(9, 2)), "number", "fixed_len_byte_array", PASSED),
        ([NOW], "timestamp", "double", FAILED),
        ([1.0], "number", "bytes", FAILED),
        ([NOW], "date", "int", FAILED),
    ],
)
def test_a_type_may_be_spelt_by_how_its_values_are_stored(
    tmp_path: Path, values: Any, logical: str, written: str, expected: Outcome
) -> None:
    columns = {"at": {"logicalType": logical, "physicalType": written}}
    found = physical(run(tmp_path, pl.DataFrame({"at": values}), columns))
    assert [one.outcome for one in found] == [expected]


LENIENT = [{"property": "contractwatch.read", "value": {"typeMode": "lenient"}}]


@pytest.mark.parametrize(
    ("values", "logical", "lenient", "expected"),
    [
        ([datetime(2026, 3, 1)], "date", False, (FAILED, Severity.WARNING)),  # noqa: DTZ001
        ([NOW], "date", False, (FAILED, Severity.ERROR)),
        (pl.Series(["a"], dtype=pl.Categorical), "string", False, (PASSED, Severity.ERROR)),
        (pl.Series(["a"], dtype=pl.Enum(["a"])), "string", False, (PASSED, Severity.ERROR)),
        (pl.Series([1], dtype=pl.Decimal(9, 0)), "integer", False, (PASSED, Severity.ERROR)),
        (pl.Series([1], dtype=pl.Decimal(9, 2)), "integer", False, (FAILED, Severity.ERROR)),
        ([1.0], "integer", False, (FAILED, Severity.ERROR)),
        ([1.0], "integer", True, (PASSED, Severity.ERROR)),
        ([1], "number", False, (PASSED, Severity.ERROR)),
        (["1"], "integer", True, (FAILED, Severity.ERROR)),
    ],
)
def test_logical_types_fit_as_the_type_table_says(
    tmp_path: Path,
    values: Any,
    logical: str,
    lenient: bool,
    expected: tuple[Outcome, Severity],
) -> None:
    more = {"customProperties": LENIENT} if lenient else {}
    result = run(tmp_path, pl.DataFrame({"c": values}), {"c": {"logicalType": logical}}, **more)
    (found,) = (one for one in result.results if one.promise.kind == "type")
    assert (found.outcome, found.promise.severity) == expected


def test_a_lenient_server_takes_numbers_for_one_another_in_physical_types_too(
    tmp_path: Path,
) -> None:
    columns = {"many": {"physicalType": "bigint"}, "x": {"physicalType": "decimal(9,2)"}}
    strict = physical(run(tmp_path, ROWS, columns))
    lenient = physical(run(tmp_path, ROWS, columns, customProperties=LENIENT))
    assert [one.outcome for one in (*strict, *lenient)] == [FAILED, FAILED, PASSED, PASSED]
