"""The ledger: every second in one state, added in steps or at once, never rewritten."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slo_values import (
    BAD,
    COMPLETENESS,
    CONFORMANCE,
    EXCLUDED,
    FRESHNESS,
    GOOD,
    SCHEMA,
    UNKNOWN,
    at,
    observed,
    span,
    standing,
)

from contractwatch.model.base.objective import Interval, Objective, ObjectiveState, Standing
from contractwatch.model.record.product import LedgerEntry
from contractwatch.model.record.run import Observation
from contractwatch.slo.ledger import (
    advance,
    advance_all,
    apply_observation,
    apply_observations,
    as_of,
    composite_intervals,
    horizon_of,
    interrupt,
    interrupt_all,
    merge_intervals,
    new_standing,
    next_transition_at,
    open_intervals,
    state_at,
)

STATES = st.sampled_from([GOOD, BAD, UNKNOWN])
MODEST = settings(max_examples=60, deadline=None)


def test_the_horizon_is_two_intervals_or_an_interval_and_the_grace() -> None:
    assert horizon_of(at(0), interval_seconds=60, grace=timedelta(0)) == at(120)
    assert horizon_of(at(0), interval_seconds=60, grace=timedelta(seconds=300)) == at(360)


def test_a_new_objective_is_unknown() -> None:
    closed = advance(new_standing(SCHEMA, at(0)), at(10))
    assert closed[1] == (span(0, 10, UNKNOWN),)
    assert closed[0].since == at(0)


def test_fresh_data_is_good_until_it_goes_stale_then_bad_until_the_horizon_then_unknown() -> None:
    later, closed = advance(standing(stale=30, horizon=100), at(150))
    assert closed == (span(0, 30, GOOD), span(30, 100, BAD), span(100, 150, UNKNOWN))
    assert (later.state, later.since, later.accrued_until) == (UNKNOWN, at(100), at(150))
    assert later.stale_at is None


def test_data_that_goes_stale_after_the_horizon_is_unknown_from_the_horizon() -> None:
    assert open_intervals(standing(stale=200, horizon=100), at(150)) == (
        span(0, 100, GOOD),
        span(100, 150, UNKNOWN),
    )


def test_a_run_that_confirms_stale_data_does_not_move_the_stale_instant() -> None:
    later, closed = apply_observation(
        standing(stale=30, horizon=100), observed(FRESHNESS, BAD), at=at(60), horizon=at(160)
    )
    assert closed == (span(0, 30, GOOD), span(30, 60, BAD))
    assert (later.state, later.since) == (BAD, at(30))


def test_data_found_fresh_again_is_good_from_that_run_on() -> None:
    later, closed = apply_observation(
        standing(stale=30, horizon=100),
        observed(FRESHNESS, GOOD, stale=90),
        at=at(60),
        horizon=at(160),
    )
    assert closed == (span(0, 30, GOOD), span(30, 60, BAD))
    assert (later.state, later.since, later.stale_at) == (GOOD, at(60), at(90))


def test_a_confirmed_state_keeps_the_date_it_began() -> None:
    later, _ = apply_observation(standing(SCHEMA), observed(SCHEMA), at=at(50), horizon=at(150))
    assert (later.since, later.observed_at, later.horizon) == (at(0), at(50), at(150))


def test_good_again_after_an_unknown_gap_is_good_since_the_new_run() -> None:
    later, _ = apply_observation(
        standing(SCHEMA, horizon=20), observed(SCHEMA), at=at(50), horizon=at(150)
    )
    assert later.since == at(50)


def test_a_state_turns_exactly_at_its_instant() -> None:
    known = standing(stale=30, horizon=100)
    assert [state_at(known, at(s)) for s in (29, 30, 99, 100)] == [GOOD, BAD, BAD, UNKNOWN]
    assert advance(known, at(30))[0].state is BAD
    assert advance(known, at(100))[0].since == at(100)


def test_a_clock_set_back_closes_nothing_and_an_observation_holds_no_longer_than_ever() -> None:
    known = advance(standing(SCHEMA, horizon=500), at(100))[0]
    assert advance(known, at(40)) == (known, ())
    later, closed = apply_observation(known, observed(SCHEMA, BAD), at=at(40), horizon=at(140))
    assert closed == ()
    assert (later.state, later.accrued_until, later.horizon) == (BAD, at(100), at(140))
    assert later.observed_at == at(40)
    assert [as_of(later, at(s)).state for s in (39, 40, 99, 139, 140, 600)] == [
        *(UNKNOWN, BAD, BAD, BAD, UNKNOWN, UNKNOWN)
    ]


def test_an_interruption_after_a_clock_was_set_back_closes_nothing_and_ends_what_was_known() -> (
    None
):
    ahead = apply_observation(standing(SCHEMA), observed(SCHEMA), at=at(900), horizon=at(1000))[0]
    back = apply_observation(ahead, observed(SCHEMA), at=at(10), horizon=at(110))[0]
    later, closed = interrupt(back, since=at(20), to=at(60))
    assert closed == ()
    assert {as_of(later, at(s)).state for s in (60, 100, 899, 950)} == {UNKNOWN}
    assert later.since == at(60)


def test_what_was_found_while_the_clock_was_ahead_is_unknown_until_that_time_comes() -> None:
    ahead = apply_observation(
        standing(SCHEMA), observed(SCHEMA), at=at(86_400), horizon=at(86_500)
    )[0]
    assert as_of(ahead, at(8)).state is UNKNOWN
    assert as_of(ahead, at(8)).since <= at(8)
    assert as_of(ahead, at(86_400)).state is GOOD


def test_a_state_that_turns_after_a_clock_was_set_back_is_woken_for() -> None:
    ahead = apply_observation(
        standing(FRESHNESS), observed(FRESHNESS), at=at(900), horizon=at(1000)
    )[0]
    back, _ = apply_observation(ahead, observed(FRESHNESS, stale=50), at=at(10), horizon=at(110))
    assert next_transition_at([back]) == at(50)
    assert [as_of(back, at(s)).state for s in (49, 50, 110)] == [GOOD, BAD, UNKNOWN]


def test_time_in_which_the_agent_was_down_is_unknown_even_for_stale_data() -> None:
    later, closed = interrupt(standing(stale=30, horizon=1000), since=at(20), to=at(80))
    assert closed == (span(0, 20, GOOD), span(20, 80, UNKNOWN))
    assert (later.state, later.since) == (UNKNOWN, at(20))
    assert state_at(later, at(500)) is UNKNOWN


def test_closed_time_is_not_rewritten_by_an_interruption() -> None:
    known = advance(standing(SCHEMA, horizon=500), at(50))[0]
    assert interrupt(known, since=at(20), to=at(80))[1] == (span(50, 80, UNKNOWN),)


def test_the_next_wake_is_the_first_stale_instant_before_its_horizon() -> None:
    known = [
        standing(FRESHNESS, stale=70),
        standing(Objective.VALIDITY, stale=40),
        standing(SCHEMA),
        standing(COMPLETENESS, stale=10, horizon=5),
        standing(CONFORMANCE, stale=1),
    ]
    assert next_transition_at(known) == at(40)
    assert next_transition_at([standing(SCHEMA)]) is None


def test_the_composite_is_as_bad_as_its_worst_part() -> None:
    lines = [
        (span(0, 20, GOOD), span(20, 40, BAD)),
        (span(0, 10, UNKNOWN), span(10, 30, GOOD), span(30, 40, UNKNOWN)),
    ]
    assert composite_intervals(lines, start=at(0), end=at(40)) == (
        span(0, 10, UNKNOWN),
        span(10, 20, GOOD),
        span(20, 40, BAD),
    )


def test_the_composite_is_excluded_only_if_every_part_is() -> None:
    lines = [(span(0, 20, EXCLUDED),), (span(0, 10, EXCLUDED), span(10, 20, GOOD))]
    assert composite_intervals(lines, start=at(0), end=at(20)) == (
        span(0, 10, EXCLUDED),
        span(10, 20, GOOD),
    )


def test_the_composite_of_nothing_is_unknown() -> None:
    assert composite_intervals([], start=at(0), end=at(5)) == (span(0, 5, UNKNOWN),)


def test_one_run_starts_every_promised_line_and_the_composite() -> None:
    standings, entries = apply_observations(
        (),
        [observed(FRESHNESS, stale=30), observed(SCHEMA)],
        promised=frozenset({FRESHNESS, SCHEMA}),
        at=at(0),
        horizon=at(100),
    )
    assert entries == ()
    assert [s.objective for s in standings] == [FRESHNESS, SCHEMA, CONFORMANCE]
    assert open_intervals(standings[2], at(120)) == (
        span(0, 30, GOOD),
        span(30, 100, BAD),
        span(100, 120, UNKNOWN),
    )


def test_a_promise_that_no_run_speaks_of_is_unknown() -> None:
    standings, _ = apply_observations(
        (), [observed(SCHEMA)], promised=frozenset({FRESHNESS, SCHEMA}), at=at(0), horizon=at(9)
    )
    assert [s.state for s in standings] == [UNKNOWN, GOOD, UNKNOWN]


def test_an_objective_promised_no_longer_is_closed_and_left_out() -> None:
    first, _ = apply_observations(
        (),
        [observed(FRESHNESS, BAD), observed(SCHEMA)],
        promised=frozenset({FRESHNESS, SCHEMA}),
        at=at(0),
        horizon=at(100),
    )
    later, entries = apply_observations(
        first, [observed(SCHEMA)], promised=frozenset({SCHEMA}), at=at(10), horizon=at(110)
    )
    assert [s.objective for s in later] == [SCHEMA, CONFORMANCE]
    assert set(entries) == {
        LedgerEntry(FRESHNESS, span(0, 10, BAD)),
        LedgerEntry(SCHEMA, span(0, 10, GOOD)),
        LedgerEntry(CONFORMANCE, span(0, 10, BAD)),
    }
    assert (later[1].state, later[1].since) == (GOOD, at(10))


def test_an_interrupted_product_is_unknown_as_a_whole() -> None:
    known, _ = apply_observations(
        (), [observed(SCHEMA)], promised=frozenset({SCHEMA}), at=at(0), horizon=at(500)
    )
    later, entries = interrupt_all(known, since=at(30), to=at(90))
    assert [e.interval for e in entries if e.objective is CONFORMANCE] == [
        span(0, 30, GOOD),
        span(30, 90, UNKNOWN),
    ]
    assert {(s.state, s.since, s.accrued_until) for s in later} == {(UNKNOWN, at(30), at(90))}


STANDINGS = st.builds(
    standing,
    state=STATES,
    start=st.integers(0, 20),
    horizon=st.integers(20, 80),
    stale=st.none() | st.integers(21, 90),
)


@MODEST
@given(STANDINGS, st.lists(st.integers(0, 120), max_size=6))
def test_advancing_in_steps_closes_the_same_time_as_advancing_once(
    known: Standing, steps: list[int]
) -> None:
    once, whole = advance(known, at(120))
    pieces: list[Interval] = []
    current = known
    for step in [*steps, 120]:
        current, closed = advance(current, at(step))
        pieces += closed
    assert merge_intervals(pieces) == whole
    assert current == once
    assert all(piece.end > piece.start for piece in pieces)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, ObjectiveState, int, int]]:
    """Runs at rising seconds: (at, state, seconds to staleness, seconds to the horizon)."""
    instants = sorted(draw(st.sets(st.integers(1, 100), min_size=1, max_size=7)))
    return [
        (second, draw(STATES), draw(st.integers(1, 40)), draw(st.integers(1, 60)))
        for second in instants
    ]


def _oracle(history: list[tuple[int, ObjectiveState, int, int]], second: int) -> ObjectiveState:
    """Return the state in `[second, second + 1)` by looking at the last run only."""
    past = [run for run in history if run[0] <= second]
    if not past:
        return UNKNOWN
    start, state, stale, horizon = past[-1]
    if second >= start + horizon:
        return UNKNOWN
    return BAD if state is GOOD and second >= start + stale else state


@MODEST
@given(histories())
def test_freshness_agrees_with_a_clock_that_looks_every_second(
    history: list[tuple[int, ObjectiveState, int, int]],
) -> None:
    current = new_standing(FRESHNESS, at(0))
    pieces: list[Interval] = []
    for second, state, stale, horizon in history:
        current, closed = apply_observation(
            current,
            observed(FRESHNESS, state, stale=second + stale),
            at=at(second),
            horizon=at(second + horizon),
        )
        pieces += closed
    pieces += advance(current, at(150))[1]
    assert _by_second(pieces) == [_oracle(history, second) for second in range(150)]


@MODEST
@given(histories(), st.lists(st.tuples(STATES, STATES), min_size=7, max_size=7), st.data())
def test_the_composite_agrees_with_a_clock_that_looks_every_second(
    history: list[tuple[int, ObjectiveState, int, int]],
    others: list[tuple[ObjectiveState, ObjectiveState]],
    data: st.DataObject,
) -> None:
    promised = frozenset({FRESHNESS, SCHEMA, COMPLETENESS})
    standings = tuple(new_standing(o, at(0)) for o in (*sorted(promised), CONFORMANCE))
    entries: list[LedgerEntry] = []
    for (second, state, stale, horizon), (schema, completeness) in zip(
        history, others, strict=False
    ):
        if data.draw(st.booleans()):
            standings, closed = advance_all(standings, at(second - 0.5))
            entries += closed
        observations: list[Observation] = [
            observed(FRESHNESS, state, stale=second + stale),
            observed(SCHEMA, schema),
            observed(COMPLETENESS, completeness),
        ]
        standings, closed = apply_observations(
            standings, observations, promised=promised, at=at(second), horizon=at(second + horizon)
        )
        entries += closed
    foreseen = _by_second(open_intervals(standings[-1], at(150)))
    entries += advance_all(standings, at(150))[1]
    lines = {
        o: _by_second([e.interval for e in entries if e.objective is o])
        for o in (*promised, CONFORMANCE)
    }
    expected = [_worst({lines[o][second] for o in promised}) for second in range(150)]
    assert lines[CONFORMANCE] == expected
    assert foreseen == expected[150 - len(foreseen) :]


@MODEST
@given(histories(), st.integers(0, 110), st.integers(0, 40))
def test_a_line_has_no_gap_and_no_overlap_whatever_happens(
    history: list[tuple[int, ObjectiveState, int, int]], down: int, length: int
) -> None:
    current = new_standing(SCHEMA, at(0))
    pieces: list[Interval] = []
    for second, state, stale, horizon in history:
        current, closed = apply_observation(
            current,
            observed(SCHEMA, state, stale=second + stale),
            at=at(second - 7),
            horizon=at(second + horizon),
        )
        pieces += closed
        current, closed = interrupt(current, since=at(down), to=at(down + length))
        pieces += closed
    assert all(piece.seconds > 0 for piece in pieces)
    assert all(left.end == right.start for left, right in pairwise(pieces))
    assert sum(piece.seconds for piece in pieces) == (current.accrued_until - at(0)).total_seconds()


def _worst(states: set[ObjectiveState]) -> ObjectiveState:
    return next(state for state in (BAD, UNKNOWN, GOOD) if state in states)


def _by_second(intervals: list[Interval] | tuple[Interval, ...]) -> list[ObjectiveState]:
    """Return the state of each whole second that the intervals cover from end to end."""
    found: list[ObjectiveState] = []
    for interval in merge_intervals(intervals):
        found += [interval.state] * round(interval.seconds)
    return found


@dataclass
class _Looked:
    """The last look, by the clock that it was dated with, and what was found."""

    at: int
    found: dict[Objective, ObjectiveState]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("run", "restart", "wait")),
            st.integers(-2000, 2000) | st.just(0) | st.just(86_400) | st.just(-86_400),
            st.integers(0, 90),
            STATES,
            STATES,
        ),
        max_size=12,
    )
)
def test_whatever_the_clock_does_a_state_is_known_only_from_its_look_to_its_horizon(
    steps: list[tuple[str, int, int, ObjectiveState, ObjectiveState]],
) -> None:
    """And no second is closed twice, though the clock shows it again."""
    wall, lasts = 100_000, 100
    last: _Looked | None = None
    standings: tuple[Standing, ...] = ()
    ends: dict[Objective, datetime] = {}
    for act, jump, passed, schema, fresh in steps:
        wall += jump + passed
        entries: tuple[LedgerEntry, ...] = ()
        if act == "run":
            found = {SCHEMA: schema, FRESHNESS: fresh}
            standings, entries = apply_observations(
                standings,
                [observed(objective, state) for objective, state in found.items()],
                promised=frozenset(found),
                at=at(wall),
                horizon=at(wall + lasts),
            )
            last = _Looked(wall, found)
        elif act == "restart":
            standings, entries = interrupt_all(standings, since=at(wall - passed), to=at(wall))
            last = None
        for entry in entries:
            start = ends.get(entry.objective, entry.interval.start)
            assert entry.interval.start >= start
            ends[entry.objective] = entry.interval.end
        for now in (wall, wall + 1, wall + lasts - 1, wall + lasts, wall - 1, wall - 86_400):
            _assert_known_by_its_look_only(standings, last, now, lasts=lasts, wall=wall)


def _assert_known_by_its_look_only(
    standings: tuple[Standing, ...], last: _Looked | None, now: int, *, lasts: int, wall: int
) -> None:
    seen = {one.objective: as_of(one, at(now)) for one in standings}
    assert all(one.since <= at(now) for one in seen.values())
    if last is not None and last.at <= now < last.at + lasts:
        assert {name: seen[name].state for name in last.found} == last.found
        parts = set(last.found.values())
        assert seen[CONFORMANCE].state is next(one for one in (BAD, UNKNOWN, GOOD) if one in parts)
    elif now >= wall - 1:
        assert {one.state for one in seen.values()} <= {UNKNOWN}


# --- the standing as a whole, where two instants meet


@pytest.mark.parametrize(
    ("stale", "horizon", "to", "kept"),
    [
        (60, 100, 59, 60),
        (60, 100, 60, None),
        (60, 100, 61, None),
        (60, 100, 100, None),
        (150, 100, 99, 150),
        (150, 100, 100, None),
        (150, 100, 120, None),
        (None, 100, 50, None),
    ],
)
def test_a_stale_instant_is_kept_only_while_it_is_to_come_and_something_is_known(
    stale: float | None, horizon: float, to: float, kept: float | None
) -> None:
    moved, _ = advance(standing(FRESHNESS, GOOD, stale=stale, horizon=horizon), at(to))
    assert moved.stale_at == (None if kept is None else at(kept))


def test_a_state_that_comes_back_is_dated_from_its_return() -> None:
    blind = standing(CONFORMANCE, UNKNOWN, stale=30, horizon=50, since=-10)
    moved, closed = advance(blind, at(80))
    assert closed == (span(0, 30, UNKNOWN), span(30, 50, BAD), span(50, 80, UNKNOWN))
    assert (moved.state, moved.since) == (UNKNOWN, at(50))


def test_what_had_turned_before_the_closed_time_is_bad_since_its_start() -> None:
    turned = standing(FRESHNESS, GOOD, stale=-5, horizon=50, since=-10)
    moved, closed = advance(turned, at(10))
    assert closed == (span(0, 10, BAD),)
    assert (moved.state, moved.since, moved.stale_at) == (BAD, at(0), None)


@pytest.mark.parametrize(
    ("now", "state", "since"),
    [(5, UNKNOWN, 5), (10, GOOD, 10), (109, GOOD, 109), (110, UNKNOWN, 110), (200, UNKNOWN, 110)],
)
def test_after_a_clock_was_set_back_the_present_state_is_dated_by_the_clock_of_now(
    now: float, state: ObjectiveState, since: float
) -> None:
    ahead = replace(standing(SCHEMA, start=500, horizon=110), observed_at=at(10))
    found = as_of(ahead, at(now))
    # what holds is never dated later than now
    assert (found.state, found.since) == (state, at(since))


@pytest.mark.parametrize(
    ("state", "stale", "now", "kept"),
    [
        (GOOD, 60, GOOD, 60),
        (GOOD, -5, BAD, None),
        (GOOD, 0, BAD, None),
        (GOOD, None, GOOD, None),
        (BAD, 60, BAD, None),
        (UNKNOWN, 60, UNKNOWN, None),
        (UNKNOWN, -5, UNKNOWN, None),
    ],
)
def test_only_what_is_good_has_an_instant_at_which_it_turns(
    state: ObjectiveState, stale: float | None, now: ObjectiveState, kept: float | None
) -> None:
    told = Observation(FRESHNESS, state, stale_at=None if stale is None else at(stale))
    heard, _ = apply_observation(new_standing(FRESHNESS, at(0)), told, at=at(0), horizon=at(100))
    assert heard == Standing(
        objective=FRESHNESS,
        state=now,
        since=at(0),
        observed_at=at(0),
        accrued_until=at(0),
        horizon=at(100),
        stale_at=None if kept is None else at(kept),
    )


def test_an_interruption_of_time_that_is_closed_keeps_since_when_nothing_was_known() -> None:
    for state, since in ((UNKNOWN, -30), (GOOD, 20), (BAD, 20)):
        known = standing(SCHEMA, state, start=500, horizon=600, since=-30, stale=550)
        blind, closed = interrupt(known, since=at(10), to=at(20))
        assert closed == ()
        assert blind == replace(
            known, state=UNKNOWN, since=at(since), horizon=at(20), stale_at=None
        )


def test_a_product_that_promises_nothing_any_more_is_unknown_from_then_on() -> None:
    known = (standing(SCHEMA, GOOD), standing(CONFORMANCE, GOOD))
    lines, entries = apply_observations(known, [], promised=frozenset(), at=at(30), horizon=at(130))
    assert [(one.objective, one.state, one.observed_at, one.stale_at) for one in lines] == [
        (CONFORMANCE, UNKNOWN, at(0), None)
    ]
    assert {(one.objective, one.interval) for one in entries} == {
        (SCHEMA, span(0, 30, GOOD)),
        (CONFORMANCE, span(0, 30, GOOD)),
    }


def test_a_composite_that_is_not_known_first_has_no_turn() -> None:
    known = (
        standing(SCHEMA, GOOD, horizon=50),
        standing(FRESHNESS, GOOD, horizon=100, stale=80),
        standing(CONFORMANCE, GOOD, horizon=50),
    )
    (*_, composite), _ = advance_all(known, at(10))
    assert (composite.state, composite.horizon, composite.stale_at) == (GOOD, at(50), None)
    (*_, composite), _ = advance_all(known, at(60))
    assert (composite.state, composite.horizon, composite.stale_at) == (UNKNOWN, at(100), at(80))


def test_the_present_state_turns_at_its_very_instant_also_at_what_is_closed_last() -> None:
    assert as_of(standing(FRESHNESS, GOOD, stale=0, since=-9), at(0)) == replace(
        standing(FRESHNESS, BAD, stale=0), since=at(0)
    )
    kept = standing(FRESHNESS, GOOD, stale=1, since=-9)
    assert as_of(kept, at(0)) == kept


def test_what_lies_outside_of_the_time_that_is_asked_for_leaves_no_trace() -> None:
    lines = [[span(0, 5, BAD), span(5, 15, GOOD), span(25, 30, BAD)], [span(-9, -5, BAD)]]
    assert composite_intervals(lines, start=at(10), end=at(20)) == (
        span(10, 15, GOOD),
        span(15, 20, UNKNOWN),
    )


def test_a_composite_that_is_bad_already_has_no_turn() -> None:
    (*_, composite), _ = apply_observations(
        (),
        [observed(SCHEMA, BAD), observed(FRESHNESS, GOOD, stale=60)],
        promised=frozenset({SCHEMA, FRESHNESS}),
        at=at(0),
        horizon=at(100),
    )
    assert (composite.state, composite.stale_at, composite.horizon) == (BAD, None, at(100))


def test_a_composite_that_is_unknown_again_is_dated_from_its_return() -> None:
    known = (
        standing(SCHEMA, UNKNOWN, horizon=100),
        standing(FRESHNESS, GOOD, horizon=50, stale=30),
        standing(CONFORMANCE, UNKNOWN, horizon=50, since=-10),
    )
    (*_, composite), _ = advance_all(known, at(80))
    assert (composite.state, composite.since) == (UNKNOWN, at(50))
