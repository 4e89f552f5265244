"""Check how many rows arrive in a period."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.ages import duration_words, time_element
from contractwatch.checks.common.promise_builder import (
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words, number_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, RecentRows
from contractwatch.model.measure.state import Count, Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.service_level import Throughput
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

THROUGHPUT = KINDS["throughput"]


@dataclass(frozen=True, slots=True)
class ThroughputCheck:
    """Check that enough rows have a time within the last period; no rows are a rate of 0."""

    promise: Promise
    throughput: Throughput
    question: RecentRows

    def metrics(self) -> tuple[Metric, ...]:
        return (self.question,)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = f"at least {_rows(self.throughput)}"
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        rows = measured(answers, self.question, Count).rows
        kept = rows >= self.throughput.rows
        period = duration_words(self.throughput.period)
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=rows,
            threshold=threshold,
            rows=rows,
            reason="" if kept else f"{count_words(rows, 'row')} in the last {period}",
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `throughput` service level."""
    for level in contract.service_levels:
        if isinstance(level.promise, Throughput):
            promised = level.promise
            element = time_element(contract, promised.table, promised.column)
            question = RecentRows(
                promised.table,
                element.physical,
                promised.period,
                element.timezone,
                element.path,
            )
            period = duration_words(promised.period)
            promise = promise_of(
                THROUGHPUT,
                element.subject,
                clause=level.clause,
                expected=f"at least {_rows(promised)} within {period}",
                severity=level.severity,
                level_id=level.level_id,
            )
            yield ThroughputCheck(promise, promised, question)


def _rows(throughput: Throughput) -> str:
    return f"{number_words(throughput.rows)} {'row' if throughput.rows == 1 else 'rows'}"
