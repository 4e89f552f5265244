"""Pull rows of a database table into a Polars frame: the columns in question, in batches.

The database hands over integers, texts and microseconds, which every driver gives exactly; the
frame makes dates, decimals and truth of them. Each read is a new query on the session's snapshot.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl
from polars.io.plugins import register_io_source
from sqlglot import exp

from contractwatch.engines.databases.session import QueryError, Session
from contractwatch.engines.predicates.expressions import ColumnView
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.engines.sql.values import column_type, value_type
from contractwatch.engines.tables.frames import Frame
from contractwatch.errors import SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.contract.database import DatabaseColumn, SqlTable, ValueFamily
from contractwatch.model.measure.state import TableColumns

BATCH_ROWS = 50_000

_TIMES = frozenset({ValueFamily.DATE, ValueFamily.TIMESTAMP, ValueFamily.INSTANT, ValueFamily.TIME})
_MICROSECONDS_PER_DAY = 86_400_000_000
_FIRST, _LAST = -(2**62), 2**62
"""Microseconds of the years -144,168 and 148,108; a database has later ones, Polars converts none.

What is beyond is as old, or as far in the future, as these are.
"""


@dataclass(slots=True)
class PullFailure:
    """What ended a pull: Polars wraps an error of its source, and loses what it was."""

    error: SourceError | QueryError | None = None


def pulled_frame(
    session: Session,
    dialect: Dialect,
    table: SqlTable,
    scope: Callable[[exp.Select], exp.Select],
    failure: PullFailure,
) -> Frame:
    """Return a table as a frame of which only the columns that are asked about are pulled.

    Args:
        session: The database.
        dialect: Its dialect.
        table: The table.
        scope: Restricts a query to the rows in scope.
        failure: Is told what ends a read.
    """
    held = {one.name: one for one in table.found if value_type(one) is not None}
    types = {name: _required(value_type(one)) for name, one in held.items()}

    def batches(
        columns: list[str] | None,
        predicate: pl.Expr | None,
        limit: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        chosen = [one for one in held.values() if columns is None or one.name in columns]
        if not chosen:  # rows that are only counted
            chosen = list(held.values())[:1]
        query = exp.select(
            *(
                exp.alias_(dialect.transfer(one, dialect.column(one.name)), f"c{at}", quoted=True)
                for at, one in enumerate(chosen)
            ),
            copy=False,
        ).from_(dialect.table(table))
        query = scope(query)
        if limit is not None and predicate is None:
            query = dialect.limited(query, limit)
        try:
            with session.batches(dialect.render(query), batch_size or BATCH_ROWS) as found:
                for rows in found:
                    frame = _frame_of(chosen, rows)
                    yield frame if predicate is None else frame.filter(predicate)
        except (SourceError, QueryError) as error:
            failure.error = error
            raise

    rows = register_io_source(batches, schema=types, is_pure=True)
    return Frame(
        table.table,
        DataFormat.ARROW,
        rows,
        TableColumns(tuple(map(column_type, table.found))),
        {name: _view(table, name, dtype) for name, dtype in types.items()},
        trusts_statistics=False,
    )


def _required(dtype: pl.DataType | None) -> pl.DataType:
    assert dtype is not None
    return dtype


def _view(table: SqlTable, name: str, dtype: pl.DataType) -> ColumnView:
    value = pl.col(name)
    declared = next(
        (
            one
            for one in table.columns
            if (found := table.column(one.physical_name)) is not None and found.name == name
        ),
        None,
    )
    if declared is None or declared.logical_type is not LogicalType.DATE:
        return ColumnView(value, value, dtype)
    if not isinstance(dtype, pl.Datetime):
        return ColumnView(value, value, dtype)
    local = value.dt.convert_time_zone(declared.default_timezone) if dtype.time_zone else value
    is_day = value.is_null() | (local.dt.time() == pl.time(0))
    return ColumnView(value, value, dtype, is_day=is_day)


def _frame_of(columns: Sequence[DatabaseColumn], rows: Sequence[Sequence[object]]) -> pl.DataFrame:
    """Return rows that were handed over as values of their types."""
    handed = {f"{at}": _handed_type(one) for at, one in enumerate(columns)}
    frame = pl.DataFrame(rows, schema=handed, orient="row", strict=False)
    return frame.select(
        _typed(pl.col(f"{at}"), one).alias(one.name) for at, one in enumerate(columns)
    )


def _handed_type(column: DatabaseColumn) -> pl.DataType:
    if column.family in _TIMES or column.family is ValueFamily.BOOLEAN:
        return pl.Int64()
    if column.family in {ValueFamily.DECIMAL, ValueFamily.TEXT}:
        return pl.String()
    if column.family is ValueFamily.FLOAT:
        return pl.Float64()
    return _required(value_type(column))


def _typed(value: pl.Expr, column: DatabaseColumn) -> pl.Expr:
    match column.family:
        case ValueFamily.DATE:
            return (value // _MICROSECONDS_PER_DAY).cast(pl.Int32).cast(pl.Date)
        case ValueFamily.TIMESTAMP:
            return value.clip(_FIRST, _LAST).cast(pl.Datetime("us"))
        case ValueFamily.INSTANT:
            return value.clip(_FIRST, _LAST).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        case ValueFamily.TIME:
            return (value * 1000).cast(pl.Time)
        case _:
            return value.cast(_required(value_type(column)))
