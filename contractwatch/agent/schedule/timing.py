"""Compute when a contract is due: pure functions, with the same answer after a restart."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from contractwatch.errors import Problem
from contractwatch.model.base.objective import Standing
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.incident import Incident, Phase
from contractwatch.slo.ledger import next_transition_at
from contractwatch.timetable import EPOCH, AnyOf, Cron, Every, Throttled, Timetable

_JUST_AFTER = timedelta(seconds=1)
_CRON_GAP = timedelta(minutes=1)
"""The shortest interval between two times of a five-field cron expression."""

_SPREAD_EACH = timedelta(milliseconds=50)

_WANTS_EVIDENCE = frozenset({Phase.PENDING, Phase.RECOVERING})


def timetable_of(
    contract: Contract, *, default_interval: timedelta, shortest: timedelta = timedelta(0)
) -> Timetable:
    """Return when the contract is run: at its own times, and at those of its scheduled clauses.

    Args:
        contract: What is promised.
        default_interval: Where it does not say.
        shortest: No product is run more often.
    """
    own = dict.fromkeys(Cron(one.cron, one.timezone) for one in contract.promise_schedules)
    whole = _contract_schedule(contract, max(default_interval, shortest), shortest)
    others = tuple(one for one in own if one != whole)
    table = AnyOf((whole, *others)) if others else whole
    has_cron = not isinstance(table, Every)
    return Throttled(table, shortest) if has_cron and shortest > _CRON_GAP else table


def interval_problem(contract: Contract, shortest: timedelta) -> Problem | None:
    """Return the problem of a contract whose interval is below the agent's minimum, or None."""
    schedule = contract.schedule
    if schedule is None:
        return None
    asked = schedule.interval
    what = f"the interval of {seconds_text(asked)}" if asked is not None else ""
    if schedule.cron is not None:
        first = Cron(schedule.cron, schedule.timezone).after(EPOCH)
        asked = Cron(schedule.cron, schedule.timezone).after(first) - first
        what = f"the schedule '{schedule.cron}', which comes true {seconds_text(asked)} apart,"
    if asked is None or asked >= shortest:
        return None
    where, line = (schedule.clause.path, schedule.clause.line) if schedule.clause else ("", 0)
    said = (
        f"{what} is too short for this agent and is refused; expected "
        f"{seconds_text(shortest)} or more (the operator's shortest_interval_seconds): "
        f"the product is run every {seconds_text(shortest)} at most"
    )
    return Problem(contract.file, line, where, said)


def seconds_text(length: timedelta) -> str:
    """Return a length of time in seconds as a person writes them: `0.000001 s`, `90 s`."""
    text = f"{length.total_seconds():,.6f}".rstrip("0").rstrip(".")
    return f"{text} s"


def _contract_schedule(
    contract: Contract, default_interval: timedelta, shortest: timedelta
) -> Every | Cron:
    """Return the schedule of the whole contract: its cron, else its interval, else the default.

    The offset of an interval is a hash of the product: contracts of one interval are spread evenly
    over it, and stay where they are.
    """
    schedule = contract.schedule
    if schedule is not None and schedule.cron is not None:
        return Cron(schedule.cron, schedule.timezone)
    chosen = schedule.interval if schedule is not None else None
    interval = max(chosen or default_interval, shortest)
    return Every(interval, _stable_fraction(contract.product) * interval)


def first_run_at(product: str, *, now: datetime, products: int) -> datetime:
    """Return when to run a new product: soon, spread over all new ones."""
    return now + _stable_fraction(product) * products * _SPREAD_EACH


def early_run_at(
    timetable: Timetable,
    standings: Iterable[Standing],
    incidents: Iterable[Incident],
    *,
    now: datetime,
    reprobe: timedelta,
    dates: Iterable[datetime] = (),
) -> datetime | None:
    """Return when to run before the next tick, or None if the tick is soon enough.

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


def _stable_fraction(product: str) -> float:
    """Return a stable hash of the product in [0, 1), to spread runs."""
    return int.from_bytes(sha256(product.encode()).digest()[:6]) / 2**48
