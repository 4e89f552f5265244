"""Messages name no type or class of Polars."""

import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from engine_values import NOW, TABLE, column, dataset
from polars.datatypes import classes
from types_values import verdicts

from contractwatch.engines.core.failures import table_error
from contractwatch.engines.query.engine import measure
from contractwatch.model.base.path import ArrayItem, StructField
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import (
    CountWhere,
    Inside,
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLarger,
    IsLonger,
    IsMissing,
    IsNotMultiple,
    IsNotNormalized,
    IsNull,
    IsShorter,
    IsSmaller,
    KeyRange,
    LacksMembers,
    Metric,
    Predicate,
    RepeatsElements,
    SurplusRows,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.measure.state import Unmeasured
from contractwatch.model.record.check import Verdict
from tests.engines.formats.test_engines_file_types import TYPES

_CLASSES = {name for name, found in vars(classes).items() if inspect.isclass(found)}
_ERRORS = {name for name in dir(pl.exceptions) if name[0].isupper()}
BANNED = re.compile(
    rf"\b({'|'.join(sorted(_CLASSES | _ERRORS))})\b"
    r"|\w+Error\b|Exception|polars|dtype|Expr|<class|\x00"
)
WAYS = [
    (),
    (StructField("a"),),
    (ArrayItem(),),
    (ArrayItem(), StructField("key")),
    (StructField("value"), ArrayItem()),
]


def predicates() -> Iterator[Predicate]:
    c = "c"
    yield from (IsNull(c), IsMissing(c, ("x",)), IsInvalid(c, ("x",)), IsInvalid(c, (1, True)))
    yield from (IsInvalid(c, pattern="^x"), IsShorter(c, 2), IsLonger(c, 2))
    for bound in (3, 0.5, "x", "2026-03-01", NOW, "12:00:00"):
        yield from (IsBelow(c, bound), IsAbove(c, bound))
    yield from (IsNotMultiple(c, 3), IsNotMultiple(c, -1), IsSmaller(c, 1), IsLarger(c, 1))
    yield from (RepeatsElements(c), RepeatsElements(c, (StructField("a"),)), IsNotNormalized(c))
    yield LacksMembers(c, ("a", "gone"))


def metrics() -> Sequence[Metric]:
    plain = list(predicates())
    inner = [Inside(path, one) for path in WAYS if path for one in plain]
    return [
        *(CountWhere(TABLE, one) for one in (*plain, *inner)),
        *(Unparseable(TABLE, "c", path) for path in WAYS),
        *(TimeSpan(TABLE, "c", zone) for zone in ("Etc/UTC", "Europe/Berlin", "Mars/Olympus")),
        *(TimeSpan(TABLE, "c", "Etc/UTC", path) for path in WAYS),
        SurplusRows(TABLE, ("c",)),
        *(SurplusRows(TABLE, ("c",), paths=(path,)) for path in WAYS if ArrayItem() not in path),
        KeyRange(TABLE, ("c",)),
    ]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_no_answer_names_a_type_of_the_library(tmp_path: Path, dtype: pl.DataType) -> None:
    pl.DataFrame(schema={"c": dtype}).write_ipc(tmp_path / "a.arrow")
    for logical in (None, LogicalType.DATE):
        data = dataset([tmp_path / "a.arrow"], DataFormat.ARROW, [column("c", logical)])
        found = measure(data, metrics(), now=NOW)
        told = {one.reason for one in found.values() if isinstance(one, Unmeasured)}
        assert told
        assert [one for one in told if BANNED.search(one)] == []


def test_the_words_that_are_banned_are_found() -> None:
    for told in ("type Int64", "Datetime(time_unit='us')", "(ComputeError)", "List(Null)"):
        assert BANNED.search(told)
    assert not BANNED.search("values of type timestamp have no elements")


QUERIES = ("sum(c)", "max(c)", "min(length(c))", "count(c + 1)", "any_value(c)", "c", "gone")


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_no_query_or_condition_names_a_type_of_the_library(
    tmp_path: Path, dtype: pl.DataType
) -> None:
    pl.DataFrame({"c": [None]}, schema={"c": dtype}).write_ipc(tmp_path / "a.arrow")
    rules = [
        {"type": "sql", "query": f"SELECT {query} FROM t", "mustBe": 0, "id": f"q{at}"}
        for at, query in enumerate(QUERIES)
    ]

    def found(**table: Any) -> list[Verdict]:
        properties = [{"name": "c"}]
        asked = verdicts(tmp_path, properties, path="./*.arrow", data_format="arrow", **table)
        return list(asked.values())

    told = found(quality=rules)
    for condition in ("c > 1", "c = 'x'", "length(c) > 2", "c + 1 = 2"):
        where = [{"property": "contractwatch.where", "value": condition}]
        rows = [{"metric": "rowCount", "mustBe": 1}]
        told += found(customProperties=where, quality=rows)
    assert [one.reason for one in told if BANNED.search(one.reason)] == []


def promised() -> list[dict[str, Any]]:
    own: list[dict[str, Any]] = [
        {"name": f"c{at}", "physicalName": "c", "logicalType": kind, "physicalType": spelling}
        for at, (kind, spelling) in enumerate(
            [
                *(("string", "varchar(9)"), ("integer", "bigint"), ("number", "decimal(9,2)")),
                *(("boolean", "bit"), ("date", "date"), ("timestamp", "timestamptz")),
                *(("time", "time"), ("object", "struct<a:int>"), ("array", "array<int>")),
            ]
        )
    ]
    own[5]["logicalTypeOptions"] = {"timezone": True}
    own[7]["properties"] = [{"name": "a", "logicalType": "date", "required": True}]
    own[8]["items"] = {"logicalType": "date", "required": True}
    return own


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_no_verdict_names_a_type_of_the_library(tmp_path: Path, dtype: pl.DataType) -> None:
    pl.DataFrame(schema={"c": dtype}).write_ipc(tmp_path / "a.arrow")
    found = verdicts(tmp_path, promised(), path="./*.arrow", data_format="arrow")
    pl.DataFrame(schema={"c": pl.Struct({"a": pl.Int8, "z": pl.Int8})}).write_ipc(
        tmp_path / "b.arrow"
    )
    found |= {
        f"both {promise}": one
        for promise, one in verdicts(
            tmp_path, promised(), path="./*.arrow", data_format="arrow"
        ).items()
    }
    told = {f"{one.reason} {one.observed} {one.threshold}" for one in found.values()}
    assert [one for one in told if BANNED.search(one)] == []


@pytest.mark.parametrize("data_format", [DataFormat.PARQUET, DataFormat.ARROW, DataFormat.AVRO])
def test_a_query_that_fails_for_its_types_is_not_told_as_a_broken_file(
    data_format: DataFormat,
) -> None:
    said = "operation not supported for dtype `array[binary, 2]`\n\nResolved plan until failure:\n"
    error = pl.exceptions.InvalidOperationError(f"{said}Parquet SCAN [/data/a.parquet]")
    told = str(table_error(error, "t", data_format))
    assert told.endswith(": a column is of a type that the reader cannot take apart")
