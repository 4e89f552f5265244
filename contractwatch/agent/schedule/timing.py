"""When a contract is due: pure answers, the same after every restart."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import TypeAlias
from zoneinfo import ZoneInfo

from croniter import croniter

from contractwatch.errors import Problem
from contractwatch.model.base.objective import Standing
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.incident import Incident, Phase
from contractwatch.slo.ledger import next_transition_at

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JUST_AFTER = timedelta(seconds=1)
_CRON_GAP = timedelta(minutes=1)
"""No cron expression of five fields comes true more often."""

_SPREAD_EACH = timedelta(milliseconds=50)
_INSTANT = timedelta(microseconds=1)
_STEP = timedelta(hours=1)
_HOURS = 24
_LONGEST_CHANGE = timedelta(hours=26)
"""Clocks are changed by an hour or less, and by a day where the date line is moved."""

_WANTS_EVIDENCE = frozenset({Phase.PENDING, Phase.RECOVERING})


@dataclass(frozen=True, slots=True)
class Every:
    """Every `interval`, at a fixed `offset` into it, counted from 1970."""

    interval: timedelta
    offset: timedelta

    def after(self, instant: datetime) -> datetime:
        """Return the first tick later than the instant."""
        passed = instant - _EPOCH - self.offset
        return _EPOCH + self.offset + (passed // self.interval + 1) * self.interval

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the interval, which is the same at every instant."""
        del instant
        return self.interval


@dataclass(frozen=True, slots=True)
class Cron:
    """A five-field cron in an IANA zone.

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
            tick = _next_shown(self.expression, at + offset)
            found = tick - offset
            end = since + _LONGEST_CHANGE
            change = _next_change(zone, since, end)
            if change is None and found > end:
                at = since = max(end, found - _LONGEST_CHANGE)  # nothing until near to it
            elif change is not None and found >= change:
                if not is_hourly and tick < change + _offset(zone, change):
                    return change
                at, since = change - _INSTANT, change  # a tick at the change itself is to come
            elif is_hourly or not _was_shown(zone, found):
                return found
            else:
                at = since = found

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the longest wait that an observation at the instant must bridge."""
        first = self.after(instant)
        return max(first - instant, self.after(first) - first)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Whenever one of several is due; at least one."""

    members: tuple[Every | Cron, ...]

    def after(self, instant: datetime) -> datetime:
        """Return the first tick later than the instant."""
        return min(member.after(instant) for member in self.members)

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the longest wait that an observation at the instant must bridge."""
        first = self.after(instant)
        return max(first - instant, self.after(first) - first)


@dataclass(frozen=True, slots=True)
class AtMost:
    """The ticks of a timetable that come more often than they are heeded: see `Scheduler`."""

    inner: Every | Cron | AnyOf
    shortest: timedelta

    def after(self, instant: datetime) -> datetime:
        """Return the first tick later than the instant."""
        return self.inner.after(instant)

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the longest wait that an observation at the instant must bridge."""
        heeded = self.inner.after(instant + self.shortest) - instant
        return max(self.inner.interval_at(instant), heeded)


Timetable: TypeAlias = Every | Cron | AnyOf | AtMost


def timetable_of(
    contract: Contract, *, default_interval: timedelta, shortest: timedelta = timedelta(0)
) -> Timetable:
    """Return when the contract is run: at its own times, and at those of its scheduled clauses.

    Args:
        contract: What is promised.
        default_interval: Where it does not say.
        shortest: No product is run more often.
    """
    own = dict.fromkeys(Cron(one.cron, one.timezone) for one in contract.own_schedules)
    whole = _whole(contract, max(default_interval, shortest), shortest)
    others = tuple(one for one in own if one != whole)
    table = AnyOf((whole, *others)) if others else whole
    has_cron = not isinstance(table, Every)
    return AtMost(table, shortest) if has_cron and shortest > _CRON_GAP else table


def interval_problem(contract: Contract, shortest: timedelta) -> Problem | None:
    """Return what is said of a contract that asks to be run more often than the agent does it."""
    schedule = contract.schedule
    if schedule is None:
        return None
    asked = schedule.interval
    what = f"the interval of {words_of(asked)}" if asked is not None else ""
    if schedule.cron is not None:
        first = Cron(schedule.cron, schedule.timezone).after(_EPOCH)
        asked = Cron(schedule.cron, schedule.timezone).after(first) - first
        what = f"the schedule '{schedule.cron}', which comes true {words_of(asked)} apart,"
    if asked is None or asked >= shortest:
        return None
    where, line = (schedule.clause.path, schedule.clause.line) if schedule.clause else ("", 0)
    said = (
        f"{what} is too short for this agent and is refused; expected "
        f"{words_of(shortest)} or more (the operator's shortest_interval_seconds): "
        f"the product is run every {words_of(shortest)} at most"
    )
    return Problem(contract.file, line, where, said)


def words_of(length: timedelta) -> str:
    """Return a length of time in seconds as a person writes them: `0.000001 s`, `90 s`."""
    text = f"{length.total_seconds():,.6f}".rstrip("0").rstrip(".")
    return f"{text} s"


def _whole(contract: Contract, default_interval: timedelta, shortest: timedelta) -> Every | Cron:
    """Return when a contract is due as a whole: its cron, else its interval, else the default.

    The offset of an interval is a hash of the product: contracts of one interval are spread evenly
    over it, and stay where they are.
    """
    schedule = contract.schedule
    if schedule is not None and schedule.cron is not None:
        return Cron(schedule.cron, schedule.timezone)
    chosen = schedule.interval if schedule is not None else None
    interval = max(chosen or default_interval, shortest)
    return Every(interval, _share(contract.product) * interval)


def first_look(product: str, *, now: datetime, products: int) -> datetime:
    """Return when a product that was just found is run: soon, but not all at one instant."""
    return now + _share(product) * products * _SPREAD_EACH


def next_look(
    timetable: Timetable,
    standings: Iterable[Standing],
    incidents: Iterable[Incident],
    *,
    now: datetime,
    reprobe: timedelta,
    dates: Iterable[datetime] = (),
) -> datetime | None:
    """Return when to look before the next tick, or None if that is soon enough.

    Three things cannot wait: an objective is known to turn bad at an instant, and must be confirmed
    just after it; an incident that is pending or recovering wants evidence; and at one of the
    `dates` something is to be told.
    """
    looks = [date + _JUST_AFTER for date in dates if date + _JUST_AFTER > now]
    turns = next_transition_at(standings)
    if turns is not None and turns + _JUST_AFTER > now:
        looks.append(turns + _JUST_AFTER)
    if any(incident.phase in _WANTS_EVIDENCE for incident in incidents):
        looks.append(now + min(reprobe, timetable.interval_at(now)))
    soonest = min(looks, default=None)
    return soonest if soonest is not None and soonest < timetable.after(now) else None


@lru_cache(maxsize=1024)
def _is_hourly(expression: str) -> bool:
    """Return whether a cron names every hour of the day."""
    hours = croniter.expand(expression)[0][1]
    return "*" in hours or len(set(hours)) == _HOURS


def _next_shown(expression: str, shown: datetime) -> datetime:
    """Return the next time of a cron on clocks that are never changed."""
    return croniter(expression, shown.replace(tzinfo=UTC)).get_next(datetime).replace(tzinfo=UTC)


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta(0)


def _next_change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime | None:
    """Return the first instant in `(start, end]` at which the clocks are changed."""
    offset, low = _offset(zone, start), start
    while low < end:
        high = min(low + _STEP, end)
        if _offset(zone, high) != offset:
            return _bisected(zone, low, high)
        low = high
    return None


def _bisected(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
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


def _was_shown(zone: ZoneInfo, instant: datetime) -> bool:
    """Return whether the clocks show this time of day for the second time."""
    return instant.astimezone(zone).fold == 1


def _share(product: str) -> float:
    """Return a number of [0, 1) that is the same for this product for ever."""
    return int.from_bytes(sha256(product.encode()).digest()[:6]) / 2**48
