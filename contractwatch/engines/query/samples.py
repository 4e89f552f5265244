"""Read sample rows that break a promise, in the columns that may be shown.

Each sample is a read of its own that stops as soon as it has enough. Nothing of it is kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeAlias

import polars as pl

from contractwatch.engines.core.failures import UNREADABLE
from contractwatch.engines.predicates.expressions import key_member, refuse_unreadable, violates
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.predicates.nested import member_at
from contractwatch.engines.tables.frames import Frame, open_table
from contractwatch.errors import SourceError
from contractwatch.model.base.path import StructField
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.metric import CountWhere, SurplusRows, Unparseable

Shown: TypeAlias = int | float | bool | str | None
"""A cell as it is shown: numbers and truth as they are, all else as text."""

RowMetric: TypeAlias = CountWhere | Unparseable | SurplusRows
"""A metric whose answer counts rows that can be identified one by one."""

_MAX_CHARACTERS = 200
_MAX_EXACT_INTEGER = 2**53
_MAX_KEYS = 50


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """A column of a sample, or a member of objects in it, with the name that is shown."""

    name: str
    physical: str
    path: tuple[StructField, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Request for rows of one table that one of the metrics counts, with some columns."""

    metrics: tuple[RowMetric, ...]
    columns: tuple[ShownColumn, ...]

    @property
    def table(self) -> str:
        """The table that is read."""
        return self.metrics[0].table


Rows: TypeAlias = tuple[Mapping[str, Shown], ...]


def sample(dataset: Dataset, wanted: Sequence[SampleRequest], *, limit: int) -> list[Rows | None]:
    """Return up to `limit` rows of files for each request, as `sample_tables` does."""
    files = {table.table: table for table in dataset.tables}
    return sample_tables(wanted, files, lambda name: open_table(files[name]), limit=limit)


def sample_tables(
    wanted: Sequence[SampleRequest],
    known: Iterable[str],
    open_rows: Callable[[str], Frame],
    *,
    limit: int,
) -> list[Rows | None]:
    """Return up to `limit` rows for each request, in order; None where there is no answer.

    Columns that are absent, or that are lists, objects or bytes, are left out.

    Args:
        wanted: The requests.
        known: The names of the tables that are there.
        open_rows: Opens a table by its name.
        limit: The most rows of a request.
    """
    frames: dict[str, Frame | None] = {}
    there = set(known)
    for name in {one.table for one in wanted}:
        try:
            frames[name] = open_rows(name) if name in there else None
        except SourceError:
            frames[name] = None
    return [_rows(frames[one.table], one, limit) for one in wanted]


def _rows(frame: Frame | None, wanted: SampleRequest, limit: int) -> Rows | None:
    if frame is None:
        return None
    try:
        columns = list(_columns(frame, wanted.columns))
        found = _violating_rows(frame, wanted, columns, limit)
        for metric in wanted.metrics:
            if isinstance(metric, SurplusRows):
                found = pl.concat([found, _repeated_rows(frame, metric, columns, limit)]).head(
                    limit
                )
    except (*UNREADABLE, UncastableError, KeyError):
        return None
    return tuple({name: _shown(value) for name, value in row.items()} for row in found.to_dicts())


def _violating_rows(
    frame: Frame, wanted: SampleRequest, columns: Sequence[pl.Expr], limit: int
) -> pl.DataFrame:
    """Return rows that violate one of the metrics' predicates."""
    alone = [
        _condition(frame, metric)
        for metric in wanted.metrics
        if not isinstance(metric, SurplusRows)
    ]
    broken = pl.any_horizontal(alone) if alone else pl.lit(value=False)
    rows = frame.rows.filter(broken).head(limit).select(columns)
    return rows.collect(engine="streaming")


def _repeated_rows(
    frame: Frame, metric: SurplusRows, columns: Sequence[pl.Expr], limit: int
) -> pl.DataFrame:
    """Return rows whose key occurs more than once, ordered by key."""
    members = [frame.cells[_name(frame, column)] for column in metric.columns]
    keys = [f"\x00key{position}" for position in range(len(members))]
    paths = metric.paths or ((),) * len(members)
    named = [
        key_member(cells, path).alias(key)
        for key, cells, path in zip(keys, members, paths, strict=True)
    ]
    whole = frame.rows.with_columns(named).drop_nulls(keys)
    twice = whole.group_by(keys).len("\x00rows").filter(pl.col("\x00rows") > 1)
    few = twice.head((limit + 1) // 2).collect(engine="streaming").lazy().select(keys)
    rows = whole.join(few, on=keys, how="semi").select(*columns, *keys).head(_MAX_KEYS * limit)
    return rows.collect(engine="streaming").sort(keys).drop(keys).head(limit)


def _columns(frame: Frame, wanted: Iterable[ShownColumn]) -> Iterable[pl.Expr]:
    """Yield the expressions of existing columns with scalar values, as they are in the files."""
    types = frame.rows.collect_schema()
    for column in wanted:
        found = frame.columns.find(column.physical)
        cells = frame.cells.get(found.name) if found else None
        if cells is None or found is None:
            continue
        try:
            value, dtype = member_at(column.path, cells.raw, types[found.name])
        except UncastableError:
            continue
        if not dtype.is_nested() and not isinstance(dtype, pl.Binary | pl.Object):
            yield value.alias(column.name)


def _name(frame: Frame, column: str) -> str:
    found = frame.columns.find(column)
    return found.name if found else column


def _condition(frame: Frame, metric: CountWhere | Unparseable) -> pl.Expr:
    """Return what holds for the rows in question.

    Raises:
        KeyError: If the column is absent.
    """
    column = metric.predicate.column if isinstance(metric, CountWhere) else metric.column
    cells = frame.cells[_name(frame, column)]
    if isinstance(metric, CountWhere):
        return violates(metric.predicate, cells).fill_null(value=False)
    refuse_unreadable(cells)
    if cells.within is not None:
        return cells.within.type_mismatches(metric.path)
    return pl.lit(value=False) if cells.readable is None else ~cells.readable


def _shown(value: object) -> Shown:
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= _MAX_EXACT_INTEGER:
            return value
        case float() if value - value == 0:  # NaN and infinity are no JSON
            return value
        case datetime() | date() | time():
            return value.isoformat()
        case int() | float() | Decimal() | timedelta() | str():
            text = str(value)
            return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"
        case _:
            return "?"
