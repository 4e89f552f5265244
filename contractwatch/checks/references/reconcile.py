"""Check that two totals agree within a tolerance."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    physical_names,
    promise_of_rule,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import number_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.reference import Tolerance, Total, TotalOf, TotalValue
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

RECONCILE = KINDS["reconcile"]


@dataclass(frozen=True, slots=True)
class ReconciliationCheck:
    """Check that two totals differ by at most an amount, or a percentage of the second.

    Neither total is shown: of a least or greatest value it would be a cell of the data.
    """

    promise: Promise
    left: TotalOf
    right: TotalOf
    tolerance: Tolerance

    def metrics(self) -> tuple[Metric, ...]:
        return tuple(Total(self.promise.table, side) for side in (self.left, self.right))

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        limit = f"at most {_amount(self.tolerance)} apart"
        error = unmeasured_verdict(answers, self.metrics(), limit)
        if error is not None:
            return error
        left, right = (measured(answers, metric, TotalValue).value for metric in self.metrics())
        distance = abs(left - right)
        if self.tolerance.is_percent and distance and not right:
            reason = "the other total is zero, and this one is not"
            return Verdict(Outcome.FAILED, threshold=limit, reason=reason)
        if self.tolerance.is_percent and distance:
            distance = 100 * distance / abs(right)
        kept = distance <= Decimal(repr(self.tolerance.amount))
        unit = " %" if self.tolerance.is_percent else ""
        reason = "" if kept else f"the totals are {float(distance):.6g}{unit} apart"
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=float(distance),
            threshold=limit,
            reason=reason,
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `reconcile` rule of our own engine."""
    for table in contract.tables:
        for rule in table.reconciliations:
            columns = rule.left.of.columns
            physical = physical_names(table, columns)
            subject = Subject(contract.contract_id, table.name, next(iter(columns), None), physical)
            near = f"within {_amount(rule.tolerance)} of"
            words = f"{_total_words(rule.left)} is {near} {_total_words(rule.right)}"
            promise = promise_of_rule(RECONCILE, subject, rule, expected=words)
            yield ReconciliationCheck(promise, rule.left, rule.right, rule.tolerance)


def _amount(tolerance: Tolerance) -> str:
    return f"{number_words(tolerance.amount)}{' %' if tolerance.is_percent else ''}"


def _total_words(total: TotalOf) -> str:
    return f"{total.aggregate} of {total.of}"
