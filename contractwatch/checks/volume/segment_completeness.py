"""Check that every expected segment has rows in every period that is due."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from contractwatch.checks.common.ages import duration_words
from contractwatch.checks.common.periods import due_starts
from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    physical_names,
    promise_of_rule,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words, is_met, limit_words, number_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.reference import Segments, SegmentsOf
from contractwatch.model.promises.rule import Unit
from contractwatch.model.promises.segment import (
    MOST_CELLS,
    ListedSegments,
    PeriodUnit,
    RecentSegments,
    ReferencedSegments,
    RowsPerCell,
    Segment,
    SegmentCounts,
    SegmentRows,
    SegmentRule,
)
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

SEGMENT_COMPLETENESS = KINDS["segmentCompleteness"]

_SHOWN = 5
_PERCENT = 100
_START = "%Y-%m-%dT%H:%M"
_MIDNIGHT = "T00:00"


@dataclass(frozen=True, slots=True)
class SegmentCompletenessCheck:
    """Check how many expected segments have too few rows in a due period."""

    promise: Promise
    rule: SegmentRule
    metric: RowsPerCell

    def metrics(self) -> tuple[Metric, ...]:
        return (self.metric, *self._asked_of_reference())

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = limit_words(self.rule.threshold, "cells")
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        cells = measured(answers, self.metric, SegmentCounts).cells
        starts = [start.strftime(_START) for start in due_starts(self.rule, now)]
        segments = self._expected(answers, cells, now)
        if len(starts) * len(segments) > MOST_CELLS:
            reason = f"more than {MOST_CELLS:,} segments and periods are expected"
            return Verdict(Outcome.ERROR, threshold=threshold, reason=reason)
        rows = {(cell.start, cell.segment): cell.rows for cell in cells}
        missing = [
            (start, segment)
            for start in starts
            for segment in segments
            if rows.get((start, segment), 0) < self.rule.least_rows
        ]
        return self._verdict(
            missing, len(starts) * len(segments), _rows_without_segment(cells, starts)
        )

    def _asked_of_reference(self) -> tuple[SegmentsOf, ...]:
        expected = self.rule.expected
        if not isinstance(expected, ReferencedSegments):
            return ()
        return (SegmentsOf(self.metric.table, self.metric.by, expected.target),)

    def _expected(
        self, answers: Mapping[Metric, Measurement], cells: Sequence[SegmentRows], now: datetime
    ) -> tuple[Segment, ...]:
        match self.rule.expected:
            case ListedSegments(segments):
                return segments
            case RecentSegments(history):
                return self._seen(cells, now.astimezone(ZoneInfo(self.rule.timezone)) - history)
            case ReferencedSegments():
                (asked,) = self._asked_of_reference()
                return measured(answers, asked, Segments).segments
            case _:
                assert_never(self.rule.expected)

    def _seen(self, cells: Sequence[SegmentRows], since: datetime) -> tuple[Segment, ...]:
        """Return the segments that had rows since a local time; they are values of the data."""
        oldest = since.strftime(_START)
        seen = (_complete_segment(cell.segment) for cell in cells if cell.start >= oldest)
        return tuple(sorted({segment for segment in seen if segment}))

    def _verdict(
        self, missing: Sequence[tuple[str, Segment]], expected: int, unnamed: int
    ) -> Verdict:
        threshold = self.rule.threshold
        observed: float = len(missing)
        if threshold.unit is Unit.PERCENT:
            observed = _PERCENT * len(missing) / expected if expected else 0.0
        kept = is_met(threshold, observed)
        reasons: list[str] = []
        if not kept:
            reasons.append(
                f"{len(missing):,} of {count_words(expected, 'cell')}{self._named(missing)}"
            )
        if unnamed:
            reasons.append(f"{count_words(unnamed, 'row')} without a segment")
        if kept and not expected:
            reasons.append("no period is due, or no segment is known")
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=observed,
            threshold=limit_words(threshold, "cells"),
            reason="; ".join(reasons),
            vacuous=kept and not expected,
        )

    def _named(self, missing: Sequence[tuple[str, Segment]]) -> str:
        """Name segments: those that the contract lists by name, those of the data by number."""
        if isinstance(self.rule.expected, ListedSegments):
            names = [f"{'/'.join(segment)} {_day(start)}" for start, segment in missing]
        else:
            starts = [start for start, _ in missing]
            names = [f"{starts.count(one):,} in {_day(one)}" for one in dict.fromkeys(starts)]
        rest = len(names) - _SHOWN
        more = [f"and {rest:,} more"] if rest > 0 else []
        return ": " + ", ".join((*names[:_SHOWN], *more)) if names else ""


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `segmentCompleteness` rule of our own engine."""
    for table in contract.tables:
        for rule in table.segment_rules:
            (element, *by) = physical_names(table, (rule.element, *rule.by))
            column = table.column(rule.element)
            metric = RowsPerCell(
                table.name,
                element,
                tuple(by),
                rule.period,
                _scanned_time(rule),
                rule.timezone,
                column.default_timezone if column else rule.timezone,
            )
            subject = Subject(contract.contract_id, table.name, None, (element, *by))
            promise = promise_of_rule(
                SEGMENT_COMPLETENESS, subject, rule, expected=_expected_words(rule)
            )
            yield SegmentCompletenessCheck(promise, rule, metric)


def _complete_segment(segment: tuple[str | None, ...]) -> Segment:
    """Return a segment if every member of it is known, else an empty one."""
    members = tuple(member for member in segment if member is not None)
    return members if len(members) == len(segment) else ()


def _scanned_time(rule: SegmentRule) -> timedelta:
    seen = rule.expected.history if isinstance(rule.expected, RecentSegments) else timedelta(0)
    return max(rule.lookback, seen)


def _expected_words(rule: SegmentRule) -> str:
    least = count_words(rule.least_rows, "row")
    every = f"every {' and '.join(rule.by)} has {least} or more in every {_period_words(rule)}"
    return f"{every} of the last {duration_words(rule.lookback)}"


def _period_words(rule: SegmentRule) -> str:
    unit = "weekday" if rule.weekdays_only else str(rule.period.unit)
    if rule.period.unit is PeriodUnit.MINUTE:
        return f"{number_words(rule.period.count)} min"
    return unit if rule.period.count == 1 else f"{rule.period.count} months"


def _day(start: str) -> str:
    return start.removesuffix(_MIDNIGHT)


def _rows_without_segment(cells: Sequence[SegmentRows], starts: Sequence[str]) -> int:
    due = set(starts)
    return sum(cell.rows for cell in cells if None in cell.segment and cell.start in due)
