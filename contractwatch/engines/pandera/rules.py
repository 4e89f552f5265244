"""Build a pandera schema for Polars frames from the promises of one table.

This file needs pandera and polars and nothing else: `contractwatch export pandera` writes it out,
with the promises of a contract at its end.
"""

import datetime
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import pandera.polars as pa
import polars as pl
from pandera.engines import polars_engine

Rule = Mapping[str, Any]
"""A promise: `id`, `words`, `severity`, what `violates` it, and a `threshold` unless it is none."""


def _is_one(dtype: pl.DataType, *kinds: type[pl.DataType]) -> bool:
    return any(dtype == kind for kind in kinds)


_ANNOTATED: Mapping[str, pl.DataType] = {"arrow.bool8": pl.Boolean(), "arrow.uuid": pl.String()}


def _meant(dtype: Any) -> pl.DataType:
    """Return what a type that only annotates another one means."""
    if isinstance(dtype, pl.BaseExtension):
        return _ANNOTATED.get(dtype.ext_name()) or _meant(dtype.ext_storage())
    return dtype() if isinstance(dtype, type) else dtype


def _is_text(dtype: pl.DataType) -> bool:
    return _is_one(dtype, pl.String, pl.Categorical, pl.Enum)


def _is_map(dtype: pl.DataType) -> bool:
    if dtype == pl.Map:
        return True
    inner = _meant(dtype.inner) if isinstance(dtype, pl.List | pl.Array) else None
    return isinstance(inner, pl.Struct) and {"key", "value"} <= {one.name for one in inner.fields}


_FITS: Mapping[str, Callable[[pl.DataType], bool]] = {
    "string": _is_text,
    "integer": lambda dtype: dtype.is_integer() or getattr(dtype, "scale", None) == 0,
    "number": lambda dtype: dtype.is_numeric(),
    "boolean": lambda dtype: dtype == pl.Boolean,
    "date": lambda dtype: dtype == pl.Date,
    "timestamp": lambda dtype: dtype == pl.Datetime,
    "time": lambda dtype: dtype == pl.Time,
    "object": lambda dtype: _is_one(dtype, pl.Struct, pl.Map) or _is_text(dtype),
    "array": lambda dtype: _is_one(dtype, pl.List, pl.Array, pl.Map) or _is_text(dtype),
    "map": lambda dtype: _is_map(dtype) or _is_text(dtype),
    "vector": lambda dtype: _is_one(dtype, pl.List, pl.Array) or _is_text(dtype),
}
"""What a column may be, beside of a type that has no value at all: that contradicts nothing.

Objects, arrays and maps may be JSON texts: then each text is looked at, by a rule.
"""

_JSON: Mapping[str, tuple[type[Any], ...]] = {
    "object": (dict,),
    "array": (list,),
    "map": (dict, list),
    "vector": (list,),
}
_DEEPEST = 500

_HOLDS: Mapping[str, Callable[[float, float, float, float], bool]] = {
    "mustBe": lambda value, low, _, near: abs(value - low) <= near,
    "mustNotBe": lambda value, low, _, near: abs(value - low) > near,
    "mustBeGreaterThan": lambda value, low, _high, _near: value > low,
    "mustBeGreaterOrEqualTo": lambda value, low, _high, _near: value >= low,
    "mustBeLessThan": lambda value, low, _high, _near: value < low,
    "mustBeLessOrEqualTo": lambda value, low, _high, _near: value <= low,
    "mustBeBetween": lambda value, low, high, _: low <= value <= high,
    "mustNotBeBetween": lambda value, low, high, _: not low <= value <= high,
}


class Logical(polars_engine.DataType):  # pyright: ignore[reportUntypedBaseClass, reportUnknownMemberType] - pandera leaves it untyped
    """A logical type of ODCS: `integer` is any integer, `timestamp` of any unit and zone."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "type", pl.Object)
        object.__setattr__(self, "name", name)

    def check(self, pandera_dtype: Any, data_container: Any = None) -> bool:
        """Say whether a column of this Polars type keeps the promise."""
        found = getattr(pandera_dtype, "type", pandera_dtype)
        dtype = _meant(found)
        return dtype == pl.Null or _FITS[str(self)](dtype)

    def __str__(self) -> str:
        return str(getattr(self, "name", "?"))

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Logical) and str(self) == str(other)


def build(table: Mapping[str, Any]) -> pa.DataFrameSchema:
    """Return the schema of a table.

    Validate a DataFrame with `lazy=True` to see every violation. Of a LazyFrame pandera checks
    names and types only, unless PANDERA_VALIDATION_DEPTH=SCHEMA_AND_DATA is set.
    """
    columns = {name: _column(column) for name, column in table["columns"].items()}
    return pa.DataFrameSchema(
        columns,
        checks=[_check(rule) for rule in table["rules"]],
        name=table["name"],
        description=table["description"],
        metadata={"contractwatch": table["metadata"]},
    )


def _column(column: Mapping[str, Any]) -> pa.Column:
    logical = column["type"]
    return pa.Column(
        Logical(logical) if logical else None,
        nullable=column["nullable"],
        required=column["required"],
        checks=[_check(rule) for rule in column["rules"]],
    )


def _check(rule: Rule) -> pa.Check:
    judge = _row_by_row if rule.get("threshold") is None else _by_count
    return pa.Check(
        partial(judge, rule),
        name=rule["id"],
        error=f"{rule['id']}: {rule['words']}",
        raise_warning=rule["severity"] != "error",
    )


def _row_by_row(rule: Rule, data: Any) -> pl.LazyFrame:
    return data.lazyframe.select(~_violation(rule, data).fill_null(value=False))


def _by_count(rule: Rule, data: Any) -> pl.LazyFrame:
    # A frame and not a bool: pandera cannot report a bool beside a failure of another kind.
    violation = _violation(rule, data)
    keys = [pl.col(name).is_not_null() for name in rule["base"]]
    counts = data.lazyframe.select(
        violations=violation.sum(), base=pl.all_horizontal(keys).sum() if keys else pl.len()
    )
    violations, base = counts.collect().row(0)
    kept = _is_within(rule["threshold"], violations, base)
    has_culprits = violations and rule["violates"][0]["is"] != "row"
    if not kept and has_culprits:
        return _row_by_row(rule, data)
    return pl.LazyFrame({"kept": [kept]})


def _is_within(threshold: Mapping[str, Any], violations: int, base: int) -> bool:
    is_percent = threshold["unit"] == "percent"
    value = (100 * violations / base if base else 0.0) if is_percent else violations
    low, high = threshold["low"], threshold["high"]
    near = 5e-7 if is_percent else 0
    return _HOLDS[threshold["operator"]](value, low, low if high is None else high, near)


def _violation(rule: Rule, data: Any) -> pl.Expr:
    schema = data.lazyframe.collect_schema()
    return pl.any_horizontal(
        _VIOLATES[what["is"]](what, pl.col(what.get("column", "*")), schema)
        for what in rule["violates"]
    )


def _row(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    return pl.int_range(pl.len()) >= 0


def _null(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    return column.is_null()


def _missing(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    values = _members(what["values"], schema[what["column"]])
    return column.is_null() | column.is_in(values.implode())


def _invalid(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    outside = pl.lit(value=False)
    if what["values"] is not None:
        values = _members(what["values"], schema[what["column"]])
        outside = outside | ~column.is_in(values.implode())
    if what["pattern"] is not None:
        outside = outside | ~column.cast(pl.String).str.contains(what["pattern"])
    return column.is_not_null() & outside


def _below(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    dtype = schema[what["column"]]
    bound = _bound(what["bound"], dtype, math.ceil if not what["exclusive"] else math.floor)
    values = _instants(column, dtype, what["timezone"])
    return _nan(column, dtype) | (values <= bound if what["exclusive"] else values < bound)


def _above(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    dtype = schema[what["column"]]
    bound = _bound(what["bound"], dtype, math.floor if not what["exclusive"] else math.ceil)
    values = _instants(column, dtype, what["timezone"])
    return _nan(column, dtype) | (values >= bound if what["exclusive"] else values > bound)


def _shorter(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    return column.cast(pl.String).str.len_chars() < what["length"]


def _longer(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    return column.cast(pl.String).str.len_chars() > what["length"]


def _no_multiple(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    dtype, divisor = schema[what["column"]], what["divisor"]
    if dtype.is_integer() and divisor == int(divisor):
        return column % int(divisor) != 0
    if dtype.is_decimal():
        return column % pl.lit(Decimal(str(divisor))) != 0
    values = column.cast(pl.Float64)
    distance = (values - (values / float(divisor)).round() * float(divisor)).abs()
    near = 1e-9 * pl.max_horizontal(pl.lit(1.0), values.abs())
    return values.is_not_null() & ~(distance <= near) | values.is_nan()


def _repeated(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    names = list(what["columns"])
    repeated = ~pl.struct(names).is_first_distinct()
    keyless = pl.any_horizontal(pl.col(name).is_null() for name in names)
    return (keyless | repeated) if what["whole"] else (~keyless & repeated)


def _repeated_key(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    return _affected(what, column, schema) & pl.struct(list(what["columns"])).is_first_distinct()


def _affected(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    names = list(what["columns"])
    keyless = pl.any_horizontal(pl.col(name).is_null() for name in names)
    return ~keyless & pl.struct(names).is_duplicated()


def _wrong_zone(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    dtype = schema[what["column"]]
    is_wrong = isinstance(dtype, pl.Datetime) and bool(dtype.time_zone) is not what["aware"]
    return pl.lit(is_wrong) & (pl.int_range(pl.len()) >= 0)


def _no_json(what: Rule, column: pl.Expr, schema: pl.Schema) -> pl.Expr:
    dtype = schema[what["column"]]
    if not _is_text(_meant(dtype)):
        return pl.lit(value=False) & (pl.int_range(pl.len()) >= 0)
    expected = _JSON[what["type"]]

    def judge(texts: pl.Series) -> pl.Series:
        wrong = [text is not None and not _is_json(text, expected) for text in texts]
        return pl.Series(texts.name, wrong, dtype=pl.Boolean)

    found = column.ext.storage() if isinstance(dtype, pl.BaseExtension) else column.cast(pl.String)
    return found.map_batches(judge, return_dtype=pl.Boolean(), is_elementwise=True)


def _is_json(text: str, expected: tuple[type[Any], ...]) -> bool:
    """Return whether a text is JSON of that kind, or null; what is nested too deeply is none."""
    if _levels(text) > _DEEPEST:
        return False
    try:
        found = json.loads(text, object_pairs_hook=_of_pairs, parse_int=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return found is None or isinstance(found, expected)


def _levels(text: str) -> int:
    """Return how many objects and arrays stand within each other, if they may be too many."""
    if text.count("{") + text.count("[") <= _DEEPEST:
        return 0
    depth = deepest = 0
    is_quoted = is_escaped = False
    for letter in text:
        if is_quoted:
            is_quoted = is_escaped or letter != '"'
            is_escaped = letter == "\\" and not is_escaped
        elif letter == '"':
            is_quoted = True
        elif letter in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "}]":
            depth -= 1
    return deepest


class _Twice:
    """An object that has a key twice: nobody knows which value counts."""


def _of_pairs(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice()


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


_VIOLATES: Mapping[str, Callable[[Rule, pl.Expr, pl.Schema], pl.Expr]] = {
    "row": _row,
    "null": _null,
    "missing": _missing,
    "invalid": _invalid,
    "below": _below,
    "above": _above,
    "shorter": _shorter,
    "longer": _longer,
    "no multiple": _no_multiple,
    "repeated": _repeated,
    "repeated key": _repeated_key,
    "affected": _affected,
    "wrong zone": _wrong_zone,
    "no JSON": _no_json,
}


def _nan(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return column.is_nan() if dtype.is_float() else pl.lit(value=False)


def _instants(column: pl.Expr, dtype: pl.DataType, zone: str) -> pl.Expr:
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is not None:
        return column
    zoned = column.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _bound(bound: Any, dtype: pl.DataType, whole: Callable[[float], int]) -> Any:
    if dtype.is_integer():
        return whole(bound)
    if dtype.is_decimal():
        return pl.lit(Decimal(str(bound)))
    if dtype == pl.Date and isinstance(bound, datetime.datetime):
        return bound.date()
    return datetime.time.fromisoformat(bound) if dtype == pl.Time else bound


def _members(values: tuple[Any, ...], dtype: pl.DataType) -> pl.Series:
    if dtype.is_integer():
        return pl.Series([int(v) for v in values if float(v) == int(float(v))], dtype=dtype)
    if dtype == pl.Date:
        return pl.Series([datetime.date.fromisoformat(str(v)) for v in values], dtype=dtype)
    if dtype == pl.Datetime:
        return pl.Series([datetime.datetime.fromisoformat(str(v)) for v in values], dtype=dtype)
    if _is_text(dtype):
        texts = [str(v).lower() if isinstance(v, bool) else str(v) for v in values]
        return pl.Series(texts, dtype=pl.String)
    return pl.Series(list(values), dtype=dtype, strict=False)
