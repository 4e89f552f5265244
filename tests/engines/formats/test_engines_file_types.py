"""Every type of Polars has a kind, a name for users and a meaning."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from polars.datatypes import classes
from types_values import outcomes, verdicts, write_arrow, write_parquet

from contractwatch.checks.common.type_spellings import allowed_types, is_allowed
from contractwatch.engines.core.file_types import (
    cast_to_working,
    column_type,
    contract_word,
    instance,
    kind_of,
    type_name,
    unite,
    working_type,
)
from contractwatch.model.base.server import DataFormat

ABSTRACT = {
    *("DataType", "NumericType", "IntegerType", "SignedIntegerType", "UnsignedIntegerType"),
    *("FloatType", "TemporalType", "NestedType", "ObjectType", "BaseExtension", "Extension"),
}
IN_NO_FILE = {"Object", "Unknown"}
MADE = {
    "Decimal": pl.Decimal(10, 2),
    "Datetime": pl.Datetime("us", "Europe/Berlin"),
    "Duration": pl.Duration("ms"),
    "Enum": pl.Enum(["a"]),
    "List": pl.List(pl.Int8),
    "Map": pl.Map(pl.String, pl.Float32),
    "Array": pl.Array(pl.Int16, 3),
    "Struct": pl.Struct({"a": pl.Int64, "b": pl.List(pl.Map(pl.String, pl.Date))}),
}
KINDS = {
    *("string", "integer", "decimal", "float", "boolean", "binary", "null"),
    *("date", "timestamp", "time", "duration", "object", "array", "map"),
}


def all_types() -> Iterator[pl.DataType]:
    """Yield one type of each class that the installed library has."""
    for name, found in vars(classes).items():
        if inspect.isclass(found) and issubclass(found, pl.DataType) and name not in ABSTRACT:
            yield MADE.get(name) or instance(found)
    yield from (
        pl.Extension("arrow.json", pl.String),
        pl.Extension("arrow.bool8", pl.Int8),
        pl.Extension("geoarrow.point", pl.Struct({"x": pl.Float64, "y": pl.Float64})),
        pl.Extension("arrow.fixed_shape_tensor", pl.Array(pl.Int32, 4)),
        pl.List(pl.Extension("arrow.uuid", pl.Binary)),
        pl.Map(pl.String, pl.Extension("arrow.json", pl.String)),
    )


TYPES = [one for one in all_types() if type(one).__name__ not in IN_NO_FILE]


def test_the_walk_meets_the_types_of_the_library() -> None:
    met = {type(one).__name__ for one in all_types()}
    assert {"Map", "Float16", "Int128", "UInt128", "Array", "Null", "Time", "Extension"} <= met
    assert met >= IN_NO_FILE


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_every_type_has_a_kind_a_name_and_a_type_to_compute_with(dtype: pl.DataType) -> None:
    assert kind_of(dtype) in KINDS
    for name in (type_name(dtype), contract_word(dtype)):
        assert name.partition("tz=")[0].islower()
        assert not {"(", "="} & set(name) or name.startswith(("decimal(", "timestamp["))
    working = working_type(dtype)
    assert not isinstance(working, pl.Map | pl.Extension)
    empty = pl.LazyFrame(schema={"c": dtype})
    made = empty.select(cast_to_working(pl.col("c"), dtype, working)).collect()
    assert made.schema == {"c": working}
    assert unite("c", [dtype, dtype], DataFormat.PARQUET).working == working


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("data_format", [DataFormat.PARQUET, DataFormat.DELTA, DataFormat.ICEBERG])
def test_the_name_of_a_type_is_a_spelling_of_it(
    dtype: pl.DataType, data_format: DataFormat
) -> None:
    column = column_type("c", dtype, data_format)
    if column.kind in {"null", "duration"}:  # no system spells these
        return
    assert is_allowed(column, allowed_types(column.physical), by_family=False), column.physical


def test_numbers_of_16_bits_are_numbers(tmp_path: Path) -> None:
    small = pa.array([1.5, None, float("nan"), -2.0], pa.float16())
    write_parquet(tmp_path / "a.parquet", small=small)
    write_arrow(tmp_path / "a.arrow", small=small)
    written = {
        "name": "small",
        "logicalType": "number",
        "physicalType": "float16",
        "logicalTypeOptions": {"minimum": 0, "multipleOf": 0.5},
    }
    for path, data_format in (("./a.parquet", "parquet"), ("./a.arrow", "arrow")):
        found = verdicts(tmp_path, [written], path=path, data_format=data_format)
        assert outcomes(found) == {
            "small/presence": "passed",
            "small/type": "passed",
            "small/physicalType": "passed",
            "small/minimum": "failed",
            "small/multipleOf": "failed",
        }
        assert found["small/minimum"].violations == 2


def test_what_only_annotates_a_type_is_read_as_what_it_means(tmp_path: Path) -> None:
    def annotated(kind: pa.DataType, storage: pa.Array) -> pa.Array:
        return pa.ExtensionArray.from_storage(kind, storage)

    columns = {
        "said": annotated(pa.json_(), pa.array(['{"a": 1}', None])),
        "truth": annotated(pa.bool8(), pa.array([1, 0], pa.int8())),
        "vendors": annotated(pa.opaque(pa.int8(), "x", "y"), pa.array([1, None], pa.int8())),
        "grid": annotated(
            pa.fixed_shape_tensor(pa.int32(), (2, 2)),
            pa.array([[1, 2, 3, 4], None], pa.list_(pa.int32(), 4)),
        ),
    }
    write_parquet(tmp_path / "a.parquet", **columns)
    found = verdicts(
        tmp_path,
        [
            {"name": "said", "logicalType": "string", "logicalTypeOptions": {"maxLength": 3}},
            {"name": "truth", "logicalType": "boolean", "required": True},
            {"name": "vendors", "logicalType": "integer", "logicalTypeOptions": {"maximum": 0}},
            {"name": "grid", "logicalType": "array", "logicalTypeOptions": {"minItems": 4}},
        ],
    )
    failed = {promise for promise, one in found.items() if one.outcome.value != "passed"}
    assert failed == {"said/maxLength", "vendors/maximum"}
