"""Build the Polars expression of a predicate: true where a row violates it.

A null violates only where nulls are asked for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import isnan
from typing import Protocol, TypeAlias, assert_never

import polars as pl

from contractwatch.engines.core import ecma_regex
from contractwatch.engines.core.file_types import contract_word
from contractwatch.engines.predicates import literals, nested
from contractwatch.engines.predicates.object_columns import MemberColumns, ObjectIndex
from contractwatch.model.base.clause import Scalar
from contractwatch.model.base.path import FieldPath, StructField
from contractwatch.model.measure.metric import (
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
    LacksMembers,
    Predicate,
    RepeatsElements,
)
from contractwatch.model.promises.rule import Bound

_TOLERANCE = 1e-9
_FEW = 8
"""So many texts are compared one by one in less time than a cell is hashed."""
_UTC = "Etc/UTC"
_WRITTEN_NAN = r"^[+-]?(?i:nan)$"
_UTC_NAMES = frozenset({"UTC", "Etc/UTC"})

_ValuePredicate: TypeAlias = IsInvalid | IsBelow | IsAbove | IsShorter | IsLonger | IsNotMultiple


class NestedValues(Protocol):
    """Expressions over a column of objects or arrays that are written as text."""

    def violates(self, predicate: Predicate) -> pl.Expr: ...

    def violates_over_columns(
        self, predicate: Predicate, objects: ObjectIndex
    ) -> tuple[pl.Expr, MemberColumns]: ...

    def type_mismatches(self, path: FieldPath) -> pl.Expr: ...

    def type_mismatches_over_columns(
        self, path: FieldPath, objects: ObjectIndex
    ) -> tuple[pl.Expr, MemberColumns]: ...

    def is_well_typed(self, path: FieldPath) -> pl.Expr: ...


@dataclass(frozen=True, slots=True)
class ColumnView:
    """View of a column: its raw and its typed values, as expressions.

    `raw` is as the file has it; `value` is of type `dtype`, and null where a text cannot be parsed;
    `readable` says for text sources whether the text is of the declared type; `is_day` for
    timestamps where a date is declared, whether they are null or at midnight. `within` answers for
    values that are inside of texts, and is None for all others. `refused` says why nobody can tell
    what the texts mean, and nothing but null can be asked of them then; it is empty otherwise.
    """

    raw: pl.Expr
    value: pl.Expr
    dtype: pl.DataType
    readable: pl.Expr | None = None
    is_day: pl.Expr | None = None
    within: "NestedValues | None" = None
    refused: str = ""

    @property
    def is_present(self) -> pl.Expr:
        """Whether there is a value of the type, even a local time that its zone skips."""
        if self.readable is None:
            return self.value.is_not_null()
        return self.raw.is_not_null() & self.readable


def violates(predicate: Predicate, cells: ColumnView) -> pl.Expr:
    """Return an expression that is true where a row violates the predicate, else false or null.

    Raises:
        UncastableError: If a value of the contract has no meaning in the column's type.
    """
    if cells.within is not None:
        return cells.within.violates(predicate)
    if isinstance(predicate, IsNull):
        return cells.raw.is_null()
    refuse_unreadable(cells)
    match predicate:
        case IsMissing():
            return _missing(predicate.values, cells)
        case Inside():
            judge = _judge_of(predicate.predicate)
            return nested.any_violates(predicate.path, cells.value, cells.dtype, judge)
        case IsSmaller() | IsLarger() | RepeatsElements() | IsNotNormalized() | LacksMembers():
            return nested.whole_value_violates(predicate, cells.value, cells.dtype)
        case _:
            return _never(cells) if cells.dtype == pl.Null else _value_violates(predicate, cells)


def refuse_unreadable(cells: ColumnView) -> None:
    """Raise UncastableError if the texts of a column cannot be parsed unambiguously."""
    if cells.refused:
        raise literals.UncastableError(cells.refused)


def key_member(cells: ColumnView, path: tuple[StructField, ...]) -> pl.Expr:
    """Return the member of an object at the end of a path, as it is compared.

    Raises:
        UncastableError: If the type has no such path.
    """
    found = cells_at(cells, path)
    if cells.within is not None and found.dtype.is_nested():
        return pl.when(cells.within.is_well_typed(path)).then(found.value)
    return found.value


def cells_at(cells: ColumnView, path: tuple[StructField, ...]) -> ColumnView:
    """Return the members of objects at the end of a path, as they are compared.

    Raises:
        UncastableError: If the type has no such path.
    """
    refuse_unreadable(cells)
    if not path:
        return cells
    value, dtype = nested.member_at(path, cells.value, cells.dtype)
    return ColumnView(value, value, dtype)


def instants_at(cells: ColumnView, path: FieldPath, timezone: str) -> pl.Expr:
    """Return the instants at the end of a path as `instants` does, in arrays as they are nested.

    Raises:
        UncastableError: If they are not temporal, or the type has no such path.
    """
    refuse_unreadable(cells)
    if not path:
        return instants(cells, timezone)

    def leaf(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        return instants(ColumnView(value, value, dtype), timezone)

    return nested.values_at(path, cells.value, cells.dtype, leaf)


def is_present_at(cells: ColumnView, path: FieldPath) -> pl.Expr:
    """Return whether there is a value at the end of a path.

    Raises:
        UncastableError: If the type has no such path.
    """
    if not path:
        return cells.is_present
    return nested.any_violates(path, cells.value, cells.dtype, lambda one, _: one.is_not_null())


def violates_over_columns(
    predicate: Predicate, cells: ColumnView, objects: ObjectIndex
) -> tuple[pl.Expr, MemberColumns]:
    """Return what `violates` does, over members as columns, and those columns.

    Raises:
        UncastableError: If a value of the contract has no meaning in the column's type.
    """
    if cells.within is not None:
        return cells.within.violates_over_columns(predicate, objects)
    is_plain = not cells.refused and cells.value.meta.is_column()
    if not (isinstance(predicate, Inside) and is_plain):
        return violates(predicate, cells), MemberColumns()
    name = cells.value.meta.output_name()
    return objects.offends(name, predicate.path, cells.dtype, _judge_of(predicate.predicate))


def _judge_of(predicate: Predicate) -> nested.Judge:
    return lambda value, dtype: violates(predicate, ColumnView(value, value, dtype))


def _value_violates(predicate: _ValuePredicate, cells: ColumnView) -> pl.Expr:
    match predicate:
        case IsInvalid():
            return _invalid(predicate, cells)
        case IsBelow():
            return _is_beyond_bound(predicate, cells, below=True)
        case IsAbove():
            return _is_beyond_bound(predicate, cells, below=False)
        case IsShorter():
            return _text_of(cells).str.len_chars() < predicate.length
        case IsLonger():
            return _text_of(cells).str.len_chars() > predicate.length
        case IsNotMultiple():
            return _not_multiple(predicate.divisor, cells)
        case _:
            assert_never(predicate)


def instants(cells: ColumnView, timezone: str) -> pl.Expr:
    """Return a date or timestamp column as UTC, in microseconds.

    Naive values are taken in `timezone`: a repeated hour as the earlier instant, a local time that
    does not exist as null; a date is the first instant of its day.

    Raises:
        UncastableError: If the column is not temporal.
    """
    if cells.dtype == pl.Date:
        midnight = cells.value.cast(pl.Datetime("us"))
        if timezone in _UTC_NAMES:
            return local_to_utc(midnight, timezone)
        return pl.coalesce(
            local_to_utc(midnight, timezone),
            local_to_utc(midnight + pl.duration(hours=1), timezone),  # the clock jumps at midnight
        )
    if cells.dtype == pl.Null:
        return cells.value.cast(pl.Datetime("us", "UTC"))
    if not isinstance(cells.dtype, pl.Datetime):
        raise literals.UncastableError("the column is neither a date nor a timestamp")
    finest = cells.value.dt.cast_time_unit("us")
    if cells.dtype.time_zone is None:
        return local_to_utc(finest, timezone)
    return finest.dt.convert_time_zone("UTC")


def local_to_utc(local: pl.Expr, timezone: str) -> pl.Expr:
    """Return naive timestamps of a zone in UTC, with the rules of `instants`."""
    if timezone in _UTC_NAMES:  # under this one name the library converts for free
        return local.dt.replace_time_zone("UTC")
    zoned = local.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return zoned.dt.convert_time_zone("UTC")


def _text_of(cells: ColumnView) -> pl.Expr:
    if cells.dtype != pl.String:
        raise literals.UncastableError(f"values of type {contract_word(cells.dtype)} are no text")
    return cells.value


def _never(cells: ColumnView) -> pl.Expr:
    return cells.raw.is_null() & cells.raw.is_not_null()


def _is_member(values: Iterable[Scalar], cells: ColumnView) -> pl.Expr:
    allowed = literals.members(values, cells.dtype, _UTC)
    if cells.dtype == pl.String and 0 < len(allowed) <= _FEW:
        return pl.any_horizontal(cells.value == text for text in allowed)
    compared = cells.value.to_physical() if literals.is_discrete(cells.dtype) else cells.value
    return compared.is_in(allowed.implode())


def _missing(values: tuple[Scalar, ...], cells: ColumnView) -> pl.Expr:
    if cells.dtype == pl.Null:
        return cells.raw.is_null()
    if cells.readable is None:
        typed = [value for value in values if _has_meaning(value, cells.dtype)]
        return cells.raw.is_null() | _is_member(typed, cells)
    written = pl.Series([literals.text(value) for value in values], dtype=pl.String)
    missing = cells.raw.is_null() | cells.raw.is_in(written.implode())
    if cells.dtype.is_float() and any(isinstance(one, float) and isnan(one) for one in values):
        missing |= cells.raw.str.contains(_WRITTEN_NAN)  # which is no number of a text
    typed = [value for value in values if _has_meaning(value, cells.dtype)]
    return missing | _is_member(typed, cells).fill_null(value=False)


def _has_meaning(value: Scalar, dtype: pl.DataType) -> bool:
    """Return whether the value can be of the column's type: "n/a" is no number."""
    try:
        literals.members([value], dtype, _UTC)
    except literals.UncastableError:
        return False
    return True


def _invalid(predicate: IsInvalid, cells: ColumnView) -> pl.Expr:
    invalid = _never(cells)
    if predicate.values is not None:
        invalid = invalid | ~_is_member(predicate.values, cells)
        if cells.dtype.is_float():
            invalid = invalid | cells.value.is_nan()
    if predicate.pattern is not None:
        invalid = invalid | ~_is_found(predicate, predicate.pattern, _text_of(cells))
    return cells.value.is_not_null() & invalid


def _is_found(predicate: IsInvalid, pattern: str, text: pl.Expr) -> pl.Expr:
    return ecma_regex.matches(text, pattern) if predicate.ecma else text.str.contains(pattern)


def _is_beyond_bound(predicate: IsBelow | IsAbove, cells: ColumnView, *, below: bool) -> pl.Expr:
    if cells.dtype.is_float():
        bound = _float_bound(predicate.bound, cells.dtype)
        outside = _compare_bound(cells.value, bound, below=below, inclusive=predicate.exclusive)
        return cells.value.is_nan() | outside
    if not literals.is_discrete(cells.dtype):
        raise literals.UncastableError(
            f"values of type {contract_word(cells.dtype)} have no bounds"
        )
    exact = literals.steps(predicate.bound, cells.dtype, predicate.timezone)
    nearest = literals.ceil_steps(exact) if below else literals.floor_steps(exact)
    low, high = literals.steps_range(cells.dtype)
    if not low <= nearest <= high:
        all_outside = nearest > high if below else nearest < low
        return cells.value.is_not_null() if all_outside else _never(cells)
    bound = pl.lit(nearest, dtype=literals.steps_type(cells.dtype))
    inclusive = predicate.exclusive and exact == nearest
    return _compare_bound(cells.value.to_physical(), bound, below=below, inclusive=inclusive)


def _float_bound(bound: Bound, dtype: pl.DataType) -> pl.Expr:
    """Return a bound as a value of a float type.

    Beside values of 64 bits a plain number is one already, and costs a fifth of a typed one.
    """
    value = literals.real(bound)
    return pl.lit(value) if dtype == pl.Float64 else pl.lit(value, dtype=dtype)


def _compare_bound(value: pl.Expr, bound: pl.Expr, *, below: bool, inclusive: bool) -> pl.Expr:
    if below:
        return value <= bound if inclusive else value < bound
    return value >= bound if inclusive else value > bound


def _not_multiple(divisor: Bound, cells: ColumnView) -> pl.Expr:
    exact = literals.ratio(divisor)
    if exact <= 0:
        raise literals.UncastableError("a divisor must be above zero")
    if cells.dtype.is_float():
        return _not_near_multiple(cells.value.cast(pl.Float64), float(exact))
    if isinstance(cells.dtype, pl.Decimal):
        exact *= 10**cells.dtype.scale
    elif not cells.dtype.is_integer():
        raise literals.UncastableError(
            f"values of type {contract_word(cells.dtype)} have no multiples"
        )
    return _remainder(cells, exact) != 0


def _remainder(cells: ColumnView, divisor: Fraction) -> pl.Expr:
    """Return a number that is zero exactly at multiples: x mod p/q is zero where q x mod p is."""
    value = cells.value.to_physical()
    kept = literals.steps_type(cells.dtype)
    low, high = literals.steps_range(cells.dtype)
    if divisor.denominator > 1 or not low <= divisor.numerator <= high:
        kept = pl.Int128()
        value = value.cast(kept) * pl.lit(divisor.denominator, dtype=kept)
    return value % pl.lit(divisor.numerator, dtype=kept)


def _not_near_multiple(value: pl.Expr, divisor: float) -> pl.Expr:
    quotient = value / divisor
    distance = (value - quotient.round() * divisor).abs()
    tolerance = _TOLERANCE * pl.max_horizontal(pl.lit(1.0), value.abs())
    # A quotient beyond all floats: the tolerance is wider than the divisor there.
    return value.is_finite().not_() | (
        quotient.is_finite() & distance.is_finite() & (distance > tolerance)
    )
