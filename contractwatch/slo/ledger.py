"""Ledger of an objective over time: intervals that are good, bad, unknown or excluded.

Every second since the beginning is in exactly one interval.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

from contractwatch.model.base.objective import Interval, Objective, ObjectiveState, Standing
from contractwatch.model.record.product import LedgerEntry
from contractwatch.model.record.run import Observation

_Advanced: TypeAlias = tuple[Standing, tuple[Interval, ...]]

_CAN_TURN_BAD = frozenset({ObjectiveState.GOOD, ObjectiveState.UNKNOWN})
"""What a stale instant turns bad; only the composite can be unknown and still turn."""

_WORST_FIRST = (ObjectiveState.BAD, ObjectiveState.UNKNOWN, ObjectiveState.GOOD)


def horizon_of(at: datetime, *, interval_seconds: float, grace: timedelta) -> datetime:
    """Return until when an observation holds: max(2 x interval, interval + grace) after `at`."""
    return at + timedelta(
        seconds=max(2 * interval_seconds, interval_seconds + grace.total_seconds())
    )


def new_standing(objective: Objective, at: datetime) -> Standing:
    """Return the standing of an objective that was never observed."""
    return Standing(
        objective=objective,
        state=ObjectiveState.UNKNOWN,
        since=at,
        observed_at=at,
        accrued_until=at,
        horizon=at,
    )


def open_intervals(standing: Standing, to: datetime) -> tuple[Interval, ...]:
    """Return the intervals that the standing implies for `[accrued_until, to)`.

    Neighbours in the same state are joined; none is empty.

    The observed state holds until the horizon, and then nothing is known. A good objective that
    goes stale before its horizon is bad from that instant on. Empty if `to` is not later.
    """
    return _forecast_intervals(standing, standing.accrued_until, to)


def _forecast_intervals(standing: Standing, start: datetime, to: datetime) -> tuple[Interval, ...]:
    """Return the intervals that the standing implies for `[start, to)`."""
    intervals: list[Interval] = []
    for end, state in _forecast(standing):
        stop = to if end is None else min(end, to)
        if stop > start:
            intervals.append(Interval(start, stop, state))
            start = stop
    return merge_intervals(intervals)


def advance(standing: Standing, to: datetime) -> tuple[Standing, tuple[Interval, ...]]:
    """Close the time up to `to`, and return the standing from then on.

    Advancing in steps closes the same time in the same states as advancing once. A `to` that is
    not later than what is closed already (a clock set back) changes nothing.
    """
    closed = open_intervals(standing, to)
    if not closed:
        return standing, ()
    last = closed[-1]
    # the instant `to` itself is the start of what follows: it may be the turn of the state
    state = _state_from(standing, to)
    since = standing.since if _is_unchanged(closed, standing, state) else last.start
    if state is not last.state:
        since = to
    turns = standing.stale_at is not None and standing.stale_at > to
    later = replace(
        standing,
        state=state,
        since=since,
        accrued_until=to,
        stale_at=standing.stale_at if turns and to < standing.horizon else None,
    )
    return later, closed


def state_at(standing: Standing, at: datetime) -> ObjectiveState:
    """Return the state at an instant, by the present clock.

    Unknown before `observed_at`: an observation that is dated later was made while the clock was
    ahead, and says nothing of now.
    """
    if at < standing.observed_at:
        return ObjectiveState.UNKNOWN
    return _state_from(standing, at)


def as_of(standing: Standing, now: datetime) -> Standing:
    """Return the standing as of `now`, also after the clock was set back.

    `now` may lie before `accrued_until`, after the clock was set back: the time up to there is
    closed already, but what holds is decided by the instants of the observation alone.
    """
    if now > standing.accrued_until:
        return advance(standing, now)[0]
    state = state_at(standing, now)
    if state is standing.state:
        since = min(standing.since, now)
    elif state is ObjectiveState.UNKNOWN and now >= standing.horizon:
        since = standing.horizon
    else:
        since = now
    return replace(standing, state=state, since=since)


def apply_observation(
    standing: Standing,
    observation: Observation,
    *,
    at: datetime,
    horizon: datetime,
    closing: datetime | None = None,
) -> tuple[Standing, tuple[Interval, ...]]:
    """Close the time up to `at`, and apply the observation from then on.

    What was foreseen for the time before stays: data that went stale between two runs is bad from
    the stale instant, not from the run that found it. After the clock was set back, `at` lies
    before what is closed: nothing more is closed, and the observation holds from `at` to `horizon`
    all the same, never longer.

    Args:
        standing: Before the observation.
        observation: What was found.
        at: When, by the clock of now.
        horizon: Until when it holds.
        closing: Close up to here if that is later than `at`, so that all lines end alike.
    """
    before, closed = advance(standing, max(at, closing or at))
    observed = replace(
        before,
        state=observation.state,
        observed_at=at,
        horizon=max(horizon, at),
        stale_at=observation.stale_at if observation.state is ObjectiveState.GOOD else None,
    )
    return _with_present_state(observed, before), closed


def interrupt(
    standing: Standing, *, since: datetime, to: datetime
) -> tuple[Standing, tuple[Interval, ...]]:
    """Record that nothing was observed in `[since, to)`: unknown until the next observation.

    Time before `since` is closed as it was foreseen; time closed already is left as it is, and
    nothing is known of it from `to` on.
    """
    before, closed = advance(standing, min(since, to))
    start = before.accrued_until
    unknown = ObjectiveState.UNKNOWN
    was_unknown = before.state is unknown
    if to <= start:
        since = before.since if was_unknown else to
        horizon = min(before.horizon, to)
        blind = replace(before, state=unknown, since=since, horizon=horizon, stale_at=None)
        return blind, closed
    later = replace(
        before,
        state=unknown,
        since=before.since if was_unknown else start,
        accrued_until=to,
        horizon=to,
        stale_at=None,
    )
    return later, merge_intervals((*closed, Interval(start, to, unknown)))


def advance_all(
    standings: Iterable[Standing], to: datetime
) -> tuple[tuple[Standing, ...], tuple[LedgerEntry, ...]]:
    """Advance every objective of a product, and their composite, to the same instant."""
    known = tuple(standings)
    moved = [advance(standing, to) for standing in known if not _is_composite(standing)]
    return _with_composite(known, moved, tuple(standing for standing, _ in moved), at=to)


def apply_observations(
    standings: Iterable[Standing],
    observations: Iterable[Observation],
    *,
    promised: frozenset[Objective],
    at: datetime,
    horizon: datetime,
) -> tuple[tuple[Standing, ...], tuple[LedgerEntry, ...]]:
    """Apply all observations of one run, made at `at`, and update the composite.

    Returns the standings of the promised objectives and of CONFORMANCE, and the time that is closed
    now. A promised objective without an observation is unknown from now on. One that is promised no
    longer is closed and left out: its standing ends here.
    """
    known = tuple(standings)
    start = max((at, *(standing.accrued_until for standing in known)))
    observed = {observation.objective: observation for observation in observations}
    lines = {standing.objective: standing for standing in known if not _is_composite(standing)}
    moved: list[_Advanced] = [
        apply_observation(
            lines.pop(objective, new_standing(objective, start)),
            observed.get(objective, Observation(objective, ObjectiveState.UNKNOWN)),
            at=at,
            horizon=horizon,
            closing=start,
        )
        for objective in Objective
        if objective in promised and objective is not Objective.CONFORMANCE
    ]
    kept = tuple(standing for standing, _ in moved)
    moved += [advance(standing, start) for standing in lines.values()]
    composite = (
        () if any(map(_is_composite, known)) else (new_standing(Objective.CONFORMANCE, start),)
    )
    return _with_composite(known + composite, moved, kept, at=start, now=at)


def interrupt_all(
    standings: Iterable[Standing], *, since: datetime, to: datetime
) -> tuple[tuple[Standing, ...], tuple[LedgerEntry, ...]]:
    """Record for all objectives of a product, and their composite, that nothing was observed."""
    known = tuple(standings)
    moved = [
        interrupt(standing, since=since, to=to) for standing in known if not _is_composite(standing)
    ]
    return _with_composite(known, moved, tuple(standing for standing, _ in moved), at=to)


def composite_intervals(
    lines: Iterable[Sequence[Interval]], *, start: datetime, end: datetime
) -> tuple[Interval, ...]:
    """Combine the intervals of several objectives over `[start, end)`.

    At each instant it is bad if any line is bad, else unknown if any is unknown or none says
    anything, else good; excluded only if all are excluded.
    """
    pieces = [piece for line in lines for piece in line if piece.start < end and piece.end > start]
    cuts = {start, end}
    for piece in pieces:
        cuts |= {max(piece.start, start), min(piece.end, end)}
    ordered = sorted(cuts)
    return merge_intervals(
        Interval(left, right, _worst({p.state for p in pieces if p.start <= left < p.end}))
        for left, right in pairwise(ordered)
    )


def next_transition_at(standings: Iterable[Standing]) -> datetime | None:
    """Return the next instant at which a good objective turns bad without a run, or None.

    At the instant itself the promise is still kept (an age limit includes its end): a run that
    confirms the breach has to start later than it.
    """
    turns = (
        standing.stale_at
        for standing in standings
        if standing.stale_at is not None
        and standing.objective is not Objective.CONFORMANCE
        and standing.observed_at < standing.stale_at < standing.horizon
    )
    return min(turns, default=None)


def merge_intervals(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Join neighbours in the same state; the intervals are in order and do not overlap."""
    joined: list[Interval] = []
    for interval in intervals:
        last = joined[-1] if joined else None
        if last is not None and last.end == interval.start and last.state is interval.state:
            joined[-1] = Interval(last.start, interval.end, last.state)
        else:
            joined.append(interval)
    return tuple(joined)


def _forecast(standing: Standing) -> Sequence[tuple[datetime | None, ObjectiveState]]:
    """Return the states to come, each with its end; the last one has none."""
    until_horizon: list[tuple[datetime | None, ObjectiveState]]
    turn = standing.stale_at
    if turn is not None and turn < standing.horizon and standing.state in _CAN_TURN_BAD:
        until_horizon = [(turn, standing.state), (standing.horizon, ObjectiveState.BAD)]
    else:
        until_horizon = [(standing.horizon, standing.state)]
    return [*until_horizon, (None, ObjectiveState.UNKNOWN)]


def _state_from(standing: Standing, at: datetime) -> ObjectiveState:
    for end, state in _forecast(standing):
        if end is None or at < end:
            return state
    return ObjectiveState.UNKNOWN


def _is_unchanged(closed: Sequence[Interval], standing: Standing, state: ObjectiveState) -> bool:
    """Return whether the state was the same over the closed time."""
    return len(closed) == 1 and closed[0].state is state and state is standing.state


def _with_present_state(observed: Standing, before: Standing) -> Standing:
    """Set the present state and its beginning: the former one if the state is the same."""
    start = observed.observed_at
    state = _state_from(observed, start)
    since = min(before.since, start) if state is before.state else start
    stale_at = observed.stale_at if state is ObjectiveState.GOOD else None
    return replace(observed, state=state, since=since, stale_at=stale_at)


def _is_composite(standing: Standing) -> bool:
    return standing.objective is Objective.CONFORMANCE


def _worst(states: set[ObjectiveState]) -> ObjectiveState:
    if not states:
        return ObjectiveState.UNKNOWN
    return next((state for state in _WORST_FIRST if state in states), ObjectiveState.EXCLUDED)


def _with_composite(
    known: tuple[Standing, ...],
    moved: Iterable[_Advanced],
    kept: tuple[Standing, ...],
    *,
    at: datetime,
    now: datetime | None = None,
) -> tuple[tuple[Standing, ...], tuple[LedgerEntry, ...]]:
    """Add the composite of the objectives to their standings and to the closed intervals.

    Time is closed up to `at`; the present state is that at `now`, which is earlier only if the
    clock was set back.
    """
    closed = {standing.objective: intervals for standing, intervals in moved}
    entries = [
        LedgerEntry(objective, interval)
        for objective, intervals in closed.items()
        for interval in intervals
    ]
    composite = next(filter(_is_composite, known), None)
    if composite is None:
        return kept, tuple(entries)
    start = composite.accrued_until
    to = max(start, at)
    shared = composite_intervals(closed.values(), start=start, end=to) if to > start else ()
    entries += [LedgerEntry(Objective.CONFORMANCE, interval) for interval in shared]
    later = _composite_standing(composite, shared, kept, at=to if now is None else now)
    return (*kept, replace(later, accrued_until=to)), tuple(entries)


def _composite_standing(
    composite: Standing,
    shared: tuple[Interval, ...],
    parts: tuple[Standing, ...],
    *,
    at: datetime,
) -> Standing:
    """Return the composite's standing at `at`, from the forecasts of its parts."""
    end = max((at, *(part.horizon for part in parts))) + timedelta(seconds=1)
    forecast = composite_intervals(
        (_forecast_intervals(part, at, end) for part in parts), start=at, end=end
    )
    state = forecast[0].state
    turn = None if state is ObjectiveState.BAD else _first(ObjectiveState.BAD, forecast)
    known = forecast[1:] if state is ObjectiveState.UNKNOWN else forecast
    blind = _first(ObjectiveState.UNKNOWN, known) or at
    return replace(
        composite,
        state=state,
        since=_composite_since(composite, shared, state, at=at),
        observed_at=max((part.observed_at for part in parts), default=composite.observed_at),
        horizon=blind,
        stale_at=turn if turn is not None and turn < blind else None,
    )


def _first(state: ObjectiveState, intervals: Iterable[Interval]) -> datetime | None:
    return next((interval.start for interval in intervals if interval.state is state), None)


def _composite_since(
    composite: Standing, shared: tuple[Interval, ...], state: ObjectiveState, *, at: datetime
) -> datetime:
    """Return when the present state of the composite began."""
    if not shared:
        return min(composite.since, at) if state is composite.state else at
    if shared[-1].state is not state:
        return at
    unchanged = len(shared) == 1 and composite.state is state
    return composite.since if unchanged else shared[-1].start
