"""Check how often the data could be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import number_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, Probes
from contractwatch.model.measure.state import Measurement, ProbeTally
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.service_level import Availability
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

AVAILABILITY = KINDS["availability"]

PROBES_NEEDED = 20
"""Below this many probes a share says too little."""


@dataclass(frozen=True, slots=True)
class AvailabilityCheck:
    """Check that at least this share of the recent probes found the data readable."""

    promise: Promise
    percent: float

    def metrics(self) -> tuple[Metric, ...]:
        return (Probes(),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = f"at least {number_words(self.percent)} %"
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        probes = measured(answers, Probes(), ProbeTally)
        if probes.total < PROBES_NEEDED:
            reason = f"warming up ({probes.total} of {PROBES_NEEDED} probes)"
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=reason)
        observed = 100 * probes.good / probes.total
        kept = observed >= self.percent
        reason = f"{probes.total - probes.good:,} of {probes.total:,} probes could not read"
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=observed,
            threshold=threshold,
            reason="" if kept else reason,
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `availability` service level."""
    subject = Subject(contract.contract_id, "-")
    for level in contract.service_levels:
        if isinstance(level.promise, Availability):
            words = f"readable at {number_words(level.promise.percent)} % of the probes or more"
            promise = promise_of(
                AVAILABILITY,
                subject,
                clause=level.clause,
                expected=words,
                severity=level.severity,
                level_id=level.level_id,
            )
            yield AvailabilityCheck(promise, level.promise.percent)
