"""Check the age of the newest value of a time column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contractwatch.checks.common.ages import (
    add_period,
    age_in_days,
    duration_words,
    end_of_last_fresh_day,
    time_element,
)
from contractwatch.checks.common.promise_builder import (
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, TimeSpan
from contractwatch.model.measure.state import Measurement, TimeRange
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.service_level import MaxAge
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

FRESHNESS = KINDS["freshness"]

NO_DATA = "no data"
"""The reason of a time promise that found not one value to compare."""


@dataclass(frozen=True, slots=True)
class FreshnessCheck:
    """Check that the newest value is at most `max_age` old; exactly that age passes.

    With `whole_days` days are counted in the column's zone. A passed verdict says when it will
    turn stale if no newer row comes.
    """

    promise: Promise
    max_age: MaxAge
    span: TimeSpan

    def metrics(self) -> tuple[Metric, ...]:
        return (self.span,)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = f"at most {_limit(self.max_age)}"
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        span = measured(answers, self.span, TimeRange)
        if span.newest is None:
            reason = "; ".join(filter(None, (NO_DATA, future_words(span))))
            return Verdict(Outcome.FAILED, threshold=threshold, rows=span.rows, reason=reason)
        stale_at, fresh = self._turning(span.newest, now)
        age = self._age(span.newest, now)
        words = "" if fresh else f"the newest value is {duration_words(_rounded(age))} old"
        return Verdict(
            Outcome.PASSED if fresh else Outcome.FAILED,
            observed=age.total_seconds(),
            threshold=threshold,
            rows=span.rows,
            reason="; ".join(filter(None, (words, future_words(span)))),
            stale_at=stale_at if fresh else None,
        )

    def _turning(self, newest: datetime, now: datetime) -> tuple[datetime, bool]:
        zone = self.span.timezone
        if self.max_age.whole_days:
            midnight = end_of_last_fresh_day(newest, self.max_age, zone)
            return midnight, now < midnight
        months, fixed = self.max_age.calendar_months, self.max_age.fixed
        limit = add_period(newest, months=months, fixed=fixed, zone=zone)
        return limit, now <= limit

    def _age(self, newest: datetime, now: datetime) -> timedelta:
        if self.max_age.whole_days:
            return timedelta(days=max(0, age_in_days(newest, now, self.span.timezone)))
        return max(timedelta(0), now - newest)


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `latency` and `freshness` service level."""
    for level in contract.service_levels:
        if isinstance(level.promise, MaxAge):
            element = time_element(contract, level.promise.table, level.promise.column)
            promise = promise_of(
                FRESHNESS,
                element.subject,
                clause=level.clause,
                expected=f"the newest value is at most {_limit(level.promise)} old",
                severity=level.severity,
                level_id=level.level_id,
            )
            yield FreshnessCheck(promise, level.promise, element.span)


def future_words(span: TimeRange) -> str:
    """Return how many rows were left out because they lie in the future; empty for none."""
    return f"left out: {count_words(span.future, 'row')} in the future" if span.future else ""


def _limit(promise: MaxAge) -> str:
    return duration_words(promise.fixed, promise.calendar_months)


def _rounded(age: timedelta) -> timedelta:
    return timedelta(seconds=round(age.total_seconds()))
