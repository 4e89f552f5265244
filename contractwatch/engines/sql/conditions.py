"""Turn the condition on a table's rows into one of the database, where it means the same there.

Comparisons of a column with literals mean the same everywhere, with `and`, `or` and `not` between
them. A condition with anything else is left to Polars, over the rows that are pulled.
"""

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.sql import values
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.engines.sql.predicates import SqlCells, cells_of, is_present
from contractwatch.model.base.clause import Scalar
from contractwatch.model.contract.database import SqlTable, ValueFamily

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_ORDERED = frozenset(
    {
        ValueFamily.INTEGER,
        ValueFamily.DECIMAL,
        ValueFamily.DATE,
    }
)
"""Families whose literals are ordered in one way; of floats NaN is not, of texts no collation."""


class _NotPortableError(Exception):
    """Part of a condition that does not mean the same in the database."""


def row_condition(dialect: Dialect, table: SqlTable) -> exp.Expr | None:
    """Return the condition on the rows in scope, or None if it is left to Polars."""
    try:
        root = sqlglot.parse_one(table.where)
        return _written(dialect, table, root)
    except (SqlglotError, RecursionError, _NotPortableError, UncastableError):
        return None


def _written(dialect: Dialect, table: SqlTable, node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Paren() | exp.Not():
            inner = exp.Paren(this=_written(dialect, table, node.this))
            return exp.Not(this=inner) if isinstance(node, exp.Not) else inner
        case exp.And() | exp.Or():
            return _connected(dialect, table, node)
        case exp.Is() if isinstance(node.expression, exp.Null):
            return exp.Is(this=_cells(dialect, table, node.this).raw, expression=exp.Null())
        case exp.In() if node.expressions:
            return _member(dialect, table, node)
        case exp.Between():
            low = exp.GTE(this=node.this, expression=node.args["low"])
            high = exp.LTE(this=node.this, expression=node.args["high"])
            return _written(dialect, table, exp.And(this=low, expression=high))
        case exp.Column():
            return _truth(dialect, table, node)
        case _ if isinstance(node, _COMPARISONS):
            return _compared(dialect, table, node)
        case _:
            raise _NotPortableError


def _connected(dialect: Dialect, table: SqlTable, node: exp.And | exp.Or) -> exp.Expr:
    left, right = (_written(dialect, table, part) for part in (node.left, node.right))
    combined = exp.and_ if isinstance(node, exp.And) else exp.or_
    return combined(left, right, copy=False)


def _member(dialect: Dialect, table: SqlTable, node: exp.In) -> exp.Expr:
    cells = _cells(dialect, table, node.this)
    members = [_literal(dialect, cells, one) for one in node.expressions]
    return exp.In(this=cells.value, expressions=members)


def _truth(dialect: Dialect, table: SqlTable, node: exp.Expr) -> exp.Expr:
    cells = _cells(dialect, table, node)
    if cells.column.family is not ValueFamily.BOOLEAN:
        raise _NotPortableError
    return exp.and_(is_present(cells), cells.raw, copy=False)


def _compared(dialect: Dialect, table: SqlTable, node: exp.Expr) -> exp.Expr:
    is_turned = isinstance(node.expression, exp.Column)
    column, literal = (node.expression, node.this) if is_turned else (node.this, node.expression)
    cells = _cells(dialect, table, column)
    if not isinstance(node, exp.EQ | exp.NEQ) and cells.column.family not in _ORDERED:
        raise _NotPortableError
    value = _literal(dialect, cells, literal)
    left, right = (value, cells.value) if is_turned else (cells.value, value)
    compared = node.copy()
    compared.set("this", left)
    compared.set("expression", right)
    return compared


def _cells(dialect: Dialect, table: SqlTable, node: exp.Expr) -> SqlCells:
    column = table.column(node.name) if isinstance(node, exp.Column) and not node.table else None
    if column is None:
        raise _NotPortableError
    return cells_of(dialect, column)


def _literal(dialect: Dialect, cells: SqlCells, node: exp.Expr) -> exp.Expr:
    """Return a literal of the column's type; one that the type cannot hold is not portable."""
    if cells.column.family is ValueFamily.FLOAT:
        raise _NotPortableError
    found = values.member_literals(dialect, cells.column, [_value(node, cells)])
    if len(found) != 1:
        raise _NotPortableError
    return found[0]


def _value(node: exp.Expr, cells: SqlCells) -> Scalar:
    sign = 1
    while isinstance(node, exp.Paren | exp.Neg):
        sign = -sign if isinstance(node, exp.Neg) else sign
        node = node.this
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if not isinstance(node, exp.Literal):
        raise _NotPortableError
    is_text = cells.column.family is ValueFamily.TEXT
    if node.is_string:
        if is_text or cells.column.family is ValueFamily.DATE:
            return node.this
        raise _NotPortableError
    if is_text or cells.column.family not in {ValueFamily.INTEGER, ValueFamily.DECIMAL}:
        raise _NotPortableError
    return f"-{node.this}" if sign < 0 else node.this
