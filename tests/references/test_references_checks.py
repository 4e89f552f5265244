"""Verdicts about two tables hold no value of the data."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from contractwatch.checks.common.thresholds import NONE_AT_ALL
from contractwatch.checks.references.reconcile import ReconciliationCheck
from contractwatch.checks.references.reference_coverage import ReferenceCoverageCheck
from contractwatch.checks.references.relationship import RelationshipCheck
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.measure.state import Count, Measurement
from contractwatch.model.promises.reference import (
    Aggregate,
    KeyCoverage,
    OrphanCount,
    Reference,
    Tolerance,
    TotalOf,
    TotalValue,
)
from contractwatch.model.promises.rule import Operator, Threshold, Unit
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TARGET = Reference("u", ("c",), "u.odcs.yaml")
PROMISE = Promise(
    "k/t/c/relationship/r", "relationship", Clause("schema[0]", 5), "t", "c", Severity.ERROR,
    Dimension.CONSISTENCY, Objective.VALIDITY, "words", ("c",),
)  # fmt: skip
HALF_A_PERCENT = Threshold(Operator.LESS_OR_EQUAL, 0.5, None, Unit.PERCENT)


def judged(check: Check, *states: Measurement) -> Verdict:
    return check.judge(dict(zip(check.metrics(), states, strict=True)), NOW)


def test_a_tolerance_is_a_share_of_the_rows_with_a_key_and_not_of_all_rows() -> None:
    check = RelationshipCheck(PROMISE, HALF_A_PERCENT, TARGET)
    kept = judged(check, Count(10_000), OrphanCount(200, 1))
    assert (kept.outcome, kept.observed, kept.rows) == (Outcome.PASSED, 0.5, 10_000)
    broken = judged(check, Count(10_000), OrphanCount(199, 1, 2))
    assert broken.outcome is Outcome.FAILED
    assert broken.reason == (
        "1 of 199 rows with a key have no match; the key is not unique there: 2 duplicate rows"
    )


def test_rows_without_a_key_keep_the_promise_and_no_rows_are_vacuous() -> None:
    check = RelationshipCheck(PROMISE, NONE_AT_ALL, TARGET)
    assert not judged(check, Count(3), OrphanCount(0, 0)).vacuous
    assert judged(check, Count(0), OrphanCount(0, 0)).vacuous


def test_coverage_is_of_the_targets_keys() -> None:
    at_least = Threshold(Operator.GREATER_OR_EQUAL, 99, None, Unit.PERCENT)
    check = ReferenceCoverageCheck(PROMISE, at_least, TARGET)
    assert judged(check, KeyCoverage(200, 198)).outcome is Outcome.PASSED
    broken = judged(check, KeyCoverage(200, 197))
    assert (broken.outcome, broken.violations) == (Outcome.FAILED, 3)
    assert broken.reason == "197 of 200 keys appear here"
    assert judged(check, KeyCoverage(0, 0)).vacuous
    count = ReferenceCoverageCheck(PROMISE, Threshold(Operator.GREATER, 0), TARGET)
    assert (judged(count, KeyCoverage(9, 1)).threshold) == "more than 0 keys"
    assert judged(count, KeyCoverage(0, 0)).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("left", "right", "tolerance", "kept", "observed"),
    [
        ("100.1", "100", Tolerance(0.1, is_percent=True), True, 0.1),
        ("100.2", "100", Tolerance(0.1, is_percent=True), False, 0.2),
        ("-99.9", "-100", Tolerance(0.1, is_percent=True), True, 0.1),
        ("0", "0", Tolerance(0, is_percent=True), True, 0),
        ("1", "0", Tolerance(50, is_percent=True), False, None),
        ("0.3", "0.2", Tolerance(0.1, is_percent=False), True, 0.1),
        ("5", "3", Tolerance(1, is_percent=False), False, 2),
    ],
)
def test_totals_agree_within_the_tolerance(
    left: str, right: str, tolerance: Tolerance, *, kept: bool, observed: float | None
) -> None:
    here, there = (TotalOf(Aggregate.SUM, Reference(name, ("c",))) for name in "tu")
    check = ReconciliationCheck(PROMISE, here, there, tolerance)
    verdict = judged(check, TotalValue(Decimal(left)), TotalValue(Decimal(right)))
    assert (verdict.outcome is Outcome.PASSED) is kept
    assert verdict.observed == observed
