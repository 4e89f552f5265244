"""Dialect of PostgreSQL."""

from decimal import Decimal

from sqlglot import exp

from contractwatch.engines.sql.dialects.base import (
    MICROSECONDS_PER_DAY,
    Dialect,
    as_type,
    ends_of_time,
)
from contractwatch.model.contract.database import DatabaseColumn, ValueFamily


class PostgresDialect(Dialect):
    """PostgreSQL 13 and newer: FILTER, NaN equals itself and is above all, exact numerics."""

    name = "postgres"
    has_filter = True
    pattern_repeats = 255

    def compared(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        if column.family is not ValueFamily.TEXT:
            return value
        # As text, for other types have an equality of their own (citext, char); in code points, for
        # a collation may call different texts equal.
        return exp.Collate(
            this=as_type(value, "TEXT"), expression=exp.to_identifier("C", quoted=True)
        )

    def has_nan(self, column: DatabaseColumn) -> bool:
        return column.family in {ValueFamily.FLOAT, ValueFamily.DECIMAL}

    def is_nan(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        return exp.EQ(this=value, expression=self._special("NaN", column))

    def is_infinite(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        ends = [self._special(one, column) for one in ("Infinity", "-Infinity")]
        return exp.In(this=value, expressions=ends)

    def length(self, value: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="char_length", expressions=[value])

    def decimal(self, value: Decimal, column: DatabaseColumn) -> exp.Expr:
        return as_type(exp.Literal.string(f"{value:f}"), "DECIMAL")

    def microseconds(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        if column.family is ValueFamily.TIME:
            epoch: exp.Expr = exp.Extract(this=exp.var("EPOCH"), expression=value)
            return as_type(_times(epoch, 1_000_000), "BIGINT")
        if column.family is ValueFamily.DATE:
            days = exp.Sub(this=value, expression=as_type(exp.Literal.string("1970-01-01"), "DATE"))
            finite = _times(as_type(exp.Paren(this=days), "BIGINT"), MICROSECONDS_PER_DAY)
        else:
            epoch = exp.Extract(this=exp.var("EPOCH"), expression=value)
            finite = as_type(_times(epoch, 1_000_000), "BIGINT")
        return ends_of_time(self, value, finite)

    def time_of_day(self, column: DatabaseColumn, value: exp.Expr, zone: str) -> exp.Expr:
        local = value
        if column.family is ValueFamily.INSTANT:
            local = exp.AtTimeZone(this=value, zone=exp.Literal.string(zone))
        midnight = as_type(exp.Literal.string("00:00:00"), "TIME")
        return exp.NEQ(this=as_type(local, "TIME"), expression=midnight)

    def remainder(
        self, column: DatabaseColumn, value: exp.Expr, numerator: int, denominator: int
    ) -> exp.Expr | None:
        exact = as_type(value, "DECIMAL")
        if denominator != 1:
            exact = exp.Paren(this=_times(exact, denominator))
        return exp.Anonymous(
            this="mod", expressions=[exact, as_type(exp.Literal.string(str(numerator)), "DECIMAL")]
        )

    def transfer(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        match column.family:
            case ValueFamily.TEXT | ValueFamily.DECIMAL | ValueFamily.OBJECT:
                return as_type(value, "TEXT")
            case ValueFamily.DATE | ValueFamily.TIMESTAMP | ValueFamily.INSTANT | ValueFamily.TIME:
                return self.microseconds(column, value)
            case ValueFamily.BOOLEAN:
                return as_type(value, "INT")
            case _:
                return value

    def _special(self, written: str, column: DatabaseColumn) -> exp.Expr:
        kind = "DECIMAL" if column.family is ValueFamily.DECIMAL else "DOUBLE"
        return as_type(exp.Literal.string(written), kind)


def _times(value: exp.Expr, factor: int) -> exp.Expr:
    return exp.Mul(this=value, expression=exp.Literal.number(factor))
