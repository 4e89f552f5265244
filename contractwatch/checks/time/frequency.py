"""Check that the data is updated often enough in every period."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contractwatch.checks.common.ages import TimeElement, add_period, duration_words, time_element
from contractwatch.checks.common.promise_builder import (
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words
from contractwatch.checks.common.watermarks import count_runs, update_times, watermark_metrics
from contractwatch.checks.time.freshness import NO_DATA
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, UpdateHistory
from contractwatch.model.measure.state import Measurement, TimeRange, WatermarkLog
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.service_level import Frequency
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

FREQUENCY = KINDS["frequency"]


@dataclass(frozen=True, slots=True)
class FrequencyCheck:
    """Check that enough updates were seen in the period that ends now.

    An update is a change of the newest value, of the row count or of the files between two runs.
    Until a whole period was watched, one update a period is judged by the age of the newest value.
    """

    promise: Promise
    frequency: Frequency
    history: UpdateHistory

    def metrics(self) -> tuple[Metric, ...]:
        return (*watermark_metrics(self.history), self.history)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = _threshold(self.frequency)
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        history = measured(answers, self.history, WatermarkLog)
        start = self._moved(now, back=True)
        seen = update_times(history, after=start)
        if len(seen) >= self.frequency.updates:
            turns = self._moved(seen[-self.frequency.updates], back=False)
            return Verdict(Outcome.PASSED, len(seen), threshold, stale_at=turns)
        if not history.seen or history.seen[0].first_seen > start:
            return self._warming_up(answers, now, threshold)
        watched = count_runs(history, after=start)
        if watched < self.frequency.updates:
            reason = f"unsupported: {count_words(watched, 'run')} cannot see so many updates"
            return Verdict(Outcome.SKIPPED, len(seen), threshold, reason=reason)
        period = duration_words(self.frequency.fixed, self.frequency.calendar_months)
        reason = f"{count_words(len(seen), 'update')} in the last {period}"
        return Verdict(Outcome.FAILED, len(seen), threshold, reason=reason)

    def _warming_up(
        self, answers: Mapping[Metric, Measurement], now: datetime, threshold: str
    ) -> Verdict:
        if self.frequency.updates > 1:
            reason = "warming up: a whole period was not watched yet"
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=reason)
        newest = measured(answers, watermark_metrics(self.history)[0], TimeRange).newest
        if newest is None:
            return Verdict(Outcome.FAILED, threshold=threshold, reason=NO_DATA)
        turns = self._moved(newest, back=False)
        words = duration_words(timedelta(seconds=round((now - newest).total_seconds())))
        fresh = now <= turns
        return Verdict(
            Outcome.PASSED if fresh else Outcome.FAILED,
            threshold=threshold,
            reason="" if fresh else f"the newest value is {words} old",
            stale_at=turns if fresh else None,
        )

    def _moved(self, instant: datetime, *, back: bool) -> datetime:
        sign = -1 if back else 1
        return add_period(
            instant,
            months=sign * self.frequency.calendar_months,
            fixed=sign * self.frequency.fixed,
            zone=self.history.timezone,
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `frequency` service level."""
    for level in contract.service_levels:
        if isinstance(level.promise, Frequency):
            promised = level.promise
            element = time_element(contract, promised.table, promised.column)
            promise = promise_of(
                FREQUENCY,
                element.subject,
                clause=level.clause,
                expected=_threshold(promised),
                severity=level.severity,
                level_id=level.level_id,
            )
            yield FrequencyCheck(promise, promised, update_history(element))


def update_history(element: TimeElement) -> UpdateHistory:
    """Return the metric for the updates of a table, by its time element."""
    return UpdateHistory(element.subject.table, element.physical, element.timezone, element.path)


def _threshold(frequency: Frequency) -> str:
    period = duration_words(frequency.fixed, frequency.calendar_months)
    return f"at least {count_words(frequency.updates, 'update')} within {period}"
