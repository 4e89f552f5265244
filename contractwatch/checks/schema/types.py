"""Check each column's logical type, and whether it carries a time zone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from contractwatch.checks.common.counts import ViolationCount, judge_count
from contractwatch.checks.common.nested_paths import DISAGREEING, HOLDS_TEXT, NO_VALUE
from contractwatch.checks.common.promise_builder import (
    columns_of,
    measured,
    promise_of,
    unmeasured_verdict,
    with_violation,
)
from contractwatch.checks.common.text_shapes import format_hint
from contractwatch.checks.common.thresholds import NONE_AT_ALL, count_words
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.path import ArrayItem, StructField
from contractwatch.model.base.server import ReadPolicy
from contractwatch.model.contract.contract import Contract, LogicalType
from contractwatch.model.contract.date_format import DateFormatError, compile_format
from contractwatch.model.measure.metric import Metric, RowCount, TableSchema, Unparseable
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    Measurement,
    TableColumns,
    UnparseableCells,
)
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

TYPE = KINDS["type"]
TIMEZONE = KINDS["timezone"]

_KINDS: Mapping[LogicalType, frozenset[str]] = {
    LogicalType.STRING: frozenset({"string"}),
    LogicalType.INTEGER: frozenset({"integer"}),
    LogicalType.NUMBER: frozenset({"integer", "decimal", "float"}),
    LogicalType.BOOLEAN: frozenset({"boolean"}),
    LogicalType.DATE: frozenset({"date"}),
    LogicalType.TIMESTAMP: frozenset({"timestamp"}),
    LogicalType.TIME: frozenset({"time"}),
    LogicalType.OBJECT: frozenset({"object", "map"}),
    LogicalType.ARRAY: frozenset({"array", "map"}),
    LogicalType.MAP: frozenset({"map"}),
    LogicalType.VECTOR: frozenset({"array"}),
}
_NUMBERS = _KINDS[LogicalType.NUMBER]
_NESTED = {LogicalType.OBJECT, LogicalType.ARRAY, LogicalType.MAP, LogicalType.VECTOR}
_KEY, _VALUE = (ArrayItem(), StructField("key")), (ArrayItem(), StructField("value"))
_NO_ANSWERS: Mapping[Metric, Measurement] = {}
_PLAINLY = ReadPolicy()
_UNVERIFIABLE = "unverifiable: the source is text"
_AWARE = "with a time zone"
_NAIVE = "without a time zone"


@dataclass(frozen=True, slots=True)
class TypeCheck:
    """Check that a column's own type fits the declared one; texts must parse as it.

    `lenient` takes integers and numbers for one another; `binary` lets a string be of bytes. Texts
    are of `parse_format`, a date format, if it is not empty; `read` says how numbers are written.
    """

    promise: Promise
    logical_type: LogicalType
    lenient: bool = False
    binary: bool = False
    parse_format: str = ""
    read: ReadPolicy = _PLAINLY

    def metrics(self) -> tuple[Metric, ...]:
        table, (column,) = self.promise.table, self.promise.physical_columns
        cells = Unparseable(table, column, self.promise.path)
        return (TableSchema(table), cells, RowCount(table))

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        of_schema, *of_cells = self.metrics()
        error = unmeasured_verdict(answers, (of_schema,), self.logical_type)
        if error is not None:
            return error
        found = _column_type(answers, self.promise)
        if not found.text and self._may_be_days(found):
            return self._of_days(found, answers)
        if not found.text:
            return self._of_schema(found)
        if found.kind == "string" and self.logical_type in _NESTED:
            return Verdict(Outcome.SKIPPED, threshold=self.logical_type, reason=_UNVERIFIABLE)
        unread = self._unread_format()
        if unread:
            return Verdict(Outcome.SKIPPED, threshold=self.logical_type, reason=unread)
        error = unmeasured_verdict(answers, of_cells, self.logical_type)
        if error is not None:
            return error
        bad, in_scope = (measured(answers, metric, Count) for metric in of_cells)
        shapes = bad.shapes if isinstance(bad, UnparseableCells) else ()
        looks = format_hint(shapes, self.logical_type, written=self.parse_format, read=self.read)
        words = f"{bad.rows:,} of {count_words(in_scope.rows, 'row')}{looks}" if looks else ""
        return judge_count(
            NONE_AT_ALL, ViolationCount(in_scope.rows, bad.rows, in_scope.rows, words)
        )

    def _unread_format(self) -> str:
        """Return why the date format is not executed; empty if it is."""
        try:
            if self.parse_format:
                compile_format(self.parse_format, self.logical_type)
        except DateFormatError as wrong:
            return str(wrong)
        return ""

    def has_days_only(self, answers: Mapping[Metric, Measurement]) -> bool:
        """Return whether a date was promised and all values are timestamps at midnight."""
        (column,) = self.promise.physical_columns
        days = Unparseable(self.promise.table, column)
        return (
            isinstance(answers.get(TableSchema(self.promise.table)), TableColumns)
            and self._may_be_days(_column_type(answers, self.promise))
            and answers.get(days) == Count(0)
        )

    def _may_be_days(self, found: ColumnType) -> bool:
        is_top = not self.promise.path
        return is_top and self.logical_type is LogicalType.DATE and found.kind == "timestamp"

    def _of_days(self, found: ColumnType, answers: Mapping[Metric, Measurement]) -> Verdict:
        _, *of_cells = self.metrics()
        error = unmeasured_verdict(answers, of_cells, self.logical_type)
        if error is not None:
            return error
        timed, rows = (measured(answers, metric, Count).rows for metric in of_cells)
        what = (
            f"{timed:,} of {rows:,} rows have a time of day" if timed else "every row at midnight"
        )
        return Verdict(
            Outcome.FAILED,
            observed=found.physical,
            threshold=self.logical_type,
            rows=rows,
            violations=timed,
            reason=f"the column is of type {found.physical}: {what}",
        )

    def _of_schema(self, found: ColumnType) -> Verdict:
        note = NO_VALUE if found.kind == "null" else ""
        is_bytes = self.binary and found.kind == "binary"
        if note or is_bytes or _fits(found, self.logical_type, lenient=self.lenient):
            return Verdict(Outcome.PASSED, found.physical, self.logical_type, reason=note)
        if found.kind == "string" and self.logical_type is LogicalType.OBJECT:
            return Verdict(Outcome.SKIPPED, threshold=self.logical_type, reason=HOLDS_TEXT)
        reason = DISAGREEING if found.kind == "other" else "the column is of type"
        reason = f"{reason} {found.physical}"
        return Verdict(Outcome.FAILED, found.physical, self.logical_type, reason=reason)


@dataclass(frozen=True, slots=True)
class TimeZoneCheck:
    """Check that a timestamp's type carries a time zone exactly if the contract says so."""

    promise: Promise
    aware: bool

    def metrics(self) -> tuple[Metric, ...]:
        return (TableSchema(self.promise.table),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = _AWARE if self.aware else _NAIVE
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        found = _column_type(answers, self.promise)
        if found.text:
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=_UNVERIFIABLE)
        if found.kind == "null":
            return Verdict(Outcome.PASSED, found.physical, threshold, reason=NO_VALUE)
        if found.kind != "timestamp":
            reason = "the column is not a timestamp"
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=reason)
        observed = _AWARE if found.timezone_aware else _NAIVE
        kept = found.timezone_aware is self.aware
        reason = "" if kept else f"the column's type is {observed}"
        outcome = Outcome.PASSED if kept else Outcome.FAILED
        return Verdict(outcome, observed=observed, threshold=threshold, reason=reason)


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each column's declared type, and for the zone of a timestamp."""
    for subject, column in columns_of(contract):
        if column.logical_type is None:
            continue
        clause = column.type_clause or column.clause
        words = f"the column is of type {column.logical_type}"
        promise = promise_of(TYPE, subject, clause=clause, expected=words)
        promise = with_violation(promise, f"no {column.logical_type}")
        yield TypeCheck(
            promise, column.logical_type, binary=column.binary, parse_format=column.parse_format
        )
        if column.timezone_aware is not None:
            words = f"the timestamp is {_AWARE if column.timezone_aware else _NAIVE}"
            promise = promise_of(
                TIMEZONE, subject, clause=clause, expected=words, severity=Severity.WARNING
            )
            yield TimeZoneCheck(promise, column.timezone_aware)


def for_server(
    check: Check, policy: ReadPolicy, answers: Mapping[Metric, Measurement] = _NO_ANSWERS
) -> Check:
    """Return the check as it applies to a server with this read policy.

    Timestamps that are all at midnight break the promise of a date with severity warning only.
    """
    if not isinstance(check, TypeCheck):
        return check
    if check.has_days_only(answers):
        check = replace(check, promise=replace(check.promise, severity=Severity.WARNING))
    return replace(check, lenient=policy.lenient_types, read=policy)


def _column_type(answers: Mapping[Metric, Measurement], promise: Promise) -> ColumnType:
    columns = measured(answers, TableSchema(promise.table), TableColumns)
    (name,) = promise.physical_columns
    top = columns.find(name)
    return (top and top.follow(promise.path)) or ColumnType(name, "missing", "missing")


def _fits(found: ColumnType, logical_type: LogicalType, *, lenient: bool) -> bool:
    if found.kind in _KINDS[logical_type] or (
        logical_type is LogicalType.MAP and found.follow(_KEY) and found.follow(_VALUE)
    ):
        return True
    if logical_type is not LogicalType.INTEGER:
        return False
    whole_decimal = found.kind == "decimal" and found.scale == 0
    return whole_decimal or (lenient and found.kind in _NUMBERS)
