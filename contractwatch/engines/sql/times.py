"""Turn metrics about times into aggregates: the span of a column, recent rows, delays."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias, assert_never

from sqlglot import exp

from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.sql import zones
from contractwatch.engines.sql.dialects.base import MICROSECONDS_PER_DAY, Dialect
from contractwatch.engines.sql.predicates import NESTED, NotInSqlError, SqlCells, is_present
from contractwatch.engines.sql.selections import Recheck, Selected, Selection, number
from contractwatch.model.contract.database import ValueFamily
from contractwatch.model.measure.metric import FUTURE_ALLOWANCE, Delays, RecentRows, TimeSpan
from contractwatch.model.measure.state import Count, DelayTally, Measurement, TimeRange

TimeMetric: TypeAlias = TimeSpan | RecentRows | Delays
CellsOf: TypeAlias = Callable[[str], SqlCells]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times are counted from it
_MICROSECOND = timedelta(microseconds=1)
_TEMPORAL = frozenset({ValueFamily.DATE, ValueFamily.TIMESTAMP, ValueFamily.INSTANT})


def time_selection(
    dialect: Dialect, metric: TimeMetric, cells_of: CellsOf, now: datetime
) -> Selection:
    """Return the selection of a metric about times.

    Raises:
        UncastableError: If a column is not of a type that the metric is about.
        NotInSqlError: If the database has no exact answer.
    """
    match metric:
        case TimeSpan():
            return _span(dialect, metric, cells_of, now)
        case RecentRows():
            return _recent(dialect, metric, cells_of, now)
        case Delays():
            return _delays(dialect, metric, cells_of)
        case _:
            assert_never(metric)


def _temporal(cells: SqlCells) -> SqlCells:
    if cells.column.family not in _TEMPORAL:
        raise UncastableError("the column is neither a date nor a timestamp")
    return cells


def is_until(dialect: Dialect, cells: SqlCells, zone: str, instant: datetime) -> exp.Expr:
    """Return whether a value is not later than an instant."""
    return exp.LTE(this=cells.value, expression=_limit(dialect, cells, zone, instant))


def is_after(dialect: Dialect, cells: SqlCells, zone: str, instant: datetime) -> exp.Expr:
    """Return whether a value is later than an instant; so is a time that the zone skips."""
    return exp.GT(this=cells.value, expression=_limit(dialect, cells, zone, instant))


def _limit(dialect: Dialect, cells: SqlCells, zone: str, instant: datetime) -> exp.Expr:
    match cells.column.family:
        case ValueFamily.INSTANT:
            return dialect.instant(instant.astimezone(UTC).replace(tzinfo=None))
        case ValueFamily.DATE:
            return dialect.date(zones.last_local_until(instant, zone).date())
        case _:
            return dialect.timestamp(zones.last_local_until(instant, zone))


def _span(dialect: Dialect, metric: TimeSpan, cells_of: CellsOf, now: datetime) -> Selection:
    if metric.path:
        raise NotInSqlError(NESTED)
    cells = _temporal(cells_of(metric.column))
    horizon = now + FUTURE_ALLOWANCE
    present = is_until(dialect, cells, metric.timezone, horizon)
    ends = (
        dialect.microseconds(
            cells.column, dialect.aggregate_where(function, cells.raw, present.copy())
        )
        for function in (exp.Min, exp.Max)
    )
    selected = (
        *ends,
        exp.Count(this=cells.raw),
        dialect.count_where(is_after(dialect, cells, metric.timezone, horizon)),
    )

    def answer(found: Selected) -> Measurement | Recheck:
        return _time_range(found, cells.column.family, metric.timezone)

    return Selection(metric, selected, answer)


def _time_range(found: Selected, family: ValueFamily, zone: str) -> Measurement | Recheck:
    oldest, newest, rows, future = found
    ends = [as_instant(one, family, zone) for one in (oldest, newest)]
    is_skipped = any(
        end is None and one is not None for end, one in zip(ends, (oldest, newest), strict=True)
    )
    is_local = family is ValueFamily.TIMESTAMP and zone not in zones.UTC_NAMES
    if is_skipped or (is_local and number(future)):
        return Recheck("local times that the zone skips are told apart row by row")
    return TimeRange(ends[0], ends[1], number(rows), number(future))


def as_instant(microseconds: object, family: ValueFamily, zone: str) -> datetime | None:
    """Return the instant of a value, or None if there is none; the ends of time as year 1."""
    if microseconds is None:
        return None
    count = int(str(microseconds))
    try:
        local = _EPOCH + timedelta(microseconds=count)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
    match family:
        case ValueFamily.INSTANT:
            return local.replace(tzinfo=UTC)
        case ValueFamily.DATE:
            return zones.instant_of_day(
                date(1970, 1, 1) + timedelta(days=count // MICROSECONDS_PER_DAY), zone
            )
        case _:
            return zones.instant_of(local, zone)


def _recent(dialect: Dialect, metric: RecentRows, cells_of: CellsOf, now: datetime) -> Selection:
    if metric.path:
        raise NotInSqlError(NESTED)
    cells = _temporal(cells_of(metric.column))
    start = now - metric.period
    is_local = cells.column.family is ValueFamily.TIMESTAMP
    if is_local and not zones.is_steady(metric.timezone, start, now):
        raise NotInSqlError("the zone moves its clock within the period")
    condition = exp.and_(
        is_after(dialect, cells, metric.timezone, start),
        is_until(dialect, cells, metric.timezone, now),
    )
    return Selection(metric, (dialect.count_where(condition),), counted)


def _delays(dialect: Dialect, metric: Delays, cells_of: CellsOf) -> Selection:
    if metric.event_inside or metric.available_inside:
        raise NotInSqlError(NESTED)
    event = _temporal(cells_of(metric.event_column))
    available = _temporal(cells_of(metric.available_column))
    for cells, zone in (
        (event, metric.event_timezone),
        (available, metric.available_timezone),
    ):
        if cells.column.family is not ValueFamily.INSTANT and zone not in zones.UTC_NAMES:
            raise NotInSqlError("the database does not know how a zone moves its clock")
    both = exp.and_(is_present(event), is_present(available))
    wait = exp.Paren(
        this=exp.Sub(
            this=dialect.microseconds(available.column, available.raw),
            expression=dialect.microseconds(event.column, event.raw),
        )
    )
    late = exp.GT(this=wait, expression=dialect.integer(metric.limit // _MICROSECOND))
    selected = (
        dialect.count_where(both),
        dialect.count_where(late),
        exp.Max(this=wait.copy()),
    )
    return Selection(metric, selected, _delay_tally)


def _delay_tally(found: Selected) -> Measurement:
    rows, late, longest = found
    seconds = None if longest is None else int(str(longest)) / 1_000_000
    return DelayTally(number(rows), number(late), seconds)


def counted(found: Selected) -> Measurement:
    """Return the count of one selected number."""
    return Count(number(found[0]))
