"""The status in one word, and what the gate answers a pipeline."""

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
    record,
    result,
    run,
    standing,
)

from contractwatch.errors import UsageError
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.incident import Cause, Incident, Phase
from contractwatch.model.record.product import DataVersion, ProductRecord
from contractwatch.model.record.run import CheckResult, Timing
from contractwatch.slo.gate import (
    DecisionWord,
    OnUnknown,
    Policy,
    decide,
    on_unknown_of,
    required_objectives,
    to_body,
)
from contractwatch.slo.status import ProductStatus, StatusWord, status_of
from contractwatch.slo.trust import trust_of

HOURLY_VERSIONS = tuple(DataVersion(str(hour), at(-hour * 3600)) for hour in range(100))


def product(
    schema: ObjectiveState = GOOD,
    freshness: ObjectiveState = GOOD,
    *,
    stale: float | None = None,
    versions: tuple[DataVersion, ...] = HOURLY_VERSIONS,
    incidents: tuple[Incident, ...] = (),
) -> ProductRecord:
    states = {SCHEMA: schema, FRESHNESS: freshness}
    worst = next((s for s in (BAD, UNKNOWN) if s in states.values()), GOOD)
    return record(
        line(standing(SCHEMA, schema, horizon=2000, since=-50)),
        line(standing(FRESHNESS, freshness, horizon=2000, stale=stale)),
        line(standing(CONFORMANCE, worst, horizon=2000, stale=stale, since=-20)),
        last_run=run(result()),
        versions=versions,
        incidents=incidents,
    )


def test_a_product_is_kept_only_if_every_objective_is_known_to_be_good() -> None:
    assert status_of(product(), now=at(5)) == ProductStatus(StatusWord.KEPT, at(-20))


def test_any_bad_objective_is_a_breach_even_beside_unknown_ones() -> None:
    assert status_of(product(BAD, UNKNOWN), now=at(5)) == ProductStatus(
        StatusWord.BREACHED, at(-20), (SCHEMA,), (FRESHNESS,)
    )


def test_unknown_is_never_shown_as_kept() -> None:
    assert status_of(product(GOOD, UNKNOWN), now=at(5)).word is StatusWord.UNKNOWN
    assert status_of(product(EXCLUDED, EXCLUDED), now=at(5)).word is StatusWord.UNKNOWN
    assert status_of(record(), now=at(5)) == ProductStatus(StatusWord.UNKNOWN, None)


def test_the_status_goes_on_between_two_runs() -> None:
    known = product(stale=60)
    assert status_of(known, now=at(59)).word is StatusWord.KEPT
    assert status_of(known, now=at(60)) == ProductStatus(
        StatusWord.BREACHED, at(60), (FRESHNESS,), ()
    )
    assert status_of(known, now=at(2000)).word is StatusWord.UNKNOWN


def test_without_a_composite_line_the_parts_date_the_status() -> None:
    known = record(
        line(standing(SCHEMA, GOOD, since=-50)), line(standing(FRESHNESS, GOOD, since=-10))
    )
    assert status_of(known, now=at(5)) == ProductStatus(StatusWord.KEPT, at(-10))


def trouble(
    phase: Phase, cause: Cause = Cause.BREACH, severity: Severity = Severity.WARNING
) -> Incident:
    return Incident(
        incident_id="i1",
        product="finance/orders",
        objective=SCHEMA,
        cause=cause,
        phase=phase,
        severity=severity,
        since=T0,
    )


@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.RECOVERING])
def test_a_product_that_is_good_again_is_at_risk_until_its_incident_is_over(phase: Phase) -> None:
    known = product(incidents=(trouble(phase),))
    assert status_of(known, now=at(5)) == ProductStatus(StatusWord.AT_RISK, T0, at_risk=(SCHEMA,))


def test_what_is_bad_or_unknown_or_over_is_not_at_risk() -> None:
    open_now = (trouble(Phase.OPEN),)
    assert status_of(product(BAD, incidents=open_now), now=at(5)).word is StatusWord.BREACHED
    assert status_of(product(UNKNOWN, incidents=open_now), now=at(5)).word is StatusWord.UNKNOWN
    for over in (
        trouble(Phase.PENDING),
        trouble(Phase.RESOLVED),
        trouble(Phase.OPEN, Cause.UNKNOWN),
    ):
        assert status_of(product(incidents=(over,)), now=at(5)).word is StatusWord.KEPT


def test_the_gate_lets_a_product_at_risk_pass_and_says_so() -> None:
    known = product(incidents=(trouble(Phase.RECOVERING),))
    said = ("schema is at risk: its incident since 2026-11-01T00:00:00Z is recovering",)
    for policy in (Policy(), Policy(require=(CONFORMANCE,))):
        decision = decide(known, policy, now=at(5))
        assert (decision.answer, decision.reasons) == (DecisionWord.ALLOW, said)
    assert decide(known, Policy(require=(FRESHNESS,)), now=at(5)).reasons == ()


@pytest.mark.parametrize("state", [UNKNOWN, EXCLUDED])
@pytest.mark.parametrize("required", [(), (SCHEMA,), (CONFORMANCE,)])
def test_an_open_breach_denies_even_when_nothing_newer_is_known(
    required: tuple[Objective, ...], state: ObjectiveState
) -> None:
    known = product(state, incidents=(trouble(Phase.OPEN, severity=Severity.ERROR),))
    decision = decide(known, Policy(require=required, on_unknown=OnUnknown.ALLOW), now=at(5))
    assert (decision.answer, decision.exit_code, decision.allow) == (
        DecisionWord.BREACHED,
        1,
        False,
    )
    assert decision.reasons[0] == "schema has a breach since 2026-11-01T00:00:00Z that is open"


def test_the_open_breach_of_what_is_not_required_denies_nothing() -> None:
    known = product(UNKNOWN, incidents=(trouble(Phase.OPEN, severity=Severity.ERROR),))
    decision = decide(known, Policy(require=(FRESHNESS,)), now=at(5))
    assert (decision.answer, decision.reasons) == (DecisionWord.ALLOW, ())


@pytest.mark.parametrize(
    ("incident", "said"),
    [
        (trouble(Phase.OPEN), "schema has a breach since 2026-11-01T00:00:00Z that is open"),
        (
            trouble(Phase.RECOVERING, severity=Severity.ERROR),
            "schema has a breach since 2026-11-01T00:00:00Z that is recovering",
        ),
    ],
)
def test_a_breach_that_is_not_over_is_a_reason_while_unknown_passes(
    incident: Incident, said: str
) -> None:
    known = product(UNKNOWN, incidents=(incident,))
    decision = decide(known, Policy(on_unknown=OnUnknown.ALLOW), now=at(5))
    assert decision.answer is DecisionWord.ALLOW
    assert decision.reasons == ("schema is not known since 2026-10-31T23:59:10Z", said)


def test_an_incident_of_not_knowing_is_a_reason_until_it_is_over() -> None:
    unknown = trouble(Phase.RECOVERING, Cause.UNKNOWN, Severity.ERROR)
    said = "schema was not known: its incident since 2026-11-01T00:00:00Z is recovering"
    decision = decide(product(incidents=(unknown,)), Policy(), now=at(5))
    assert (decision.answer, decision.reasons) == (DecisionWord.ALLOW, (said,))
    still = product(UNKNOWN, incidents=(trouble(Phase.OPEN, Cause.UNKNOWN, Severity.ERROR),))
    assert decide(still, Policy(), now=at(5)).reasons == (
        "schema is not known since 2026-10-31T23:59:10Z",
    )


@pytest.mark.parametrize(
    ("known", "policy", "answer", "code"),
    [
        (product(), Policy(), DecisionWord.ALLOW, 0),
        (product(BAD), Policy(), DecisionWord.BREACHED, 1),
        (product(BAD), Policy(require=(FRESHNESS,)), DecisionWord.ALLOW, 0),
        (product(BAD, UNKNOWN), Policy(on_unknown=OnUnknown.ALLOW), DecisionWord.BREACHED, 1),
        (product(UNKNOWN), Policy(), DecisionWord.UNKNOWN, 2),
        (product(UNKNOWN), Policy(on_unknown=OnUnknown.ALLOW), DecisionWord.ALLOW, 0),
        (product(), Policy(require=(COMPLETENESS,)), DecisionWord.UNKNOWN, 2),
        (product(), Policy(require=(CONFORMANCE,)), DecisionWord.ALLOW, 0),
        (product(), Policy(max_evaluation_age=timedelta(seconds=4)), DecisionWord.UNKNOWN, 2),
        (product(), Policy(max_evaluation_age=timedelta(seconds=5)), DecisionWord.ALLOW, 0),
        (product(), Policy(min_score=50), DecisionWord.ALLOW, 0),
        (product(), Policy(min_score=90), DecisionWord.BREACHED, 1),
        (product(versions=()), Policy(min_score=10), DecisionWord.UNKNOWN, 2),
        (record(), Policy(), DecisionWord.UNKNOWN, 2),
        (record(), Policy(on_unknown=OnUnknown.ALLOW), DecisionWord.ALLOW, 0),
    ],
)
def test_the_gate_allows_denies_or_does_not_know(
    known: ProductRecord, policy: Policy, answer: DecisionWord, code: int
) -> None:
    decision = decide(known, policy, now=at(5))
    assert (decision.answer, decision.exit_code) == (answer, code)
    assert decision.allow is (code == 0)
    assert code == 0 or decision.reasons


def test_a_verdict_in_force_is_as_old_as_when_it_was_found() -> None:
    nightly = replace(result(SCHEMA), timing=Timing(at(-3600), at(82800)))
    known = replace(product(), last_run=run(nightly, result(FRESHNESS)))
    an_hour = Policy(max_evaluation_age=timedelta(hours=1))
    decision = decide(known, an_hour, now=at(5))
    assert decision.answer is DecisionWord.UNKNOWN
    assert decision.reasons == ("schema was judged 3605 s ago, required at most 3600 s",)
    assert decide(known, replace(an_hour, require=(FRESHNESS,)), now=at(5)).allow
    longer = replace(an_hour, max_evaluation_age=timedelta(seconds=3700))
    assert decide(known, longer, now=at(5)).expires_at == at(100)


def test_the_reasons_say_what_and_since_when() -> None:
    policy = Policy(require=(SCHEMA, FRESHNESS, COMPLETENESS), min_score=80)
    assert decide(product(BAD, UNKNOWN, versions=()), policy, now=at(5)).reasons == (
        "schema is broken since 2026-10-31T23:59:10Z",
        "freshness is not known since 2026-11-01T00:00:00Z",
        "completeness is not promised by the contract",
        "there is no trust score yet: 0 data versions seen",
    )


def test_an_answer_expires_when_it_may_change() -> None:
    assert decide(product(), Policy(), now=at(5)).expires_at == at(900)
    assert decide(product(stale=60), Policy(), now=at(5)).expires_at == at(60)
    aged = Policy(max_evaluation_age=timedelta(seconds=30))
    assert decide(product(), aged, now=at(5)).expires_at == at(30)
    assert decide(record(), Policy(), now=at(5)).expires_at == at(905)


def test_the_body_is_the_documented_one() -> None:
    incident = Incident(
        incident_id="i1",
        product="finance/orders",
        objective=SCHEMA,
        cause=Cause.BREACH,
        phase=Phase.OPEN,
        severity=Severity.ERROR,
        since=T0,
    )
    known = product(BAD, versions=(), incidents=(incident,))
    assert to_body(decide(known, Policy(), now=at(5))) == {
        "version": 1,
        "product": "finance/orders",
        "allow": False,
        "decision": "breached",
        "exit_code": 1,
        "reasons": ["schema is broken since 2026-10-31T23:59:10Z"],
        "status": {"schema": "bad", "freshness": "good"},
        "evaluated_at": "2026-11-01T00:00:00Z",
        "data_version": "v7",
        "contract_version": "1.2.0",
        "score": None,
        "score_badge": "new",
        "score_version": "ts/1",
        "incidents": [
            {
                "id": "i1",
                "objective": "schema",
                "cause": "breach",
                "phase": "open",
                "severity": "error",
                "since": "2026-11-01T00:00:00Z",
            }
        ],
        "decided_at": "2026-11-01T00:00:05Z",
        "expires_at": "2026-11-01T00:15:00Z",
    }


def test_a_requirement_that_does_not_exist_is_wrong_usage() -> None:
    assert required_objectives([" Schema", "freshness", "schema"]) == (SCHEMA, FRESHNESS)
    with pytest.raises(UsageError, match="unknown objective 'speed'; expected one of freshness"):
        required_objectives(["speed"])
    assert on_unknown_of("PASS") is OnUnknown.ALLOW
    with pytest.raises(UsageError, match="expected fail or pass"):
        on_unknown_of("maybe")


@pytest.mark.parametrize(
    ("finished", "limit", "said"),
    [
        (0, 5, ()),
        (0, 4, ("the last run ended 5 s ago, required at most 4 s",)),
        (-3595, 3599, ("the last run ended 3600 s ago, required at most 3599 s",)),
        (5, 4, ()),
        (6, 4, ("the last run ended at 2026-11-01T00:00:06Z, which is still to come",)),
        (6, None, ()),
        (-9999, None, ()),
    ],
)
def test_a_last_run_that_is_too_old_or_still_to_come_says_nothing_of_now(
    finished: float, limit: float | None, said: tuple[str, ...]
) -> None:
    known = replace(product(), last_run=run(result(), finished=finished))
    age = None if limit is None else timedelta(seconds=limit)
    decision = decide(known, Policy(max_evaluation_age=age), now=at(5))
    assert decision.reasons == said
    assert decision.answer is (DecisionWord.UNKNOWN if said else DecisionWord.ALLOW)


def judged(objective: Objective, seconds: float) -> CheckResult:
    return replace(result(objective), timing=Timing(at(seconds), at(82_800)))


@pytest.mark.parametrize(
    ("required", "results", "said"),
    [
        ((SCHEMA,), [judged(SCHEMA, -55)], ()),
        (
            (SCHEMA,),
            [judged(SCHEMA, -56)],
            ("schema was judged 61 s ago, required at most 60 s",),
        ),
        ((SCHEMA,), [judged(SCHEMA, 5)], ()),
        (
            (SCHEMA,),
            [judged(SCHEMA, 6)],
            ("schema was judged at 2026-11-01T00:00:06Z, which is still to come",),
        ),
        (
            (SCHEMA, FRESHNESS),
            [judged(FRESHNESS, 7), judged(SCHEMA, -95)],
            (
                "freshness was judged at 2026-11-01T00:00:07Z, which is still to come",
                "schema was judged 100 s ago, required at most 60 s",
            ),
        ),
        (  # the oldest of an objective decides
            (SCHEMA,),
            [judged(SCHEMA, -1), judged(SCHEMA, -95), judged(SCHEMA, -2)],
            ("schema was judged 100 s ago, required at most 60 s",),
        ),
        # what every run judges is as old as the run; what is not required may be of any age
        ((SCHEMA, FRESHNESS), [result(SCHEMA), result(FRESHNESS)], ()),
        ((SCHEMA,), [result(SCHEMA), judged(FRESHNESS, -95)], ()),
        (
            (SCHEMA, FRESHNESS),
            [result(SCHEMA), judged(FRESHNESS, -95)],
            ("freshness was judged 100 s ago, required at most 60 s",),
        ),
        (  # all together are as old as the oldest of them
            (CONFORMANCE,),
            [result(SCHEMA), judged(FRESHNESS, -95)],
            ("freshness was judged 100 s ago, required at most 60 s",),
        ),
    ],
)
def test_every_verdict_in_force_of_what_is_required_is_young_enough(
    required: tuple[Objective, ...], results: list[CheckResult], said: tuple[str, ...]
) -> None:
    known = replace(product(), last_run=run(*results))
    policy = Policy(required, max_evaluation_age=timedelta(seconds=60))
    assert decide(known, policy, now=at(5)).reasons == said
    assert decide(known, Policy(required), now=at(5)).reasons == ()


def test_what_was_never_run_and_what_promises_nothing_say_so() -> None:
    never = replace(product(), last_run=None)
    assert decide(never, Policy(), now=at(5)).reasons == ("the contract was never run",)
    assert decide(record(), Policy(), now=at(5)).reasons == ("the contract was never run",)
    empty = record(last_run=run())
    assert decide(empty, Policy(), now=at(5)).reasons == (
        "the contract promises nothing that is watched",
    )


def test_what_is_excluded_or_not_promised_is_not_known() -> None:
    policy = Policy(require=(SCHEMA, COMPLETENESS))
    assert decide(product(EXCLUDED), policy, now=at(5)).reasons == (
        "schema is excluded since 2026-10-31T23:59:10Z",
        "completeness is not promised by the contract",
    )


def test_a_score_without_a_number_says_how_much_was_seen() -> None:
    one = product(versions=HOURLY_VERSIONS[:1])
    asked = Policy(min_score=0)
    assert decide(one, asked, now=at(5)).reasons == (
        "there is no trust score yet: 1 data version seen",
    )
    two = product(versions=HOURLY_VERSIONS[:2])
    assert decide(two, asked, now=at(5)).reasons == (
        "there is no trust score yet: 2 data versions seen",
    )


def test_the_score_is_compared_as_it_is_shown() -> None:
    known = product()
    shown = to_body(decide(known, Policy(), now=at(5)))["score"]
    assert isinstance(shown, float)
    assert decide(known, Policy(min_score=shown), now=at(5)).allow
    more = decide(known, Policy(min_score=shown + 0.05), now=at(5))
    assert more.answer is DecisionWord.BREACHED
    assert more.reasons == (f"the trust score is {shown:.1f}, required at least {shown + 0.05:g}",)


def test_a_number_that_is_rounded_up_is_as_good_as_what_is_shown() -> None:
    seen = {
        trust.number: known
        for known in (product(versions=HOURLY_VERSIONS[:count]) for count in range(5, 40))
        if (trust := trust_of(known, now=at(5))).number is not None
    }
    number, known = next((n, one) for n, one in seen.items() if round(n, 1) > n + 0.01)
    shown = round(number, 1)
    assert decide(known, Policy(min_score=shown), now=at(5)).allow


@pytest.mark.parametrize(
    ("finished", "age", "now", "expires"),
    [
        (0, None, 5, 900),
        (0, None, 899, 900),
        (0, None, 900, 1800),
        (0, 30, 5, 30),
        (0, 30, 29, 30),
        (0, 30, 30, 900),
        (0, 1200, 5, 900),
        (1, 899, 5, 900),
    ],
)
def test_an_answer_expires_at_the_next_run_or_when_the_last_is_too_old(
    finished: float, age: float | None, now: float, expires: float
) -> None:
    known = replace(product(), last_run=run(result(), finished=finished))
    limit = None if age is None else timedelta(seconds=age)
    found = decide(known, Policy(max_evaluation_age=limit), now=at(now)).expires_at
    assert found == at(expires)


def test_an_answer_lasts_a_second_at_least_and_until_what_is_known_runs_out() -> None:
    soon = replace(record(), card=replace(record().card, interval_seconds=0.0))
    assert decide(soon, Policy(), now=at(5)).expires_at == at(6)
    known = record(line(standing(SCHEMA, horizon=100)), last_run=run(result()))
    assert decide(known, Policy(), now=at(5)).expires_at == at(100)
    turning = record(line(standing(SCHEMA, horizon=100, stale=60)), last_run=run(result()))
    assert decide(turning, Policy(), now=at(5)).expires_at == at(60)


@pytest.mark.parametrize("word", ["", " ", "passed", "Fail!"])
def test_a_choice_that_does_not_exist_is_wrong_usage(word: str) -> None:
    with pytest.raises(UsageError) as told:
        on_unknown_of(word)
    assert str(told.value) == f"--on-unknown: {word!r}; expected fail or pass"
    with pytest.raises(UsageError) as told:
        required_objectives(["schema", f" {word}\t"])
    names = ", ".join(objective.value for objective in Objective)
    assert str(told.value) == (
        f"--require: unknown objective {word.strip()!r}; expected one of {names}"
    )
    assert on_unknown_of(" Fail\n") is OnUnknown.FAIL


def test_the_open_breach_of_what_has_no_line_any_more_denies_and_is_told() -> None:
    gone = replace(trouble(Phase.OPEN, severity=Severity.ERROR), objective=COMPLETENESS)
    known = product(incidents=(gone,))
    said = "completeness has a breach since 2026-11-01T00:00:00Z that is open"
    for required in ((COMPLETENESS,), (CONFORMANCE,)):
        decision = decide(known, Policy(required), now=at(5))
        assert (decision.answer, decision.reasons[0]) == (DecisionWord.BREACHED, said)
