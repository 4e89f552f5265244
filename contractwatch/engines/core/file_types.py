"""Types of files: their kind, the name that a user reads, and the type in which values compare.

A file's type becomes a working type that every question can be asked of: a map becomes a list of
objects with `key` and `value`, a type that only annotates another one becomes what it means. Types
of several files are united: widths grow, members of objects are matched by name, and a member that
a file lacks is null there. What kinds really differ has no working type.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from contractwatch.model.base.server import DataFormat
from contractwatch.model.measure.state import ColumnType

UUID, ENUM, DAY, NOTHING, JSON, BOOL8 = (
    "arrow.uuid",
    "parquet.enum",
    "parquet.date",
    "parquet.unknown",
    "arrow.json",
    "arrow.bool8",
)
"""Annotations whose meaning we know; they are represented as extension types."""

INTERVAL = "parquet.interval"
"""A type that is named, but whose values are not read."""

_ANNOTATION_TYPES: Mapping[str, pl.DataType] = {
    UUID: pl.String(),
    ENUM: pl.String(),
    JSON: pl.String(),
    DAY: pl.Date(),
    NOTHING: pl.Null(),
    BOOL8: pl.Boolean(),
}
_ANNOTATED_NAMES: Mapping[str, str] = {
    UUID: "uuid",
    ENUM: "enum",
    JSON: "json",
    DAY: "date64",
    NOTHING: "null",
    BOOL8: "boolean",
    INTERVAL: "interval",
}
_KINDS: Mapping[type[pl.DataType], str] = {
    pl.String: "string",
    pl.Categorical: "string",
    pl.Enum: "string",
    pl.Decimal: "decimal",
    pl.Float16: "float",
    pl.Float32: "float",
    pl.Float64: "float",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "timestamp",
    pl.Time: "time",
    pl.Duration: "duration",
    pl.Struct: "object",
    pl.List: "array",
    pl.Array: "array",
    pl.Map: "map",
    pl.Binary: "binary",
    pl.Null: "null",
}
_NAMES: Mapping[type[pl.DataType], str] = {
    pl.Categorical: "dictionary",
    pl.Enum: "enum",
    pl.Struct: "struct",
    pl.List: "list",
    pl.Array: "list",
    pl.Map: "map",
}
_OWN_NAMES: Mapping[DataFormat, Mapping[str, str]] = {
    DataFormat.AVRO: {
        "int32": "int",
        "int64": "long",
        "float32": "float",
        "float64": "double",
        "binary": "bytes",
        "struct": "record",
        "list": "array",
    },
    DataFormat.DELTA: {
        "int8": "byte",
        "int16": "short",
        "int32": "integer",
        "int64": "long",
        "float32": "float",
        "float64": "double",
        "list": "array",
        "timestamp[us]": "timestamp_ntz",
        "timestamp[us, tz=UTC]": "timestamp",
    },
    DataFormat.ICEBERG: {
        "int32": "int",
        "int64": "long",
        "float32": "float",
        "float64": "double",
        "timestamp[us]": "timestamp",
        "timestamp[us, tz=UTC]": "timestamptz",
    },
}
_ARROW_NAMES: Mapping[str, str] = {}
_KEY, _VALUE, _ELEMENT = "key", "value", "[]"
_MAX_DIGITS = 38
_DIGITS_OF_INTEGERS = 20
_MAX_NAME_CHARACTERS = 80
_UUID_BYTES = r"^(.{8})(.{4})(.{4})(.{4})(.{12})$"


@dataclass(frozen=True, slots=True)
class UnitedColumn:
    """One column over all files, and its working type; None if the kinds differ."""

    column: ColumnType
    working: pl.DataType | None


def instance(dtype: object) -> pl.DataType:
    """Return a type as an instance; Polars may give its class."""
    return dtype() if isinstance(dtype, type) else dtype  # pyright: ignore[reportReturnType] - it is a type of the library


def kind_of(dtype: pl.DataType) -> str:
    """Return the kind of a type, as `ColumnType` has it."""
    if isinstance(dtype, pl.BaseExtension):
        if dtype.ext_name() == INTERVAL:
            return "interval"
        return kind_of(_ANNOTATION_TYPES.get(dtype.ext_name()) or instance(dtype.ext_storage()))
    return "integer" if dtype.is_integer() else _KINDS.get(dtype.base_type(), "other")


def contract_word(dtype: pl.DataType) -> str:
    """Return the word of contracts for values of a type: `integer`, `text`."""
    kind = kind_of(dtype)
    return {"float": "number", "decimal": "number", "string": "text"}.get(kind, kind)


def type_name(dtype: pl.DataType, own: Mapping[str, str] = _ARROW_NAMES) -> str:
    """Return the name of a type, as Arrow has it unless the format has one of its `own`."""
    name = _name(dtype, own)
    return name if len(name) <= _MAX_NAME_CHARACTERS else f"{name[: _MAX_NAME_CHARACTERS - 1]}…"


def _name(dtype: pl.DataType, own: Mapping[str, str]) -> str:
    plain = _plain_name(dtype)
    name = own.get(plain, plain)
    inner = list(_parts(dtype))
    if isinstance(dtype, pl.Struct):
        return f"{name}<{', '.join(f'{member}: {_name(one, own)}' for member, one in inner)}>"
    if isinstance(dtype, pl.List | pl.Array | pl.Map):
        return f"{name}<{', '.join(_name(one, own) for _, one in inner)}>"
    return name


def _plain_name(dtype: pl.DataType) -> str:
    match dtype:
        case pl.BaseExtension():
            known = _ANNOTATED_NAMES.get(dtype.ext_name())
            return known or _plain_name(instance(dtype.ext_storage()))
        case pl.Decimal():
            return f"decimal({dtype.precision}, {dtype.scale})"
        case pl.Datetime(time_zone=None):
            return f"timestamp[{dtype.time_unit}]"
        case pl.Datetime():
            return f"timestamp[{dtype.time_unit}, tz={dtype.time_zone}]"
        case pl.Duration():
            return f"duration[{dtype.time_unit}]"
        case _:
            known = _NAMES.get(dtype.base_type())
            return known or dtype.base_type().__name__.lower()


def _parts(dtype: pl.DataType) -> Iterator[tuple[str, pl.DataType]]:
    """Yield the members of an object, the element of an array, the key and the value of a map."""
    match dtype:
        case pl.Struct():
            yield from ((field.name, instance(field.dtype)) for field in dtype.fields)
        case pl.List() | pl.Array():
            yield _ELEMENT, instance(dtype.inner)
        case pl.Map():
            yield _KEY, instance(dtype.key)
            yield _VALUE, instance(dtype.value)
        case _:
            return


def inner_types(dtype: pl.DataType) -> Iterator[tuple[str, pl.DataType]]:
    """Yield the direct inner types of a type; a map counts as an array of objects."""
    bare = _without_annotation(dtype)
    if isinstance(bare, pl.Map):
        yield _ELEMENT, _entry(bare)
    else:
        yield from _parts(bare)


def _entry(dtype: pl.Map) -> pl.Struct:
    return pl.Struct(dict(_parts(dtype)))


def is_unsupported(dtype: pl.DataType) -> bool:
    """Return whether values of a type, or values inside of them, cannot be read."""
    match dtype:
        case pl.Decimal():
            return (dtype.precision or 0) > _MAX_DIGITS
        case pl.BaseExtension() if dtype.ext_name() == INTERVAL:
            return True
        case pl.BaseExtension():
            return is_unsupported(instance(dtype.ext_storage()))
        case _:
            return any(is_unsupported(inner) for _, inner in _parts(dtype))


def _without_annotation(dtype: pl.DataType) -> pl.DataType:
    """Return a type without annotations that are not supported."""
    if isinstance(dtype, pl.BaseExtension) and dtype.ext_name() not in _ANNOTATED_NAMES:
        return _without_annotation(instance(dtype.ext_storage()))
    return dtype


def working_type(dtype: pl.DataType) -> pl.DataType:
    """Return the type in which the values of a file's type are compared."""
    bare = _without_annotation(dtype)
    match bare:
        case pl.BaseExtension():
            return _ANNOTATION_TYPES.get(bare.ext_name(), bare)
        case pl.Struct():
            return pl.Struct({name: working_type(inner) for name, inner in _parts(bare)})
        case pl.Map():
            return pl.List(working_type(_entry(bare)))
        case pl.List():
            return pl.List(working_type(instance(bare.inner)))
        case pl.Array():
            inner = working_type(instance(bare.inner))
            return bare if inner == bare.inner else pl.List(inner)
        case _:
            return bare


def cast_to_working(value: pl.Expr, have: pl.DataType, want: pl.DataType) -> pl.Expr:
    """Return values of a file's type in a working type that holds them."""
    if _is_annotated(have):
        value, have = _resolve_annotation(value, have)
    return _widened(value, have, want)


def _widened(value: pl.Expr, have: pl.DataType, want: pl.DataType) -> pl.Expr:
    """Return values of a type without annotations in a wider one; a missing member is null.

    The library's cast matches members by name only where nothing below them is cast, too.
    """
    if have == want:
        return value
    match have, want:
        case _ if not _differ_in_members(have, want):
            return value.cast(want)
        case pl.Struct(), pl.Struct() if want.fields:
            known = dict(_parts(have))
            made = (
                _widened(value.struct.field(name), known[name], one).alias(name)
                if name in known
                else pl.lit(None, dtype=one).alias(name)
                for name, one in _parts(want)
            )
            return pl.when(value.is_not_null()).then(pl.struct(made))
        case pl.Map(), _:
            return _widened(value.map.entries(), pl.List(_entry(have)), want)
        case pl.Array(), _:
            return _widened(value.arr.to_list(), pl.List(instance(have.inner)), want)
        case pl.List(), pl.List():
            inner = instance(have.inner), instance(want.inner)
            return value.list.eval(_widened(pl.element(), *inner))
        case _:
            return value.cast(want)


def _differ_in_members(have: pl.DataType, want: pl.DataType) -> bool:
    """Return whether objects in two types, at any depth, differ in their members."""
    path = [list(inner_types(have)), list(inner_types(want))]
    names = [[name for name, _ in parts] for parts in path]
    return names[0] != names[1] or any(
        _differ_in_members(one, other)
        for (_, one), (_, other) in zip(path[0], path[1], strict=True)
    )


def _is_annotated(dtype: pl.DataType) -> bool:
    is_one = isinstance(dtype, pl.BaseExtension)
    return is_one or any(_is_annotated(one) for _, one in _parts(dtype))


def _resolve_annotation(value: pl.Expr, dtype: pl.DataType) -> tuple[pl.Expr, pl.DataType]:
    """Return values without annotations, and their type; the library casts none of these."""
    match dtype:
        case _ if not _is_annotated(dtype):
            return value, dtype
        case pl.BaseExtension():
            stored, storage = value.ext.storage(), instance(dtype.ext_storage())
            meant = _ANNOTATION_TYPES.get(dtype.ext_name())
            if meant is None:
                return _resolve_annotation(stored, storage)
            if dtype.ext_name() == UUID and storage == pl.Binary:
                stored = stored.bin.encode("hex").str.replace(_UUID_BYTES, "$1-$2-$3-$4-$5")
            return stored.cast(meant), meant
        case pl.Struct():
            made = {
                name: _resolve_annotation(value.struct.field(name), one)
                for name, one in _parts(dtype)
            }
            whole = pl.struct(each.alias(name) for name, (each, _) in made.items())
            return pl.when(value.is_not_null()).then(whole), _struct(made)
        case pl.Map():
            return _resolve_annotation(value.map.entries(), pl.List(_entry(dtype)))
        case pl.Array():
            return _resolve_annotation(value.arr.to_list(), pl.List(instance(dtype.inner)))
        case _:
            ((_, inner),) = _parts(dtype)
            element, made_of = _resolve_annotation(pl.element(), inner)
            return value.list.eval(element), pl.List(made_of)


def _struct(made: Mapping[str, tuple[pl.Expr, pl.DataType]]) -> pl.Struct:
    return pl.Struct({name: one for name, (_, one) in made.items()})


def column_type(name: str, dtype: pl.DataType, data_format: DataFormat) -> ColumnType:
    """Return a column as a file of this format declares it."""
    own = _OWN_NAMES.get(data_format, _ARROW_NAMES)
    working = working_type(dtype)
    return ColumnType(
        name,
        kind_of(dtype),
        "text" if data_format.is_text else type_name(dtype, own),
        timezone_aware=isinstance(working, pl.Datetime) and working.time_zone is not None,
        scale=working.scale if isinstance(working, pl.Decimal) else 0,
        text=data_format.is_text,
        children=tuple(column_type(part, one, data_format) for part, one in inner_types(dtype)),
        exact=_plain_name(_without_annotation(dtype)),
    )


def unite(name: str, dtypes: Iterable[pl.DataType], data_format: DataFormat) -> UnitedColumn:
    """Unite the types that one column has in several files; null types are ignored."""
    distinct = [_without_annotation(dtype) for dtype in dict.fromkeys(dtypes)]
    known = [dtype for dtype in distinct if kind_of(dtype) != "null"] or distinct[:1]
    types = tuple(column_type(name, dtype, data_format) for dtype in known)
    unread = any(map(is_unsupported, known))
    if len(known) == 1:
        return UnitedColumn(types[0], None if unread else working_type(known[0]))
    kinds = {column.kind for column in types}
    if unread:
        return UnitedColumn(
            _of_files(types, kinds.pop() if len(kinds) == 1 else "other", None), None
        )
    if kinds == {"object"}:
        return _united_objects(known, types, data_format)
    if kinds == {"array"} or (kinds == {"array", "map"} and all(map(has_entries, known))):
        return _united_arrays(known, types, data_format)
    if kinds == {"map"}:
        return _united_arrays(known, types, data_format)
    working = _widest([working_type(dtype) for dtype in known])
    kind = "other" if working is None else kind_of(working)
    return UnitedColumn(_of_files(types, kind, working), working)


def has_entries(dtype: pl.DataType) -> bool:
    """Return whether a type is a map, or an array of objects with `key` and `value` only."""
    element = next((one for _, one in inner_types(dtype)), None)
    is_object = isinstance(element, pl.Struct)
    return is_object and {field.name for field in element.fields} == {_KEY, _VALUE}


def _united_objects(
    known: Sequence[pl.DataType], types: tuple[ColumnType, ...], data_format: DataFormat
) -> UnitedColumn:
    members: dict[str, list[pl.DataType]] = {}
    for dtype in known:
        for name, inner in _parts(dtype):
            members.setdefault(name, []).append(inner)
    found = [unite(name, inner, data_format) for name, inner in members.items()]
    fields = {one.column.name: one.working for one in found if one.working is not None}
    column = _of_files(types, "object", None, tuple(one.column for one in found))
    return UnitedColumn(column, pl.Struct(fields))


def _united_arrays(
    known: Sequence[pl.DataType], types: tuple[ColumnType, ...], data_format: DataFormat
) -> UnitedColumn:
    elements = [one for dtype in known for _, one in inner_types(dtype)]
    element = unite(_ELEMENT, elements, data_format)
    kind = "map" if any(one.kind == "map" for one in types) else "array"
    column = _of_files(types, kind, None, (element.column,))
    return UnitedColumn(column, None if element.working is None else pl.List(element.working))


def _of_files(
    types: tuple[ColumnType, ...],
    kind: str,
    working: pl.DataType | None,
    children: tuple[ColumnType, ...] = (),
) -> ColumnType:
    types = tuple(sorted(types, key=lambda column: column.physical))  # whatever came first
    names = list(dict.fromkeys(column.physical for column in types))
    return ColumnType(
        types[0].name,
        kind,
        " or ".join(names),
        timezone_aware=all(column.timezone_aware for column in types),
        scale=working.scale if isinstance(working, pl.Decimal) else 0,
        text=types[0].text,
        children=children,
        exact=types[0].exact if len(names) == 1 else "",
        files=types,
    )


def _widest(types: Sequence[pl.DataType]) -> pl.DataType | None:
    """Return the type that holds all values of types without parts, or None if kinds differ."""
    distinct = list(dict.fromkeys(types))
    kinds = {kind_of(dtype) for dtype in distinct}
    if len(distinct) == 1:
        return distinct[0]
    if kinds == {"string"}:
        return pl.String()
    if kinds == {"integer"}:
        return pl.Int128()
    if kinds <= {"integer", "decimal"}:
        return _widest_decimal(distinct)
    if kinds <= {"integer", "float"}:
        return pl.Float64()
    if kinds == {"timestamp"}:
        return _widest_timestamp([one for one in distinct if isinstance(one, pl.Datetime)])
    return pl.Duration("us") if kinds == {"duration"} else None


def _widest_decimal(types: Sequence[pl.DataType]) -> pl.DataType | None:
    decimals = [one for one in types if isinstance(one, pl.Decimal)]
    scale = max(one.scale for one in decimals)
    digits = [one.precision - one.scale for one in decimals]
    integers = [one for one in types if one.is_integer()]
    if pl.Int128() in integers or pl.UInt128() in integers:
        return None
    whole = max([*digits, _DIGITS_OF_INTEGERS if integers else 0])
    return pl.Decimal(_MAX_DIGITS, scale) if whole + scale <= _MAX_DIGITS else None


def _widest_timestamp(types: Sequence[pl.Datetime]) -> pl.DataType | None:
    zones = {one.time_zone for one in types}
    if None in zones and len(zones) > 1:
        return None
    return pl.Datetime("us", zones.pop() if len(zones) == 1 else "UTC")
