"""Local times of a zone and instants, with the rules of `predicates.expressions.instants`.

A repeated local time means the earlier instant, one that the zone skips means none. In this
reading instants grow with local times, so that a limit on instants is a limit on local times.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

UTC_NAMES = frozenset({"UTC", "Etc/UTC"})
_STEP = timedelta(microseconds=1)
_HALF_DAY = timedelta(hours=12)
_LONGEST = timedelta(days=366 * 5)


def instant_of(local: datetime, zone: str) -> datetime | None:
    """Return the instant (UTC) of a local time without a zone, or None if the zone skips it."""
    if zone in UTC_NAMES:
        return local.replace(tzinfo=UTC)
    try:
        instant = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        back = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    except OverflowError:  # at the ends of what a date can be, no zone moves its clock
        return local.replace(tzinfo=UTC)
    return instant if back == local else None


def instant_of_day(day: date, zone: str) -> datetime:
    """Return the first instant of a day in a zone."""
    midnight = datetime.combine(day, time(0))
    found = instant_of(midnight, zone) or instant_of(midnight + timedelta(hours=1), zone)
    return found or midnight.replace(tzinfo=UTC)


def last_local_until(instant: datetime, zone: str) -> datetime:
    """Return the greatest local time whose instant is not later than the given one."""
    aware = instant.astimezone(ZoneInfo(zone))
    local = aware.replace(tzinfo=None, fold=0)
    if not aware.fold:
        return local
    # In the second pass of a repeated hour: all of the repeated times were there before.
    end = local.replace(second=0, microsecond=0)
    while _is_repeated(end, ZoneInfo(zone)):
        end += timedelta(minutes=1)
    return end - _STEP


def _is_repeated(local: datetime, zone: ZoneInfo) -> bool:
    passes = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return next(passes) != next(passes)


def is_steady(zone: str, start: datetime, end: datetime) -> bool:
    """Return whether a zone's clock is not moved from a day before `start` to a day after `end`."""
    if zone in UTC_NAMES:
        return True
    if end - start > _LONGEST:
        return False
    known = ZoneInfo(zone)
    at, last = start - 2 * _HALF_DAY, end + 2 * _HALF_DAY
    offset = at.astimezone(known).utcoffset()
    while at < last:
        at += _HALF_DAY
        if at.astimezone(known).utcoffset() != offset:
            return False
    return True
