"""Check that personal data is found only in columns that are classified for it."""

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
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.personal_data import (
    Detector,
    DetectorHits,
    PersonalData,
    PersonalDataHits,
)
from contractwatch.model.promises.rule import Threshold
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

PII_LEAK = KINDS["piiLeak"]

FLOORS: Mapping[Detector, float] = {
    Detector.EMAIL: 0.001,
    Detector.PHONE: 0.01,
    Detector.IBAN: 0.001,
    Detector.CARD: 0.001,
    Detector.SSN: 0.005,
    Detector.NINO: 0.005,
}
"""The share of a column's texts above which hits are no accident of numbers."""

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class PersonalDataCheck:
    """Check the number of columns in which a detector finds personal data above its floor."""

    promise: Promise
    threshold: Threshold
    metric: PersonalDataHits

    def metrics(self) -> tuple[Metric, ...]:
        return (self.metric,)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        limit = limit_words(self.threshold, "columns")
        error = unmeasured_verdict(answers, self.metrics(), limit)
        if error is not None:
            return error
        searched = measured(answers, self.metric, PersonalData).found
        found = [one for one in searched if one.hits > FLOORS[one.detector] * one.texts]
        columns = len({one.column for one in found})
        texts = max((one.texts for one in searched), default=0)
        kept = is_met(self.threshold, columns)
        vacuous = kept and texts == 0
        names = [_hits_words(one) for one in found[:_SHOWN]]
        rest = len(found) - _SHOWN
        more = [f"and {rest} more"] if rest > 0 else []
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=columns,
            threshold=limit,
            reason="no texts" if vacuous else "; ".join((*names, *more)),
            vacuous=vacuous,
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `piiLeak` rule of our own engine."""
    for table in contract.tables:
        for rule in table.pii_rules:
            metric = PersonalDataHits(
                table.name, rule.columns, rule.declared, rule.undeclared, rule.sample_rows
            )
            words = promised_words(rule.threshold, "columns with personal data")
            subject = Subject(contract.contract_id, table.name)
            promise = promise_of_rule(PII_LEAK, subject, rule, expected=words)
            yield PersonalDataCheck(promise, rule.threshold, metric)


def _hits_words(hits: DetectorHits) -> str:
    share = 100 * hits.hits / hits.texts
    return f"{hits.column}: {hits.detector} in {share:.3g} % of {count_words(hits.texts, 'text')}"
