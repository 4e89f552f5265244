"""Check that a table whose list of columns is closed has no other columns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    physical_names,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric, TableSchema
from contractwatch.model.measure.state import Measurement, TableColumns
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

EXTRA_COLUMNS = KINDS["extraColumns"]

_NONE = "no extra column"
_SHOWN = 5
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class ExtraColumnsCheck:
    """Check that every column of the table is listed in the contract, by physical name."""

    promise: Promise
    listed: tuple[str, ...]

    def metrics(self) -> tuple[Metric, ...]:
        return (TableSchema(self.promise.table),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        error = unmeasured_verdict(answers, self.metrics(), _NONE)
        if error is not None:
            return error
        columns = measured(answers, TableSchema(self.promise.table), TableColumns)
        found = (columns.find(name) for name in self.listed)
        known = {column.name for column in found if column is not None}
        extra = [column.name for column in columns.columns if column.name not in known]
        return Verdict(
            Outcome.FAILED if extra else Outcome.PASSED,
            observed=count_words(len(extra), "extra column"),
            threshold=_NONE,
            reason=f"not listed: {_column_words(extra)}" if extra else "",
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each table whose `contractwatch.schemaMode` is closed."""
    for table in contract.tables:
        if table.closed_clause is not None:
            twins = (column.encrypted_name for column in table.columns if column.encrypted_name)
            listed = physical_names(table, (*(column.name for column in table.columns), *twins))
            subject = Subject(contract.contract_id, table.name)
            words = "no column besides those listed"
            promise = promise_of(EXTRA_COLUMNS, subject, clause=table.closed_clause, expected=words)
            yield ExtraColumnsCheck(promise, listed)


def _column_words(names: list[str]) -> str:
    shown = ", ".join(repr(name[:_LONGEST]) for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return shown + more
