"""Answers that the database's own constraints prove, so that no row is read for them.

A proof needs a constraint that is enforced for every row that is there now; the catalogue passes no
other on. Null passes a CHECK, and so does NaN what only bounds from below. When in doubt there is
no proof, and the rows are read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from contractwatch.engines.predicates import literals
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.model.contract.database import (
    DatabaseColumn,
    RowCondition,
    SqlTable,
    UniqueColumns,
    ValueFamily,
)
from contractwatch.model.measure.metric import (
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLonger,
    IsNull,
    IsShorter,
    Predicate,
    SurplusRows,
)

_MOST_LENGTH = 4_000
_LENGTHS = frozenset({"length", "char_length", "character_length"})


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the constraints say of one column: bounds, allowed values, lengths. None: nothing.

    A bound is a number and whether the number itself is excluded.
    """

    low: tuple[Fraction, bool] | None = None
    high: tuple[Fraction, bool] | None = None
    members: frozenset[str | Fraction] | None = None
    shortest: int | None = None
    longest: int | None = None


def proves_none(dialect: Dialect, table: SqlTable, predicate: Predicate) -> bool:
    """Return whether the constraints prove that no row satisfies the predicate."""
    column = table.column(predicate.column)
    if column is None:
        return False
    try:
        return _excludes(dialect, table, column, predicate)
    except (UncastableError, ValueError, ArithmeticError):
        return False


def proves_distinct(table: SqlTable, metric: SurplusRows) -> bool:
    """Return whether the constraints prove that no two rows have the same key."""
    if metric.paths:
        return False
    names = {found.name for one in metric.columns if (found := table.column(one)) is not None}
    keys = (one for one in table.constraints if isinstance(one, UniqueColumns))
    return any(set(key.columns) <= names for key in keys)


def _excludes(
    dialect: Dialect, table: SqlTable, column: DatabaseColumn, predicate: Predicate
) -> bool:
    match predicate:
        case IsNull():
            return column.is_required
        case IsLonger():
            if column.family is not ValueFamily.TEXT:
                return False
            by_type = bool(column.max_length) and column.max_length <= predicate.length
            longest = _facts(dialect, table, column).longest
            return by_type or (longest is not None and longest <= predicate.length)
        case IsShorter():
            shortest = _facts(dialect, table, column).shortest
            is_text = column.family is ValueFamily.TEXT and not column.compares_loosely
            return is_text and shortest is not None and shortest >= predicate.length
        case IsInvalid() if predicate.pattern is None and predicate.values is not None:
            return _has_only(dialect, table, column, predicate)
        case IsBelow() | IsAbove():
            return _is_within(dialect, table, column, predicate)
        case _:
            return False


def _has_only(
    dialect: Dialect, table: SqlTable, column: DatabaseColumn, predicate: IsInvalid
) -> bool:
    given = predicate.values or ()
    if column.labels:
        return set(column.labels) <= {literals.text(value) for value in given}
    known = _facts(dialect, table, column).members
    if known is None or column.compares_loosely:
        return False
    if column.family is ValueFamily.TEXT:
        return known <= {literals.text(value) for value in given}
    if column.family in {ValueFamily.INTEGER, ValueFamily.DECIMAL}:
        return known <= {literals.ratio(value) for value in given if not isinstance(value, bool)}
    return False


def _is_within(
    dialect: Dialect, table: SqlTable, column: DatabaseColumn, predicate: IsBelow | IsAbove
) -> bool:
    """Return whether bounds of the constraints are at least as narrow as the promised one.

    Of floats nothing is proved: literals in a constraint and in a contract may round differently.
    """
    if column.family not in {ValueFamily.INTEGER, ValueFamily.DECIMAL}:
        return False
    known = _facts(dialect, table, column)
    if dialect.has_nan(column) and known.high is None and known.members is None:
        return False  # NaN passes a lower bound, and breaks a promise of either
    promised = literals.ratio(predicate.bound)
    if known.members is not None:
        return all(
            not isinstance(one, str) and not _breaks(predicate, one, promised)
            for one in known.members
        )
    end = known.low if isinstance(predicate, IsBelow) else known.high
    if end is None:
        return False
    number, is_excluded = end
    if number == promised:
        return is_excluded or not predicate.exclusive
    return number > promised if isinstance(predicate, IsBelow) else number < promised


def _breaks(predicate: IsBelow | IsAbove, value: Fraction, promised: Fraction) -> bool:
    if value == promised:
        return predicate.exclusive
    return value < promised if isinstance(predicate, IsBelow) else value > promised


def _facts(dialect: Dialect, table: SqlTable, column: DatabaseColumn) -> _Facts:
    """Return what all conditions together say of a column."""
    known = _Facts()
    for condition in table.constraints:
        if isinstance(condition, RowCondition):
            for part in _conjuncts(dialect, condition.sql):
                known = _narrowed(known, _fact_of(part, column.name))
    return known


def _conjuncts(dialect: Dialect, sql: str) -> Iterator[exp.Expr]:
    """Yield the parts of a condition that must all hold; none if it is not understood."""
    if len(sql) > _MOST_LENGTH:
        return
    try:
        root = sqlglot.parse_one(sql, dialect=dialect.name)
    except (SqlglotError, RecursionError):
        return
    waiting: list[exp.Expr] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Paren):
            waiting.append(node.this)
        elif isinstance(node, exp.And):
            waiting += [node.left, node.right]
        else:
            yield node


def _narrowed(one: _Facts, other: _Facts) -> _Facts:
    members = one.members
    if members is None or other.members is None:
        members = members if members is not None else other.members
    else:
        members &= other.members
    return _Facts(
        low=max(filter(None, (one.low, other.low)), default=None),
        high=min(
            filter(None, (one.high, other.high)), key=lambda end: (end[0], not end[1]), default=None
        ),
        members=members,
        shortest=max((n for n in (one.shortest, other.shortest) if n is not None), default=None),
        longest=min((n for n in (one.longest, other.longest) if n is not None), default=None),
    )


def _fact_of(node: exp.Expr, column: str) -> _Facts:
    """Return what one condition says of a column; nothing if it is of another form."""
    match node:
        case exp.Between() if _is_column(node.this, column):
            low, high = _number(node.args["low"]), _number(node.args["high"])
            if low is None or high is None:
                return _Facts()
            return _Facts(low=(low, False), high=(high, False))
        case exp.In() if _is_column(node.this, column):
            return _members(node.expressions)
        case exp.EQ() if _is_column(node.this, column):
            return _members(_listed(node.expression))
        case exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
            return _comparison(node, column)
        case _:
            return _Facts()


def _comparison(node: exp.Expr, column: str) -> _Facts:
    left, right = node.this, node.expression
    is_low, is_excluded = isinstance(node, exp.GT | exp.GTE), isinstance(node, exp.GT | exp.LT)
    if _number(left) is not None:
        left, right, is_low = right, left, not is_low
    number = _number(right)
    if number is None:
        return _Facts()
    if _is_length(left, column):
        if number.denominator != 1:
            return _Facts()
        whole = int(number)
        if is_low:
            return _Facts(shortest=whole + is_excluded)
        return _Facts(longest=whole - is_excluded)
    if not _is_column(left, column):
        return _Facts()
    if is_low:
        return _Facts(low=(number, is_excluded))
    return _Facts(high=(number, is_excluded))


def _listed(node: exp.Expr) -> list[exp.Expr]:
    """Return the members of `= ANY (ARRAY[...])`, else the one that it is compared with."""
    found = _bare(node)
    if isinstance(found, exp.Any):
        inner = _bare(found.this)
        return list(inner.expressions) if isinstance(inner, exp.Array) else [found]
    return [node]


def _members(nodes: Iterable[exp.Expr]) -> _Facts:
    found: set[str | Fraction] = set()
    for node in nodes:
        bare = _bare(node)
        number = _number(node)
        if number is not None:
            found.add(number)
        elif isinstance(bare, exp.Literal) and bare.is_string:
            found.add(bare.this)
        else:
            return _Facts()
    return _Facts(members=frozenset(found)) if found else _Facts()


def _bare(node: exp.Expr) -> exp.Expr:
    """Return what stands below brackets and casts to text; another cast may change a value."""
    while isinstance(node, exp.Paren) or (isinstance(node, exp.Cast) and _is_text(node)):
        node = node.this
    return node


def _is_text(cast: exp.Cast) -> bool:
    kind = cast.to
    is_array = kind.this is exp.DataType.Type.ARRAY
    inner = kind.expressions[0] if is_array and kind.expressions else kind
    is_plain = isinstance(inner, exp.DataType) and not inner.expressions
    return is_plain and inner.this in {exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR}


def _is_column(node: exp.Expr, column: str) -> bool:
    bare = _bare(node)
    return isinstance(bare, exp.Column) and not bare.table and bare.name == column


def _is_length(node: exp.Expr, column: str) -> bool:
    bare = _bare(node)
    if isinstance(bare, exp.Length):
        return not bare.args.get("binary") and _is_column(bare.this, column)
    is_call = isinstance(bare, exp.Anonymous) and str(bare.this).lower() in _LENGTHS
    return is_call and len(bare.expressions) == 1 and _is_column(bare.expressions[0], column)


def _number(node: exp.Expr) -> Fraction | None:
    """Return a number that is written as such, perhaps with a sign or as a cast of one."""
    sign = 1
    while True:
        if isinstance(node, exp.Paren):
            node = node.this
        elif isinstance(node, exp.Neg):
            node, sign = node.this, -sign
        elif isinstance(node, exp.Cast) and _is_exact_number(node):
            node = node.this
        else:
            break
    if not isinstance(node, exp.Literal):
        return None
    if node.is_string and not isinstance(node.parent, exp.Cast):
        return None
    try:
        number = Decimal(node.this)
    except InvalidOperation:
        return None
    return sign * Fraction(number) if number.is_finite() else None


def _is_exact_number(cast: exp.Cast) -> bool:
    """Return whether a cast leaves every number that it takes as it is."""
    is_decimal = cast.to.this is exp.DataType.Type.DECIMAL and not cast.to.expressions
    whole = cast.to.this in exp.DataType.INTEGER_TYPES
    inner = cast.this
    is_whole = isinstance(inner, exp.Literal) and inner.this.isdecimal()
    return is_decimal or (whole and is_whole)
