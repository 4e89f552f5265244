"""Check the age of the oldest data: deleted in time, or kept long enough."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contractwatch.checks.common.ages import add_period, duration_words, time_element
from contractwatch.checks.common.promise_builder import (
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, TimeSpan
from contractwatch.model.measure.state import Measurement, TimeRange
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.service_level import Retention, RetentionMode
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

RETENTION = KINDS["retention"]

GRACE = timedelta(days=1)
"""How much longer than `atMost` says the oldest row may still be there."""

_NO_DATA = "no data"
_WORDS: Mapping[RetentionMode, str] = {
    RetentionMode.AT_MOST: "at most",
    RetentionMode.AT_LEAST: "at least",
}


@dataclass(frozen=True, slots=True)
class RetentionCheck:
    """Check that the oldest value is at most (with a day of grace) or at least this old."""

    promise: Promise
    retention: Retention
    span: TimeSpan

    def metrics(self) -> tuple[Metric, ...]:
        return (self.span,)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = _limit(self.retention)
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        span = measured(answers, self.span, TimeRange)
        at_most = self.retention.mode is RetentionMode.AT_MOST
        if span.oldest is None:
            outcome = Outcome.SKIPPED if at_most else Outcome.FAILED
            return Verdict(outcome, threshold=threshold, rows=span.rows, reason=_NO_DATA)
        due = self._due(span.oldest)
        kept = now <= due + GRACE if at_most else now >= due
        if not kept and self._is_too_young(now):
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason="too young")
        age = (now - span.oldest).total_seconds()
        words = duration_words(timedelta(seconds=round(age)))
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=age,
            threshold=threshold,
            rows=span.rows,
            reason="" if kept else f"the oldest value is {words} old",
        )

    def _due(self, start: datetime) -> datetime:
        months, fixed = self.retention.calendar_months, self.retention.fixed
        return add_period(start, months=months, fixed=fixed, zone=self.span.timezone)

    def _is_too_young(self, now: datetime) -> bool:
        since = self.retention.existing_since
        keeps = self.retention.mode is RetentionMode.AT_LEAST
        return keeps and since is not None and now < self._due(since)


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `retention` service level."""
    for level in contract.service_levels:
        if isinstance(level.promise, Retention):
            element = time_element(contract, level.promise.table, level.promise.column)
            promise = promise_of(
                RETENTION,
                element.subject,
                clause=level.clause,
                expected=f"the oldest value is {_limit(level.promise)} old",
                severity=level.severity,
                level_id=level.level_id,
            )
            yield RetentionCheck(promise, level.promise, element.span)


def _limit(retention: Retention) -> str:
    words = duration_words(retention.fixed, retention.calendar_months)
    return f"{_WORDS[retention.mode]} {words}"
