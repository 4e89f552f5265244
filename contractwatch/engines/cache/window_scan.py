"""Answer questions by reading only the rows from a watermark on and adding the cached answers.

1. Read the rows from the cached watermark on, for all questions: no row comes in without being
   judged.
2. Add the cached answers about the rows below the watermark, for questions that add up.
3. Advance the watermark: the rows that become old are asked once more, by themselves, and their
   answers are added to the cache.

All rows are read where nothing is cached, where the columns have changed or a question is new, and
where no row is left above the watermark. A question whose answer cannot be cached (a time that lies
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
    digest_of,
    holds,
    summed,
)
from contractwatch.engines.cache.window_answers import CachedWindow, OfWindow, Watermark, WindowScan
from contractwatch.engines.core.failures import QUERY_FAILURES
from contractwatch.engines.predicates.literals import at_most, steps, steps_range
from contractwatch.engines.query.engine import Survey, survey
from contractwatch.engines.tables.frames import open_table
from contractwatch.engines.tables.windows import beginning, ordered_by
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
    """The answers, what each rests on, and what is to be kept; its last look says of which rows."""

    measurements: Mapping[Metric, Measurement]
    evidence: Mapping[Metric, Evidence]
    kept: CachedWindow


@dataclass(frozen=True, slots=True)
class Unordered:
    """The column does not tell old rows from new ones, and why."""

    reason: str


class _UnusableError(Exception):
    """The table is read as a whole."""


def scan_window(
    files: TableFiles,
    metrics: Iterable[CacheableMetric],
    known: CachedWindow | None,
    *,
    beside: Iterable[Metric],
    now: datetime,
) -> WindowScanResult | Unordered | None:
    """Answer questions from the cached answers of old rows and by reading the others.

    Args:
        files: The table, with its `incremental`.
        metrics: The questions.
        known: What is kept in the same context; None reads all rows.
        beside: Other questions, asked elsewhere of the same rows.
        now: As in `engines.query.engine.survey`.

    Returns:
        None if the table is to be read as without a window.
    """
    chosen = files.incremental
    if chosen is None:
        return None
    try:
        frame = open_table(files)
        if frame.no_columns or frame.refused:
            return None
        cells = ordered_by(frame.cells, frame.columns, chosen.column)
        if isinstance(cells, str):
            return Unordered(cells)
        edge = _WindowBound(files.table, chosen, cells.dtype, now)
        looking = _Looking(files, edge, tuple(metrics), frozenset(map(digest_of, beside)))
        return looking.answered(frame.columns, known)
    except (SourceError, _UnusableError, *QUERY_FAILURES):
        return None


@dataclass(frozen=True, slots=True)
class _WindowBound:
    """Where the window of the next run begins."""

    table: str
    chosen: Incremental
    dtype: pl.DataType
    now: datetime

    @property
    def mark(self) -> TimeSpan | KeyRange:
        """The question for the newest value."""
        if self.dtype.is_temporal():
            return TimeSpan(self.table, self.chosen.column, self.chosen.timezone)
        return KeyRange(self.table, (self.chosen.column,))

    def after(self, newest: Measurement) -> Watermark:
        """Return the next cut; a window over all rows if there is no value to begin at."""
        least = beginning(self.dtype)
        try:
            found = self._after(newest)
        except OverflowError:  # so far back that there is no such date
            found = None
        if found is None:
            return Watermark(least)
        return replace(found, at=min(max(found.at, least), steps_range(self.dtype)[1]))

    def _after(self, newest: Measurement) -> Watermark | None:
        if isinstance(newest, KeyBounds):
            return Watermark(newest.bounds[0][1]) if newest.bounds else None
        zone = ZoneInfo(self.chosen.timezone)
        if self.chosen.mode is IncrementalMode.PARTITION:
            start = (self.now - self.chosen.lookback).astimezone(zone)
            return self._day(datetime.combine(start.date(), time(0), zone))
        if not isinstance(newest, TimeRange) or newest.newest is None:
            return None
        if self.dtype == pl.Date:
            return self._day(newest.newest.astimezone(zone) - self.chosen.lookback)
        begin = newest.newest - self.chosen.lookback
        shown = f"{begin.astimezone(zone):%Y-%m-%d %H:%M} {self.chosen.timezone}"
        return Watermark(self._steps(begin), shown.replace("Etc/UTC", "UTC"))

    def _day(self, local: datetime) -> Watermark:
        if self.dtype == pl.Date:
            return Watermark(at_most(steps(local.date(), self.dtype, "")), local.date().isoformat())
        return Watermark(self._steps(local), local.date().isoformat())

    def _steps(self, instant: datetime) -> int:
        return at_most(steps(instant, self.dtype, self.chosen.timezone))


_Answers: TypeAlias = dict[Metric, Measurement]


@dataclass(slots=True)
class _Looking:
    """One table while it is brought up to date."""

    files: TableFiles
    edge: _WindowBound
    metrics: tuple[CacheableMetric, ...]
    beside: frozenset[str]
    evidence: dict[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])

    def answered(self, columns: TableColumns, known: CachedWindow | None) -> WindowScanResult:
        asked = frozenset(map(digest_of, self.metrics)) | self.beside
        if known is not None and known.columns == columns and asked <= known.asked:
            before = {
                question: answer
                for question, answer in known.before.items()
                if holds(answer, self.edge.now)
            }
            look, answers = self._look(known.cut, before, is_full=False)
            if look.rows:
                moved = self._moved(known.cut, before, answers)
                kept = replace(known, cut=moved[0], before=moved[1], asked=asked, last=look)
                return self._told(columns, answers, kept)
        whole = Watermark(beginning(self.edge.dtype))
        look, answers = self._look(whole, {}, is_full=True)
        cut, before = self._moved(whole, None, answers)
        kept = CachedWindow(columns, cut, before, asked, self.edge.now, "", look)
        return self._told(columns, answers, kept)

    def _told(
        self, columns: TableColumns, answers: _Answers, kept: CachedWindow
    ) -> WindowScanResult:
        schema = TableSchema(self.files.table)
        self.evidence[schema] = Evidence.METADATA
        found: _Answers = {**answers, schema: columns}
        mine: list[Metric] = [metric for metric in self.metrics if metric in found]
        evidence = {metric: self.evidence.get(metric, Evidence.SCAN) for metric in mine}
        return WindowScanResult({metric: found[metric] for metric in mine}, evidence, kept)

    def _look(
        self, cut: Watermark, before: Mapping[str, FileAnswer], *, is_full: bool
    ) -> tuple[WindowScan, _Answers]:
        """Read the rows from a cut on, and all of them for what is not known of those below."""
        rows = RowCount(self.files.table)
        asked = [one for one in self.metrics if not isinstance(one, TableSchema)]
        read = self._read(Window(self.edge.chosen.column, cut.at), (*asked, rows, self.edge.mark))
        count = read[rows]
        if not isinstance(count, Count):
            raise _UnusableError
        answers = dict(read)
        lost: list[Metric] = []
        for metric in asked:
            if is_full or isinstance(metric, OfWindow):
                continue
            kept = before.get(digest_of(metric))
            if kept is None:
                lost.append(metric)
                continue
            answers[metric] = _added(kept, read[metric])
            self.evidence[metric] = Evidence.STATE
        answers.update(self._read(None, lost) if lost and count.rows else {})
        last = {
            digest_of(metric): answer
            for metric in asked
            if isinstance(answer := answers[metric], DuplicateCounts | PersonalData)
            or _is_kept(answer)
        }
        return WindowScan(cut, is_full, count.rows, last), answers

    def _moved(
        self, cut: Watermark, before: Mapping[str, FileAnswer] | None, answers: _Answers
    ) -> tuple[Watermark, Mapping[str, FileAnswer]]:
        """Return the next cut, and the answers of the rows below it; before None are no rows."""
        following = self.edge.after(answers[self.edge.mark])
        if following.at <= cut.at:
            return cut, before or {}
        window = Window(self.edge.chosen.column, cut.at, following.at)
        own = (OfWindow, TableSchema)
        asked = [metric for metric in self.metrics if not isinstance(metric, own)]
        known = [one for one in asked if before is None or digest_of(one) in before]
        read = self._read(window, known) if known else {}
        after: dict[str, FileAnswer] = {}
        for metric in known:
            old = (before or {}).get(digest_of(metric))
            added = read[metric] if old is None else _added(old, read[metric])
            if _is_kept(added):
                after[digest_of(metric)] = added
        return following, after

    def _read(self, window: Window | None, metrics: Iterable[Metric]) -> _Answers:
        table = replace(self.files, window=window)
        found: Survey = survey(Dataset("", (table,), ""), metrics, now=self.edge.now)
        if found.failures:
            raise _UnusableError
        if window is None or window.until is None:
            self.evidence.update(found.evidence)
        return dict(found.measurements)


def _added(kept: FileAnswer, read: Measurement) -> Measurement:
    if isinstance(read, Unmeasured):
        return read
    if not isinstance(read, type(kept)):
        raise _UnusableError
    return summed([kept, read])


def _is_kept(answer: Measurement) -> TypeGuard[FileAnswer]:
    if isinstance(answer, TimeRange):
        return not answer.future
    return isinstance(answer, Count | DelayTally | KeyBounds)
