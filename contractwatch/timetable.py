"""Compute when something is due: by an interval or a cron, across daylight-saving changes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from croniter import croniter

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The instant from which intervals are counted."""

_INSTANT = timedelta(microseconds=1)
_STEP = timedelta(hours=1)
_HOURS = 24
_MAX_CLOCK_CHANGE = timedelta(hours=26)
"""Clocks are changed by an hour or less, and by a day where the date line is moved."""


@dataclass(frozen=True, slots=True)
class Every:
    """Ticks every `interval`, at a fixed `offset`, counted from 1970."""

    interval: timedelta
    offset: timedelta

    def after(self, instant: datetime) -> datetime:
        """Return the first tick later than the instant."""
        passed = instant - EPOCH - self.offset
        return EPOCH + self.offset + (passed // self.interval + 1) * self.interval

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the interval, which is the same at every instant."""
        del instant
        return self.interval


@dataclass(frozen=True, slots=True)
class Cron:
    """Ticks of a five-field cron expression in an IANA time zone.

    A time of day is run once a day: of an hour that the clocks show twice, the first one counts,
    and a time that they skip is run when they have skipped it. A cron of every hour follows the
    time that passes instead: it runs in both of the hours, and not for the skipped one.
    """

    expression: str
    timezone: str

    def after(self, instant: datetime) -> datetime:
        """Return the first tick later than the instant, in UTC."""
        zone = ZoneInfo(self.timezone)
        is_hourly = _is_hourly(self.expression)
        at = since = instant.astimezone(UTC)
        while True:
            # Between two changes of the clocks a cron is plain arithmetic on what they show.
            offset = _offset(zone, since)
            tick = _next_wall_time(self.expression, at + offset)
            found = tick - offset
            end = since + _MAX_CLOCK_CHANGE
            change = _next_change(zone, since, end)
            if change is None and found > end:
                at = since = max(end, found - _MAX_CLOCK_CHANGE)  # nothing until near to it
            elif change is not None and found >= change:
                if not is_hourly and tick < change + _offset(zone, change):
                    return change
                at, since = change - _INSTANT, change  # a tick at the change itself is to come
            elif is_hourly or not _is_repeated_hour(zone, found):
                return found
            else:
                at = since = found

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the longest wait that an observation at the instant must bridge."""
        first = self.after(instant)
        return max(first - instant, self.after(first) - first)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The ticks of several timetables; at least one."""

    members: tuple[Every | Cron, ...]

    def after(self, instant: datetime) -> datetime:
        """Return the first tick later than the instant."""
        return min(member.after(instant) for member in self.members)

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the longest wait that an observation at the instant must bridge."""
        first = self.after(instant)
        return max(first - instant, self.after(first) - first)


@dataclass(frozen=True, slots=True)
class Throttled:
    """A timetable that may tick more often than runs start, which is `min_interval` apart."""

    timetable: Every | Cron | AnyOf
    min_interval: timedelta

    def after(self, instant: datetime) -> datetime:
        """Return the first tick later than the instant."""
        return self.timetable.after(instant)

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the longest wait that an observation at the instant must bridge."""
        throttled = self.timetable.after(instant + self.min_interval) - instant
        return max(self.timetable.interval_at(instant), throttled)


Timetable: TypeAlias = Every | Cron | AnyOf | Throttled


@lru_cache(maxsize=1024)
def _is_hourly(expression: str) -> bool:
    """Return whether a cron expression includes every hour of the day."""
    hours = croniter.expand(expression)[0][1]
    return "*" in hours or len(set(hours)) == _HOURS


def _next_wall_time(expression: str, shown: datetime) -> datetime:
    """Return the next tick of a cron on clocks that never change."""
    return croniter(expression, shown.replace(tzinfo=UTC)).get_next(datetime).replace(tzinfo=UTC)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def _next_change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime | None:
    """Return the first instant in `(start, end]` at which the clocks are changed."""
    offset, low = _offset(zone, start), start
    while low < end:
        high = min(low + _STEP, end)
        if _offset(zone, high) != offset:
            return _bisect_change(zone, low, high)
        low = high
    return None


def _bisect_change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """Return the second at which the offset of `low` becomes that of `high`."""
    offset = _offset(zone, low)
    first, last = int(low.timestamp()), int(high.timestamp())
    while last - first > 1:
        middle = (first + last) // 2
        if _offset(zone, datetime.fromtimestamp(middle, UTC)) == offset:
            first = middle
        else:
            last = middle
    return datetime.fromtimestamp(last, UTC)


def _is_repeated_hour(zone: ZoneInfo, instant: datetime) -> bool:
    """Return whether the clocks show this time of day for the second time."""
    return instant.astimezone(zone).fold == 1
