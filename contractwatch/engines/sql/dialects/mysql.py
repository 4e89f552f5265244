"""Dialect of MySQL and MariaDB."""

import struct
from datetime import datetime
from math import isfinite
from typing import ClassVar

from sqlglot import exp

from contractwatch.engines.sql.dialects.base import MICROSECONDS_PER_DAY, Dialect, as_type
from contractwatch.engines.sql.zones import UTC_NAMES
from contractwatch.model.contract.database import DatabaseColumn, ValueFamily

_MOST_DIGITS = 60
_GREATEST = 1.7976931348623157e308


class MysqlDialect(Dialect):
    """MySQL 8 and MariaDB 10.5 and newer; the session's zone is UTC, and there is no NaN.

    Texts are compared as the bytes of their UTF-8, for collations call different texts equal and
    ignore blanks at the end.
    """

    name = "mysql"
    end_of_text: ClassVar[str] = r"\z"

    def compared(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        return _bytes(value) if column.family is ValueFamily.TEXT else value

    def has_nan(self, column: DatabaseColumn) -> bool:
        return False

    def is_nan(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        return exp.false()

    def is_infinite(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        return exp.false()

    def length(self, value: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="CHAR_LENGTH", expressions=[_characters(value)])

    def matches(self, value: exp.Expr, pattern: str) -> exp.Expr:
        text = exp.Collate(this=_characters(value), expression=exp.to_identifier("utf8mb4_bin"))
        found = exp.Anonymous(this="REGEXP_INSTR", expressions=[text, exp.Literal.string(pattern)])
        return exp.GT(this=found, expression=exp.Literal.number(0))

    def real(self, value: float, bits: int) -> exp.Expr:
        if bits < 64:  # noqa: PLR2004 - a value of 32 bits is compared as the double that it is
            (value,) = struct.unpack("f", struct.pack("f", value))
        if not isfinite(value):
            value = _GREATEST if value > 0 else -_GREATEST
        return as_type(exp.Literal.string(repr(value)), "DOUBLE")

    def text(self, value: str) -> exp.Expr:
        return as_type(exp.Literal.string(value), "BINARY")

    def timestamp(self, value: datetime) -> exp.Expr:
        return as_type(exp.Literal.string(value.isoformat(sep=" ")), "DATETIME(6)")

    def instant(self, value: datetime) -> exp.Expr:
        return self.timestamp(value)

    def microseconds(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        match column.family:
            case ValueFamily.DATE:
                days = exp.Anonymous(
                    this="DATEDIFF", expressions=[value, exp.Literal.string("1970-01-01")]
                )
                return exp.Mul(this=days, expression=exp.Literal.number(MICROSECONDS_PER_DAY))
            case ValueFamily.TIME:
                start = as_type(exp.Literal.string("00:00:00"), "TIME")
            case _:
                start = as_type(exp.Literal.string("1970-01-01"), "DATETIME")
        unit = exp.var("MICROSECOND")
        return exp.Anonymous(this="TIMESTAMPDIFF", expressions=[unit, start, value])

    def time_of_day(self, column: DatabaseColumn, value: exp.Expr, zone: str) -> exp.Expr | None:
        if column.family is ValueFamily.INSTANT and zone not in UTC_NAMES:
            return None  # the server may have no time zones
        midnight = as_type(exp.Literal.string("00:00:00"), "TIME")
        return exp.NEQ(this=exp.Anonymous(this="TIME", expressions=[value]), expression=midnight)

    def remainder(
        self, column: DatabaseColumn, value: exp.Expr, numerator: int, denominator: int
    ) -> exp.Expr | None:
        digits = (column.precision or 20) + len(str(denominator)) + len(str(numerator))
        if digits > _MOST_DIGITS:
            return None
        exact = value
        if column.family is ValueFamily.INTEGER:
            exact = as_type(value, "DECIMAL(40, 0)")
        exact = exp.Abs(this=exact)  # MariaDB: a remainder of -0.00 is not 0
        if denominator != 1:
            exact = exp.Paren(this=exp.Mul(this=exact, expression=exp.Literal.number(denominator)))
        return exp.Anonymous(this="MOD", expressions=[exact, exp.Literal.number(numerator)])

    def transfer(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        match column.family:
            case ValueFamily.TEXT | ValueFamily.OBJECT:
                return _characters(value)
            case ValueFamily.DECIMAL:
                return as_type(value, "CHAR")
            case ValueFamily.DATE | ValueFamily.TIMESTAMP | ValueFamily.INSTANT | ValueFamily.TIME:
                return self.microseconds(column, value)
            case _:
                return value


def _characters(value: exp.Expr) -> exp.Expr:
    utf8 = exp.DataType(this=exp.DType.CHARACTER_SET, kind=exp.var("utf8mb4"))
    return exp.Cast(this=value, to=utf8)


def _bytes(value: exp.Expr) -> exp.Expr:
    return as_type(_characters(value), "BINARY")
