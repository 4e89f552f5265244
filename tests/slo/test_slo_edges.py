"""The edges of ledger, budget, gate and score: where one more second makes a difference."""

from dataclasses import replace
from datetime import timedelta

import pytest
from slo_values import (
    BAD,
    COMPLETENESS,
    CONFORMANCE,
    EXCLUDED,
    FRESHNESS,
    GOOD,
    SCHEMA,
    T0,
    UNKNOWN,
    at,
    line,
    observed,
    record,
    result,
    run,
    span,
    standing,
)

from contractwatch.errors import Blame
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, StateSeconds, Target
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.incident import Cause, Incident, Phase
from contractwatch.model.record.product import DataVersion
from contractwatch.model.record.run import CheckResult, Coverage, Observation, RunResult, Timing
from contractwatch.slo.budget import budget_of, compliance_of, intervals_of, seconds_in
from contractwatch.slo.gate import OnUnknown, Policy, decide, to_body
from contractwatch.slo.ledger import (
    advance_all,
    apply_observations,
    composite_intervals,
    interrupt,
    new_standing,
    next_transition_at,
)
from contractwatch.slo.observe import observe
from contractwatch.slo.status import StatusWord, status_of
from contractwatch.slo.targets import targets_of
from contractwatch.slo.trust import (
    DecayedHours,
    ObjectiveEvidence,
    TrustInput,
    decayed_hours,
    effective_versions,
    executed_share,
    score,
    trust_input,
    trust_of,
)

DAY = 86_400
HOURLY = tuple(DataVersion(str(hour), at(-hour * 3600)) for hour in range(100))


# --- the ledger


def test_nothing_is_known_of_an_objective_that_begins() -> None:
    assert new_standing(SCHEMA, T0) == replace(standing(SCHEMA, UNKNOWN, horizon=0), since=T0)


def test_a_line_promised_late_is_closed_with_the_others_and_holds_until_the_same_horizon() -> None:
    known = (standing(SCHEMA, GOOD, horizon=100), standing(CONFORMANCE, GOOD, horizon=100))
    lines, entries = apply_observations(
        known,
        [observed(SCHEMA), observed(FRESHNESS)],
        promised=frozenset({SCHEMA, FRESHNESS}),
        at=at(50),
        horizon=at(150),
    )
    freshness, schema, composite = lines
    assert (freshness.objective, freshness.state, freshness.horizon) == (FRESHNESS, GOOD, at(150))
    assert (schema.since, schema.horizon, schema.accrued_until) == (T0, at(150), at(50))
    assert (composite.state, composite.horizon, composite.since) == (GOOD, at(150), T0)
    assert {entry.objective for entry in entries} == {SCHEMA, CONFORMANCE}


def test_lines_that_were_closed_up_to_different_instants_end_alike_after_a_run() -> None:
    ahead, behind = standing(FRESHNESS, start=500, horizon=600), standing(SCHEMA, horizon=600)
    told = [observed(FRESHNESS), observed(SCHEMA)]
    lines, entries = apply_observations(
        [ahead, behind], told, promised=frozenset({FRESHNESS, SCHEMA}), at=at(300), horizon=at(400)
    )
    assert {line.accrued_until for line in lines} == {at(500)}
    assert {line.horizon for line in lines} == {at(400)}
    closed = {one.objective: one.interval.end for one in entries}
    assert closed[SCHEMA] == at(500)


def test_after_a_clock_set_back_an_observation_holds_by_the_clock_of_now() -> None:
    known = (standing(SCHEMA, GOOD, start=500, horizon=600),)
    (schema, composite), entries = apply_observations(
        known, [observed(SCHEMA)], promised=frozenset({SCHEMA}), at=at(10), horizon=at(110)
    )
    assert (schema.horizon, schema.observed_at, schema.accrued_until) == (at(110), at(10), at(500))
    assert composite.horizon <= at(500)
    assert entries == ()


def test_what_is_promised_and_not_spoken_of_is_unknown_under_its_own_name() -> None:
    (schema, _), _ = apply_observations(
        (), [observed(SCHEMA)], promised=frozenset({SCHEMA}), at=T0, horizon=at(9)
    )
    (volume, _), _ = apply_observations(
        (), [], promised=frozenset({Objective.VOLUME}), at=T0, horizon=at(9)
    )
    assert schema == replace(standing(SCHEMA, horizon=9), since=T0)
    assert (volume.objective, volume.state) == (Objective.VOLUME, UNKNOWN)


def test_there_is_one_composite_line_however_often_a_product_is_run() -> None:
    lines, _ = apply_observations(
        (), [observed(SCHEMA)], promised=frozenset({SCHEMA}), at=T0, horizon=at(9)
    )
    again, _ = apply_observations(
        lines, [observed(SCHEMA)], promised=frozenset({SCHEMA}), at=at(5), horizon=at(14)
    )
    assert [one.objective for one in again] == [SCHEMA, CONFORMANCE]
    assert again[1].since == T0


def test_lines_without_a_composite_are_advanced_and_their_time_is_told() -> None:
    (kept,), entries = advance_all((standing(SCHEMA, GOOD, horizon=100),), at(40))
    assert kept.accrued_until == at(40)
    assert [(one.objective, one.interval) for one in entries] == [(SCHEMA, span(0, 40, GOOD))]


def test_nothing_is_closed_twice_at_one_instant() -> None:
    known = (standing(SCHEMA, GOOD), standing(CONFORMANCE, GOOD))
    lines, entries = advance_all(known, T0)
    assert entries == ()
    assert lines[1].accrued_until == T0


def test_an_interruption_of_what_was_unknown_goes_on_since_it_began() -> None:
    blind, closed = interrupt(standing(SCHEMA, UNKNOWN, since=-30), since=at(10), to=at(20))
    assert (blind.since, blind.horizon, blind.stale_at) == (at(-30), at(20), None)
    assert closed == (span(0, 20, UNKNOWN),)


def test_an_interruption_ends_what_was_foreseen() -> None:
    seen = standing(FRESHNESS, GOOD, stale=60, horizon=100)
    blind, closed = interrupt(seen, since=at(10), to=at(20))
    assert (blind.state, blind.since, blind.horizon) == (UNKNOWN, at(10), at(20))
    assert blind.stale_at is None
    assert closed == (span(0, 10, GOOD), span(10, 20, UNKNOWN))


def test_a_composite_is_cut_to_the_time_that_is_asked_for() -> None:
    before, within, after = span(0, 10, BAD), span(10, 20, GOOD), span(20, 30, BAD)
    assert composite_intervals([[before, within, after]], start=at(10), end=at(20)) == (within,)
    assert composite_intervals([[before, after]], start=at(10), end=at(20)) == (
        span(10, 20, UNKNOWN),
    )


def test_the_next_wake_lies_within_the_horizon_and_after_what_was_observed() -> None:
    assert next_transition_at([standing(stale=99, horizon=100)]) == at(99)
    assert next_transition_at([standing(stale=100, horizon=100)]) is None
    assert next_transition_at([standing(start=5, stale=5, horizon=100)]) is None
    assert next_transition_at([standing(CONFORMANCE, stale=50)]) is None


def test_the_composite_is_known_until_the_first_part_is_not_and_turns_with_the_first() -> None:
    lines, _ = apply_observations(
        (),
        [observed(SCHEMA), observed(FRESHNESS, stale=60)],
        promised=frozenset({SCHEMA, FRESHNESS}),
        at=T0,
        horizon=at(100),
    )
    composite = lines[-1]
    assert (composite.horizon, composite.stale_at) == (at(100), at(60))
    assert composite.observed_at == T0


def test_a_part_that_goes_stale_when_nothing_is_known_turns_no_composite() -> None:
    lines, _ = apply_observations(
        (),
        [observed(SCHEMA), observed(FRESHNESS, stale=100)],
        promised=frozenset({SCHEMA, FRESHNESS}),
        at=T0,
        horizon=at(100),
    )
    assert (lines[-1].horizon, lines[-1].stale_at) == (at(100), None)


def test_an_unknown_composite_turns_bad_when_a_known_part_does() -> None:
    lines, _ = apply_observations(
        (),
        [Observation(SCHEMA, UNKNOWN), observed(FRESHNESS, stale=60)],
        promised=frozenset({SCHEMA, FRESHNESS}),
        at=T0,
        horizon=at(100),
    )
    assert (lines[-1].state, lines[-1].stale_at, lines[-1].horizon) == (UNKNOWN, at(60), at(100))


def test_a_composite_that_stays_as_it_is_keeps_its_date_and_one_that_turns_has_a_new_one() -> None:
    known = (
        standing(FRESHNESS, GOOD, stale=30, since=-50),
        standing(CONFORMANCE, GOOD, stale=30, since=-50),
    )
    assert advance_all(known, at(20))[0][1].since == at(-50)
    assert advance_all(known, at(40))[0][1].since == at(30)
    assert advance_all(known, at(30))[0][1].since == at(30)
    bad, _ = apply_observations(
        (known[0], replace(known[1], stale_at=None)),
        [Observation(FRESHNESS, BAD)],
        promised=frozenset({FRESHNESS}),
        at=T0,
        horizon=at(100),
    )
    assert (bad[1].state, bad[1].since) == (BAD, T0)
    good, _ = apply_observations(
        known, [observed(FRESHNESS)], promised=frozenset({FRESHNESS}), at=T0, horizon=at(100)
    )
    assert (good[1].state, good[1].since) == (GOOD, at(-50))


# --- the budget


def test_an_interval_that_only_touches_the_window_is_not_in_it() -> None:
    touching = line(
        standing(SCHEMA, start=30, horizon=30),
        span(0, 10, BAD),
        span(10, 20, GOOD),
        span(20, 30, BAD),
    )
    assert intervals_of(touching, start=at(10), end=at(20)) == (span(10, 20, GOOD),)


def test_excluded_seconds_are_counted_as_such() -> None:
    kept = line(standing(SCHEMA, EXCLUDED, start=10, horizon=10), span(0, 10, EXCLUDED))
    assert seconds_in(kept, start=T0, end=at(10)) == StateSeconds(excluded=10)


def test_less_than_a_second_is_enough_for_a_ratio() -> None:
    kept = line(standing(SCHEMA, start=0.5, horizon=0.5), span(0, 0.5, GOOD))
    target = Target(SCHEMA, ratio=0.5)
    assert compliance_of(kept, target, now=at(0.5)).point == 1
    assert compliance_of(kept, target, now=at(0.5)).known_share == 1
    assert budget_of(kept, target, now=at(0.5)).remaining_ratio == 1


def test_time_of_which_nothing_is_known_has_no_compliance_and_no_point() -> None:
    blind = line(standing(SCHEMA, UNKNOWN, start=9, horizon=9), span(0, 9, UNKNOWN))
    found = compliance_of(blind, Target(SCHEMA, ratio=0.9), now=at(9))
    assert (found.point, found.met, found.known_share, found.low, found.high) == (
        None,
        None,
        0.0,
        0.0,
        1.0,
    )
    never = compliance_of(
        line(standing(SCHEMA, UNKNOWN, horizon=0)), Target(SCHEMA, ratio=0.9), now=T0
    )
    assert (never.known_share, never.met) == (0.0, None)


def test_a_target_is_met_exactly_at_its_ratio() -> None:
    kept = line(standing(SCHEMA, start=10, horizon=10), span(0, 9, GOOD), span(9, 10, BAD))
    assert compliance_of(kept, Target(SCHEMA, ratio=0.9), now=at(10)).met is True


def test_of_equal_targets_the_first_stands() -> None:
    long = Target(SCHEMA, ratio=0.9, window=timedelta(days=7))
    short = Target(SCHEMA, ratio=0.9, window=timedelta(days=1))
    found = targets_of((long, short), frozenset({SCHEMA}))
    assert next(one for one in found if one.objective is SCHEMA) == long


# --- what one run says


def only(run_result: RunResult, objective: Objective) -> Observation:
    (found,) = observe(run_result, frozenset({objective}))
    return found


def test_a_probe_is_told_with_what_failed_and_why() -> None:
    late = result(Objective.AVAILABILITY, Outcome.FAILED)
    found = only(run(late, readable=False, error="gone"), Objective.AVAILABILITY)
    assert found == Observation(Objective.AVAILABILITY, BAD, (late,), reason="gone")


def test_promises_of_the_operation_and_of_other_objectives_are_none_of_this_one() -> None:
    other = result(COMPLETENESS, Outcome.FAILED)
    found = result(SCHEMA, Outcome.FAILED)
    operations = replace(found, promise=replace(found.promise, operations=True))
    assert only(run(other, operations, result(SCHEMA)), SCHEMA) == Observation(SCHEMA, GOOD)


def test_only_the_product_is_blamed_for_what_cannot_be_read() -> None:
    kept = run(result(SCHEMA), readable=True, blame=Blame.PRODUCT)
    assert only(kept, SCHEMA).state is GOOD
    failed = result(SCHEMA, Outcome.FAILED)
    gone = run(failed, readable=False, blame=Blame.PRODUCT)
    assert only(gone, SCHEMA) == Observation(SCHEMA, BAD, (failed,), reason="data cannot be read")


def test_only_what_is_good_turns_stale() -> None:
    kept, broken = result(FRESHNESS, stale=60), result(FRESHNESS, Outcome.FAILED)
    found = only(run(kept, broken), FRESHNESS)
    assert (found.state, found.stale_at, found.reason) == (BAD, None, "")


# --- the gate


def known(*, state=GOOD, results: tuple[CheckResult, ...] = (), **more):
    return record(
        line(standing(SCHEMA, state, horizon=2000, since=-50)),
        line(standing(FRESHNESS, GOOD, horizon=2000)),
        last_run=run(*(results or (result(),))),
        versions=HOURLY,
        **more,
    )


def test_the_score_that_is_shown_decides_and_is_kept_at_its_very_number() -> None:
    number = trust_of(known(), now=at(5)).number
    assert number is not None
    shown = round(number, 1)
    assert shown != round(number)
    assert decide(known(), Policy(min_score=shown), now=at(5)).allow
    more = decide(known(), Policy(min_score=round(shown + 0.1, 1)), now=at(5))
    assert more.reasons == (f"the trust score is {shown:.1f}, required at least {shown + 0.1:g}",)
    assert to_body(decide(known(), Policy(), now=at(5)))["score"] == shown


def test_a_product_that_promises_nothing_that_is_watched_says_so_after_a_run() -> None:
    silent = record(last_run=run())
    assert decide(silent, Policy(), now=at(5)).reasons == (
        "the contract promises nothing that is watched",
    )
    assert "the contract promises" not in " ".join(decide(record(), Policy(), now=at(5)).reasons)


def test_a_decision_names_the_contract_and_data_of_the_run_or_the_contract_alone() -> None:
    ran = replace(run(result()), contract_version="0.9.0")
    old = decide(replace(known(), last_run=ran), Policy(), now=at(5))
    assert (old.contract_version, old.data_version) == ("0.9.0", "v7")
    never = decide(record(), Policy(), now=at(5))
    assert (never.contract_version, never.data_version) == ("1.2.0", "")
    assert to_body(never)["evaluated_at"] is None


def test_one_version_is_no_plural() -> None:
    one = replace(known(), data_versions=HOURLY[:1])
    assert decide(one, Policy(min_score=1), now=at(5)).reasons == (
        "there is no trust score yet: 1 data version seen",
    )


def test_a_run_is_too_old_only_beyond_the_age_that_is_allowed() -> None:
    exact = Policy(max_evaluation_age=timedelta(seconds=5))
    assert decide(known(), exact, now=at(5)).allow
    late = decide(known(), exact, now=at(6))
    assert late.reasons == ("the last run ended 6 s ago, required at most 5 s",)


def test_the_oldest_verdict_in_force_of_each_objective_counts() -> None:
    young = replace(result(SCHEMA), timing=Timing(at(-10), at(900)))
    old = replace(result(SCHEMA), timing=Timing(at(-3600), at(900)))
    policy = Policy(max_evaluation_age=timedelta(hours=1))
    for results in ((young, old), (old, young)):
        found = decide(known(results=results), policy, now=at(5))
        assert found.reasons == ("schema was judged 3605 s ago, required at most 3600 s",)
    exactly = replace(policy, max_evaluation_age=timedelta(seconds=3605))
    assert decide(known(results=(young, old)), exactly, now=at(5)).allow
    whole = replace(policy, require=(CONFORMANCE,))
    record_of = known(results=(old,))
    composite = line(standing(CONFORMANCE, GOOD, horizon=2000))
    asked = replace(record_of, lines=(*record_of.lines, composite))
    assert decide(asked, whole, now=at(5)).reasons == (
        "schema was judged 3605 s ago, required at most 3600 s",
    )


def incident(**changes: object) -> Incident:
    opened = Incident(
        incident_id="i1",
        product="finance/orders",
        objective=SCHEMA,
        cause=Cause.BREACH,
        phase=Phase.OPEN,
        severity=Severity.ERROR,
        since=T0,
    )
    return replace(opened, **changes)


@pytest.mark.parametrize(
    ("opened", "allow", "reason"),
    [
        (incident(), False, "schema has a breach since 2026-11-01T00:00:00Z that is open"),
        (
            incident(severity=Severity.WARNING),
            True,
            "schema has a breach since 2026-11-01T00:00:00Z that is open",
        ),
        (
            incident(phase=Phase.RECOVERING),
            True,
            "schema has a breach since 2026-11-01T00:00:00Z that is recovering",
        ),
        (
            incident(cause=Cause.UNKNOWN, objective=FRESHNESS),
            True,
            "freshness was not known: its incident since 2026-11-01T00:00:00Z is open",
        ),
    ],
)
def test_an_incident_is_a_reason_and_only_an_open_error_denies(
    opened: Incident, allow: bool, reason: str
) -> None:
    trouble = known(state=UNKNOWN, incidents=(opened,))
    policy = Policy(require=(SCHEMA, FRESHNESS), on_unknown=OnUnknown.ALLOW)
    found = decide(trouble, policy, now=at(5))
    assert (found.allow, reason in found.reasons) == (allow, True)
    without = decide(trouble, replace(policy, require=(COMPLETENESS,)), now=at(5))
    assert reason not in without.reasons


def test_without_a_composite_a_kept_product_is_kept_since_its_youngest_part() -> None:
    found = status_of(known(), now=at(5))
    assert (found.word, found.since) == (StatusWord.KEPT, T0)
    broken = record(
        line(standing(SCHEMA, BAD, horizon=2000, since=-50)),
        line(standing(FRESHNESS, BAD, horizon=2000, since=-10)),
    )
    assert status_of(broken, now=at(5)).since == at(-50)


# --- the score


def test_hours_have_their_weight_by_their_age_and_nothing_outside_the_window_has_any() -> None:
    now = at(60 * DAY)
    assert decayed_hours(at(0), at(4 * DAY), now=now) == 0
    assert decayed_hours(at(3 * DAY), at(5 * DAY), now=now) == pytest.approx(
        decayed_hours(at(4 * DAY), at(5 * DAY), now=now)
    )
    assert decayed_hours(at(59 * DAY), at(60 * DAY), now=now) == pytest.approx(23.41, abs=0.01)
    assert decayed_hours(at(59 * DAY), at(61 * DAY), now=now) == pytest.approx(23.41, abs=0.01)
    assert decayed_hours(at(46 * DAY), at(46 * DAY + 3600), now=now) == pytest.approx(
        0.5, abs=0.001
    )


def test_a_version_counts_as_first_seen_and_for_56_days_to_the_second() -> None:
    edge = DataVersion("edge", at(0))
    assert effective_versions([edge], now=at(56 * DAY)) == 1
    assert effective_versions([edge], now=at(56 * DAY + 1)) == 0
    again = DataVersion("edge", at(55 * DAY))
    assert effective_versions([again, edge], now=at(56 * DAY + 1)) == 0


def test_what_is_not_known_of_an_objective_is_counted_and_capped() -> None:
    unknown = line(standing(SCHEMA, UNKNOWN, start=DAY, horizon=DAY), span(0, DAY, UNKNOWN))
    skipped = result(outcome=Outcome.SKIPPED, reason="unsupported: sql")
    given = trust_input(record(unknown, last_run=run(skipped, result())), now=at(DAY))
    evidence = given.evidence[SCHEMA]
    assert evidence.hours == DecayedHours(unknown=decayed_hours(T0, at(DAY), now=at(DAY)))
    assert (evidence.executed, evidence.promised, evidence.state) == (1, 2, UNKNOWN)


def test_only_what_is_unsupported_was_not_executed() -> None:
    kinds = (
        result(outcome=Outcome.SKIPPED, reason="unsupported: sql"),
        result(outcome=Outcome.SKIPPED, reason="not due before 02:00"),
        result(outcome=Outcome.FAILED),
        result(outcome=Outcome.ERROR, reason="unsupported"),
    )
    kept = line(standing(SCHEMA, GOOD, horizon=100))
    given = trust_input(record(kept, last_run=run(*kinds)), now=at(5))
    assert (given.evidence[SCHEMA].executed, given.evidence[SCHEMA].promised) == (3, 4)


def test_the_evidence_of_a_state_is_what_holds_now_and_not_what_was_observed() -> None:
    kept = line(standing(SCHEMA, GOOD, horizon=100, stale=50))
    states = [
        trust_input(record(kept), now=at(now)).evidence[SCHEMA].state for now in (-1, 49, 50, 100)
    ]
    assert states == [UNKNOWN, GOOD, BAD, UNKNOWN]


def test_nothing_promised_is_wholly_executed() -> None:
    assert executed_share(Coverage(0, 0)) == 1
    assert executed_share(Coverage(1, 4)) == 0.25


@pytest.mark.parametrize(
    ("evidence", "advice"),
    [
        (
            ObjectiveEvidence(DecayedHours(300, 100, 0)),
            "schema kept all the time: it was broken 25.0 % of it",
        ),
        (
            ObjectiveEvidence(DecayedHours(300, 0, 100)),
            "schema watched all the time: nothing was known 25.0 % of it",
        ),
        (
            ObjectiveEvidence(DecayedHours(200, 80, 120)),
            "schema watched all the time: nothing was known 30.0 % of it",
        ),
        (
            ObjectiveEvidence(DecayedHours(380, 20, 0), executed=3, promised=4),
            "clauses of schema that can be executed: 3 of 4 are",
        ),
        (  # a clause that is not executed costs half of one that is broken
            ObjectiveEvidence(DecayedHours(320, 80, 0), executed=3, promised=4),
            "schema kept all the time: it was broken 20.0 % of it",
        ),
        (
            ObjectiveEvidence(DecayedHours(200, 200, 0), executed=3, promised=4),
            "schema kept all the time: it was broken 50.0 % of it",
        ),
    ],
)
def test_the_advice_names_what_cost_most(evidence: ObjectiveEvidence, advice: str) -> None:
    perfect = {
        objective: ObjectiveEvidence(DecayedHours(454))
        for objective in (FRESHNESS, COMPLETENESS, *Objective)
        if objective is not CONFORMANCE
    }
    found = score(TrustInput({**perfect, SCHEMA: evidence}, 100, 200))
    assert found.to_raise.partition(" (up to")[0] == advice
