"""A few of the rows that break a promise are read again, in the columns that may be shown.

Each sample is a read of its own that stops as soon as it has enough. Nothing of it is kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias

import polars as pl

from contractwatch.engines.expressions import Cells, violates
from contractwatch.engines.failures import UNREADABLE
from contractwatch.engines.frames import Frame, open_table
from contractwatch.engines.literals import UncastableError
from contractwatch.errors import SourceError
from contractwatch.model.dataset import Dataset
from contractwatch.model.frozen import frozen
from contractwatch.model.metric import CountWhere, Unparseable

Shown: TypeAlias = int | float | bool | str | None
"""A cell as it is shown: numbers and truth as they are, all else as text."""

RowMetric: TypeAlias = CountWhere | Unparseable
"""A question whose answer counts rows that can be told one by one."""

_LONGEST = 200
_LARGEST = 2**53


@frozen
class Wanted:
    """Rows of one table that one of the questions counts; `columns` are physical by shown name."""

    metrics: tuple[RowMetric, ...]
    columns: tuple[tuple[str, str], ...]

    @property
    def table(self) -> str:
        """The table that is read."""
        return self.metrics[0].table


Rows: TypeAlias = tuple[Mapping[str, Shown], ...]


def sample(dataset: Dataset, wanted: Sequence[Wanted], *, limit: int) -> list[Rows | None]:
    """Return up to `limit` rows for each wish, in the order of the wishes; None if it has none.

    Columns that are absent, or that are lists, objects or bytes, are left out.
    """
    files = {table.table: table for table in dataset.tables}
    frames: dict[str, Frame | None] = {}
    for name in {one.table for one in wanted}:
        try:
            frames[name] = open_table(files[name]) if name in files else None
        except SourceError:
            frames[name] = None
    return [_rows(frames[one.table], one, limit) for one in wanted]


def _rows(frame: Frame | None, wanted: Wanted, limit: int) -> Rows | None:
    if frame is None:
        return None
    shown = {name: cells for name, cells in _columns(frame, wanted.columns) if _is_simple(cells)}
    try:
        broken = pl.any_horizontal(_condition(frame, metric) for metric in wanted.metrics)
        columns = [cells.raw.alias(name) for name, cells in shown.items()]
        found = frame.rows.filter(broken).head(limit).select(columns).collect(engine="streaming")
    except (*UNREADABLE, UncastableError, KeyError):
        return None
    return tuple({name: _shown(value) for name, value in row.items()} for row in found.to_dicts())


def _columns(frame: Frame, names: Iterable[tuple[str, str]]) -> Iterable[tuple[str, Cells]]:
    for name, physical in names:
        found = frame.columns.find(physical)
        cells = frame.cells.get(found.name) if found else None
        if cells is not None:
            yield name, cells


def _is_simple(cells: Cells) -> bool:
    is_opaque = isinstance(cells.dtype, pl.Binary | pl.Object)
    return not cells.dtype.is_nested() and not is_opaque


def _condition(frame: Frame, metric: RowMetric) -> pl.Expr:
    """Return what holds for the rows in question.

    Raises:
        KeyError: If the column is absent.
    """
    column = metric.predicate.column if isinstance(metric, CountWhere) else metric.column
    found = frame.columns.find(column)
    cells = frame.cells[found.name if found else column]
    if isinstance(metric, CountWhere):
        return violates(metric.predicate, cells).fill_null(value=False)
    return pl.lit(value=False) if cells.readable is None else ~cells.readable


def _shown(value: object) -> Shown:
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= _LARGEST:
            return value
        case float() if value - value == 0:  # NaN and infinity are no JSON
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case int() | float() | Decimal() | timedelta() | str():
            text = str(value)
            return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        case _:
            return "?"
