"""The score ts/1: the published examples to every digit, and the laws of its explanation."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slo_values import (
    BAD,
    COMPLETENESS,
    FRESHNESS,
    GOOD,
    SCHEMA,
    UNKNOWN,
    at,
    line,
    record,
    result,
    run,
    span,
    standing,
)

from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.product import DataVersion
from contractwatch.slo import trust_constants as ts1
from contractwatch.slo.trust import (
    DecayedHours,
    ObjectiveEvidence,
    TrustInput,
    TrustScore,
    decayed_hours,
    effective_versions,
    score,
    trust_of,
    wilson_lower_bound,
)

HOURLY = 1000.0
FULL = 454.4
LAST_48_HOURS = decayed_hours(at(0), at(48 * 3600), now=at(48 * 3600))
DAY = 86_400

ORDERS = {
    Objective.SCHEMA: DecayedHours(451.1, 0, 3.3),
    Objective.FRESHNESS: DecayedHours(424.6, 26.5, 3.3),
    Objective.COMPLETENESS: DecayedHours(446.0, 5.1, 3.3),
    Objective.VALIDITY: DecayedHours(451.1, 0, 3.3),
    Objective.AVAILABILITY: DecayedHours(450.4, 0.7, 3.3),
    Objective.UNIQUENESS: DecayedHours(451.1, 0, 3.3),
}


def scored(
    hours: dict[Objective, DecayedHours],
    *,
    versions: int = 1344,
    n: float = HOURLY,
    states: dict[Objective, ObjectiveState] | None = None,
) -> TrustScore:
    states = states or {}
    evidence = {
        objective: ObjectiveEvidence(given, state=states.get(objective, GOOD))
        for objective, given in hours.items()
    }
    return score(TrustInput(evidence, versions, n))


def perfect(*objectives: Objective) -> dict[Objective, DecayedHours]:
    return dict.fromkeys(objectives, DecayedHours(FULL))


SEVEN = tuple(ts1.WEIGHTS)


def test_the_weights_add_up_to_one() -> None:
    assert sum(ts1.WEIGHTS.values()) == pytest.approx(1)


def test_the_worked_example_agrees_to_every_printed_digit() -> None:
    found = scored(ORDERS)
    printed = {
        part.objective.value: (
            None if part.kept_share is None else f"{part.kept_share:.4f}",
            f"{part.share:.4f}",
            f"{part.effective_weight:.3f}",
            f"{part.points_lost:.2f}",
        )
        for part in found.parts
    }
    assert printed == {
        "schema": ("0.9927", "0.9801", "0.100", "0.19"),
        "freshness": ("0.9344", "0.9083", "0.625", "5.76"),
        "completeness": ("0.9815", "0.9648", "0.100", "0.34"),
        "validity": ("0.9927", "0.9801", "0.075", "0.14"),
        "availability": ("0.9912", "0.9779", "0.050", "0.11"),
        "uniqueness": ("0.9927", "0.9801", "0.025", "0.05"),
        "volume": (None, "0.5000", "0.025", "1.66"),
    }
    assert found.badge == "91.7"
    assert f"{100 - found.uncapped:.2f}" == "8.26"
    assert found.score_version == "ts/1"
    assert found.to_raise.startswith("freshness kept all the time")


def test_the_agent_down_for_48_hours_costs_what_was_published() -> None:
    down = {
        o: DecayedHours(h.good - LAST_48_HOURS, h.bad, h.unknown + LAST_48_HOURS)
        for o, h in ORDERS.items()
    }
    assert f"{scored(down).number:.1f}" == "80.8"
    blind = scored(down, states=dict.fromkeys(ORDERS, UNKNOWN))
    assert (blind.number, f"{blind.uncapped:.1f}") == (69, "80.8")


def test_freshness_kept_a_third_of_the_time_and_then_dropped() -> None:
    third = ORDERS | {FRESHNESS: DecayedHours(0.3 * FULL, 0.7 * FULL)}
    assert f"{scored(third).number:.1f}" == "42.0"
    dropped = {o: h for o, h in ORDERS.items() if o is not FRESHNESS}
    assert f"{scored(dropped).number:.1f}" == "63.2"


@pytest.mark.parametrize(
    ("promised", "n", "number"),
    [
        ((SCHEMA,), HOURLY, "53.5"),
        ((SCHEMA, FRESHNESS, COMPLETENESS), HOURLY, "88.0"),
        (SEVEN, HOURLY, "99.2"),
        (SEVEN, 36, "95.6"),
    ],
)
def test_perfect_records_score_what_was_published(
    promised: tuple[Objective, ...], n: float, number: str
) -> None:
    assert f"{scored(perfect(*promised), n=n).number:.1f}" == number


def test_three_perfect_runs_have_no_number_but_the_badge_new() -> None:
    found = scored(perfect(*ORDERS), versions=3, n=3)
    assert (found.number, found.badge, f"{found.uncapped:.1f}") == (None, "new", "64.2")
    assert found.to_raise == "2 more data versions, to have a number at all"


@pytest.mark.parametrize(
    ("n", "bound"), [(1, ".378"), (5, ".753"), (14, ".895"), (28, ".945"), (100, ".984")]
)
def test_the_bound_of_a_perfect_record_grows_with_the_evidence(n: int, bound: str) -> None:
    assert f"{wilson_lower_bound(1, n):.3f}" == "0" + bound


def test_no_evidence_bounds_nothing() -> None:
    assert wilson_lower_bound(1, 0) == 0
    assert scored(perfect(*SEVEN), versions=0, n=0).uncapped == pytest.approx(1)


def test_a_full_window_weighs_454_hours_and_each_half_life_halves() -> None:
    now = at(0)
    assert f"{decayed_hours(at(-56 * DAY), now, now=now):.1f}" == "454.4"
    assert decayed_hours(at(-90 * DAY), now, now=now) == decayed_hours(at(-56 * DAY), now, now=now)
    assert decayed_hours(at(-90 * DAY), at(-57 * DAY), now=now) == 0
    young = decayed_hours(at(-DAY), now, now=now)
    assert decayed_hours(at(-15 * DAY), at(-14 * DAY), now=now) == pytest.approx(young / 2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 56 * 24), st.integers(0, 56 * 24), st.integers(0, 56 * 24))
def test_decayed_hours_add_up(one: int, two: int, three: int) -> None:
    first, middle, last = (at(-3600 * age) for age in sorted((one, two, three), reverse=True))
    parts = decayed_hours(first, middle, now=at(0)) + decayed_hours(middle, last, now=at(0))
    assert parts == pytest.approx(decayed_hours(first, last, now=at(0)))


def test_evidence_is_the_effective_number_of_distinct_versions() -> None:
    daily = [DataVersion(str(day), at(-day * DAY)) for day in range(56)]
    assert round(effective_versions(daily, now=at(0))) == 36
    repeated = [*daily, *daily]
    assert effective_versions(repeated, now=at(0)) == effective_versions(daily, now=at(0))
    assert effective_versions([DataVersion("old", at(-60 * DAY))], now=at(0)) == 0


def test_evidence_beyond_200_versions_proves_no_more() -> None:
    assert scored(ORDERS, n=200).number == scored(ORDERS, n=5000).number


HOURS = st.builds(
    DecayedHours, st.floats(0, 454), st.floats(0, 454) | st.just(0.0), st.floats(0, 454)
)
EVIDENCE = st.builds(
    ObjectiveEvidence,
    hours=HOURS,
    executed=st.integers(0, 5),
    promised=st.integers(5, 9),
    state=st.sampled_from([GOOD, BAD, UNKNOWN]),
)
INPUTS = st.builds(
    TrustInput,
    evidence=st.dictionaries(st.sampled_from(SEVEN), EVIDENCE),
    data_versions=st.integers(5, 2000),
    effective_versions=st.floats(1, 2000),
)


@settings(max_examples=60, deadline=None)
@given(INPUTS)
def test_the_points_lost_add_up_to_the_loss(given_input: TrustInput) -> None:
    found = score(given_input)
    assert sum(part.points_lost for part in found.parts) == pytest.approx(100 - found.uncapped)
    assert sum(part.effective_weight for part in found.parts) == pytest.approx(1)
    assert found.number is not None
    assert 0 < found.number <= found.uncapped < 100


@settings(max_examples=60, deadline=None)
@given(INPUTS, st.sampled_from(SEVEN))
def test_what_is_not_executed_never_raises_the_score(
    given_input: TrustInput, objective: Objective
) -> None:
    before = given_input.evidence.get(objective)
    if before is None or before.executed == 0:
        return
    fewer = ObjectiveEvidence(before.hours, before.executed - 1, before.promised, before.state)
    less = TrustInput(
        {**given_input.evidence, objective: fewer},
        given_input.data_versions,
        given_input.effective_versions,
    )
    assert score(less).uncapped <= score(given_input).uncapped + 1e-9


@settings(max_examples=60, deadline=None)
@given(INPUTS, st.sampled_from(SEVEN), st.floats(0, 1))
def test_not_measuring_never_helps(
    given_input: TrustInput, objective: Objective, share: float
) -> None:
    before = given_input.evidence.get(objective)
    if before is None:
        return
    hidden = before.hours.good * share
    hours = DecayedHours(
        before.hours.good - hidden, before.hours.bad, before.hours.unknown + hidden
    )
    blind = ObjectiveEvidence(hours, before.executed, before.promised, before.state)
    less = TrustInput(
        {**given_input.evidence, objective: blind},
        given_input.data_versions,
        given_input.effective_versions,
    )
    assert score(less).uncapped <= score(given_input).uncapped + 1e-9


def test_an_objective_of_which_half_the_clauses_run_is_half_no_promise() -> None:
    half = ObjectiveEvidence(DecayedHours(FULL), executed=1, promised=2)
    found = score(TrustInput({SCHEMA: half}, 10, HOURLY))
    schema = next(part for part in found.parts if part.objective is SCHEMA)
    assert schema.share == pytest.approx((wilson_lower_bound(1, 200) + 0.5) / 2)


def test_a_core_breach_now_caps_at_49_and_a_core_unknown_at_69() -> None:
    found = scored(perfect(*SEVEN), states={SCHEMA: BAD, FRESHNESS: UNKNOWN})
    assert found.number == 49
    assert [cap.limit for cap in found.caps] == [49, 69]
    assert found.uncapped == pytest.approx(99.2, abs=0.05)
    assert scored(perfect(*SEVEN), states={Objective.VALIDITY: BAD}).caps == ()


def test_the_record_of_a_product_is_scored_live() -> None:
    now = at(56 * DAY)
    schema = line(
        standing(SCHEMA, start=55 * DAY, horizon=57 * DAY),
        span(0, 50 * DAY, GOOD),
        span(50 * DAY, 55 * DAY, BAD),
    )
    versions = tuple(DataVersion(str(hour), at(hour * 3600)) for hour in range(1344))
    unsupported = result(outcome=Outcome.SKIPPED, reason="unsupported: sql")
    found = trust_of(
        record(schema, last_run=run(result(), unsupported), versions=versions), now=now
    )
    part = next(part for part in found.parts if part.objective is SCHEMA)
    week = decayed_hours(at(50 * DAY), at(55 * DAY), now=now)
    assert part.hours.bad == pytest.approx(week)
    assert part.hours.good == pytest.approx(decayed_hours(at(0), now, now=now) - week)
    assert (part.executed, part.clauses) == (1, 2)
    assert (found.known_share, found.effective_versions) == (1, 200)


def test_a_product_that_was_never_run_is_new() -> None:
    found = trust_of(record(), now=at(0))
    assert (found.number, found.badge, found.known_share) == (None, "new", 0)
    assert timedelta(days=56) == ts1.WINDOW


def test_a_promise_made_this_instant_is_neither_kept_nor_broken() -> None:
    found = scored(ORDERS | {Objective.VOLUME: DecayedHours()})
    assert found.number == scored(ORDERS).number


@pytest.mark.parametrize(
    ("ages", "n"),
    [
        ([0], 1.0),
        ([0, 0, 0, 0], 4.0),
        ([-14], 1.0),
        ([0, 14], 1.5**2 / 1.25),
        ([0, 0, 14], 2.5**2 / 2.25),
        ([0, 14, 14], 2.0**2 / 1.5),
        ([0, 28, 42], 1.375**2 / (1 + 1 / 16 + 1 / 64)),
        ([-28, 14], 1.5**2 / 1.25),  # of what is to come the age is none
        ([0, 56.001], 1.0),
        ([], 0.0),
    ],
)
def test_an_old_version_counts_less_than_a_young_one(ages: list[float], n: float) -> None:
    versions = [DataVersion(str(index), at(-age * DAY)) for index, age in enumerate(ages)]
    assert effective_versions(versions, now=at(0)) == pytest.approx(n)


def test_what_is_known_is_a_share_of_all_hours_of_all_promises() -> None:
    hours = {
        SCHEMA: DecayedHours(10, 20, 30),
        FRESHNESS: DecayedHours(40, 0, 0),
        COMPLETENESS: DecayedHours(0, 5, 95),
    }
    assert scored(hours).known_share == pytest.approx(75 / 200)
    assert scored({SCHEMA: DecayedHours(0.25, 0, 0.25)}).known_share == 0.5
    assert scored({SCHEMA: DecayedHours()}).known_share == 0


@pytest.mark.parametrize(
    ("states", "reasons"),
    [
        ({}, ()),
        ({SCHEMA: BAD}, ("schema breached now: at most 49",)),
        ({FRESHNESS: UNKNOWN}, ("freshness not known now: at most 69",)),
        (
            {COMPLETENESS: BAD, SCHEMA: BAD, FRESHNESS: UNKNOWN},
            (
                "schema, completeness breached now: at most 49",
                "freshness not known now: at most 69",
            ),
        ),
    ],
)
def test_a_cap_says_what_it_is_for(
    states: dict[Objective, ObjectiveState], reasons: tuple[str, ...]
) -> None:
    found = scored(perfect(*SEVEN), states=states)
    assert tuple(cap.reason for cap in found.caps) == reasons
    if reasons:
        assert found.to_raise == f"an end of what caps it: {reasons[0]}"


def test_a_cap_above_the_number_is_not_what_keeps_it_down() -> None:
    poor = perfect(*SEVEN) | {SCHEMA: DecayedHours(1, 99)}
    found = scored(poor, states={SCHEMA: BAD})
    assert found.uncapped < 49
    assert found.to_raise.startswith("schema kept all the time: it was broken 99.0 % of it (up to ")


def test_five_versions_are_enough_for_a_number() -> None:
    enough = scored(perfect(*SEVEN), versions=5, n=5)
    assert enough.number == pytest.approx(enough.uncapped)
    assert enough.to_raise.startswith("more data versions that keep ")
    few = scored(perfect(*SEVEN), versions=4, n=4)
    assert (few.number, few.to_raise) == (None, "1 more data version, to have a number at all")


def test_of_a_promise_without_any_time_yet_more_versions_are_the_advice() -> None:
    found = scored(perfect(*SEVEN) | {SCHEMA: DecayedHours()})
    assert found.to_raise.startswith("more data versions that keep schema (up to ")
    (part,) = (one for one in found.parts if one.objective is SCHEMA)
    assert (part.promised, part.kept_share, part.share) == (True, None, 0.5)


def test_what_is_not_promised_has_no_hours_and_the_advice_is_to_promise_it() -> None:
    found = scored(perfect(*SEVEN[1:]))
    lost = next(part for part in found.parts if not part.promised)
    assert lost.objective is SEVEN[0]
    assert (lost.hours, lost.kept_share, lost.share) == (DecayedHours(), None, 0.5)
    assert (lost.executed, lost.clauses) == (0, 0)
    assert found.to_raise == (
        f"a promise of {SEVEN[0].value} (up to {lost.points_lost:.1f} points)"
    )


def test_a_promise_that_no_run_has_asked_yet_counts_as_one_clause_that_is_executed() -> None:
    found = trust_of(record(line(standing(SCHEMA))), now=at(0))
    (part,) = (one for one in found.parts if one.promised)
    assert (part.objective, part.executed, part.clauses) == (SCHEMA, 1, 1)
