"""When a contract is due: pure answers, the same after every restart."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeAlias
from zoneinfo import ZoneInfo

from croniter import croniter

from contractwatch.model.contract import Contract
from contractwatch.model.frozen import frozen
from contractwatch.model.incident import Incident, Phase
from contractwatch.model.objective import Standing
from contractwatch.slo.ledger import wake_at

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JUST_AFTER = timedelta(seconds=1)
_SPREAD_EACH = timedelta(milliseconds=50)
_WANTS_EVIDENCE = frozenset({Phase.PENDING, Phase.RECOVERING})


@frozen
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


@frozen
class Cron:
    """A five-field cron in an IANA zone; daylight saving is croniter's."""

    expression: str
    timezone: str

    def after(self, instant: datetime) -> datetime:
        """Return the first tick later than the instant, in UTC."""
        local = instant.astimezone(ZoneInfo(self.timezone))
        found = croniter(self.expression, local).get_next(datetime)
        return found.astimezone(UTC)

    def interval_at(self, instant: datetime) -> timedelta:
        """Return the longest wait that an observation at the instant must bridge."""
        first = self.after(instant)
        return max(first - instant, self.after(first) - first)


@frozen
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


Timetable: TypeAlias = Every | Cron | AnyOf


def timetable_of(contract: Contract, *, default_interval: timedelta) -> Timetable:
    """Return when the contract is run: at its own times, and at those of its scheduled clauses."""
    own = dict.fromkeys(Cron(one.cron, one.timezone) for one in contract.own_schedules)
    whole = _whole(contract, default_interval)
    others = tuple(one for one in own if one != whole)
    return AnyOf((whole, *others)) if others else whole


def _whole(contract: Contract, default_interval: timedelta) -> Every | Cron:
    """Return when a contract is due as a whole: its cron, else its interval, else the default.

    The offset of an interval is a hash of the product: contracts of one interval are spread evenly
    over it, and stay where they are.
    """
    schedule = contract.schedule
    if schedule is not None and schedule.cron is not None:
        return Cron(schedule.cron, schedule.timezone)
    chosen = schedule.interval if schedule is not None else None
    interval = chosen or default_interval
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
    turns = wake_at(standings)
    if turns is not None and turns + _JUST_AFTER > now:
        looks.append(turns + _JUST_AFTER)
    if any(incident.phase in _WANTS_EVIDENCE for incident in incidents):
        looks.append(now + min(reprobe, timetable.interval_at(now)))
    soonest = min(looks, default=None)
    return soonest if soonest is not None and soonest < timetable.after(now) else None


def _share(product: str) -> float:
    """Return a number of [0, 1) that is the same for this product for ever."""
    return int.from_bytes(sha256(product.encode()).digest()[:6]) / 2**48
