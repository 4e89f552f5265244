"""Compute the seconds in each state over a window, the error budget and the compliance."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from contractwatch.model.base.objective import (
    Budget,
    Interval,
    ObjectiveState,
    StateSeconds,
    Target,
)
from contractwatch.model.record.product import LedgerLine
from contractwatch.slo.ledger import open_intervals

LONGEST_WINDOW = timedelta(days=90)
"""Intervals are kept this long; a longer window is cut to it."""

SUFFICIENT_SHARE = 0.90
"""Below this known share of a window its compliance is "insufficient data", never "met"."""


@dataclass(frozen=True, slots=True)
class Compliance:
    """Share of good time over a window, 0-1, with the bounds that unknown time leaves open.

    `low` takes unknown time as bad and `high` as good; `point` leaves it out. All are None when
    there is no time at all, `point` also when nothing is known. `met` is None for insufficient
    data: less than 90 % of the window's time is known.
    """

    low: float | None
    point: float | None
    high: float | None
    known_share: float
    met: bool | None

    @property
    def verdict(self) -> str:
        """One of `met`, `missed` or `insufficient data`."""
        if self.met is None:
            return "insufficient data"
        return "met" if self.met else "missed"


def intervals_of(line: LedgerLine, *, start: datetime, end: datetime) -> tuple[Interval, ...]:
    """Return the line's intervals cut to `[start, end)`, with the time that is not closed yet."""
    pieces = (*line.intervals, *open_intervals(line.standing, end))
    return tuple(
        Interval(max(piece.start, start), min(piece.end, end), piece.state)
        for piece in pieces
        if piece.start < end and piece.end > start
    )


def seconds_in(line: LedgerLine, *, start: datetime, end: datetime) -> StateSeconds:
    """Return the seconds in each state over `[start, end)`; none before the ledger began."""
    return _summed(intervals_of(line, start=start, end=end))


def total_seconds(line: LedgerLine, *, now: datetime) -> StateSeconds:
    """Return the seconds in each state from the beginning up to `now`, as a counter shows them."""
    return line.total + _summed(open_intervals(line.standing, now))


def budget_of(line: LedgerLine, target: Target, *, now: datetime) -> Budget:
    """Return the error budget over the target's window up to `now`."""
    seconds = seconds_in(line, start=_start(target, now), end=now)
    allowed = (1 - target.ratio) * (seconds.good + seconds.bad)
    return Budget(
        target=target,
        seconds=seconds,
        remaining_ratio=1 - seconds.bad / allowed if allowed > 0 else None,
        spent_seconds=seconds.bad,
        allowed_seconds=allowed,
    )


def compliance_of(line: LedgerLine, target: Target, *, now: datetime) -> Compliance:
    """Return the compliance with the target over its window, as an interval."""
    seconds = seconds_in(line, start=_start(target, now), end=now)
    known = seconds.good + seconds.bad
    whole = known + seconds.unknown
    if whole <= 0:
        return Compliance(None, None, None, known_share=0.0, met=None)
    share = known / whole
    point = seconds.good / known if known > 0 else None
    enough = share >= SUFFICIENT_SHARE and point is not None
    return Compliance(
        low=seconds.good / whole,
        point=point,
        high=(seconds.good + seconds.unknown) / whole,
        known_share=share,
        met=point >= target.ratio if enough and point is not None else None,
    )


def union_seconds(intervals: Iterable[Interval]) -> float:
    """Return the seconds that at least one interval covers; overlaps count once."""
    total = timedelta(0)
    covered_until: datetime | None = None
    for interval in sorted(intervals, key=lambda interval: interval.start):
        start = interval.start if covered_until is None else max(interval.start, covered_until)
        if interval.end > start:
            total += interval.end - start
            covered_until = interval.end
    return total.total_seconds()


def _start(target: Target, now: datetime) -> datetime:
    return now - min(target.window, LONGEST_WINDOW)


def _summed(intervals: tuple[Interval, ...]) -> StateSeconds:
    seconds = dict.fromkeys(ObjectiveState, 0.0)
    for interval in intervals:
        seconds[interval.state] += interval.seconds
    return StateSeconds(
        good=seconds[ObjectiveState.GOOD],
        bad=seconds[ObjectiveState.BAD],
        unknown=seconds[ObjectiveState.UNKNOWN],
        excluded=seconds[ObjectiveState.EXCLUDED],
    )
