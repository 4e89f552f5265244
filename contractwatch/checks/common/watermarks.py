"""Derive updates and earlier row counts from the watermark history of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from contractwatch.model.measure.metric import Metric, RowCount, TimeSpan, UpdateHistory
from contractwatch.model.measure.state import (
    Count,
    Measurement,
    TimeRange,
    Watermark,
    WatermarkLog,
    WatermarkPeriod,
)

NO_RECORD = "warming up: needs the agent's record"
"""The reason of a promise over time where nothing is remembered."""


def watermark_metrics(history: UpdateHistory) -> tuple[TimeSpan, RowCount]:
    """Return the metrics whose answers make the watermark of a table."""
    span = TimeSpan(history.table, history.column, history.timezone, history.path)
    return span, RowCount(history.table)


def measured_watermark(
    history: UpdateHistory, answers: Mapping[Metric, Measurement], version: str
) -> Watermark | None:
    """Return the watermark that was measured; None if it could not be read.

    Args:
        history: Of which table and column.
        answers: What was read.
        version: The digest of the files, empty if it covers more than this table.
    """
    span, rows = (answers.get(question) for question in watermark_metrics(history))
    if isinstance(span, TimeRange) and isinstance(rows, Count):
        return Watermark(span.newest, rows.rows, version)
    return None


def extend_history(
    seen: Sequence[WatermarkPeriod], found: Watermark, at: datetime
) -> tuple[WatermarkPeriod, ...]:
    """Append a watermark to the history, or extend the last period if it is the same."""
    if seen and seen[-1].watermark == found:
        last = seen[-1]
        return (*seen[:-1], replace(last, last_seen=at, runs=last.runs + 1))
    return (*seen, WatermarkPeriod(found, at, at))


def update_times(history: WatermarkLog, *, after: datetime) -> tuple[datetime, ...]:
    """Return when changes later than `after` were first seen; the first watermark is no change."""
    return tuple(one.first_seen for one in history.seen[1:] if one.first_seen > after)


def rows_before(history: WatermarkLog, at: datetime) -> int | None:
    """Return the row count before the present one, counted by a run up to `at`; None if unknown.

    A count that is the same as the one before is still the present one, as long as it lasts: so a
    fall is seen until other data come. Only a count that was never another is its own baseline.
    """
    if not history.seen:
        return None
    *earlier, present = history.seen
    if present.first_seen <= at < present.last_seen:
        return present.watermark.rows
    known = [one for one in earlier if one.first_seen <= at]
    if known:
        return known[-1].watermark.rows
    return present.watermark.rows if present.runs > 1 and present.first_seen <= at else None


def count_runs(history: WatermarkLog, *, after: datetime) -> int:
    """Return how many runs, at most, took place later than `after`."""
    return sum(one.runs for one in history.seen if one.last_seen > after)


def first_period_seen_after(history: WatermarkLog, at: datetime) -> WatermarkPeriod | None:
    """Return what the first run at or after an instant saw; None if there was none yet."""
    return next((one for one in history.seen if one.last_seen >= at), None)
