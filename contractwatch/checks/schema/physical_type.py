"""Check that each column has a type in the file that its physical type in the contract allows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from contractwatch.checks.common.nested_paths import COLUMN_MISSING, NO_VALUE
from contractwatch.checks.common.promise_builder import (
    column_subject,
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.type_spellings import allowed_types, is_allowed
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.server import ReadPolicy
from contractwatch.model.contract.contract import Column, Contract, LogicalType
from contractwatch.model.measure.metric import Metric, TableSchema
from contractwatch.model.measure.state import ColumnType, Measurement, TableColumns
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

PHYSICAL_TYPE = KINDS["physicalType"]

_UNKNOWN = "unsupported physical type"
_NAMED_BY_FOLDERS = "unverifiable: the values are names of folders"
_SHOWN = 60
_STORING = frozenset({"int32", "int64", "binary"})
_HELD = {
    LogicalType.DATE: "date",
    LogicalType.TIME: "time",
    LogicalType.TIMESTAMP: "timestamp",
    LogicalType.NUMBER: "decimal",
}
"""How a value is read that a file may store as a whole number or as bytes."""


@dataclass(frozen=True, slots=True)
class PhysicalTypeCheck:
    """Check that each file's own type is one that the spelling allows.

    `lenient` compares only the family of types.
    """

    promise: Promise
    spelling: str
    allowed: frozenset[str]
    lenient: bool = False

    def metrics(self) -> tuple[Metric, ...]:
        return (TableSchema(self.promise.table),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        if not self.allowed:
            return Verdict(Outcome.SKIPPED, threshold=self.spelling, reason=_UNKNOWN)
        error = unmeasured_verdict(answers, self.metrics(), self.spelling)
        if error is not None:
            return error
        columns = measured(answers, TableSchema(self.promise.table), TableColumns)
        found = columns.find(self.promise.physical_columns[0])
        if found is None:
            return Verdict(Outcome.SKIPPED, threshold=self.spelling, reason=COLUMN_MISSING)
        if found.text and not found.files:
            return Verdict(Outcome.SKIPPED, threshold=self.spelling, reason=_NAMED_BY_FOLDERS)
        if found.kind == "null":
            return Verdict(Outcome.PASSED, found.physical, self.spelling, reason=NO_VALUE)
        wrong = [one for one in found.in_files if not self._allows(one)]
        if not wrong:
            return Verdict(Outcome.PASSED, observed=found.physical, threshold=self.spelling)
        names = " or ".join(dict.fromkeys(one.physical for one in wrong))
        where = " in some of the files" if len(wrong) < len(found.in_files) else ""
        reason = f"the column is of type {names}{where}"
        return Verdict(Outcome.FAILED, found.physical, self.spelling, reason=reason)

    def _allows(self, one: ColumnType) -> bool:
        return not one.text and is_allowed(one, self.allowed, by_family=self.lenient)


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for the physical type of each column, with severity warning.

    One contract describes a product in several places, whose systems spell and hold types unalike.
    """
    for table in contract.tables:
        for column in table.columns:
            if column.physical_clause is None:
                continue
            spelling = column.physical_type[:_SHOWN]
            promise = promise_of(
                PHYSICAL_TYPE,
                column_subject(contract, table, column),
                clause=column.physical_clause,
                expected=f"the column is of type {spelling}",
                severity=Severity.WARNING,
            )
            yield PhysicalTypeCheck(promise, spelling, _allowed(column))


def for_server(check: Check, policy: ReadPolicy) -> Check:
    """Return the check as it applies to a server with this read policy."""
    if isinstance(check, PhysicalTypeCheck) and policy.lenient_types:
        return replace(check, lenient=True)
    return check


def _allowed(column: Column) -> frozenset[str]:
    """Return the types that the physical type of a column allows.

    The DATE of some systems has a time of day; and Avro and Parquet spell the type by which they
    store a value, such as `long` for a timestamp: then the logical type says how it is read.
    """
    words = allowed_types(column.physical_type)
    held = _HELD.get(column.logical_type) if column.logical_type is not None else None
    is_stored = held is not None and bool(words & _STORING)
    has_time = column.logical_type is LogicalType.TIMESTAMP and "date" in words
    return words | frozenset({held}) if held and (is_stored or has_time) else words
