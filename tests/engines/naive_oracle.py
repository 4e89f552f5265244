"""Oracle of the property tests: each metric in plain Python over lists of rows."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from contractwatch.model.measure.metric import (
    BadRows,
    CountWhere,
    Delays,
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLonger,
    IsMissing,
    IsNotMultiple,
    IsNull,
    IsShorter,
    Metric,
    Predicate,
    RecentRows,
    RowCount,
    SurplusRows,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.measure.state import Count, DelayTally, DuplicateCounts, State, TimeRange

Row = Mapping[str, object]


def answer(metric: Metric, rows: Sequence[Row], now: datetime) -> State:
    if isinstance(metric, RowCount):
        return Count(len(rows))
    if isinstance(metric, CountWhere):
        return Count(sum(violates(metric.predicate, row) for row in rows))
    if isinstance(metric, Unparseable):
        return Count(0)
    if isinstance(metric, SurplusRows):
        return repeats(metric, rows)
    if isinstance(metric, BadRows):
        return Count(sum(any(violates(each, row) for each in metric.predicates) for row in rows))
    if isinstance(metric, RecentRows):
        moments = (instant(row[metric.column], metric.timezone) for row in existing(metric, rows))
        return Count(sum(one is not None and now - metric.period < one <= now for one in moments))
    if isinstance(metric, Delays):
        return delays(metric, rows)
    assert isinstance(metric, TimeSpan)
    return span(metric, rows, now)


def violates(predicate: Predicate, row: Row) -> bool:
    cell = row[predicate.column]
    if isinstance(predicate, IsNull):
        return cell is None
    if isinstance(predicate, IsMissing):
        return cell is None or any(same(cell, value) for value in predicate.values)
    if cell is None:
        return False
    if isinstance(predicate, IsInvalid):
        return invalid(predicate, cell)
    if isinstance(predicate, IsShorter | IsLonger):
        points = len(str(cell))
        return (
            points < predicate.length
            if isinstance(predicate, IsShorter)
            else (points > predicate.length)
        )
    if isinstance(predicate, IsBelow | IsAbove):
        return beyond(predicate, cell)
    assert isinstance(predicate, IsNotMultiple)
    return not_multiple(cell, predicate.divisor)


def invalid(predicate: IsInvalid, cell: object) -> bool:
    if isinstance(cell, float) and math.isnan(cell):
        return True
    values = predicate.values
    if values is not None and not any(same(cell, value) for value in values):
        return True
    # Python's `$` also matches before a last line feed; that of ECMA-262 and of the engine does not
    pattern = predicate.pattern and predicate.pattern.replace("$", r"\Z")
    return pattern is not None and re.search(pattern, str(cell)) is None


def same(cell: object, value: object) -> bool:
    if isinstance(cell, bool | str):
        return type(cell) is type(value) and cell == value
    if isinstance(cell, date):
        return cell.isoformat() == value
    if isinstance(cell, float) and isinstance(value, float) and math.isnan(value):
        return math.isnan(cell)
    if isinstance(cell, float):
        return cell == value
    return Fraction(cell) == Fraction(Decimal(str(value)))


def beyond(predicate: IsBelow | IsAbove, cell: object) -> bool:
    bound: object = predicate.bound
    if isinstance(cell, float):
        if math.isnan(cell):
            return True
        bound = float(bound)
    elif isinstance(cell, int | Decimal):
        cell, bound = Fraction(cell), Fraction(Decimal(str(bound)))
    elif isinstance(cell, datetime):
        cell, bound = comparable(cell, bound, predicate.timezone)
    if isinstance(predicate, IsBelow):
        return cell <= bound if predicate.exclusive else cell < bound
    return cell >= bound if predicate.exclusive else cell > bound


def comparable(cell: datetime, bound: object, timezone: str) -> tuple[datetime, datetime]:
    zone = ZoneInfo(timezone)
    if not isinstance(bound, datetime):
        assert isinstance(bound, date)
        bound = datetime.combine(bound, time(0))
    if cell.tzinfo is None:
        return cell, bound.astimezone(zone).replace(tzinfo=None) if bound.tzinfo else bound
    bound = bound if bound.tzinfo else bound.replace(tzinfo=zone)
    return cell.astimezone(UTC), bound.astimezone(UTC)


def not_multiple(cell: object, divisor: object) -> bool:
    if not isinstance(cell, float):
        return Fraction(cell) % Fraction(Decimal(str(divisor))) != 0
    if not math.isfinite(cell):
        return True
    step = Fraction(Decimal(str(divisor)))
    nearest = round(Fraction(cell) / step) * step
    return abs(Fraction(cell) - nearest) > Fraction(1e-9) * max(1, abs(Fraction(cell)))


def repeats(metric: SurplusRows, rows: Sequence[Row]) -> DuplicateCounts:
    keys = [tuple(canonical(row[name]) for name in metric.columns) for row in rows]
    counted = Counter(key for key in keys if None not in key)
    repeated = [times for times in counted.values() if times > 1]
    return DuplicateCounts(
        counted.total(), counted.total() - len(counted), len(repeated), sum(repeated)
    )


def canonical(cell: object) -> object:
    if isinstance(cell, float):
        return "nan" if math.isnan(cell) else cell + 0.0
    return cell


def existing(metric: RecentRows, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row[metric.column] is not None]


def delays(metric: Delays, rows: Sequence[Row]) -> DelayTally:
    waits: list[timedelta] = []
    for row in rows:
        event, available = row[metric.event_column], row[metric.available_column]
        if event is not None and available is not None:
            began = instant(event, metric.event_timezone)
            ended = instant(available, metric.available_timezone)
            if began is not None and ended is not None:
                waits.append(ended - began)
    late = sum(wait > metric.limit for wait in waits)
    longest = max(waits) / timedelta(microseconds=1) / 1_000_000 if waits else None
    return DelayTally(len(waits), late, longest)


def span(metric: TimeSpan, rows: Sequence[Row], now: datetime) -> TimeRange:
    cells = [row[metric.column] for row in rows if row[metric.column] is not None]
    found = [instant(cell, metric.timezone) for cell in cells]
    known = [each for each in found if each is not None]
    horizon = now + timedelta(minutes=5)
    present = [each for each in known if each <= horizon]
    return TimeRange(
        min(present, default=None),
        max(present, default=None),
        len(cells),
        len(known) - len(present),
    )


def instant(cell: object, timezone: str) -> datetime | None:
    zone = ZoneInfo(timezone)
    if not isinstance(cell, datetime):
        assert isinstance(cell, date)
        midnight = datetime.combine(cell, time(0))
        return to_utc(midnight, zone) or to_utc(midnight + timedelta(hours=1), zone)
    return cell.astimezone(UTC) if cell.tzinfo else to_utc(cell, zone)


def to_utc(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the earlier instant of a local time, or None where the zone skips it."""
    found = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return found if found.astimezone(zone).replace(tzinfo=None) == local else None
