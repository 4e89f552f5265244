"""Check what share of a reference table's keys appears in this table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    physical_names,
    promise_of_rule,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words, is_met, limit_words, promised_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.reference import CoveredKeys, KeyCoverage, Reference
from contractwatch.model.promises.rule import Threshold, Unit
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

REFERENCE_COVERAGE = KINDS["referenceCoverage"]
_NO_KEYS = "there are no keys to cover"


@dataclass(frozen=True, slots=True)
class ReferenceCoverageCheck:
    """Check how many of the target's distinct keys occur here, as a count or a percentage."""

    promise: Promise
    threshold: Threshold
    target: Reference

    def metrics(self) -> tuple[Metric, ...]:
        return (CoveredKeys(self.promise.table, self.promise.physical_columns, self.target),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        (metric,) = self.metrics()
        limit = limit_words(self.threshold, "keys")
        error = unmeasured_verdict(answers, self.metrics(), limit)
        if error is not None:
            return error
        found = measured(answers, metric, KeyCoverage)
        is_share = self.threshold.unit is Unit.PERCENT
        if is_share and not found.keys:
            return Verdict(
                Outcome.PASSED, threshold=limit, rows=0, violations=0, reason=_NO_KEYS, vacuous=True
            )
        observed = 100 * found.found / found.keys if is_share else found.found
        kept = is_met(self.threshold, observed)
        words = f"{found.found:,} of {count_words(found.keys, 'key')} appear here"
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=observed,
            threshold=limit,
            rows=found.keys,
            violations=found.keys - found.found,
            reason="" if kept else words,
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `referenceCoverage` rule of our own engine."""
    for table in contract.tables:
        for rule in table.coverages:
            physical = physical_names(table, (rule.column,))
            subject = Subject(contract.contract_id, table.name, rule.column, physical)
            noun = f"keys of {rule.target} appear"
            promise = promise_of_rule(
                REFERENCE_COVERAGE, subject, rule, expected=promised_words(rule.threshold, noun)
            )
            yield ReferenceCoverageCheck(promise, rule.threshold, rule.target)
