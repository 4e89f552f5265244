"""What one run says of each objective."""

from slo_values import BAD, CONFORMANCE, FRESHNESS, GOOD, SCHEMA, UNKNOWN, at, result, run

from contractwatch.errors import Blame
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.run import CheckResult, Observation
from contractwatch.slo.observe import observe

BOTH = frozenset({FRESHNESS, SCHEMA})


def state_of(*results: CheckResult) -> ObjectiveState:
    (observation,) = observe(run(*results), frozenset({SCHEMA}))
    return observation.state


def test_a_failed_check_of_severity_error_is_bad_whatever_else_is_not_known() -> None:
    failed = result(outcome=Outcome.FAILED)
    error = result(outcome=Outcome.ERROR, reason="too slow")
    assert state_of(error, failed, result()) is BAD


def test_a_failed_check_of_severity_warning_stays_good_and_is_listed() -> None:
    warned = result(outcome=Outcome.FAILED, severity=Severity.WARNING)
    assert observe(run(result(), warned), frozenset({SCHEMA})) == (
        Observation(SCHEMA, GOOD, (warned,)),
    )


def test_an_error_is_unknown_with_its_reason() -> None:
    (observation,) = observe(
        run(result(), result(outcome=Outcome.ERROR, reason="too slow")), frozenset({SCHEMA})
    )
    assert (observation.state, observation.reason) == (UNKNOWN, "too slow")


def test_a_missing_column_makes_its_other_checks_unknown() -> None:
    assert state_of(result(), result(outcome=Outcome.SKIPPED, reason="column missing")) is UNKNOWN


def test_a_clause_that_is_unsupported_or_not_due_says_nothing() -> None:
    unsupported = result(outcome=Outcome.SKIPPED, reason="unsupported: sql")
    young = result(outcome=Outcome.SKIPPED, reason="too young")
    assert state_of(result(), unsupported, young) is GOOD
    assert state_of(unsupported, young) is UNKNOWN


def test_verdicts_over_no_rows_are_not_a_pass() -> None:
    vacuous = result(vacuous=True)
    assert state_of(vacuous) is UNKNOWN
    assert state_of(vacuous, result()) is GOOD
    assert state_of(result(outcome=Outcome.FAILED, vacuous=True), result()) is GOOD


def test_a_promise_without_a_result_is_unknown() -> None:
    assert observe(run(error="no worker"), frozenset({SCHEMA})) == (
        Observation(SCHEMA, UNKNOWN, reason="nothing was judged"),
    )


def test_failed_checks_are_listed_worst_first() -> None:
    info, warning, error = (
        result(outcome=Outcome.FAILED, severity=severity)
        for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR)
    )
    (observation,) = observe(run(info, warning, error), frozenset({SCHEMA}))
    assert observation.failed == (error, warning, info)


def test_good_freshness_tells_the_first_instant_at_which_it_turns() -> None:
    results = (
        result(FRESHNESS, stale=90),
        result(FRESHNESS, stale=60),
        result(FRESHNESS, stale=30, severity=Severity.WARNING),
    )
    (observation,) = observe(run(*results), frozenset({FRESHNESS}))
    assert observation == Observation(FRESHNESS, GOOD, stale_at=at(60))


def test_data_that_the_product_made_unreadable_breaks_its_schema_and_hides_the_rest() -> None:
    broken = run(
        result(outcome=Outcome.ERROR),
        readable=False,
        blame=Blame.PRODUCT,
        error="orders.parquet is cut off",
    )
    assert observe(broken, BOTH) == (
        Observation(FRESHNESS, UNKNOWN, reason="orders.parquet is cut off"),
        Observation(SCHEMA, BAD, reason="orders.parquet is cut off"),
    )


def test_data_that_the_agent_could_not_read_is_unknown() -> None:
    blind = run(result(outcome=Outcome.ERROR), readable=None, blame=Blame.AGENT, error="killed")
    assert {one.state for one in observe(blind, BOTH)} == {UNKNOWN}


def test_availability_is_what_the_probe_of_this_run_found() -> None:
    promised = frozenset({Objective.AVAILABILITY})
    states = [observe(run(readable=found), promised)[0].state for found in (True, False, None)]
    assert states == [GOOD, BAD, UNKNOWN]


def test_the_composite_is_never_observed() -> None:
    assert observe(run(result()), frozenset({SCHEMA, CONFORMANCE})) == (Observation(SCHEMA, GOOD),)
