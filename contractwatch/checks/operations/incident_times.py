"""Check how fast incidents are detected, reported and repaired.

A promise about operations, not about data: it is judged and shown, and no objective follows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contractwatch.checks.common.ages import add_period, duration_words
from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.watermarks import NO_RECORD
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import IncidentTimes, Metric
from contractwatch.model.measure.state import IncidentLog, IncidentTime, Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.service_level import IncidentStep, MaxIncidentTime
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

_WORDS: Mapping[IncidentStep, str] = {
    IncidentStep.DETECT: "found",
    IncidentStep.NOTIFY: "told",
    IncidentStep.REPAIR: "repaired",
}


@dataclass(frozen=True, slots=True)
class IncidentTimeCheck:
    """Check that the slowest incident of 28 days was fast enough; open ones count until now.

    - found: from the last run that passed to the first that failed
    - told: from the first failing run to the first message that was delivered
    - repaired: from the first failing run to the resolution
    """

    promise: Promise
    reaction: MaxIncidentTime

    def metrics(self) -> tuple[Metric, ...]:
        return (IncidentTimes(),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = f"at most {_limit(self.reaction)}"
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        log = measured(answers, IncidentTimes(), IncidentLog)
        if not log.is_recorded:
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=NO_RECORD)
        spans = [span for one in log.incidents if (span := self._span(one, now)) is not None]
        if not spans:
            reason = "warming up: no incident yet"
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=reason)
        slow = sum(1 for start, end in spans if end > self._due(start))
        slowest = max((end - start).total_seconds() for start, end in spans)
        words = f"{_WORDS[self.reaction.reaction]} later; the slowest took {_duration(slowest)}"
        return Verdict(
            Outcome.FAILED if slow else Outcome.PASSED,
            observed=slowest,
            threshold=threshold,
            reason=f"{slow:,} of {len(spans):,} incidents were {words}" if slow else "",
        )

    def _span(self, incident: IncidentTime, now: datetime) -> tuple[datetime, datetime] | None:
        """Return the start and end of the measured step; None if they are not known."""
        match self.reaction.reaction:
            case IncidentStep.DETECT:
                start = incident.last_good_at
                return None if start is None else (start, incident.found_at)
            case IncidentStep.NOTIFY:
                told = incident.told_at or now
                return (incident.found_at, told) if incident.is_timed else None
            case IncidentStep.REPAIR:
                return incident.found_at, incident.resolved_at or now

    def _due(self, start: datetime) -> datetime:
        months, fixed = self.reaction.calendar_months, self.reaction.fixed
        return add_period(start, months=months, fixed=fixed, zone="Etc/UTC")


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `timeToDetect`, `timeToNotify` and `timeToRepair` service level."""
    subject = Subject(contract.contract_id, "-")
    for level in contract.service_levels:
        if isinstance(level.promise, MaxIncidentTime):
            reaction = level.promise
            kind = KINDS[reaction.reaction.value]
            promise = promise_of(
                kind,
                subject,
                clause=level.clause,
                expected=f"every incident {_WORDS[reaction.reaction]} within {_limit(reaction)}",
                severity=level.severity,
                level_id=level.level_id,
            )
            yield IncidentTimeCheck(promise, reaction)


def _limit(reaction: MaxIncidentTime) -> str:
    return duration_words(reaction.fixed, reaction.calendar_months)


def _duration(seconds: float) -> str:
    return duration_words(timedelta(seconds=round(seconds)))
