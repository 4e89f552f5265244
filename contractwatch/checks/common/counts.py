"""Checks that count violating or repeated rows and compare the count with a threshold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.promise_builder import measured, unmeasured_verdict
from contractwatch.checks.common.thresholds import count_words, is_met, limit_words
from contractwatch.model.base.path import FieldPath, struct_fields
from contractwatch.model.measure.metric import (
    CountWhere,
    Inside,
    Metric,
    Predicate,
    RowCount,
    SurplusRows,
)
from contractwatch.model.measure.state import Count, DuplicateCounts, Measurement
from contractwatch.model.promises.rule import DuplicateCounting, Threshold, Unit
from contractwatch.model.record.check import Outcome, Promise, Verdict

NO_ROWS = "no rows"
"""The reason of a verdict over an empty table."""


_COUNTS: Mapping[DuplicateCounting, Callable[[DuplicateCounts], int]] = {
    DuplicateCounting.SURPLUS: lambda repeats: repeats.surplus,
    DuplicateCounting.KEYS: lambda repeats: repeats.keys,
    DuplicateCounting.AFFECTED: lambda repeats: repeats.affected,
}


@dataclass(frozen=True, slots=True)
class ViolationCount:
    """Rows in scope, violating rows, and `base`, the number that a percentage refers to."""

    rows: int
    violations: int
    base: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class ViolatingRowsCheck:
    """Check that counts the rows matching one of several predicates, which exclude each other.

    A predicate that names no path speaks of the value at the end of the promise's path.
    """

    promise: Promise
    threshold: Threshold
    predicates: tuple[Predicate, ...]

    def metrics(self) -> tuple[Metric, ...]:
        table, path = self.promise.table, self.promise.path
        counts = (CountWhere(table, _at_path_end(path, predicate)) for predicate in self.predicates)
        return (RowCount(table), *counts)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        asked = self.metrics()
        error = unmeasured_verdict(answers, asked, limit_words(self.threshold))
        if error is not None:
            return error
        rows, *counts = (measured(answers, metric, Count).rows for metric in asked)
        return judge_count(self.threshold, ViolationCount(rows, sum(counts), base=rows))


@dataclass(frozen=True, slots=True)
class RepeatedRowsCheck:
    """Check that counts the rows that repeat an earlier key.

    With `demand_key` rows without a complete key count, too.

    `counting` says which of three counts a duplicate is; a percentage is taken of the rows whose
    key has no null member.
    """

    promise: Promise
    threshold: Threshold
    demand_key: bool = False
    counting: DuplicateCounting = DuplicateCounting.SURPLUS

    def metrics(self) -> tuple[Metric, ...]:
        table, promise = self.promise.table, self.promise
        paths = promise.paths or ((promise.path,) if promise.path else ())
        members = tuple(map(struct_fields, paths))
        return (RowCount(table), SurplusRows(table, promise.physical_columns, members))

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        of_table, of_keys = self.metrics()
        error = unmeasured_verdict(answers, self.metrics(), limit_words(self.threshold))
        if error is not None:
            return error
        rows = measured(answers, of_table, Count).rows
        repeats = measured(answers, of_keys, DuplicateCounts)
        keyless = rows - repeats.rows if self.demand_key else 0
        words = _duplicate_words(repeats, keyless)
        counted_so = _COUNTS[self.counting](repeats)
        tally = ViolationCount(rows, counted_so + keyless, base=repeats.rows, words=words)
        return judge_count(self.threshold, tally)


def judge_count(threshold: Threshold, tally: ViolationCount) -> Verdict:
    """Compare a count with its threshold; a pass over no rows is marked as vacuous."""
    observed: float = tally.violations
    if threshold.unit is Unit.PERCENT:
        observed = 100 * tally.violations / tally.base if tally.base else 0.0
    kept = is_met(threshold, observed)
    vacuous = kept and tally.rows == 0
    failure = tally.words or f"{tally.violations:,} of {count_words(tally.rows, 'row')}"
    return Verdict(
        Outcome.PASSED if kept else Outcome.FAILED,
        observed=observed,
        threshold=limit_words(threshold),
        rows=tally.rows,
        violations=tally.violations,
        reason=NO_ROWS if vacuous else "" if kept else failure,
        vacuous=vacuous,
    )


def _at_path_end(path: FieldPath, predicate: Predicate) -> Predicate:
    """Return the predicate, applied to the values at the end of a path into the cell."""
    if not path or isinstance(predicate, Inside):
        return predicate
    return Inside(path, predicate)


def _duplicate_words(repeats: DuplicateCounts, keyless: int) -> str:
    counts = (
        (repeats.surplus, "duplicate row"),
        (repeats.keys, "repeated key"),
        (repeats.affected, "affected row"),
        (keyless, "keyless row"),
    )
    return ", ".join(count_words(count, noun) for count, noun in counts if count)
