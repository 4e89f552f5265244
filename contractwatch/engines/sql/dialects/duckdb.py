"""Dialect of DuckDB."""

from decimal import Decimal
from fractions import Fraction

from sqlglot import exp

from contractwatch.engines.sql.dialects.base import Dialect, as_type, ends_of_time
from contractwatch.model.contract.database import DatabaseColumn, ValueFamily

_MOST_FACTOR = 10**18
_WIDEST = 64


class DuckdbDialect(Dialect):
    """DuckDB 1.5 and newer: NaN equals itself and is above all; RE2; 128-bit integers."""

    name = "duckdb"

    def compared(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        if column.family is not ValueFamily.TEXT:
            return value
        # In code points, whatever collation the column has; other types (uuid, enum) as text.
        return exp.Collate(
            this=as_type(value, "TEXT"), expression=exp.to_identifier("binary", quoted=True)
        )

    def matches(self, value: exp.Expr, pattern: str) -> exp.Expr:
        return exp.Anonymous(
            this="regexp_matches", expressions=[as_type(value, "TEXT"), exp.Literal.string(pattern)]
        )

    def decimal(self, value: Decimal, column: DatabaseColumn) -> exp.Expr:
        digits = f"DECIMAL({column.precision}, {column.scale})"
        return as_type(exp.Literal.string(f"{value:f}"), digits)

    def microseconds(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        if column.family is ValueFamily.TIME:
            return exp.Anonymous(this="epoch_us", expressions=[value])
        zoned = column.family is ValueFamily.INSTANT
        whole = as_type(value, "TIMESTAMPTZ" if zoned else "TIMESTAMP")
        finite = exp.Anonymous(this="epoch_us", expressions=[whole])
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
        steps = value
        if column.family is ValueFamily.DECIMAL:
            # The digits without the point: a product of decimals would overflow.
            digits = as_type(value, "TEXT")
            steps = exp.Anonymous(
                this="replace",
                expressions=[digits, exp.Literal.string("."), exp.Literal.string("")],
            )
            factor = 10**column.scale
            numerator, denominator = _reduced(numerator * factor, denominator)
        if column.bits > _WIDEST or max(numerator, denominator) > _MOST_FACTOR:
            return None
        whole = as_type(steps, "INT128")
        if denominator != 1:
            whole = exp.Paren(this=exp.Mul(this=whole, expression=exp.Literal.number(denominator)))
        return exp.Mod(this=whole, expression=exp.Literal.number(numerator))

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

    def grouped(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        if column.family is not ValueFamily.FLOAT:
            return value
        # Grouping tells -0.0 from 0.0, which are equal.
        return exp.Add(this=value, expression=self.real(0.0, column.bits))


def _reduced(numerator: int, denominator: int) -> tuple[int, int]:
    exact = Fraction(numerator, denominator)
    return exact.numerator, exact.denominator
