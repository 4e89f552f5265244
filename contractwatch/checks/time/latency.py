"""Check the delay between the event that a row describes and its arrival."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from contractwatch.checks.common.ages import TimeElement, duration_words, time_element
from contractwatch.checks.common.counts import NO_ROWS
from contractwatch.checks.common.promise_builder import (
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words, number_words
from contractwatch.model.base.path import struct_fields
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Delays, Metric
from contractwatch.model.measure.state import DelayTally, Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.service_level import MaxDelay
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

DELAY = KINDS["latency"]

_PERCENT = 100
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class LatencyCheck:
    """Check that the given quantile of the delays is within the limit.

    The quantile is that of rank `ceil(quantile * rows)`: no value between two rows is invented.
    """

    promise: Promise
    delay: MaxDelay
    question: Delays

    def metrics(self) -> tuple[Metric, ...]:
        return (self.question,)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = _threshold(self.delay)
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        tally = measured(answers, self.question, DelayTally)
        if not tally.rows:
            return Verdict(
                Outcome.PASSED, threshold=threshold, rows=0, reason=NO_ROWS, vacuous=True
            )
        in_time = tally.rows - tally.late
        kept = in_time >= ceil(self.delay.quantile * tally.rows - _ROUNDING)
        longest = tally.longest_seconds or 0.0
        words = duration_words(timedelta(seconds=round(longest)))
        reason = (
            f"{tally.late:,} of {count_words(tally.rows, 'row')} later; the longest took {words}"
        )
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=longest if _is_maximum(self.delay) else _PERCENT * in_time / tally.rows,
            threshold=threshold,
            rows=tally.rows,
            violations=tally.late,
            reason="" if kept else reason,
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `latency` between two columns."""
    for level in contract.service_levels:
        if isinstance(level.promise, MaxDelay):
            delay = level.promise
            names = (delay.event_column, delay.available_column)
            ends = tuple(time_element(contract, delay.table, name) for name in names)
            physical, paths = tuple(e.physical for e in ends), tuple(e.path for e in ends)
            subject = replace(ends[1].subject, physical=physical, path=(), paths=paths)
            promise = promise_of(
                DELAY,
                subject if any(paths) else replace(subject, paths=()),
                clause=level.clause,
                expected=f"{delay.available_column} {_threshold(delay)} after {delay.event_column}",
                severity=level.severity,
                level_id=level.level_id,
            )
            yield LatencyCheck(promise, delay, _question(delay, *ends))


def _question(delay: MaxDelay, event: TimeElement, available: TimeElement) -> Delays:
    return Delays(
        delay.table,
        event.physical,
        available.physical,
        delay.limit,
        event.timezone,
        available.timezone,
        struct_fields(event.path),
        struct_fields(available.path),
    )


def _is_maximum(delay: MaxDelay) -> bool:
    return delay.quantile >= 1


def _threshold(delay: MaxDelay) -> str:
    limit = duration_words(delay.limit)
    if _is_maximum(delay):
        return f"at most {limit}"
    share = number_words(round(_PERCENT * delay.quantile, 6))
    return f"at most {limit} in {share} %"
