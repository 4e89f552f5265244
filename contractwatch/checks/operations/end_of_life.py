"""Check that no data can be read after the end of a product's life."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words
from contractwatch.model.base.clause import Severity
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, TableSchema
from contractwatch.model.measure.state import Measurement, TableColumns
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

END_OF_LIFE = KINDS["endOfLife"]

_GONE = "no column to be read"


@dataclass(frozen=True, slots=True)
class EndOfLifeCheck:
    """Check that the table is no longer readable; a table without columns counts as gone."""

    promise: Promise

    def metrics(self) -> tuple[Metric, ...]:
        return (TableSchema(self.promise.table),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        error = unmeasured_verdict(answers, self.metrics(), _GONE)
        if error is not None:
            return error
        found = len(measured(answers, TableSchema(self.promise.table), TableColumns).columns)
        return Verdict(
            Outcome.FAILED if found else Outcome.PASSED,
            observed="still readable" if found else "gone",
            threshold=_GONE,
            reason=f"{count_words(found, 'column')} can still be read" if found else "",
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each table; planned only after the end of the product's life."""
    clause = contract.lifetime.life_clause
    if contract.lifetime.end_of_life is None or clause is None:
        return
    day = contract.lifetime.end_of_life.date().isoformat()
    for table in contract.tables:
        subject = Subject(contract.contract_id, table.name)
        words = f"no data after the end of life on {day}"
        severity = Severity.WARNING
        promise = promise_of(END_OF_LIFE, subject, clause=clause, expected=words, severity=severity)
        yield EndOfLifeCheck(promise)
