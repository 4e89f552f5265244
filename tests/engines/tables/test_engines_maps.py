"""Maps are judged by their entries, whoever wrote the file."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from pyiceberg.catalog.memory import InMemoryCatalog
from types_values import outcomes, verdicts, write_arrow, write_by_duckdb, write_parquet

COUNTS = pa.map_(pa.string(), pa.int64())
ROWS = [[("a", 1), ("b", 2)], [], None, [("long", None), ("d", -5)]]
MAP = pa.array(ROWS, COUNTS)
DUCKDB_ROWS = """
    SELECT m::MAP(VARCHAR, BIGINT) AS m FROM (VALUES
    (MAP {'a': 1, 'b': 2}), (MAP {}), (NULL), (MAP {'long': NULL, 'd': -5})) AS t(m)
"""
WRITTEN = {"logicalType": "map", "physicalType": "map<string, bigint>"} | {
    "map": {
        "key": {"logicalType": "string", "logicalTypeOptions": {"maxLength": 1}},
        "value": {"logicalType": "integer", "required": True, "logicalTypeOptions": {"minimum": 0}},
    },
    "logicalTypeOptions": {"maxProperties": 1},
}
JUDGED = {
    "m/presence": "passed",
    "m/type": "passed",
    "m.key/type": "passed",
    "m.value/type": "passed",
    "m/physicalType": "passed",
    "m.key/required": "passed",
    "m.value/required": "failed",
    "m.key/unique": "passed",
    "m/maxProperties": "failed",
    "m.key/maxLength": "failed",
    "m.value/minimum": "failed",
}


def _delta(folder: Path) -> dict[str, str]:
    deltalake.write_deltalake(folder / "t", pa.table({"m": MAP}))
    return {"path": "./t", "data_format": "delta"}


def _iceberg(folder: Path) -> dict[str, str]:
    rows = pa.table({"m": MAP})
    with closing(InMemoryCatalog("test", warehouse=folder.as_uri())) as catalog:
        catalog.create_namespace("of")
        catalog.create_table("of.t", schema=rows.schema).append(rows)
    return {"path": "./of/t", "data_format": "iceberg"}


def _arrow(folder: Path) -> dict[str, str]:
    write_arrow(folder / "a.arrow", m=MAP)
    return {"path": "./a.arrow", "data_format": "arrow"}


def _pyarrow(folder: Path) -> dict[str, str]:
    write_parquet(folder / "a.parquet", m=MAP)
    return {}


def _duckdb(folder: Path) -> dict[str, str]:
    write_by_duckdb(folder / "a.parquet", DUCKDB_ROWS)
    return {}


@pytest.mark.parametrize("write", [_pyarrow, _duckdb, _arrow, _delta, _iceberg])
def test_keys_and_values_of_a_map_are_judged_in_every_format(
    tmp_path: Path, write: Callable[[Path], dict[str, str]]
) -> None:
    found = verdicts(tmp_path, [{"name": "m", **WRITTEN}], **write(tmp_path))
    assert outcomes(found) == JUDGED


@pytest.mark.parametrize(
    ("written", "bad"),
    [
        ({"logicalType": "array", "items": {"logicalType": "object"}}, "m[].value/minimum"),
        ({"logicalType": "object"}, "m.value/minimum"),
    ],
    ids=["an array of objects", "an object"],
)
def test_a_map_may_be_promised_as_an_object_or_array_of_key_and_value(
    tmp_path: Path, written: dict[str, Any], bad: str
) -> None:
    members = [
        {"name": "key", "logicalType": "string"},
        {"name": "value", "logicalType": "integer", "logicalTypeOptions": {"minimum": 0}},
    ]
    inner = written.get("items", written)
    inner["properties"] = members
    write_parquet(tmp_path / "a.parquet", m=MAP)
    found = verdicts(tmp_path, [{"name": "m", **written}])
    assert {promise for promise, one in found.items() if one.outcome.value != "passed"} == {bad}
    assert (found[bad].violations, found[bad].rows) == (1, 4)


def test_the_members_of_an_object_that_is_a_map_are_its_keys(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", m=MAP)
    options = {"minProperties": 1, "required": ["a"]}
    found = verdicts(
        tmp_path, [{"name": "m", "logicalType": "object", "logicalTypeOptions": options}]
    )
    assert found["m/minProperties"].violations == 1
    assert found["m/requiredProperties"].violations == 2


def test_maps_are_judged_inside_of_objects_arrays_and_maps(tmp_path: Path) -> None:
    inner = pa.map_(pa.string(), pa.struct([("n", pa.int32())]))
    rows = [[[("x", {"n": 1})], [("y", {"n": -1})]], []]
    deep = pa.map_(pa.string(), COUNTS)
    write_parquet(
        tmp_path / "a.parquet",
        lists=pa.array(rows, pa.list_(inner)),
        nested=pa.array([[("a", [("b", 7)])], [("a", [("b", None)])]], deep),
        objects=pa.array([{"m": [("k", 1)]}, {"m": None}], pa.struct([("m", COUNTS)])),
    )
    number = {"logicalType": "integer", "logicalTypeOptions": {"minimum": 0}}
    value = {"logicalType": "object", "properties": [{"name": "n", **number}]}
    in_map = {"logicalType": "map", "map": {"key": {"logicalType": "string"}, "value": number}}
    found = verdicts(
        tmp_path,
        [
            {
                "name": "lists",
                "logicalType": "array",
                "items": {**in_map, "map": {"key": {"logicalType": "string"}, "value": value}},
            },
            {
                "name": "nested",
                "logicalType": "map",
                "map": {
                    "key": {"logicalType": "string"},
                    "value": {
                        **in_map,
                        "map": {
                            "key": {"logicalType": "string"},
                            "value": {"logicalType": "integer", "required": True},
                        },
                    },
                },
            },
            {"name": "objects", "logicalType": "object", "properties": [{"name": "m", **in_map}]},
        ],
    )
    assert {one.outcome.value for one in found.values()} == {"passed", "failed"}
    failed = {promise for promise, one in found.items() if one.outcome.value == "failed"}
    assert failed == {"lists[].value.n/minimum", "nested.value.value/required"}


def test_maps_of_files_with_other_values_are_one_map(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", m=pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())))
    write_parquet(tmp_path / "b.parquet", m=MAP)
    entries = pa.struct([("key", pa.string()), ("value", pa.int64())])
    write_parquet(
        tmp_path / "c.parquet", m=pa.array([[{"key": "c", "value": 9}]], pa.list_(entries))
    )
    found = verdicts(tmp_path, [{"name": "m", **WRITTEN}])
    assert (found["m/type"].outcome.value, found["m.value/type"].outcome.value) == (
        "passed",
        "passed",
    )
    assert (found["m.value/minimum"].violations, found["m.value/minimum"].rows) == (1, 6)


@pytest.mark.parametrize(
    ("inner", "way"),
    [("{0}", "m"), ("struct", "m.o"), ("list", "m[]")],
)
def test_named_members_of_a_map_are_told_with_what_was_found(
    tmp_path: Path, inner: str, way: str
) -> None:
    entries = pa.map_(pa.string(), pa.int64())
    of = {"{0}": entries, "struct": pa.struct([("o", entries)]), "list": pa.list_(entries)}
    pair = [("k", 1)]
    value = {"{0}": pair, "struct": {"o": pair}, "list": [pair]}[inner]
    write_parquet(tmp_path / "a.parquet", m=pa.array([value], of[inner]))
    member = {"name": "a", "logicalType": "integer", "required": True}
    whole = {"logicalType": "object", "properties": [member]}
    promised = {
        "{0}": {"name": "m", **whole},
        "struct": {"name": "m", "logicalType": "object", "properties": [{"name": "o", **whole}]},
        "list": {"name": "m", "logicalType": "array", "items": whole},
    }[inner]
    found = verdicts(tmp_path, [promised])
    told = {key: one for key, one in found.items() if key.startswith(f"{way}.a/")}
    assert {key.rpartition("/")[2]: one.outcome.value for key, one in told.items()} == {
        "presence": "failed",
        "type": "skipped",
        "required": "skipped",
    }
    for one in told.values():
        assert "is of type map<string, int64>: a map has keys, and no member 'a'" in one.reason
        assert one.reason.endswith("write logicalType: map, with map.key and map.value")
