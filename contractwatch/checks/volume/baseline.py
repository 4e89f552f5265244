"""Compare a table's row count with an earlier one, in percent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.ages import duration_words
from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    promise_of_rule,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words, is_met, limit_words
from contractwatch.checks.common.watermarks import NO_RECORD, rows_before
from contractwatch.model.measure.metric import Metric, RowCount, RowHistory
from contractwatch.model.measure.state import Count, Measurement, WatermarkLog
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.rule import Baseline, Rule, Threshold
from contractwatch.model.record.check import Outcome, Promise, Verdict

ROW_COUNT = KINDS["rowCount"]

_NOT_YET = "warming up: no run has counted the baseline"
_EMPTY = "warming up: the baseline has no rows"


@dataclass(frozen=True, slots=True)
class RowCountGrowthCheck:
    """Check 100 * rows / rows of the baseline; skipped as warming up without a baseline."""

    promise: Promise
    threshold: Threshold
    history: RowHistory

    def metrics(self) -> tuple[Metric, ...]:
        return (RowCount(self.promise.table), self.history)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        words = limit_words(self.threshold)
        error = unmeasured_verdict(answers, self.metrics(), words)
        if error is not None:
            return error
        rows = measured(answers, RowCount(self.promise.table), Count).rows
        history = measured(answers, self.history, WatermarkLog)
        before = rows_before(history, now - self.history.offset)
        if not before:
            lack = _NOT_YET if before is None else _EMPTY
            reason = lack if history.is_recorded else NO_RECORD
            return Verdict(Outcome.SKIPPED, threshold=words, rows=rows, reason=reason)
        observed = 100 * rows / before
        kept = is_met(self.threshold, observed)
        reason = (
            ""
            if kept
            else f"{count_words(rows, 'row')}, and {before:,} {_baseline_words(self.history)}"
        )
        outcome = Outcome.PASSED if kept else Outcome.FAILED
        return Verdict(outcome, observed=observed, threshold=words, rows=rows, reason=reason)


def growth_check(subject: Subject, rule: Rule, baseline: Baseline) -> RowCountGrowthCheck:
    """Return the check of a `rowCount` rule that has a baseline."""
    history = RowHistory(subject.table, baseline.offset)
    words = f"{limit_words(rule.threshold)} of the rows {_baseline_words(history)}"
    promise = promise_of_rule(ROW_COUNT, subject, rule, expected=words)
    return RowCountGrowthCheck(promise, rule.threshold, history)


def _baseline_words(history: RowHistory) -> str:
    return f"{duration_words(history.offset)} ago" if history.offset else "counted before"
