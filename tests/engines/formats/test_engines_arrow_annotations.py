"""The logical types of an Arrow schema count, as those of a Parquet schema do."""

import datetime as dt
import uuid
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pytest
from types_values import outcomes, verdicts, write_arrow

from contractwatch.engines.formats.arrow_names import column_annotations

ONE = uuid.UUID(int=7)
IDS = {"logicalType": "string", "logicalTypeOptions": {"format": "uuid", "maxLength": 36}}


def _of_uuids(rows: int) -> pa.Array:
    return pa.array([ONE.bytes] * rows, pa.uuid())


def _verdicts(folder: Path, *properties: dict[str, Any], file: str = "a.arrow") -> dict[str, Any]:
    return verdicts(folder, properties, path=f"./{file}", data_format="arrow")


@pytest.mark.parametrize("version", ["file", "feather"])
def test_uuids_are_texts_and_date64_is_a_date(tmp_path: Path, version: str) -> None:
    days = pa.array([dt.date(2026, 1, 1), None], pa.date64())
    if version == "file":
        write_arrow(tmp_path / "a.arrow", id=_of_uuids(2), day=days)
    else:
        table = pa.table({"id": _of_uuids(2), "day": days})
        pyarrow.feather.write_feather(table, str(tmp_path / "a.arrow"))
    rule = {"metric": "invalidValues", "arguments": {"validValues": [str(ONE)]}, "mustBe": 0}
    day = {"name": "day", "logicalType": "date", "physicalType": "date"}
    found = _verdicts(
        tmp_path,
        {"name": "id", **IDS, "quality": [rule]},
        day | {"logicalTypeOptions": {"maximum": "2025-12-31"}},
    )
    assert {name for name, one in outcomes(found).items() if one != "passed"} == {"day/maximum"}
    assert (found["id/type"].observed, found["day/type"].observed) == ("uuid", "date64")


def test_meanings_reach_into_objects_arrays_and_maps(tmp_path: Path) -> None:
    ids, days = _of_uuids(2), pa.array([dt.date(2026, 1, 1), None], pa.date64())
    objects = pa.StructArray.from_arrays([ids, days], ["id", "day"])
    lists = pa.ListArray.from_arrays([0, 1, 2], objects)
    pairs = pa.FixedSizeListArray.from_arrays(_of_uuids(4), 2)
    maps = pa.MapArray.from_arrays([0, 1, 2], pa.array(["x", "y"]), ids)
    deep = pa.ListArray.from_arrays([0, 1, 2], lists)
    write_arrow(tmp_path / "a.arrow", deep=deep, pairs=pairs, maps=maps)
    members = [{"name": "id", **IDS}, {"name": "day", "logicalType": "date"}]
    inner = {"logicalType": "array", "items": {"logicalType": "object", "properties": members}}
    entries = {"key": {"logicalType": "string"}, "value": IDS}
    found = _verdicts(
        tmp_path,
        {"name": "deep", "logicalType": "array", "items": inner},
        {"name": "pairs", "logicalType": "array", "items": IDS},
        {"name": "maps", "logicalType": "map", "map": entries},
    )
    assert set(outcomes(found).values()) == {"passed"}


def test_a_truth_that_is_stored_as_a_byte_is_a_truth(tmp_path: Path) -> None:
    stored = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8()))
    write_arrow(tmp_path / "a.arrow", paid=stored)
    found = _verdicts(tmp_path, {"name": "paid", "logicalType": "boolean"})
    assert outcomes(found)["paid/type"] == "passed"


def test_plain_days_bytes_and_timestamps_keep_what_they_are(tmp_path: Path) -> None:
    write_arrow(
        tmp_path / "a.arrow",
        day=pa.array([0], pa.date32()),
        at=pa.array([0], pa.timestamp("ms")),
        raw=pa.array([b"x" * 16], pa.binary(16)),
    )
    found = _verdicts(
        tmp_path, *({"name": one, "logicalType": "date"} for one in ("day", "at", "raw"))
    )
    told = {name: one.observed for name, one in found.items() if name.endswith("/type")}
    assert told == {"day/type": "date", "at/type": "timestamp[ms]", "raw/type": "binary"}


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (pa.list_view(pa.int64()), "list_view"),
        (pa.dense_union([pa.field("a", pa.int64())]), "union"),
        (pa.run_end_encoded(pa.int32(), pa.int64()), "run_end_encoded"),
    ],
    ids=str,
)
def test_a_type_that_is_not_read_is_told_with_its_column(
    tmp_path: Path, dtype: pa.DataType, name: str
) -> None:
    schema = pa.schema([("a", pa.int64()), ("o", pa.struct([("odd", dtype)]))])
    pa.ipc.new_file(tmp_path / "a.arrow", schema).close()
    found = _verdicts(tmp_path, {"name": "a", "logicalType": "integer"})
    said = f"column 'o.odd' is of type {name}, which is not read (a.arrow)"
    assert str(found["a/type"].reason).endswith(said)


@pytest.mark.parametrize("cut", [0, 1, 7, 40, 200])
def test_a_broken_footer_has_no_meanings(cut: int) -> None:
    held = BytesIO()
    table = pa.table({"id": _of_uuids(1)})
    with pa.ipc.new_file(held, table.schema) as file:
        file.write_table(table)
    whole = held.getvalue()
    assert column_annotations(BytesIO(whole)).keys() == {"id"}
    assert column_annotations(BytesIO(whole[:cut])) == {}
