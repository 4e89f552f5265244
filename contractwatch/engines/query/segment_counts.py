"""Count rows by segment and local period, in a separate pass over a few columns."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from contractwatch.engines.core.file_types import contract_word
from contractwatch.engines.predicates.expressions import ColumnView, instants, refuse_unreadable
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.segment import (
    MOST_CELLS,
    Period,
    PeriodUnit,
    RowsPerCell,
    SegmentCounts,
    SegmentRows,
)

_EVERY = {
    PeriodUnit.MINUTE: "m",
    PeriodUnit.DAY: "d",
    PeriodUnit.WEEK: "w",
    PeriodUnit.MONTH: "mo",
}
_LONGEST = {
    PeriodUnit.MINUTE: timedelta(minutes=1),
    PeriodUnit.DAY: timedelta(days=1),
    PeriodUnit.WEEK: timedelta(days=7),
    PeriodUnit.MONTH: timedelta(days=31),
}
_ROWS, _START = "rows", "start"


def segment_query(
    rows: pl.LazyFrame,
    metric: RowsPerCell,
    element: ColumnView,
    by: list[ColumnView],
    now: datetime,
) -> pl.LazyFrame:
    """Return the query for one row per segment.

    Raises:
        UncastableError: If the element is not temporal, or a segment is of no type that has a text.
    """
    for cells in (element, *by):
        refuse_unreadable(cells)
    local = _local(element, metric)
    here = now.astimezone(ZoneInfo(metric.timezone)).replace(tzinfo=None)
    length = metric.period.count * _LONGEST[metric.period.unit]
    is_recent = local.is_between(here - metric.reach - length, here, closed="both")
    # Keys that no column of a file is called: one called `start` must not be taken for the period.
    keys = {f"\x00by{at}": segment_text(cells.value, cells.dtype) for at, cells in enumerate(by)}
    chosen = rows.filter(is_recent).select(
        _period_start(local, metric.period).alias(_START), **keys
    )
    counted = chosen.group_by(_START, *keys).agg(pl.len().alias(_ROWS))
    return counted.head(MOST_CELLS + 1)


def segment_rows(metric: RowsPerCell, found: pl.DataFrame) -> Measurement:
    """Return the row counts of segments, or why there are too many."""
    if found.height > MOST_CELLS:
        return Unmeasured(f"there are more than {MOST_CELLS:,} segments and periods")
    formatted = found.with_columns(pl.col(_START).dt.strftime("%Y-%m-%dT%H:%M"))
    cells = tuple(
        SegmentRows(start, tuple(segment), count)
        for start, *segment, count in formatted.iter_rows()
        if start is not None
    )
    return SegmentCounts() + SegmentCounts(cells)


def _local(element: ColumnView, metric: RowsPerCell) -> pl.Expr:
    if element.dtype == pl.Date:
        return element.value.cast(pl.Datetime("us"))
    utc = instants(element, metric.element_timezone)
    return utc.dt.convert_time_zone(metric.timezone).dt.replace_time_zone(None)


def _period_start(local: pl.Expr, period: Period) -> pl.Expr:
    return local.dt.truncate(f"{period.count}{_EVERY[period.unit]}")


def segment_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return the member of a segment as a text.

    Raises:
        UncastableError: If values of the type make no segments.
    """
    if dtype in {pl.Boolean(), pl.String()} or dtype.is_integer():
        return value.cast(pl.String)
    if dtype == pl.Date:
        return value.dt.strftime("%Y-%m-%d")
    raise UncastableError(f"values of type {contract_word(dtype)} make no segments")
