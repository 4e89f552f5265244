"""A reason that several checks of a run share is told once, and the checks point to it."""

from dataclasses import replace

import pytest
from alerting_values import T0, failed

from contractwatch.alerting.shared_reasons import NO_SHARED_REASONS, SharedReasons, shared_reasons
from contractwatch.model.record.check import Outcome, Verdict
from contractwatch.model.record.run import CheckResult, Coverage, RunOutcome, RunResult


def check(reason: str, outcome: Outcome = Outcome.ERROR) -> CheckResult:
    return replace(failed(), verdict=Verdict(outcome, reason=reason))


def run(*results: CheckResult, error: str = "") -> RunResult:
    return RunResult(
        contract_id="orders-v1",
        product="finance/orders",
        contract_version="1.2.0",
        fingerprint="f" * 64,
        server="live",
        started_at=T0,
        finished_at=T0,
        outcome=RunOutcome.ERROR,
        coverage=Coverage(len(results), len(results)),
        results=results,
        readable=True,
        error=error,
    )


DISK, SLOW = "the disk is full", "the query took too long"


def test_causes_are_numbered_in_the_order_in_which_they_are_met() -> None:
    skipped = check(SLOW, Outcome.SKIPPED)
    found = shared_reasons(run(check("once"), skipped, check(DISK), check(DISK), check(SLOW)))
    assert found == SharedReasons(
        listed=(SLOW, DISK),
        pointers={SLOW: "see cause 1", DISK: "see cause 2"},
        counts={"once": 1, SLOW: 2, DISK: 2},
    )


def test_what_the_error_of_the_run_says_has_no_number() -> None:
    told = shared_reasons(
        run(check(SLOW), check(DISK), check(DISK), check(SLOW), error=f"x: {DISK}!")
    )
    assert told == SharedReasons(
        listed=(SLOW,),
        pointers={DISK: "see the error of the run", SLOW: "see cause 1"},
        counts={SLOW: 2, DISK: 2},
    )
    assert shared_reasons(run(check(DISK), error=DISK)).pointers == {
        DISK: "see the error of the run"
    }


@pytest.mark.parametrize(
    "results",
    [
        (),
        (check(DISK),),
        (check(DISK), check(SLOW)),
        (check(""), check("")),
        (check(DISK, Outcome.FAILED), check(DISK, Outcome.FAILED)),
        (check(DISK, Outcome.PASSED), check(DISK, Outcome.PASSED)),
        (check(DISK), check(DISK, Outcome.FAILED)),
    ],
)
def test_what_is_told_once_or_is_an_answer_has_no_cause(results: tuple[CheckResult, ...]) -> None:
    found = shared_reasons(run(*results))
    assert (found.listed, found.pointers) == ((), {})
    for one in results:
        assert found.reason_of(one) == one.verdict.reason
        assert found.number_of(one) is None
        assert not found.is_shared(one)


@pytest.mark.parametrize(
    ("one", "is_shared", "number", "reason"),
    [
        (check(SLOW), True, 1, "see cause 1"),
        (check(DISK), True, 2, "see cause 2"),
        (check(DISK, Outcome.SKIPPED), True, 2, "see cause 2"),
        (check("gone"), True, None, "see the error of the run"),
        (check(DISK, Outcome.FAILED), False, None, DISK),
        (check(DISK, Outcome.PASSED), False, None, DISK),
        (check("another"), False, None, "another"),
        (check(""), False, None, ""),
    ],
)
def test_a_check_points_to_where_its_cause_is_told(
    one: CheckResult, is_shared: bool, number: int | None, reason: str
) -> None:
    several = (check(SLOW), check(DISK), check("gone"), check(DISK), check(SLOW))
    known = shared_reasons(run(*several, error="all is gone"))
    assert known.is_shared(one) is is_shared
    assert known.number_of(one) == number
    assert known.reason_of(one) == reason


def test_without_causes_every_check_has_its_own_reason() -> None:
    assert NO_SHARED_REASONS.reason_of(check(DISK)) == DISK
    assert NO_SHARED_REASONS.number_of(check(DISK)) is None
