"""Values of a contract as literals of a database column's type, exactly."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isnan

import polars as pl
from sqlglot import exp

from contractwatch.engines.predicates import literals
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.model.base.clause import Scalar
from contractwatch.model.contract.database import DatabaseColumn, ValueFamily
from contractwatch.model.measure.state import ColumnType
from contractwatch.model.promises.rule import Bound

MOST_DIGITS = 38
"""More decimal digits than these are not held by the reader, only compared by the database."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times are counted from it
_DISCRETE = frozenset(
    {
        ValueFamily.INTEGER,
        ValueFamily.DECIMAL,
        ValueFamily.DATE,
        ValueFamily.TIMESTAMP,
        ValueFamily.INSTANT,
        ValueFamily.TIME,
    }
)
_INTEGERS = {
    (8, False): pl.Int8(),
    (16, False): pl.Int16(),
    (32, False): pl.Int32(),
    (64, False): pl.Int64(),
    (128, False): pl.Int128(),
    (8, True): pl.UInt8(),
    (16, True): pl.UInt16(),
    (32, True): pl.UInt32(),
    (64, True): pl.UInt64(),
    (128, True): pl.UInt128(),
}
_PLAIN_TYPES = {
    ValueFamily.TEXT: pl.String(),
    ValueFamily.BOOLEAN: pl.Boolean(),
    ValueFamily.DATE: pl.Date(),
    ValueFamily.TIMESTAMP: pl.Datetime("us"),
    ValueFamily.INSTANT: pl.Datetime("us", "UTC"),
    ValueFamily.TIME: pl.Time(),
}
_KINDS = {
    ValueFamily.TEXT: "string",
    ValueFamily.TIMESTAMP: "timestamp",
    ValueFamily.INSTANT: "timestamp",
}
_EXACT = {
    ValueFamily.TEXT: "string",
    ValueFamily.TIMESTAMP: "timestamp[us]",
    ValueFamily.INSTANT: "timestamp[us, tz=UTC]",
}


def column_type(column: DatabaseColumn) -> ColumnType:
    """Return a column's type as checks of schemas read it."""
    dtype = value_type(column)
    exact = _EXACT.get(column.family, column.family.value)
    if column.family in {ValueFamily.INTEGER, ValueFamily.FLOAT} and dtype is not None:
        exact = dtype.base_type().__name__.lower()
    if column.family is ValueFamily.DECIMAL:
        exact = f"decimal({column.precision}, {column.scale})" if column.precision else "decimal"
    if column.is_uuid:
        exact = "uuid"
    return ColumnType(
        column.name,
        _KINDS.get(column.family, column.family.value),
        column.declared,
        timezone_aware=column.family is ValueFamily.INSTANT,
        scale=column.scale if column.precision else -1,
        exact=exact,
    )


def value_type(column: DatabaseColumn) -> pl.DataType | None:
    """Return the type in which values are compared, or None if they are not."""
    match column.family:
        case ValueFamily.INTEGER:
            return _INTEGERS[column.bits, column.is_unsigned]
        case ValueFamily.DECIMAL:
            held = column.precision and column.precision <= MOST_DIGITS
            return pl.Decimal(column.precision, column.scale) if held else None
        case ValueFamily.FLOAT:
            return pl.Float32() if column.bits < 64 else pl.Float64()  # noqa: PLR2004 - a double
        case _:
            return _PLAIN_TYPES.get(column.family)


def is_discrete(column: DatabaseColumn) -> bool:
    """Return whether values are whole steps: integers, decimals, dates and times."""
    return column.family in _DISCRETE


def bound_steps(bound: Bound | Scalar, column: DatabaseColumn, timezone: str) -> Fraction:
    """Return a value of a contract as a number of steps of a discrete column, exactly.

    A step of a decimal without a limit of digits is one.

    Raises:
        UncastableError: If the value cannot be read as the column's type.
    """
    if column.family is ValueFamily.DECIMAL:
        return literals.ratio(_number(bound)) * 10**column.scale
    dtype = value_type(column)
    assert dtype is not None
    return literals.steps(bound, dtype, timezone)


def _number(value: Bound | Scalar) -> Bound:
    if isinstance(value, bool):
        raise UncastableError("a value of the contract cannot be read as a number")
    return value


def steps_limits(column: DatabaseColumn) -> tuple[int, int] | None:
    """Return the least and the greatest number of steps that a column can hold; None: no limit."""
    if column.family is ValueFamily.DECIMAL:
        return (1 - 10**column.precision, 10**column.precision - 1) if column.precision else None
    dtype = value_type(column)
    assert dtype is not None
    return literals.steps_range(dtype)


def step_literal(dialect: Dialect, column: DatabaseColumn, steps: int) -> exp.Expr | None:
    """Return a number of steps as a literal; None if no value of the column can equal it."""
    limits = steps_limits(column)
    if limits is not None and not limits[0] <= steps <= limits[1]:
        return None
    try:
        match column.family:
            case ValueFamily.INTEGER:
                return dialect.integer(steps)
            case ValueFamily.DECIMAL:
                return dialect.decimal(Decimal(steps).scaleb(-column.scale), column)
            case ValueFamily.DATE:
                return dialect.date(date(1970, 1, 1) + timedelta(days=steps))
            case ValueFamily.TIMESTAMP:
                return dialect.timestamp(_EPOCH + timedelta(microseconds=steps))
            case ValueFamily.INSTANT:
                return dialect.instant(_EPOCH + timedelta(microseconds=steps))
            case _:
                return dialect.time(_time(steps))
    except OverflowError:
        return None


def _time(nanoseconds: int) -> time:
    return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).time()


def member_literals(
    dialect: Dialect, column: DatabaseColumn, values: Iterable[Scalar]
) -> list[exp.Expr]:
    """Return the values that a column's values may equal; NaN is not among them.

    Raises:
        UncastableError: If a value cannot be read as the column's type.
    """
    if is_discrete(column):
        exact = [bound_steps(value, column, "Etc/UTC") for value in values]
        whole = [_whole(dialect, column, step) for step in exact]
        return [literal for literal in whole if literal is not None]
    match column.family:
        case ValueFamily.FLOAT:
            numbers = (literals.real(value) for value in values)
            return [dialect.real(one, column.bits) for one in numbers if not isnan(one)]
        case ValueFamily.TEXT:
            return [dialect.text(literals.text(value)) for value in values]
        case ValueFamily.BOOLEAN:
            known = literals.members(values, pl.Boolean(), "Etc/UTC").to_list()
            return [dialect.boolean(value=one) for one in known]
        case _:
            kind = column_type(column).kind
            raise UncastableError(
                f"values of type {kind} are not compared with those of a contract"
            )


def _whole(dialect: Dialect, column: DatabaseColumn, step: Fraction) -> exp.Expr | None:
    if step.denominator == 1:
        return step_literal(dialect, column, int(step))
    if column.family is ValueFamily.DECIMAL and not column.precision:
        return dialect.decimal(as_decimal(step), column)
    return None


def as_decimal(exact: Fraction) -> Decimal:
    """Return a fraction that a decimal number was made of as that number."""
    places = 0
    while (exact * 10**places).denominator != 1:
        places += 1
    return Decimal(int(exact * 10**places)).scaleb(-places)


def holds_nan(values: Iterable[Scalar]) -> bool:
    """Return whether NaN is among the values of a contract."""
    return any(isinstance(one, float) and isnan(one) for one in values)
