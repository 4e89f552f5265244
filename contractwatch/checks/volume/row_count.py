"""Check a table's row count."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    promise_of_rule,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words, is_met, limit_words, promised_words
from contractwatch.checks.volume.baseline import ROW_COUNT, growth_check
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, RowCount
from contractwatch.model.measure.state import Count, Measurement
from contractwatch.model.promises.rule import RuleMetric, Threshold
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict


@dataclass(frozen=True, slots=True)
class RowCountCheck:
    """Check that the number of rows is within the threshold; zero rows are a number, too.

    `is_scoped`: only the rows that meet the table's condition are counted.
    """

    promise: Promise
    threshold: Threshold
    is_scoped: bool = False

    def metrics(self) -> tuple[Metric, ...]:
        return (RowCount(self.promise.table),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        words = limit_words(self.threshold)
        error = unmeasured_verdict(answers, self.metrics(), words)
        if error is not None:
            return error
        rows = measured(answers, RowCount(self.promise.table), Count).rows
        kept = is_met(self.threshold, rows)
        found = f"the table has {count_words(rows, 'row')}{' in scope' if self.is_scoped else ''}"
        reason = "" if kept else found
        outcome = Outcome.PASSED if kept else Outcome.FAILED
        return Verdict(outcome, observed=rows, threshold=words, rows=rows, reason=reason)


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `rowCount` rule of each table."""
    for table in contract.tables:
        subject = Subject(contract.contract_id, table.name)
        for rule in table.rules:
            if rule.metric is RuleMetric.ROW_COUNT:
                if rule.baseline is not None:
                    yield growth_check(subject, rule, rule.baseline)
                    continue
                words = promised_words(rule.threshold, "rows")
                promise = promise_of_rule(ROW_COUNT, subject, rule, expected=words)
                yield RowCountCheck(promise, rule.threshold, is_scoped=bool(table.where))
