"""The logical types of a Parquet schema count, and not how values are stored."""

import datetime as dt
import uuid
from contextlib import closing
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import NestedField, StructType, UUIDType
from types_values import outcomes, verdicts, write_by_duckdb, write_parquet

from contractwatch.engines.formats.parquet_annotations import column_annotations, with_annotations

IDS = [uuid.UUID(int=at) for at in (7, 8)]
FORMAT = {"logicalTypeOptions": {"format": "uuid"}}


def _uuids() -> pa.Array:
    return pa.array([*(one.bytes for one in IDS), None], pa.uuid())


def test_a_uuid_is_a_text_of_its_usual_form(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", id=_uuids())
    write_by_duckdb(tmp_path / "b.parquet", f"SELECT '{IDS[0]}'::UUID AS id")
    written = {"name": "id", "logicalType": "string", "physicalType": "uuid", "unique": True}
    rule = {"metric": "invalidValues", "arguments": {"validValues": list(map(str, IDS))}}
    found = verdicts(tmp_path, [written | FORMAT | {"quality": [rule | {"mustBe": 0}]}])
    failed = {promise for promise, one in found.items() if one.outcome.value != "passed"}
    assert failed == {"id/unique"}
    assert found["id/type"].observed == "uuid"


def test_a_uuid_is_one_text_with_those_of_files_that_write_texts(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", id=_uuids())
    write_parquet(tmp_path / "b.parquet", id=pa.array([str(IDS[0]), "no uuid"]))
    found = verdicts(tmp_path, [{"name": "id", "logicalType": "string", "unique": True} | FORMAT])
    assert found["id/type"].outcome.value == "passed"
    violations = {promise: one.violations for promise, one in found.items() if one.violations}
    assert violations == {"id/unique": 1, "id/format": 1}


def test_annotations_count_inside_of_objects_arrays_and_maps(tmp_path: Path) -> None:
    write_by_duckdb(
        tmp_path / "a.parquet",
        f"SELECT ['{IDS[0]}'::UUID, NULL] AS ids, {{'id': '{IDS[1]}'::UUID, 'n': 1}} AS o,"
        f" MAP {{'{IDS[0]}'::UUID: '{IDS[1]}'::UUID}} AS m, [['{IDS[0]}'::UUID]] AS deep",
    )
    one = {"logicalType": "string", **FORMAT}
    items = {"logicalType": "array", "items": one}
    found = verdicts(
        tmp_path,
        [
            {"name": "ids", **items},
            {"name": "o", "logicalType": "object", "properties": [{"name": "id", **one}]},
            {"name": "m", "logicalType": "map", "map": {"key": one, "value": one}},
            {"name": "deep", "logicalType": "array", "items": items},
        ],
    )
    assert set(outcomes(found).values()) == {"passed"}
    assert {"ids[]/format", "o.id/format", "m.key/format", "deep[][]/format"} <= set(found)


def test_the_record_of_a_lake_table_says_what_is_a_uuid(tmp_path: Path) -> None:
    inner = StructType(NestedField(3, "id", UUIDType()))
    schema = Schema(NestedField(1, "id", UUIDType()), NestedField(2, "o", inner))
    o = pa.StructArray.from_arrays([_uuids()], ["id"])
    with closing(InMemoryCatalog("test", warehouse=tmp_path.as_uri())) as catalog:
        catalog.create_namespace("of")
        table = catalog.create_table("of.t", schema=schema)
        table.append(pa.table({"id": _uuids(), "o": o}))
    one = {"logicalType": "string", **FORMAT}
    written = [
        {"name": "id", "physicalType": "uuid", **one},
        {"name": "o", "logicalType": "object", "properties": [{"name": "id", **one}]},
    ]
    found = verdicts(tmp_path, written, path="./of/t", data_format="iceberg")
    assert set(outcomes(found).values()) == {"passed"}


def test_json_is_text_whoever_wrote_it(tmp_path: Path) -> None:
    said = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None]))
    write_parquet(tmp_path / "a.parquet", said=said)
    write_by_duckdb(tmp_path / "b.parquet", """SELECT '{"a": 12345}'::JSON AS said""")
    options = {"logicalTypeOptions": {"maxLength": 9}}
    found = verdicts(tmp_path, [{"name": "said", "logicalType": "string", **options}])
    assert found["said/type"].outcome.value == "passed"
    assert (found["said/maxLength"].violations, found["said/maxLength"].rows) == (1, 3)


def test_days_that_are_kept_in_64_bits_are_days(tmp_path: Path) -> None:
    days = [dt.date(2026, 3, 1), None, dt.date(2030, 1, 1)]
    write_parquet(tmp_path / "a.parquet", day=pa.array(days, pa.date64()))
    write_parquet(tmp_path / "b.parquet", day=pa.array(days, pa.date32()))
    options = {"logicalTypeOptions": {"maximum": "2029-01-01"}}
    written = {"name": "day", "logicalType": "date", "physicalType": "date", **options}
    found = verdicts(tmp_path, [written])
    assert (found["day/type"].outcome.value, found["day/type"].observed) == (
        "passed",
        "date or date64",
    )
    assert found["day/physicalType"].outcome.value == "passed"
    assert found["day/maximum"].violations == 2


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.time32("ms"), pa.time64("us")], ids=str)
def test_times_of_every_unit_are_times(tmp_path: Path, kind: pa.DataType) -> None:
    write_parquet(tmp_path / "a.parquet", at=pa.array([dt.time(1, 2), None], kind))
    write_by_duckdb(tmp_path / "b.parquet", "SELECT TIME '05:06:07.5' AS at")
    options = {"logicalTypeOptions": {"maximum": "05:00:00"}}
    found = verdicts(tmp_path, [{"name": "at", "logicalType": "time", **options}])
    assert found["at/type"].outcome.value == "passed"
    assert found["at/maximum"].violations == 1


def test_a_column_that_the_writer_knew_no_type_for_has_none(tmp_path: Path) -> None:
    write_by_duckdb(tmp_path / "a.parquet", "SELECT NULL AS c, {'x': NULL} AS o, 1::BIGINT AS id")
    written = [
        {"name": "c", "logicalType": "string", "physicalType": "varchar(9)"},
        {
            "name": "o",
            "logicalType": "object",
            "properties": [{"name": "x", "logicalType": "date"}],
        },
    ]
    found = verdicts(tmp_path, written)
    assert set(outcomes(found).values()) == {"passed"}
    assert found["c/type"].reason == "no value was seen, so nothing contradicts the type"
    write_by_duckdb(tmp_path / "b.parquet", "SELECT 'long' AS c, {'x': 'y'} AS o, 1 AS id")
    found = verdicts(tmp_path, written)
    assert found["c/type"].outcome.value == "passed"
    assert found["o.x/type"].reason == "the column is of type string"


def _as_enum(path: Path) -> None:
    """Make a text an enum, as Java's writers annotate it: both in the old and in the new way."""
    written = path.read_bytes()
    text, enum = b"\x25\x00\x4c\x1c\x00\x00", b"\x25\x08\x4c\x4c\x00\x00"
    assert written.count(text) == 1
    path.write_bytes(written.replace(text, enum))


def test_an_enum_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"state": ["open", None, "shut"]})
    pq.write_table(table, path, store_schema=False)
    _as_enum(path)
    rule = {"metric": "invalidValues", "arguments": {"validValues": ["open"]}, "mustBe": 0}
    found = verdicts(tmp_path, [{"name": "state", "logicalType": "string", "quality": [rule]}])
    assert found["state/type"].outcome.value == "passed"
    assert [one.violations for promise, one in found.items() if "invalid" in promise] == [1]


def test_bytes_without_an_annotation_stay_bytes(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", raw=pa.array([b"x" * 16], pa.binary(16)))
    found = verdicts(tmp_path, [{"name": "raw", "logicalType": "string"}])
    assert found["raw/type"].reason == "the column is of type binary"


def _write_any(folder: Path, kind: str, table: pa.Table) -> None:
    if kind == "parquet":
        pq.write_table(table, folder / f"a.{kind}")
        return
    with pa.ipc.new_file(folder / f"a.{kind}", table.schema) as file:
        file.write_table(table)


AMOUNT = pa.array([Decimal("1.5"), None], pa.decimal256(60, 2))
GAP = pa.array([None, None], pa.month_day_nano_interval())


@pytest.mark.parametrize(
    ("kind", "odd", "told"),
    [
        ("parquet", AMOUNT, "decimal(60, 2)"),
        ("arrow", AMOUNT, "decimal(60, 2)"),
        ("arrow", GAP, "interval"),
        ("arrow", pa.StructArray.from_arrays([GAP], ["g"]), "struct<g: interval>"),
        ("parquet", pa.StructArray.from_arrays([AMOUNT], ["g"]), "struct<g: decimal(60, 2)>"),
        ("parquet", pa.array([[Decimal(1)], None], pa.list_(pa.decimal256(50))), "list<decimal"),
    ],
    ids=str,
)
def test_a_column_of_a_type_that_is_not_read_costs_its_own_clauses_only(
    tmp_path: Path, kind: str, odd: pa.Array, told: str
) -> None:
    _write_any(tmp_path, kind, pa.table({"id": pa.array([1, None]), "odd": odd}))
    found = verdicts(
        tmp_path,
        [
            {"name": "id", "logicalType": "integer", "required": True},
            {"name": "odd", "required": True, "unique": True},
        ],
        path=f"./*.{kind}",
        data_format=kind,
    )
    assert outcomes(found) == {
        "id/presence": "passed",
        "id/type": "passed",
        "id/required": "failed",
        "odd/presence": "passed",
        "odd/required": "error",
        "odd/unique": "error",
    }
    assert f"column 'odd' is of type {told}" in found["odd/required"].reason
    assert found["odd/required"].reason.endswith("which is not read")


@pytest.mark.parametrize(
    ("select", "told"),
    [
        ("INTERVAL 1 DAY AS gap", "interval"),
        ("{'in': [INTERVAL 1 DAY]} AS gap", "struct<in: list<interval>>"),
        ("MAP {'a': INTERVAL 1 DAY} AS gap", "map<string, interval>"),
    ],
)
def test_an_interval_costs_its_column_only_and_fails_its_type(
    tmp_path: Path, select: str, told: str
) -> None:
    write_by_duckdb(tmp_path / "a.parquet", f"SELECT 1 AS id, {select}, 'x' AS name")
    write_by_duckdb(tmp_path / "b.parquet", f"SELECT NULL::INT AS id, {select}, 'x' AS name")
    found = verdicts(
        tmp_path,
        [
            {"name": "id", "logicalType": "integer", "required": True},
            {"name": "gap", "logicalType": "string", "required": True},
            {"name": "name", "logicalType": "string", "unique": True},
        ],
    )
    assert outcomes(found) == {
        "id/presence": "passed",
        "id/type": "passed",
        "id/required": "failed",
        "gap/presence": "passed",
        "gap/type": "failed",
        "gap/required": "error",
        "name/presence": "passed",
        "name/type": "passed",
        "name/unique": "failed",
    }
    assert found["gap/type"].reason == f"the column is of type {told}"


def test_a_wide_decimal_beside_a_narrow_one_in_other_files_is_no_narrow_one(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", amount=AMOUNT)
    write_parquet(tmp_path / "b.parquet", amount=pa.array([Decimal(1)], pa.decimal128(9, 2)))
    found = verdicts(tmp_path, [{"name": "amount", "logicalType": "number", "required": True}])
    assert found["amount/type"].outcome.value == "passed"
    assert found["amount/required"].reason == (
        "column 'amount' is of type decimal(60, 2) or decimal(9, 2), which is not read"
    )


def _footer_of(**columns: Any) -> bytes:
    buffer = BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


WHOLE = _footer_of(id=_uuids(), day=pa.array([None] * 3, pa.date64()), n=pa.array([1, 2, 3]))
SCHEMA = tuple(pl.read_parquet_schema(BytesIO(WHOLE)).items())


@given(st.data())
def test_a_broken_footer_says_nothing_and_ends_nothing(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(WHOLE) - 9))
    broken = WHOLE[:at] + data.draw(st.binary(max_size=40)) + WHOLE[at:]
    cut = data.draw(st.sampled_from([broken, broken[:at], broken[at:], b""]))
    assert [name for name, _ in with_annotations(SCHEMA, column_annotations(BytesIO(cut)))] == [
        "id",
        "day",
        "n",
    ]


def test_footers_that_are_longer_than_what_is_read_at_once_are_read(tmp_path: Path) -> None:
    many = {f"column_{at}": pa.array([at]) for at in range(1500)}
    write_parquet(tmp_path / "a.parquet", id=_uuids()[:1], **many)
    assert (tmp_path / "a.parquet").stat().st_size > 2 * 64 * 1024
    found = verdicts(tmp_path, [{"name": "id", "logicalType": "string", **FORMAT}])
    assert set(outcomes(found).values()) == {"passed"}
