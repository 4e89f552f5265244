"""Convert a value written in a contract to an exact number in the steps of a column's type."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from zoneinfo import ZoneInfo

import polars as pl

from contractwatch.engines.core.file_types import contract_word
from contractwatch.model.base.clause import Scalar
from contractwatch.model.promises.rule import Bound

_NO_NUMBER = "a value of the contract cannot be read as a number"
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive on purpose: local times are counted from it
_TICKS_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
_RANGES: Mapping[type[pl.DataType], tuple[int, int]] = {
    pl.Int8: (-(2**7), 2**7 - 1),
    pl.Int16: (-(2**15), 2**15 - 1),
    pl.Int32: (-(2**31), 2**31 - 1),
    pl.Int64: (-(2**63), 2**63 - 1),
    pl.Int128: (-(2**127), 2**127 - 1),
    pl.UInt8: (0, 2**8 - 1),
    pl.UInt16: (0, 2**16 - 1),
    pl.UInt32: (0, 2**32 - 1),
    pl.UInt64: (0, 2**64 - 1),
    pl.UInt128: (0, 2**128 - 1),
}


class UncastableError(Exception):
    """A value of the contract cannot be cast to the column's type; the message holds no value."""


def is_discrete(dtype: pl.DataType) -> bool:
    """Return whether values of the type are whole steps: integers, decimals, dates and times."""
    return (
        dtype.is_integer() or dtype.is_decimal() or (dtype.is_temporal() and dtype != pl.Duration)
    )


def steps_type(dtype: pl.DataType) -> pl.DataType:
    """Return the integer type that Polars keeps a discrete type in."""
    if dtype.is_decimal():
        return pl.Int128()
    if dtype.is_integer():
        return dtype
    return pl.Int32() if dtype == pl.Date else pl.Int64()


def steps_range(dtype: pl.DataType) -> tuple[int, int]:
    """Return the least and the greatest number of steps that the type can hold."""
    return _RANGES[steps_type(dtype).base_type()]


def literal(count: int, dtype: pl.DataType) -> pl.Expr | None:
    """Return a number of steps as a literal of a discrete type, or None if out of its range."""
    low, high = steps_range(dtype)
    if isinstance(dtype, pl.Decimal):
        high = 10**dtype.precision - 1
        low = -high
    if not low <= count <= high:
        return None
    if isinstance(dtype, pl.Decimal):
        return pl.lit(Decimal(count).scaleb(-dtype.scale), dtype=dtype)
    return pl.lit(count, dtype=steps_type(dtype)).cast(dtype)


def steps(value: Bound | Scalar, dtype: pl.DataType, timezone: str) -> Fraction:
    """Return the value as a number of steps of a discrete type, exactly; it may be no whole number.

    Args:
        value: A number, an instant, or the text of one in ISO-8601.
        dtype: The type of the column.
        timezone: IANA name in which a value without a zone is compared with instants, and an
            instant with local values.

    Raises:
        UncastableError: If the value cannot be read as the type.
    """
    try:
        if dtype.is_integer():
            return _number(value)
        if isinstance(dtype, pl.Decimal):
            return _number(value) * 10**dtype.scale
        if dtype == pl.Date:
            return Fraction(_day(value).toordinal() - _EPOCH_DAY)
        if isinstance(dtype, pl.Datetime):
            return _instant(value, dtype, timezone)
        return _clock(value)
    except (ValueError, OverflowError, TypeError, InvalidOperation) as error:
        raise UncastableError(
            f"a value of the contract cannot be read as {contract_word(dtype)}"
        ) from error


def members(values: Iterable[Scalar], dtype: pl.DataType, timezone: str) -> pl.Series:
    """Return the values typed as the column, or as its steps if the type is discrete.

    A number that the type cannot hold (0.5 or 300 for an 8-bit integer) equals no cell: it is
    left out.

    Raises:
        UncastableError: If a value cannot be read as the type.
    """
    if is_discrete(dtype):
        low, high = steps_range(dtype)
        exact = [steps(value, dtype, timezone) for value in values]
        whole = [int(step) for step in exact if step.denominator == 1 and low <= step <= high]
        return pl.Series(whole, dtype=steps_type(dtype))
    if dtype.is_float():
        return pl.Series([real(value) for value in values], dtype=dtype)
    if dtype == pl.String:
        return pl.Series([text(value) for value in values], dtype=pl.String)
    if dtype == pl.Boolean:
        return pl.Series([_boolean(value) for value in values], dtype=pl.Boolean)
    raise UncastableError(
        f"values of type {contract_word(dtype)} are not compared with those of a contract"
    )


def real(value: Bound | Scalar) -> float:
    """Return the value as a float.

    Raises:
        UncastableError: If it is no number.
    """
    if isinstance(value, bool | date):
        raise UncastableError(_NO_NUMBER)
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        raise UncastableError(_NO_NUMBER) from error


def text(value: Scalar) -> str:
    """Return the value as text, booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def ratio(value: Bound) -> Fraction:
    """Return a number as the exact fraction that is written: 0.1 is one tenth.

    Raises:
        UncastableError: If it is no finite number.
    """
    try:
        return _number(value)
    except (ValueError, TypeError, OverflowError, InvalidOperation) as error:
        raise UncastableError(_NO_NUMBER) from error


def _number(value: Bound | Scalar) -> Fraction:
    if isinstance(value, bool | date):
        raise TypeError
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise ValueError
    return Fraction(exact)


def _day(value: Bound | Scalar) -> date:
    if isinstance(value, str):
        value = date.fromisoformat(value)
    if isinstance(value, datetime):
        if value.time() != time(0):
            raise ValueError
        return value.date()
    if not isinstance(value, date):
        raise TypeError
    return value


def _instant(value: Bound | Scalar, dtype: pl.Datetime, timezone: str) -> Fraction:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(0))
    if not isinstance(value, datetime):
        raise TypeError
    if dtype.time_zone is None:
        local = value if value.tzinfo is None else value.astimezone(ZoneInfo(timezone))
    else:
        aware = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(timezone))
        local = aware.astimezone(UTC)
    passed = local.replace(tzinfo=None) - _EPOCH
    seconds = Fraction(passed.days * 86400 + passed.seconds) + Fraction(passed.microseconds, 10**6)
    return seconds * _TICKS_PER_SECOND[dtype.time_unit]


def _clock(value: Bound | Scalar) -> Fraction:
    if not isinstance(value, str):
        raise TypeError
    at = time.fromisoformat(value)
    seconds = at.hour * 3600 + at.minute * 60 + at.second
    return Fraction(seconds * 10**9 + at.microsecond * 1000)


def _boolean(value: Scalar) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise UncastableError("a value of the contract cannot be read as a boolean")


def ceil_steps(exact: Fraction) -> int:
    """Return the least whole number that is not below the exact one."""
    return math.ceil(exact)


def floor_steps(exact: Fraction) -> int:
    """Return the greatest whole number that is not above the exact one."""
    return math.floor(exact)
