"""Turn questions about instants, delays and the ages of bad rows into expressions."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, assert_never

import polars as pl

from contractwatch.engines.predicates.expressions import (
    ColumnView,
    instants_at,
    is_present_at,
    violates_over_columns,
)
from contractwatch.engines.predicates.nested import depth_of, fold_arrays
from contractwatch.engines.predicates.object_columns import (
    MemberColumns,
    ObjectIndex,
    merge_member_columns,
)
from contractwatch.engines.predicates.questions import Question, SelectedNumbers
from contractwatch.model.base.path import FieldPath
from contractwatch.model.measure.metric import (
    FUTURE_ALLOWANCE,
    BadRows,
    Delays,
    RecentRows,
    TimeSpan,
)
from contractwatch.model.measure.state import Count, DelayTally, Measurement, TimeRange, Unmeasured

TimeMetric: TypeAlias = TimeSpan | Delays | RecentRows | BadRows
CellsOf: TypeAlias = Callable[[str], ColumnView | Unmeasured]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def time_question(
    metric: TimeMetric, cells_of: CellsOf, objects: ObjectIndex, now: datetime
) -> Question | Unmeasured:
    """Return the question for a metric about times, or why it cannot be answered.

    Raises:
        UncastableError: If a column is not of a type that the metric is about.
    """
    match metric:
        case TimeSpan():
            return _span_question(metric, cells_of, now)
        case RecentRows():
            return _recent_question(metric, cells_of, now)
        case Delays():
            return _delay_question(metric, cells_of)
        case BadRows():
            return _bad_rows_question(metric, cells_of, objects)
        case _:
            assert_never(metric)


def _span_question(metric: TimeSpan, cells_of: CellsOf, now: datetime) -> Question | Unmeasured:
    cells = cells_of(metric.column)
    if isinstance(cells, Unmeasured):
        return cells
    derived = _instant(metric.column, metric.path, metric.timezone, cells)
    instant, depth = pl.col(*derived), depth_of(metric.path)
    horizon = _micros(now + FUTURE_ALLOWANCE)

    def present(one: pl.Expr) -> pl.Expr:
        return pl.when(one <= horizon).then(one)

    selected = (
        fold_arrays(instant, depth, present, lambda many: many.list.min()).min(),
        fold_arrays(instant, depth, present, lambda many: many.list.max()).max(),
        is_present_at(cells, metric.path).sum(),
        fold_arrays(instant, depth, lambda one: one > horizon, lambda many: many.list.any()).sum(),
    )
    return Question(metric, selected, _time_range, derived)


def _recent_question(metric: RecentRows, cells_of: CellsOf, now: datetime) -> Question | Unmeasured:
    cells = cells_of(metric.column)
    if isinstance(cells, Unmeasured):
        return cells
    derived = _instant(metric.column, metric.path, metric.timezone, cells)
    instant, depth, end = pl.col(*derived), depth_of(metric.path), _micros(now)
    start = end - metric.period // _MICROSECOND

    def recent(one: pl.Expr) -> pl.Expr:
        return (one > start) & (one <= end)

    rows = fold_arrays(instant, depth, recent, lambda many: many.list.any())
    return Question(metric, (rows.sum(),), counted, derived)


def _delay_question(metric: Delays, cells_of: CellsOf) -> Question | Unmeasured:
    event, available = cells_of(metric.event_column), cells_of(metric.available_column)
    for cells in (event, available):
        if isinstance(cells, Unmeasured):
            return cells
    assert isinstance(event, ColumnView)
    assert isinstance(available, ColumnView)
    began = _instant(metric.event_column, metric.event_inside, metric.event_timezone, event)
    ended = _instant(
        metric.available_column, metric.available_inside, metric.available_timezone, available
    )
    wait = pl.col(*ended) - pl.col(*began)
    late = wait > metric.limit // _MICROSECOND
    return Question(
        metric, (wait.count(), late.sum(), wait.max()), _delay_tally, {**began, **ended}
    )


def _bad_rows_question(
    metric: BadRows, cells_of: CellsOf, objects: ObjectIndex
) -> Question | Unmeasured:
    broken: list[pl.Expr] = []
    read: list[MemberColumns] = []
    for predicate in metric.predicates:
        cells = cells_of(predicate.column)
        if isinstance(cells, Unmeasured):
            return cells
        violating, members = violates_over_columns(predicate, cells, objects)
        broken.append(violating.fill_null(value=False))
        read.append(members)
    if not broken:
        return Unmeasured("no predicate to count by")
    return Question(
        metric, (pl.any_horizontal(broken).sum(),), counted, members=merge_member_columns(read)
    )


def _instant(column: str, path: FieldPath, timezone: str, cells: ColumnView) -> dict[str, pl.Expr]:
    """Return the column's microseconds since 1970 (UTC) under a name that all questions share."""
    name = f"\x00instant {column} {timezone} {path!r}"
    return {name: instants_at(cells, path, timezone).to_physical()}


def counted(answer: SelectedNumbers) -> Measurement:
    """Return the count of one selected number."""
    return Count(answer[0] or 0)


def _time_range(answer: SelectedNumbers) -> Measurement:
    oldest, newest, rows, future = answer
    return TimeRange(_as_instant(oldest), _as_instant(newest), rows or 0, future or 0)


def _delay_tally(answer: SelectedNumbers) -> Measurement:
    rows, late, longest = answer
    return DelayTally(rows or 0, late or 0, None if longest is None else longest / 1_000_000)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _as_instant(microseconds: int | None) -> datetime | None:
    """Return the instant; one before year 1, which Python does not have, as the first."""
    if microseconds is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
