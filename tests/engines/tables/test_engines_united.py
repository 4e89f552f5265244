"""Files of one table with different types are united, or the difference is reported."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from types_values import outcomes, verdicts, write_arrow, write_by_duckdb, write_parquet

NULL_NOTE = "no value was seen, so nothing contradicts the type"
AMOUNT = {"logicalType": "integer", "logicalTypeOptions": {"minimum": 0}}


def struct(*fields: tuple[str, pa.DataType]) -> pa.DataType:
    return pa.struct(list(fields))


def members(**types: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, **written} for name, written in types.items()]


def test_members_of_objects_are_united_by_name_and_one_that_lacks_is_null(tmp_path: Path) -> None:
    first = struct(("a", pa.int32()))
    second = struct(("b", pa.string()), ("a", pa.int64()))
    write_parquet(tmp_path / "a.parquet", o=pa.array([{"a": 1}, None, {"a": -1}], first))
    write_parquet(tmp_path / "b.parquet", o=pa.array([{"b": "x", "a": -2}], second))
    write_by_duckdb(tmp_path / "c.parquet", "SELECT {'a': 5::TINYINT, 'c': DATE '2026-01-01'} AS o")
    written = members(a=AMOUNT, b={"logicalType": "string", "required": True})
    found = verdicts(tmp_path, [{"name": "o", "logicalType": "object", "properties": written}])
    assert outcomes(found) == {
        "o/presence": "passed",
        "o.a/presence": "passed",
        "o.b/presence": "passed",
        "o/type": "passed",
        "o.a/type": "passed",
        "o.b/type": "passed",
        "o.b/required": "failed",
        "o.a/minimum": "failed",
    }
    assert (found["o.b/required"].violations, found["o.a/minimum"].violations) == (3, 2)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pa.list_(pa.int32()), pa.list_(pa.int64())),
        (pa.list_(pa.int8(), 1), pa.large_list(pa.uint32())),
        (pa.list_(pa.null()), pa.list_(pa.int16())),
        (pa.null(), pa.list_(pa.int16())),
    ],
    ids=str,
)
def test_elements_of_arrays_are_united(
    tmp_path: Path, first: pa.DataType, second: pa.DataType
) -> None:
    is_null = pa.types.is_null(first) or pa.types.is_null(first.value_type)
    write_parquet(tmp_path / "a.parquet", n=pa.array([None if is_null else [7], None], first))
    write_parquet(tmp_path / "b.parquet", n=pa.array([[7], [5, 7]], second))
    maximum = {"logicalType": "integer", "logicalTypeOptions": {"maximum": 6}}
    found = verdicts(tmp_path, [{"name": "n", "logicalType": "array", "items": maximum}])
    assert (found["n/type"].outcome.value, found["n[]/type"].outcome.value) == ("passed", "passed")
    assert found["n[]/maximum"].violations == (2 if is_null else 3)


def test_a_day_of_empty_lists_does_not_spoil_a_table_of_texts(tmp_path: Path) -> None:
    pl.DataFrame({"n": [[], []]}, schema={"n": pl.List(pl.Null)}).write_parquet(
        tmp_path / "a.parquet"
    )
    write_parquet(tmp_path / "b.parquet", n=pa.array([["x", None]], pa.list_(pa.string())))
    items = {"logicalType": "string", "required": True, "logicalTypeOptions": {"minLength": 2}}
    found = verdicts(tmp_path, [{"name": "n", "logicalType": "array", "items": items}])
    failed = {promise for promise, one in found.items() if one.outcome.value != "passed"}
    assert failed == {"n[]/required", "n[]/minLength"}


def test_objects_in_arrays_of_objects_are_united_at_any_depth(tmp_path: Path) -> None:
    def lines(inner: pa.DataType) -> pa.DataType:
        return pa.list_(struct(("line", struct(("tags", pa.list_(inner))))))

    one, other = struct(("k", pa.int8())), struct(("v", pa.string()), ("k", pa.int64()))
    write_arrow(tmp_path / "a.arrow", o=pa.array([[{"line": {"tags": [{"k": 1}]}}]], lines(one)))
    rows = [[{"line": {"tags": [{"k": -1, "v": "x"}, None]}}], None, [{"line": None}]]
    write_arrow(tmp_path / "b.arrow", o=pa.array(rows, lines(other)))
    tag = {"logicalType": "object", "properties": members(k=AMOUNT, v={"logicalType": "string"})}
    line = {"logicalType": "object", "properties": members(tags={"logicalType": "array"})}
    line["properties"][0]["items"] = tag
    item = {"logicalType": "object", "properties": members(line=line)}
    found = verdicts(
        tmp_path,
        [{"name": "o", "logicalType": "array", "items": item}],
        path="./*.arrow",
        data_format="arrow",
    )
    failed = {promise for promise, one in found.items() if one.outcome.value != "passed"}
    assert failed == {"o[].line.tags[].k/minimum"}


def test_a_member_on_whose_kind_files_disagree_costs_no_other_its_verdict(tmp_path: Path) -> None:
    first, second = (
        struct(("a", kind), ("b", pa.int64()), ("deep", struct(("x", kind))))
        for kind in (pa.int64(), pa.string())
    )
    write_parquet(tmp_path / "a.parquet", o=pa.array([{"a": 1, "b": -1, "deep": {}}], first))
    write_parquet(tmp_path / "b.parquet", o=pa.array([{"a": "x", "b": 1, "deep": {}}], second))
    written = members(a=AMOUNT, b=AMOUNT)
    found = verdicts(tmp_path, [{"name": "o", "logicalType": "object", "properties": written}])
    assert found["o/type"].outcome.value == "passed"
    assert found["o.a/type"].reason == "the files do not agree about the type: int64 or string"
    assert found["o.b/minimum"].violations == 1
    assert found["o.a/minimum"].outcome.value == "error"
    assert found["o.a/minimum"].reason == (
        "the files do not agree about the type of 'a': int64 or string"
    )


def test_kinds_that_really_differ_are_named_as_the_files_have_them(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", n=pa.array([[1]], pa.list_(pa.int64())))
    write_parquet(tmp_path / "b.parquet", n=pa.array([{"a": 1}], struct(("a", pa.int8()))))
    found = verdicts(tmp_path, [{"name": "n", "logicalType": "array"}])
    told = "the files do not agree about the type: list<int64> or struct<a: int8>"
    assert (found["n/type"].outcome.value, found["n/type"].reason) == ("failed", told)


@pytest.mark.parametrize(
    ("types", "logical", "physical", "reason"),
    [
        ((pa.int32(), pa.int64()), "integer", "integer", ""),
        ((pa.int32(), pa.int64()), "integer", "bigint", "the column is of type int32 in some"),
        ((pa.int32(), pa.uint8()), "integer", "bigint", "the column is of type int32 or uint8"),
        ((pa.float32(), pa.float64()), "number", "float", ""),
        ((pa.float32(), pa.float64()), "number", "float4", "the column is of type float64 in some"),
        ((pa.int64(), pa.decimal128(9, 2)), "number", "decimal(9,2)", "type int64 in some"),
        ((pa.timestamp("us"), pa.timestamp("ns")), "timestamp", "timestamp_ntz", ""),
        ((pa.timestamp("us", "UTC"), pa.timestamp("ms", "Asia/Tokyo")), "timestamp", "", ""),
        ((pa.decimal128(9, 2), pa.decimal128(12, 3)), "number", "decimal", ""),
    ],
)
def test_the_physical_type_is_held_against_each_files_own_type(
    tmp_path: Path, types: tuple[pa.DataType, ...], logical: str, physical: str, reason: str
) -> None:
    for at, kind in enumerate(types):
        write_parquet(tmp_path / f"{at}.parquet", c=pa.array([None, 1], kind))
    written = {"name": "c", "logicalType": logical}
    found = verdicts(tmp_path, [written | ({"physicalType": physical} if physical else {})])
    assert found["c/type"].outcome.value == "passed"
    if physical:
        verdict = found["c/physicalType"]
        assert verdict.outcome.value == ("failed" if reason else "passed")
        assert reason in verdict.reason


@pytest.mark.parametrize(
    ("logical", "physical"),
    [
        *(("string", "varchar(9)"), ("integer", "bigint"), ("number", "decimal(9,2)")),
        *(("boolean", "boolean"), ("date", "date"), ("timestamp", "timestamptz")),
        *(("time", "time"), ("object", "struct<a:int>"), ("array", "array<int>")),
    ],
)
def test_a_column_without_one_value_contradicts_no_type(
    tmp_path: Path, logical: str, physical: str
) -> None:
    write_parquet(tmp_path / "a.parquet", c=pa.nulls(2), id=pa.array([1, 2]))
    zone = {"logicalTypeOptions": {"timezone": True}} if logical == "timestamp" else {}
    written = {"name": "c", "logicalType": logical, "physicalType": physical, **zone}
    found = verdicts(tmp_path, [written, {"name": "id", "logicalType": "integer"}])
    assert set(outcomes(found).values()) == {"passed"}
    notes = {one.reason for promise, one in found.items() if "ype" in promise and "c/" in promise}
    assert notes == {NULL_NOTE}


def test_a_required_column_without_one_value_still_fails(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", c=pa.nulls(2))
    found = verdicts(tmp_path, [{"name": "c", "logicalType": "string", "required": True}])
    assert outcomes(found) == {
        "c/presence": "passed",
        "c/type": "passed",
        "c/required": "failed",
    }


def test_what_would_be_inside_of_no_value_is_skipped_and_says_so(tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "a.parquet",
        o=pa.nulls(2),
        n=pa.array([[], []], pa.list_(pa.null())),
    )
    inner = members(x={"logicalType": "integer", "required": True})
    found = verdicts(
        tmp_path,
        [
            {"name": "o", "logicalType": "object", "properties": inner},
            {
                "name": "n",
                "logicalType": "array",
                "items": {"logicalType": "object", "properties": inner},
            },
        ],
    )
    skipped = {promise: one for promise, one in found.items() if one.outcome.value == "skipped"}
    assert {one.reason for one in skipped.values()} == {"no value is there to know its members by"}
    assert set(skipped) == {
        *("o.x/presence", "o.x/type", "o.x/required"),
        *("n[].x/presence", "n[].x/type", "n[].x/required"),
    }
    assert found["n[]/type"].reason == NULL_NOTE


def test_a_time_in_a_column_without_one_value_is_no_time(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", at=pa.nulls(2))
    levels = [{"property": "freshness", "value": 4, "unit": "h", "element": "t.at"}]
    found = verdicts(tmp_path, [{"name": "at", "logicalType": "timestamp"}], levels=levels)
    (level,) = (one for promise, one in found.items() if "freshness" in promise)
    assert level.outcome.value == "failed"


@pytest.mark.parametrize("other", ["int32", "float64"])
def test_members_that_a_file_lacks_are_null_where_maps_and_numbers_beside_them_are_widened(
    tmp_path: Path, other: str
) -> None:
    number = {"int32": pa.int32(), "float64": pa.float64()}[other]
    short = struct(("b", pa.dictionary(pa.int8(), pa.string())), ("m", pa.map_("string", number)))
    whole = struct(("a", pa.int16()), ("m", pa.map_("string", pa.int64())), ("b", pa.string()))
    write_parquet(tmp_path / "a.parquet", o=pa.array([[{"a": 1}], [], None], pa.list_(whole)))
    rows = [[{"b": "x", "m": [("k", 1)]}, None], None]
    write_parquet(tmp_path / "b.parquet", o=pa.array(rows, pa.large_list(short)))
    value = {"logicalType": "number", "logicalTypeOptions": {"maximum": 0}}
    entries = {"key": {"logicalType": "string"}, "value": value}
    written = members(
        a={"logicalType": "integer", "required": True}, m={"logicalType": "map", "map": entries}
    )
    items = {"logicalType": "object", "properties": written}
    found = verdicts(tmp_path, [{"name": "o", "logicalType": "array", "items": items}])
    violated = {name: v.violations for name, v in found.items() if v.outcome.value != "passed"}
    assert violated == {"o[].a/required": 1, "o[].m.value/maximum": 1}
