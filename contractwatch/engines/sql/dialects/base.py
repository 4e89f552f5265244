"""Dialect: how a database writes what standard SQL leaves open. Each database overrides it."""

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isinf, isnan
from typing import ClassVar

from sqlglot import exp

from contractwatch.model.contract.database import DatabaseColumn, SqlTable, ValueFamily

MICROSECONDS_PER_DAY = 86_400_000_000
_END_OF_TIME = 9_223_372_036_854_775_807


class Dialect:
    """SQL of one database; the expressions are sqlglot's, rendered once by `render`.

    `name` is the dialect's name in sqlglot. `max_selected` bounds the columns of one select.
    `pattern_repeats` is the greatest count in a repetition of a regular expression.
    """

    name: ClassVar[str]
    has_filter: ClassVar[bool] = False
    max_selected: ClassVar[int] = 500
    pattern_repeats: ClassVar[int] = 1000
    end_of_text: ClassVar[str] = "$"

    def render(self, expression: exp.Expr) -> str:
        """Return the text of an expression."""
        return expression.sql(dialect=self.name)

    def column(self, name: str) -> exp.Expr:
        """Return a column by its exact name."""
        return exp.Column(this=exp.to_identifier(name, quoted=True))

    def table(self, table: SqlTable) -> exp.Table:
        """Return a table by its exact schema and name."""
        return exp.Table(
            this=exp.to_identifier(table.name, quoted=True),
            db=exp.to_identifier(table.schema, quoted=True) if table.schema else None,
        )

    def compared(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        """Return a value in the form in which it is compared exactly."""
        return value

    def grouped(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        """Return a value in the form in which equal ones make a group."""
        return value

    def count_where(self, condition: exp.Expr) -> exp.Expr:
        """Return the number of rows for which a condition is true."""
        if self.has_filter:
            return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=condition))
        return exp.Count(this=exp.Case(ifs=[exp.If(this=condition, true=exp.Literal.number(1))]))

    def aggregate_where(
        self, function: type[exp.AggFunc], value: exp.Expr, condition: exp.Expr | None
    ) -> exp.Expr:
        """Return an aggregate of the values of the rows for which a condition is true."""
        if condition is None:
            return function(this=value)
        if self.has_filter:
            return exp.Filter(this=function(this=value), expression=exp.Where(this=condition))
        return function(this=exp.Case(ifs=[exp.If(this=condition, true=value)]))

    def has_nan(self, column: DatabaseColumn) -> bool:
        """Return whether values of the column can be NaN."""
        return column.family is ValueFamily.FLOAT

    def is_nan(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        """Return whether a value is NaN."""
        return exp.Anonymous(this="isnan", expressions=[value])

    def is_infinite(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        """Return whether a float is infinite."""
        return exp.Anonymous(this="isinf", expressions=[value])

    def length(self, value: exp.Expr) -> exp.Expr:
        """Return the length of a text in code points."""
        return exp.Length(this=value)

    def matches(self, value: exp.Expr, pattern: str) -> exp.Expr:
        """Return whether a portable pattern is found in a text."""
        return exp.RegexpLike(this=value, expression=exp.Literal.string(pattern))

    def integer(self, value: int) -> exp.Expr:
        """Return an integer as a literal."""
        number = exp.Literal.number(str(abs(value)))
        return exp.Paren(this=exp.Neg(this=number)) if value < 0 else number

    def decimal(self, value: Decimal, column: DatabaseColumn) -> exp.Expr:
        """Return an exact decimal number as a literal."""
        number = exp.Literal.number(f"{abs(value):f}")
        return exp.Paren(this=exp.Neg(this=number)) if value < 0 else number

    def real(self, value: float, bits: int) -> exp.Expr:
        """Return a float as a literal of 32 or 64 bits."""
        written = repr(value)
        if isnan(value):
            written = "NaN"
        elif isinf(value):
            written = "Infinity" if value > 0 else "-Infinity"
        kind = exp.DataType.Type.FLOAT if bits < 64 else exp.DataType.Type.DOUBLE  # noqa: PLR2004 - width of a double
        return exp.Cast(this=exp.Literal.string(written), to=exp.DataType(this=kind))

    def text(self, value: str) -> exp.Expr:
        """Return a text as a literal."""
        return exp.Literal.string(value)

    def boolean(self, *, value: bool) -> exp.Expr:
        """Return a truth value as a literal."""
        return exp.Boolean(this=value)

    def date(self, value: date) -> exp.Expr:
        """Return a date as a literal."""
        return as_type(exp.Literal.string(value.isoformat()), "DATE")

    def timestamp(self, value: datetime) -> exp.Expr:
        """Return a timestamp without a zone as a literal."""
        return as_type(exp.Literal.string(value.isoformat(sep=" ")), "TIMESTAMP")

    def instant(self, value: datetime) -> exp.Expr:
        """Return an instant, which is given as naive UTC, as a literal."""
        return as_type(exp.Literal.string(f"{value.isoformat(sep=' ')}+00:00"), "TIMESTAMPTZ")

    def time(self, value: time) -> exp.Expr:
        """Return a time of day as a literal."""
        return as_type(exp.Literal.string(value.isoformat()), "TIME")

    def microseconds(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        """Return a date or timestamp as microseconds since 1970, of an instant in UTC."""
        raise NotImplementedError

    def time_of_day(self, column: DatabaseColumn, value: exp.Expr, zone: str) -> exp.Expr | None:
        """Return whether a timestamp is not at midnight in a zone; None if it cannot."""
        raise NotImplementedError

    def remainder(
        self, column: DatabaseColumn, value: exp.Expr, numerator: int, denominator: int
    ) -> exp.Expr | None:
        """Return a number that is zero exactly at multiples of a fraction; None if it cannot."""
        raise NotImplementedError

    def transfer(self, column: DatabaseColumn, value: exp.Expr) -> exp.Expr:
        """Return a value in a form that every driver hands over exactly.

        Integers and texts as they are, booleans as 0 or 1, decimals as text, times as microseconds.
        """
        raise NotImplementedError

    def limited(self, query: exp.Select, rows: int) -> exp.Select:
        """Return at most so many rows of a query."""
        return query.limit(rows)

    def any_of(self, conditions: Sequence[exp.Expr]) -> exp.Expr:
        """Return whether at least one of the conditions is true; null counts as false."""
        sure = [
            exp.Coalesce(this=one, expressions=[self.boolean(value=False)]) for one in conditions
        ]
        return exp.or_(*sure, copy=False, wrap=True)


def as_type(value: exp.Expr, kind: str) -> exp.Expr:
    """Return a cast of a value."""
    return exp.Cast(this=value, to=exp.DataType.build(kind))


def ends_of_time(dialect: Dialect, value: exp.Expr, finite: exp.Expr) -> exp.Expr:
    """Return microseconds, of an infinite date or timestamp the greatest or least ones."""
    later = exp.GT(this=value, expression=as_type(exp.Literal.string("2000-01-01"), "DATE"))
    end = exp.Case(
        ifs=[exp.If(this=later, true=dialect.integer(_END_OF_TIME))],
        default=dialect.integer(-_END_OF_TIME),
    )
    return exp.Case(
        ifs=[
            exp.If(this=exp.Is(this=value, expression=exp.Null()), true=exp.Null()),
            exp.If(this=exp.Anonymous(this="isfinite", expressions=[value]), true=finite),
        ],
        default=end,
    )
