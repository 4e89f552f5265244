"""Budgets, compliance and targets."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slo_values import (
    BAD,
    CONFORMANCE,
    EXCLUDED,
    FRESHNESS,
    GOOD,
    SCHEMA,
    UNKNOWN,
    at,
    line,
    span,
    standing,
)

from contractwatch.model.base.objective import Budget, Interval, StateSeconds, Target
from contractwatch.model.record.product import LedgerLine
from contractwatch.slo.budget import (
    Compliance,
    budget_of,
    compliance_of,
    intervals_of,
    seconds_in,
    total_seconds,
    union_seconds,
)
from contractwatch.slo.targets import targets_of

DAY = 86_400


def history(*intervals: Interval, horizon: float = 0) -> LedgerLine:
    """Return a line whose standing goes on, as good, from the last interval to the horizon."""
    end = (intervals[-1].end - at(0)).total_seconds()
    return line(standing(SCHEMA, start=end, horizon=max(horizon, end)), *intervals)


def test_time_that_is_not_closed_yet_counts() -> None:
    known = history(span(0, 60, BAD), horizon=100)
    assert seconds_in(known, start=at(30), end=at(130)) == StateSeconds(good=40, bad=30, unknown=30)
    assert total_seconds(known, now=at(80)) == StateSeconds(good=20, bad=60)


def test_time_before_the_line_began_is_none() -> None:
    assert seconds_in(history(span(0, 60, GOOD)), start=at(-100), end=at(60)) == StateSeconds(60)


def test_the_budget_is_what_the_target_leaves_of_the_known_time() -> None:
    known = history(
        span(0, 990, GOOD), span(990, 995, BAD), span(995, 1500, UNKNOWN), span(1500, 1505, GOOD)
    )
    budget = budget_of(known, Target(SCHEMA, 0.99), now=at(1505))
    assert budget.allowed_seconds == pytest.approx(10)
    assert budget.spent_seconds == 5
    assert budget.remaining_ratio == pytest.approx(0.5)


def test_a_budget_says_whose_it_is_and_what_it_was_made_from() -> None:
    target = Target(SCHEMA, 0.75, is_default=False)
    known = history(span(0, 6, GOOD), span(6, 8, BAD), span(8, 9, UNKNOWN))
    assert budget_of(known, target, now=at(9)) == Budget(
        target, StateSeconds(6, 2, 1), remaining_ratio=0, spent_seconds=2, allowed_seconds=2
    )


def test_a_budget_can_be_overspent() -> None:
    known = history(span(0, 960, GOOD), span(960, 1000, BAD))
    remaining = budget_of(known, Target(SCHEMA, 0.99), now=at(1000)).remaining_ratio
    assert remaining == pytest.approx(-3)


def test_without_knowledge_there_is_no_remaining_ratio() -> None:
    known = history(span(0, 500, UNKNOWN), span(500, 600, EXCLUDED))
    budget = budget_of(known, Target(SCHEMA), now=at(600))
    assert (budget.remaining_ratio, budget.allowed_seconds) == (None, 0)


def test_only_the_window_counts_and_at_most_90_days() -> None:
    known = history(span(0, 20 * DAY, BAD), span(20 * DAY, 100 * DAY, GOOD))
    month = budget_of(known, Target(SCHEMA, 0.9), now=at(100 * DAY))
    assert month.seconds == StateSeconds(good=28 * DAY)
    year = Target(SCHEMA, 0.9, timedelta(days=365))
    assert budget_of(known, year, now=at(100 * DAY)).seconds.bad == 10 * DAY


def test_compliance_lies_between_unknown_as_bad_and_unknown_as_good() -> None:
    known = history(span(0, 90, GOOD), span(90, 95, BAD), span(95, 100, UNKNOWN))
    found = compliance_of(known, Target(SCHEMA, 0.9), now=at(100))
    assert (found.low, found.point, found.high) == (0.90, 90 / 95, 0.95)
    assert (found.known_share, found.met, found.verdict) == (0.95, True, "met")


def test_a_missed_target_is_missed() -> None:
    found = compliance_of(
        history(span(0, 50, GOOD), span(50, 100, BAD)), Target(SCHEMA), now=at(100)
    )
    assert found.verdict == "missed"


@pytest.mark.parametrize(("known", "verdict"), [(89, "insufficient data"), (90, "met")])
def test_less_than_nine_tenths_known_is_insufficient_never_met(known: int, verdict: str) -> None:
    found = compliance_of(
        history(span(0, known, GOOD), span(known, 100, UNKNOWN)), Target(SCHEMA), now=at(100)
    )
    assert found.verdict == verdict


def test_no_time_at_all_is_insufficient_data() -> None:
    found = compliance_of(line(standing(SCHEMA)), Target(SCHEMA), now=at(0))
    assert (found.point, found.verdict) == (None, "insufficient data")


def test_a_promise_without_a_target_has_the_default_and_says_so() -> None:
    declared = Target(SCHEMA, 0.995, timedelta(days=7), is_default=False)
    assert targets_of((declared,), frozenset({SCHEMA, FRESHNESS})) == (
        Target(FRESHNESS),
        declared,
        Target(CONFORMANCE),
    )


def test_of_two_targets_the_stricter_stands_and_one_without_a_promise_is_left_out() -> None:
    loose, strict = Target(SCHEMA, 0.9, is_default=False), Target(SCHEMA, 0.99, is_default=False)
    declared = (strict, loose, Target(FRESHNESS, 0.5))
    assert targets_of(declared, frozenset({SCHEMA})) == (strict, Target(CONFORMANCE))


@pytest.mark.parametrize(
    ("pieces", "seconds"),
    [
        ([], 0),
        ([(0, 10)], 10),
        ([(0, 10), (20, 25)], 15),
        ([(0, 10), (10, 25)], 25),
        ([(0, 10), (5, 25)], 25),
        ([(20, 25), (0, 10)], 15),
        ([(0, 100), (10, 20), (30, 40)], 100),
        ([(0, 100), (10, 20), (90, 110)], 110),
        ([(0, 10), (0, 10), (0, 10)], 10),
        ([(0, 30), (0, 10), (20, 40)], 40),
        ([(-5, 0), (7, 7), (8, 9)], 6),
        ([(0, 1.5), (1, 1.75)], 1.75),
    ],
)
def test_seconds_that_overlap_count_once(pieces: list[tuple[float, float]], seconds: float) -> None:
    states = (BAD, GOOD, UNKNOWN)
    intervals = [span(*piece, states[index % 3]) for index, piece in enumerate(pieces)]
    assert union_seconds(iter(intervals)) == seconds


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)), max_size=8))
def test_the_union_is_every_second_that_lies_in_some_interval(
    pieces: list[tuple[int, int]],
) -> None:
    covered = {second for start, length in pieces for second in range(start, start + length)}
    intervals = [span(start, start + length, BAD) for start, length in pieces]
    assert union_seconds(intervals) == len(covered)


def test_intervals_are_cut_to_what_is_asked() -> None:
    known = history(span(0, 20, GOOD), span(20, 60, BAD), horizon=100)
    assert intervals_of(known, start=at(20), end=at(60)) == (span(20, 60, BAD),)
    assert intervals_of(known, start=at(19), end=at(61)) == (
        span(19, 20, GOOD),
        span(20, 60, BAD),
        span(60, 61, GOOD),
    )
    assert intervals_of(known, start=at(60), end=at(60)) == ()


def test_a_compliance_says_all_that_is_known() -> None:
    nothing = compliance_of(line(standing(SCHEMA)), Target(SCHEMA), now=at(0))
    assert nothing == Compliance(None, None, None, known_share=0.0, met=None)
    blind = compliance_of(history(span(0, 100, UNKNOWN)), Target(SCHEMA), now=at(100))
    assert blind == Compliance(0, None, 1, known_share=0, met=None)
    away = compliance_of(history(span(0, 100, EXCLUDED)), Target(SCHEMA), now=at(100))
    assert away == nothing


def test_a_target_that_is_just_reached_is_met() -> None:
    known = history(span(0, 75, GOOD), span(75, 100, BAD))
    assert compliance_of(known, Target(SCHEMA, 0.75), now=at(100)).met is True
    assert compliance_of(known, Target(SCHEMA, 0.7500001), now=at(100)).met is False


def test_all_states_are_counted_apart() -> None:
    known = history(span(0, 1, GOOD), span(1, 3, BAD), span(3, 7, UNKNOWN), span(7, 15, EXCLUDED))
    assert seconds_in(known, start=at(0), end=at(15)) == StateSeconds(1, 2, 4, 8)
