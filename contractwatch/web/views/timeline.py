"""Turn ledger intervals into the spans of a timeline bar, in percent of a window."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from contractwatch.model.base.objective import Interval, ObjectiveState
from contractwatch.model.record.product import LedgerLine
from contractwatch.slo.budget import intervals_of
from contractwatch.slo.ledger import merge_intervals
from contractwatch.web.views import words

_NARROWEST_PERCENT = 0.4
"""A span that is not good is drawn at least this wide: an hour of 28 days must not vanish."""

LONGEST_WINDOW = timedelta(days=28)
"""How much of the ledger a page and its twin show."""

_YOUNG = timedelta(days=2)
"""A shorter record than this has the bar for itself: it would be invisible in 28 days."""

_SHORTEST = timedelta(minutes=1)
_MOST_TICKS = 5
_STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 30, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800)
)

_DRAW_ORDER = {
    ObjectiveState.GOOD: 0,
    ObjectiveState.EXCLUDED: 1,
    ObjectiveState.UNKNOWN: 2,
    ObjectiveState.BAD: 3,
}
"""What is drawn later lies on top."""


@dataclass(frozen=True, slots=True)
class BarSpan:
    """One span of a bar: left edge and width in percent, state and label."""

    left: float
    width: float
    state: ObjectiveState
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick mark under a bar, in percent from the left."""

    left: float
    label: str


@dataclass(frozen=True, slots=True)
class TimelineWindow:
    """The time window that the bars of a page share, with its ticks."""

    start: datetime
    words: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """Timeline bar of an objective, with a text for screen readers."""

    spans: tuple[BarSpan, ...]
    words: str


def bar_of(line: LedgerLine, *, start: datetime, end: datetime) -> Bar:
    """Return the bar of `[start, end)`; time without any record stays empty."""
    pieces = merge_intervals(intervals_of(line, start=start, end=end))
    window = (end - start).total_seconds()
    spans = sorted(
        (_span(interval, start, window) for interval in pieces),
        key=lambda span: _DRAW_ORDER[span.state],
    )
    return Bar(spans=tuple(spans), words=_words(pieces))


def timeline_window(lines: Sequence[LedgerLine], *, end: datetime) -> TimelineWindow:
    """Return the last 28 days, or the time since the first record while that is shorter."""
    start = end - LONGEST_WINDOW
    found = (piece.start for line in lines for piece in intervals_of(line, start=start, end=end))
    first = min(found, default=start)
    young = max(end - first, _SHORTEST)
    if young >= _YOUNG:
        return TimelineWindow(start, f"The last {LONGEST_WINDOW.days} days", ticks(start, end))
    told = f"Since the first record, {words.ago(first, end)}"
    every = next((step for step in _STEPS if young / step < _MOST_TICKS), _STEPS[-1])
    return TimelineWindow(end - young, told, ticks(end - young, end, every=every))


def ticks(
    start: datetime, end: datetime, *, every: timedelta = timedelta(days=7)
) -> tuple[Tick, ...]:
    """Return marks at `every` counted back from the end, without one at the end itself."""
    window = (end - start).total_seconds()
    found: list[Tick] = []
    moment = end - every
    while moment >= start:
        left = (moment - start).total_seconds() / window * 100
        found.append(Tick(round(left, 3), _mark(moment, every)))
        moment -= every
    return tuple(reversed(found))


def _mark(moment: datetime, every: timedelta) -> str:
    """Return the day in UTC, or the time of day where marks are closer than a day."""
    at = moment.astimezone(UTC)
    if every >= timedelta(days=1):
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M}" if every >= timedelta(minutes=1) else f"{at:%H:%M:%S}"


def _span(interval: Interval, start: datetime, window: float) -> BarSpan:
    left = (interval.start - start).total_seconds() / window * 100
    width = interval.seconds / window * 100
    if interval.state is not ObjectiveState.GOOD:
        width = max(width, _NARROWEST_PERCENT)
        left = min(left, 100 - width)
    title = (
        f"{interval.state.value} for {words.duration_words(interval.seconds)}"
        f" from {words.clock_time(interval.start)}"
    )
    return BarSpan(round(left, 3), round(width, 3), interval.state, title)


def _words(intervals: tuple[Interval, ...]) -> str:
    parts: list[str] = []
    for state in ObjectiveState:
        seconds = sum(interval.seconds for interval in intervals if interval.state is state)
        if seconds:
            parts.append(f"{state.value} {words.duration_words(seconds)}")
    return ", ".join(parts) or "no record yet"
