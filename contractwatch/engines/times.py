"""Questions about instants, waits and bad rows are asked in the one pass over a table."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, assert_never

import polars as pl

from contractwatch.engines.expressions import Cells, instants, violates
from contractwatch.engines.questions import Answer, Question
from contractwatch.model.metric import (
    FUTURE_ALLOWANCE,
    BadRows,
    Delays,
    RecentRows,
    TimeSpan,
)
from contractwatch.model.state import Count, DelayTally, Measurement, Span, Unmeasured

TimeMetric: TypeAlias = TimeSpan | Delays | RecentRows | BadRows
CellsOf: TypeAlias = Callable[[str], Cells | Unmeasured]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def time_question(metric: TimeMetric, cells_of: CellsOf, now: datetime) -> Question | Unmeasured:
    """Return how a metric is asked, or why it cannot be.

    Raises:
        UncastableError: If a column is not of a type that the metric is about.
    """
    match metric:
        case TimeSpan():
            return _span(metric, cells_of, now)
        case RecentRows():
            return _recent(metric, cells_of, now)
        case Delays():
            return _delays(metric, cells_of)
        case BadRows():
            return _bad(metric, cells_of)
        case _:
            assert_never(metric)


def _span(metric: TimeSpan, cells_of: CellsOf, now: datetime) -> Question | Unmeasured:
    cells = cells_of(metric.column)
    if isinstance(cells, Unmeasured):
        return cells
    derived = _instant(metric.column, metric.timezone, cells)
    instant = pl.col(*derived)
    horizon = _micros(now + FUTURE_ALLOWANCE)
    present = pl.when(instant <= horizon).then(instant)
    selected = (present.min(), present.max(), cells.is_present.sum(), (instant > horizon).sum())
    return Question(metric, selected, _spanned, derived)


def _recent(metric: RecentRows, cells_of: CellsOf, now: datetime) -> Question | Unmeasured:
    cells = cells_of(metric.column)
    if isinstance(cells, Unmeasured):
        return cells
    derived = _instant(metric.column, metric.timezone, cells)
    instant, end = pl.col(*derived), _micros(now)
    start = end - metric.period // _MICROSECOND
    return Question(metric, (((instant > start) & (instant <= end)).sum(),), counted, derived)


def _delays(metric: Delays, cells_of: CellsOf) -> Question | Unmeasured:
    event, available = cells_of(metric.event_column), cells_of(metric.available_column)
    for cells in (event, available):
        if isinstance(cells, Unmeasured):
            return cells
    assert isinstance(event, Cells)
    assert isinstance(available, Cells)
    began = _instant(metric.event_column, metric.event_timezone, event)
    ended = _instant(metric.available_column, metric.available_timezone, available)
    wait = pl.col(*ended) - pl.col(*began)
    late = wait > metric.limit // _MICROSECOND
    return Question(metric, (wait.count(), late.sum(), wait.max()), _delayed, {**began, **ended})


def _bad(metric: BadRows, cells_of: CellsOf) -> Question | Unmeasured:
    broken: list[pl.Expr] = []
    for predicate in metric.predicates:
        cells = cells_of(predicate.column)
        if isinstance(cells, Unmeasured):
            return cells
        broken.append(violates(predicate, cells).fill_null(value=False))
    if not broken:
        return Unmeasured("no predicate to count by")
    return Question(metric, (pl.any_horizontal(broken).sum(),), counted)


def _instant(column: str, timezone: str, cells: Cells) -> dict[str, pl.Expr]:
    """Return the column's microseconds since 1970 (UTC) under a name that all questions share."""
    return {f"\x00instant {column} {timezone}": instants(cells, timezone).to_physical()}


def counted(answer: Answer) -> Measurement:
    """Return the count of one selected number."""
    return Count(answer[0] or 0)


def _spanned(answer: Answer) -> Measurement:
    oldest, newest, rows, future = answer
    return Span(_as_instant(oldest), _as_instant(newest), rows or 0, future or 0)


def _delayed(answer: Answer) -> Measurement:
    rows, late, longest = answer
    return DelayTally(rows or 0, late or 0, None if longest is None else longest / 1_000_000)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _as_instant(microseconds: int | None) -> datetime | None:
    """Return the instant; years before 1, which Python does not have, as the first one."""
    if microseconds is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
