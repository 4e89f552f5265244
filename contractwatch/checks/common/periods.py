"""List the periods that are due in a look-back, in local time with its clock changes."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contractwatch.checks.common.ages import add_months
from contractwatch.model.promises.segment import Period, PeriodUnit, SegmentRule

_FRIDAY = 4


def due_starts(rule: SegmentRule, now: datetime) -> tuple[datetime, ...]:
    """Return the local starts of the due periods that begin within the look-back."""
    zone = ZoneInfo(rule.timezone)
    here = now.astimezone(zone).replace(tzinfo=None)
    since = here - rule.lookback
    return tuple(
        start
        for start in _period_starts(rule.period, since, here)
        if start >= since
        and not (rule.weekdays_only and start.weekday() > _FRIDAY)
        and not _is_skipped(start, rule.period, zone)
        and _to_utc(next_start(start, rule.period), zone) + rule.lag <= now
    )


def next_start(start: datetime, period: Period) -> datetime:
    """Return the local start of the next period."""
    match period.unit:
        case PeriodUnit.MINUTE:
            return start + timedelta(minutes=period.count)
        case PeriodUnit.DAY:
            return start + timedelta(days=1)
        case PeriodUnit.WEEK:
            return start + timedelta(days=7)
        case PeriodUnit.MONTH:
            return add_months(start, period.count)


def _period_starts(period: Period, since: datetime, until: datetime) -> Iterator[datetime]:
    start = _period_start(period, since)
    while start <= until:
        yield start
        start = next_start(start, period)


def _period_start(period: Period, local: datetime) -> datetime:
    """Return the start of the period that contains a local time."""
    midnight = datetime.combine(local.date(), time(0))
    match period.unit:
        case PeriodUnit.MINUTE:
            passed = int((local - midnight).total_seconds()) // 60
            return midnight + timedelta(minutes=passed - passed % period.count)
        case PeriodUnit.DAY:
            return midnight
        case PeriodUnit.WEEK:
            return midnight - timedelta(days=midnight.weekday())
        case PeriodUnit.MONTH:
            back = (midnight.month - 1) % period.count
            return midnight.replace(day=1, month=midnight.month - back)


def _to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _is_skipped(start: datetime, period: Period, zone: ZoneInfo) -> bool:
    """Return whether the clocks jump over the whole period, so that no row can be in it."""
    if period.unit is not PeriodUnit.MINUTE:
        return False
    return _to_utc(start, zone) >= _to_utc(next_start(start, period), zone)
