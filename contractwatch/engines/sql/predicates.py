"""Build the SQL condition of a predicate: true where a row violates it.

A null violates only where nulls are asked for; the condition is null or false there.
"""

from dataclasses import dataclass
from typing import assert_never

from sqlglot import exp

from contractwatch.engines.predicates import literals
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.sql import values
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.engines.sql.patterns import portable_pattern
from contractwatch.model.base.clause import Scalar
from contractwatch.model.contract.database import DatabaseColumn, ValueFamily
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

NESTED = "values inside of arrays and objects are not asked of a database"
_TOLERANCE = 1e-9
_ALWAYS_NEAR = 6e8
"""A value this many times greater than the divisor is always within the tolerance of a multiple."""


class NotInSqlError(Exception):
    """The database has no exact answer to a question; the message says why."""


@dataclass(frozen=True, slots=True)
class SqlCells:
    """Column of a table with the expressions of its values, raw and as they are compared."""

    column: DatabaseColumn
    raw: exp.Expr
    value: exp.Expr


def cells_of(dialect: Dialect, column: DatabaseColumn) -> SqlCells:
    """Return a column as questions see it."""
    raw = dialect.column(column.name)
    return SqlCells(column, raw, dialect.compared(column, raw))


def violates(dialect: Dialect, predicate: Predicate, cells: SqlCells) -> exp.Expr:
    """Return a condition that is true where a row violates the predicate, else false or null.

    Raises:
        UncastableError: If a value of the contract has no meaning in the column's type.
        NotInSqlError: If the database has no exact answer.
    """
    match predicate:
        case IsNull():
            return _is_null(cells)
        case IsMissing():
            return _missing(dialect, predicate.values, cells)
        case IsInvalid():
            return _invalid(dialect, predicate, cells)
        case IsBelow() | IsAbove():
            return _beyond(dialect, predicate, cells)
        case IsShorter() | IsLonger():
            return _other_length(dialect, predicate, cells)
        case IsNotMultiple():
            return _not_multiple(dialect, predicate.divisor, cells)
        case (
            Inside()
            | IsSmaller()
            | IsLarger()
            | RepeatsElements()
            | IsNotNormalized()
            | LacksMembers()
        ):
            raise NotInSqlError(NESTED)
        case _:
            assert_never(predicate)


def _is_null(cells: SqlCells) -> exp.Expr:
    return exp.Is(this=cells.raw, expression=exp.Null())


def is_present(cells: SqlCells) -> exp.Expr:
    """Return whether a cell is not null."""
    return exp.Not(this=_is_null(cells))


def never() -> exp.Expr:
    """Return a condition that is true for no row."""
    return exp.EQ(this=exp.Literal.number(1), expression=exp.Literal.number(0))


def _is_member(dialect: Dialect, cells: SqlCells, given: tuple[Scalar, ...]) -> exp.Expr:
    members = values.member_literals(dialect, cells.column, given)
    found = exp.In(this=cells.value, expressions=members) if members else never()
    if dialect.has_nan(cells.column) and values.holds_nan(given):
        return exp.or_(found, dialect.is_nan(cells.column, cells.value))
    return found


def _missing(dialect: Dialect, given: tuple[Scalar, ...], cells: SqlCells) -> exp.Expr:
    typed = tuple(one for one in given if _has_meaning(dialect, one, cells))
    if not typed:
        return _is_null(cells)
    return exp.or_(_is_null(cells), _is_member(dialect, cells, typed))


def _has_meaning(dialect: Dialect, value: Scalar, cells: SqlCells) -> bool:
    """Return whether the value can be of the column's type: "n/a" is no number."""
    try:
        values.member_literals(dialect, cells.column, [value])
    except UncastableError:
        return False
    return True


def _invalid(dialect: Dialect, predicate: IsInvalid, cells: SqlCells) -> exp.Expr:
    broken: list[exp.Expr] = []
    if predicate.values is not None:
        broken.append(exp.Not(this=exp.Paren(this=_is_member(dialect, cells, predicate.values))))
        if dialect.has_nan(cells.column):
            broken.append(dialect.is_nan(cells.column, cells.value))
    if predicate.pattern is not None:
        _check_text(cells)
        pattern = portable_pattern(
            predicate.pattern, repeats=dialect.pattern_repeats, end=dialect.end_of_text
        )
        if pattern is None:
            raise NotInSqlError("the database does not run this pattern as it is meant")
        broken.append(exp.Not(this=exp.Paren(this=dialect.matches(cells.value, pattern))))
    if not broken:
        return never()
    return exp.and_(is_present(cells), exp.or_(*broken))


def _check_text(cells: SqlCells) -> None:
    if cells.column.family is not ValueFamily.TEXT:
        kind = _contract_word(cells.column)
        raise UncastableError(f"values of type {kind} are no text")


def _other_length(dialect: Dialect, predicate: IsShorter | IsLonger, cells: SqlCells) -> exp.Expr:
    _check_text(cells)
    compared = exp.LT if isinstance(predicate, IsShorter) else exp.GT
    return compared(this=dialect.length(cells.value), expression=dialect.integer(predicate.length))


def _contract_word(column: DatabaseColumn) -> str:
    kind = values.column_type(column).kind
    return {"float": "number", "decimal": "number", "string": "text"}.get(kind, kind)


def _beyond(dialect: Dialect, predicate: IsBelow | IsAbove, cells: SqlCells) -> exp.Expr:
    column, below = cells.column, isinstance(predicate, IsBelow)
    if column.family is ValueFamily.FLOAT:
        bound = dialect.real(literals.real(predicate.bound), column.bits)
        outside = _compared(cells.value, bound, below=below, inclusive=predicate.exclusive)
        return _or_nan(dialect, cells, outside)
    if not values.is_discrete(column):
        raise UncastableError(f"values of type {_contract_word(column)} have no bounds")
    exact = values.bound_steps(predicate.bound, column, predicate.timezone)
    limits = values.steps_limits(column)
    if limits is None:
        number = dialect.decimal(values.as_decimal(exact), column)
        outside = _compared(cells.value, number, below=below, inclusive=predicate.exclusive)
        return _or_nan(dialect, cells, outside)
    nearest = literals.ceil_steps(exact) if below else literals.floor_steps(exact)
    literal = values.step_literal(dialect, column, nearest)
    if literal is None:  # beyond what the column, or a literal of its type, can hold
        all_outside = nearest > limits[1] // 2 if below else nearest < limits[0] // 2
        return _or_nan(dialect, cells, is_present(cells) if all_outside else never())
    inclusive = predicate.exclusive and exact == nearest
    return _or_nan(
        dialect, cells, _compared(cells.value, literal, below=below, inclusive=inclusive)
    )


def _or_nan(dialect: Dialect, cells: SqlCells, outside: exp.Expr) -> exp.Expr:
    if not dialect.has_nan(cells.column):
        return outside
    return exp.or_(outside, dialect.is_nan(cells.column, cells.value))


def _compared(value: exp.Expr, bound: exp.Expr, *, below: bool, inclusive: bool) -> exp.Expr:
    if below:
        return (exp.LTE if inclusive else exp.LT)(this=value, expression=bound)
    return (exp.GTE if inclusive else exp.GT)(this=value, expression=bound)


def _not_multiple(dialect: Dialect, divisor: Bound, cells: SqlCells) -> exp.Expr:
    exact = literals.ratio(divisor)
    column = cells.column
    if exact <= 0:
        raise UncastableError("a divisor must be above zero")
    if column.family is ValueFamily.FLOAT:
        return _not_near_multiple(dialect, cells, float(exact))
    if column.family not in {ValueFamily.INTEGER, ValueFamily.DECIMAL}:
        raise UncastableError(f"values of type {_contract_word(column)} have no multiples")
    rest = dialect.remainder(column, cells.value, exact.numerator, exact.denominator)
    if rest is None:
        raise NotInSqlError("the database does not divide these numbers exactly")
    return _or_nan(dialect, cells, exp.NEQ(this=rest, expression=exp.Literal.number(0)))


def _not_near_multiple(dialect: Dialect, cells: SqlCells, divisor: float) -> exp.Expr:
    """Return whether a float is further than the tolerance from each multiple.

    Of the values that need no division, one would raise: those that are far greater than the
    divisor are always near, and so are those that are smaller than the tolerance.
    """
    double = exp.Cast(this=cells.raw, to=exp.DataType.build("DOUBLE"))
    size = exp.Abs(this=double)
    step = dialect.real(divisor, 64)
    nearest = exp.Round(this=exp.Div(this=double, expression=step, typed=False, safe=False))
    distance = exp.Abs(
        this=exp.Paren(
            this=exp.Sub(
                this=double, expression=exp.Paren(this=exp.Mul(this=nearest, expression=step))
            )
        )
    )
    tolerance = exp.Mul(
        this=dialect.real(_TOLERANCE, 64),
        expression=exp.Greatest(this=dialect.real(1.0, 64), expressions=[size]),
    )
    always = min(_ALWAYS_NEAR * divisor, 1.7e308)
    not_finite = exp.or_(
        dialect.is_nan(cells.column, cells.value), dialect.is_infinite(cells.column, cells.value)
    )
    is_near = exp.or_(
        exp.GT(this=size, expression=dialect.real(always, 64)),
        exp.LTE(this=size, expression=dialect.real(_TOLERANCE, 64)),
    )
    one, zero = dialect.boolean(value=True), dialect.boolean(value=False)
    return exp.Case(
        ifs=[
            exp.If(this=_is_null(cells), true=zero),
            exp.If(this=not_finite, true=one),
            exp.If(this=is_near, true=zero),
        ],
        default=exp.Paren(this=exp.GT(this=distance, expression=tolerance)),
    )
