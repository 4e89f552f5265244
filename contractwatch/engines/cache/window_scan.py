"""Answer metrics by reading only the rows from a watermark on and adding the cached answers.

1. Read the rows from the cached watermark on, for all metrics: no row comes in without being
   judged.
2. Add the cached answers about the rows below the watermark, for metrics that add up.
3. Advance the watermark: the rows that become old are asked once more, by themselves, and their
   answers are added to the cache.

All rows are read where nothing is cached, where the columns have changed or a metric is new, and
where no row is left above the watermark. A metric whose answer cannot be cached (a time that lies
in the future) is asked of all rows every time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from typing import TypeAlias, TypeGuard
from zoneinfo import ZoneInfo

import polars as pl

from contractwatch.engines.cache.file_answers import (
    CacheableMetric,
    FileAnswer,
    FullScanRequiredError,
    is_valid_at,
    metric_digest,
    sum_answers,
)
from contractwatch.engines.cache.window_answers import (
    CachedWindow,
    Watermark,
    WindowMetric,
    WindowScan,
)
from contractwatch.engines.core.failures import QUERY_FAILURES
from contractwatch.engines.predicates.literals import floor_steps, steps, steps_range
from contractwatch.engines.query.engine import Survey, survey
from contractwatch.engines.tables.frames import open_table
from contractwatch.engines.tables.windows import least_step, order_column
from contractwatch.errors import SourceError
from contractwatch.model.contract.dataset import Dataset, TableFiles
from contractwatch.model.contract.incremental import Incremental, IncrementalMode, Window
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import KeyRange, Metric, RowCount, TableSchema, TimeSpan
from contractwatch.model.measure.state import (
    Count,
    DelayTally,
    DuplicateCounts,
    KeyBounds,
    Measurement,
    TableColumns,
    TimeRange,
    Unmeasured,
)
from contractwatch.model.promises.personal_data import PersonalData


@dataclass(frozen=True, slots=True)
class WindowScanResult:
    """The answers, the evidence for each, and what is to be cached."""

    measurements: Mapping[Metric, Measurement]
    evidence: Mapping[Metric, Evidence]
    cached: CachedWindow


@dataclass(frozen=True, slots=True)
class Unordered:
    """Reason why the values of the column do not tell old rows from new ones."""

    reason: str


def scan_window(
    files: TableFiles,
    metrics: Iterable[CacheableMetric],
    cached: CachedWindow | None,
    *,
    other_metrics: Iterable[Metric],
    now: datetime,
) -> WindowScanResult | Unordered | None:
    """Answer metrics from the cached answers of old rows and by reading the others.

    Args:
        files: The table, with its `incremental`.
        metrics: The metrics to answer.
        cached: The cached answers of the same cache key; None reads all rows.
        other_metrics: Metrics that the caller asks of the same rows.
        now: As in `engines.query.engine.survey`.

    Returns:
        None if the table has to be read without a window.
    """
    chosen = files.incremental
    if chosen is None:
        return None
    try:
        frame = open_table(files)
        if frame.no_columns or frame.refused:
            return None
        cells = order_column(frame.cells, frame.columns, chosen.column)
        if isinstance(cells, str):
            return Unordered(cells)
        rule = _WatermarkRule(files.table, chosen, cells.dtype, now)
        others = frozenset(map(metric_digest, other_metrics))
        return _WindowScanner(files, rule, tuple(metrics), others).run(frame.columns, cached)
    except (SourceError, FullScanRequiredError, *QUERY_FAILURES):
        return None


@dataclass(frozen=True, slots=True)
class _WatermarkRule:
    """Where the window of the next run begins."""

    table: str
    incremental: Incremental
    dtype: pl.DataType
    now: datetime

    @property
    def metric(self) -> TimeSpan | KeyRange:
        """The metric for the newest value."""
        if self.dtype.is_temporal():
            return TimeSpan(self.table, self.incremental.column, self.incremental.timezone)
        return KeyRange(self.table, (self.incremental.column,))

    def next_watermark(self, newest: Measurement) -> Watermark:
        """Return the watermark of the next run; below all rows if there is no newest value."""
        least = least_step(self.dtype)
        try:
            found = self._next_watermark(newest)
        except OverflowError:  # so far back that there is no such date
            found = None
        if found is None:
            return Watermark(least)
        return replace(found, value=min(max(found.value, least), steps_range(self.dtype)[1]))

    def _next_watermark(self, newest: Measurement) -> Watermark | None:
        if isinstance(newest, KeyBounds):
            return Watermark(newest.bounds[0][1]) if newest.bounds else None
        zone = ZoneInfo(self.incremental.timezone)
        if self.incremental.mode is IncrementalMode.PARTITION:
            start = (self.now - self.incremental.lookback).astimezone(zone)
            return self._at_midnight(datetime.combine(start.date(), time(0), zone))
        if not isinstance(newest, TimeRange) or newest.newest is None:
            return None
        if self.dtype == pl.Date:
            return self._at_midnight(newest.newest.astimezone(zone) - self.incremental.lookback)
        begin = newest.newest - self.incremental.lookback
        shown = f"{begin.astimezone(zone):%Y-%m-%d %H:%M} {self.incremental.timezone}"
        return Watermark(self._steps(begin), shown.replace("Etc/UTC", "UTC"))

    def _at_midnight(self, local: datetime) -> Watermark:
        if self.dtype == pl.Date:
            return Watermark(
                floor_steps(steps(local.date(), self.dtype, "")), local.date().isoformat()
            )
        return Watermark(self._steps(local), local.date().isoformat())

    def _steps(self, instant: datetime) -> int:
        return floor_steps(steps(instant, self.dtype, self.incremental.timezone))


_Answers: TypeAlias = dict[Metric, Measurement]


@dataclass(slots=True)
class _WindowScanner:
    """One scan of one table with a window; `other_metrics` are digests."""

    files: TableFiles
    rule: _WatermarkRule
    metrics: tuple[CacheableMetric, ...]
    other_metrics: frozenset[str]
    evidence: dict[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])

    def run(self, columns: TableColumns, cached: CachedWindow | None) -> WindowScanResult:
        asked = frozenset(map(metric_digest, self.metrics)) | self.other_metrics
        if cached is not None and cached.columns == columns and asked <= cached.asked:
            older = {
                digest: answer
                for digest, answer in cached.older_answers.items()
                if is_valid_at(answer, self.rule.now)
            }
            scan, answers = self._scan_from(cached.watermark, older, is_full=False)
            if scan.rows:
                watermark, older = self._advance(cached.watermark, older, answers)
                updated = replace(
                    cached, watermark=watermark, older_answers=older, asked=asked, last_scan=scan
                )
                return self._result(columns, answers, updated)
        least = Watermark(least_step(self.rule.dtype))
        scan, answers = self._scan_from(least, {}, is_full=True)
        watermark, older = self._advance(least, None, answers)
        full = CachedWindow(columns, watermark, older, asked, self.rule.now, "", scan)
        return self._result(columns, answers, full)

    def _result(
        self, columns: TableColumns, answers: _Answers, cached: CachedWindow
    ) -> WindowScanResult:
        schema = TableSchema(self.files.table)
        self.evidence[schema] = Evidence.METADATA
        found: _Answers = {**answers, schema: columns}
        mine: list[Metric] = [metric for metric in self.metrics if metric in found]
        evidence = {metric: self.evidence.get(metric, Evidence.SCAN) for metric in mine}
        return WindowScanResult({metric: found[metric] for metric in mine}, evidence, cached)

    def _scan_from(
        self, watermark: Watermark, older: Mapping[str, FileAnswer], *, is_full: bool
    ) -> tuple[WindowScan, _Answers]:
        """Read the rows from a watermark on; all rows for metrics without a cached answer."""
        rows = RowCount(self.files.table)
        asked = [one for one in self.metrics if not isinstance(one, TableSchema)]
        window = Window(self.rule.incremental.column, watermark.value)
        read = self._read(window, (*asked, rows, self.rule.metric))
        count = read[rows]
        if not isinstance(count, Count):
            raise FullScanRequiredError
        answers = dict(read)
        uncached: list[Metric] = []
        for metric in asked:
            if is_full or isinstance(metric, WindowMetric):
                continue
            old = older.get(metric_digest(metric))
            if old is None:
                uncached.append(metric)
                continue
            answers[metric] = _add_answers(old, read[metric])
            self.evidence[metric] = Evidence.STATE
        answers.update(self._read(None, uncached) if uncached and count.rows else {})
        last = {
            metric_digest(metric): answer
            for metric in asked
            if isinstance(answer := answers[metric], DuplicateCounts | PersonalData)
            or _is_cacheable_answer(answer)
        }
        return WindowScan(watermark, is_full, count.rows, last), answers

    def _advance(
        self, watermark: Watermark, older: Mapping[str, FileAnswer] | None, answers: _Answers
    ) -> tuple[Watermark, Mapping[str, FileAnswer]]:
        """Return the next watermark, and the answers about the rows below it.

        Args:
            watermark: The present one.
            older: The answers about the rows below it; None if there are no such rows.
            answers: Those of this scan, with that to the rule's metric.
        """
        following = self.rule.next_watermark(answers[self.rule.metric])
        if following.value <= watermark.value:
            return watermark, older or {}
        window = Window(self.rule.incremental.column, watermark.value, following.value)
        not_additive = (WindowMetric, TableSchema)
        asked = [metric for metric in self.metrics if not isinstance(metric, not_additive)]
        known = [one for one in asked if older is None or metric_digest(one) in older]
        read = self._read(window, known) if known else {}
        below: dict[str, FileAnswer] = {}
        for metric in known:
            old = (older or {}).get(metric_digest(metric))
            added = read[metric] if old is None else _add_answers(old, read[metric])
            if _is_cacheable_answer(added):
                below[metric_digest(metric)] = added
        return following, below

    def _read(self, window: Window | None, metrics: Iterable[Metric]) -> _Answers:
        table = replace(self.files, window=window)
        found: Survey = survey(Dataset("", (table,), ""), metrics, now=self.rule.now)
        if found.failures:
            raise FullScanRequiredError
        if window is None or window.until is None:
            self.evidence.update(found.evidence)
        return dict(found.measurements)


def _add_answers(old: FileAnswer, new: Measurement) -> Measurement:
    if isinstance(new, Unmeasured):
        return new
    if not isinstance(new, type(old)):
        raise FullScanRequiredError
    return sum_answers([old, new])


def _is_cacheable_answer(answer: Measurement) -> TypeGuard[FileAnswer]:
    if isinstance(answer, TimeRange):
        return not answer.future
    return isinstance(answer, Count | DelayTally | KeyBounds)
