"""Answer questions by reading only new and changed files and adding the cached answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from contractwatch.engines.cache.file_answers import (
    CacheableMetric,
    CachedFile,
    FileAnswer,
    FileGroup,
    KeyGroup,
    TableAnswers,
    digest_of,
    file_fingerprint,
    holds,
    range_of,
    summed,
    total,
)
from contractwatch.engines.cache.uniqueness import KeyProof
from contractwatch.engines.core.failures import QUERY_FAILURES
from contractwatch.engines.formats.readers import Schema
from contractwatch.engines.query.engine import Survey, survey
from contractwatch.engines.tables.frames import Frame, Shape, open_table, partition_of, schema_of
from contractwatch.errors import SourceError
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import Metric, SurplusRows, TableSchema
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
from contractwatch.model.promises.personal_data import PersonalData, PersonalDataHits

BUNDLE_BYTES = 16 << 20
_MOST_FILES = 128
"""New files are read together up to so many bytes or files: each reading has a price of its own."""

_MOST_SMALL = 32
"""More small bundles than these are read again, as few large ones."""


@dataclass(frozen=True, slots=True)
class IncrementalScanResult:
    """The answers that could be had, what each rests on, and what is to be kept."""

    measurements: Mapping[Metric, Measurement]
    evidence: Mapping[Metric, Evidence]
    states: TableAnswers


class _UnusableError(Exception):
    """The table is read as a whole."""


def incremental_scan(
    files: TableFiles,
    metrics: Iterable[CacheableMetric],
    known: TableAnswers | None,
    *,
    now: datetime,
) -> IncrementalScanResult | None:
    """Answer questions from the cached answers of unchanged files and by reading the others.

    Args:
        files: The table.
        metrics: The questions; one that is not answered is to be asked of all files.
        known: What is kept of the table in the same context.
        now: As in `engines.query.engine.survey`.

    Returns:
        None if the table is to be read as a whole.
    """
    try:
        return _Refreshing(files, tuple(metrics), now).answered(known)
    except (SourceError, _UnusableError, *QUERY_FAILURES):
        return None


@dataclass(slots=True)
class _Read:
    """The bundles of a table, first those that were known before, and what each was asked now."""

    bundles: list[FileGroup]
    known_before: int
    own: dict[int, Survey] = field(default_factory=dict[int, Survey])


@dataclass(slots=True)
class _Refreshing:
    """One table while it is brought up to date."""

    files: TableFiles
    metrics: tuple[CacheableMetric, ...]
    now: datetime
    shapes: tuple[Shape, ...] = ()
    digests: dict[str, str] = field(default_factory=dict[str, str])
    evidence: dict[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])
    lost: set[Metric] = field(default_factory=set[Metric])

    def answered(self, known: TableAnswers | None) -> IncrementalScanResult:
        known = known or TableAnswers(TableColumns(), ())
        kept = _unchanged(known, self.files)
        columns = self._unite(kept)
        if columns != known.columns:
            kept = {}
        bundles = [known.bundles[place] for place in kept] + self._new_bundles(known, kept)
        keys = [metric for metric in self.metrics if isinstance(metric, SurplusRows)]
        asked = self._additive(keys)
        read = _Read(bundles, len(kept))
        self._read(read, asked, keys)
        measurements: dict[Metric, Measurement] = {
            metric: self._sum(bundles, metric) for metric in asked if metric not in self.lost
        }
        places = {old: new for new, old in enumerate(kept)}
        groups = {
            digest_of(key): found
            for key in keys
            if (found := self._groups(key, read, known, places)) is not None
        }
        for key in keys:
            if digest_of(key) in groups:
                repeats = [group.repeats for group in groups[digest_of(key)]]
                measurements[key] = total(repeats)
        whole = self._whole(known, measurements)
        schema = TableSchema(self.files.table)
        measurements[schema] = columns
        self.evidence[schema] = Evidence.STATE if kept else Evidence.METADATA
        states = TableAnswers(columns, self._keepable(bundles, asked), groups, whole)
        return self._told(measurements, states)

    def _told(
        self, measurements: Mapping[Metric, Measurement], states: TableAnswers
    ) -> IncrementalScanResult:
        answers: dict[Metric, Measurement] = {}
        evidence: dict[Metric, Evidence] = {}
        for metric in self.metrics:
            if metric in measurements:
                answers[metric] = measurements[metric]
                evidence[metric] = self.evidence.get(metric, Evidence.SCAN)
        return IncrementalScanResult(answers, evidence, states)

    def _read(self, read: _Read, asked: Sequence[Metric], keys: Sequence[SurplusRows]) -> None:
        """Ask each bundle what is not known of it; a new one its own repeats, too, if of use."""
        asks_keys = keys if read.known_before or len(read.bundles) == 1 else ()
        questions = [(metric, digest_of(metric)) for metric in asked]
        for at, bundle in enumerate(read.bundles):
            missing: list[Metric] = [
                metric
                for metric, question in questions
                if metric not in self.lost and not self._is_known(bundle, metric, question)
            ]
            missing += asks_keys if at >= read.known_before else ()
            if missing:
                read.own[at] = self._survey(bundle.files, missing)
                read.bundles[at] = self._with_answers(bundle, read.own[at], asked)

    def _groups(
        self,
        key: SurplusRows,
        read: _Read,
        known: TableAnswers,
        places: Mapping[int, int],
    ) -> tuple[KeyGroup, ...] | None:
        question = range_of(key, self.files.columns)
        if question in self.lost:
            return None
        alone = {
            at: repeats
            for at, found in read.own.items()
            if isinstance(repeats := found.measurements.get(key), DuplicateCounts)
        }
        proof = KeyProof(
            key,
            question,
            read.bundles,
            len(places),
            alone,
            frame=self._frame,
            repeats=self._repeats,
        )
        groups = proof.groups(known, places)
        if proof.rests_on_state:
            self.evidence[key] = Evidence.STATE
        return groups

    def _additive(self, keys: Iterable[SurplusRows]) -> list[Metric]:
        own = (SurplusRows, TableSchema, PersonalDataHits)
        ranges = [range_of(key, self.files.columns) for key in keys]
        return [*(one for one in self.metrics if not isinstance(one, own)), *ranges]

    def _unite(self, kept: Mapping[int, FileGroup]) -> TableColumns:
        """Look at the files that are not known, and at one of each shape of the others."""
        by_path = {file.path: file for bundle in kept.values() for file in bundle.files}
        looked: dict[str, Schema | None] = {}
        shapes: dict[Shape, None] = {}
        for file in self.files.files:
            before = by_path.get(file.path)
            digest = before.shape if before is not None else ""
            if digest not in looked:
                own = schema_of(self.files, file)
                digest = _digest(own)
                if before is not None and before.shape != digest:
                    raise _UnusableError  # it was written since it was listed
                looked[digest] = own
            self.digests[file.path] = digest
            schema = looked[digest]
            if schema is not None:
                shapes[schema, partition_of(file, self.files)] = None
        self.shapes = tuple(shapes)
        if not self.shapes:
            raise _UnusableError
        nothing = replace(self.files, files=(), where="")
        frame = open_table(nothing, self.shapes)
        if any(cells.within is not None for cells in frame.cells.values()):
            raise _UnusableError  # which members JSON texts have is known of all files together
        return frame.columns

    def _new_bundles(self, known: TableAnswers, kept: Mapping[int, FileGroup]) -> list[FileGroup]:
        before = {file.path for place in kept for file in known.bundles[place].files}
        bundles: list[list[DataFile]] = []
        size = 0
        for file in self.files.files:
            if file.path in before:
                continue
            if not bundles or size >= BUNDLE_BYTES or len(bundles[-1]) == _MOST_FILES:
                bundles.append([])
                size = 0
            bundles[-1].append(file)
            size += file.size
        return [
            FileGroup(
                tuple(CachedFile(f.path, file_fingerprint(f), self.digests[f.path]) for f in some),
                {},
            )
            for some in bundles
        ]

    def _is_known(self, bundle: FileGroup, metric: Metric, question: str) -> bool:
        answer = bundle.answers.get(question)
        is_known = answer is not None and holds(answer, self.now)
        if is_known:
            self.evidence[metric] = Evidence.STATE
        return is_known

    def _survey(self, some: Iterable[CachedFile], metrics: Sequence[Metric]) -> Survey:
        paths = {file.path for file in some}
        chosen = tuple(file for file in self.files.files if file.path in paths)
        table = replace(self.files, files=chosen)
        found = survey(
            Dataset("", (table,), ""),
            metrics,
            now=self.now,
            open_rows=lambda files: open_table(files, self.shapes),
        )
        if found.failures:
            raise _UnusableError
        for metric in metrics:
            if isinstance(found.measurements[metric], Unmeasured):
                self.lost.add(metric)
            if self.evidence.get(metric, Evidence.SCAN) is Evidence.SCAN:
                self.evidence[metric] = found.evidence.get(metric, Evidence.SCAN)
        return found

    def _frame(self, some: Iterable[CachedFile]) -> Frame:
        paths = {file.path for file in some}
        chosen = tuple(file for file in self.files.files if file.path in paths)
        return open_table(replace(self.files, files=chosen), self.shapes)

    def _repeats(self, some: Iterable[CachedFile], key: SurplusRows) -> DuplicateCounts | None:
        found = self._survey(some, [key]).measurements[key]
        return found if isinstance(found, DuplicateCounts) else None

    def _with_answers(self, bundle: FileGroup, found: Survey, asked: Iterable[Metric]) -> FileGroup:
        answers = dict(bundle.answers)
        for metric in asked:
            answer = found.measurements.get(metric)
            if isinstance(answer, Count | TimeRange | DelayTally | KeyBounds):
                answers[digest_of(metric)] = answer
        return replace(bundle, answers=answers)

    def _sum(self, bundles: Iterable[FileGroup], metric: Metric) -> FileAnswer:
        question = digest_of(metric)
        return summed([bundle.answers[question] for bundle in bundles])

    def _whole(
        self, known: TableAnswers, measurements: dict[Metric, Measurement]
    ) -> dict[str, PersonalData]:
        """Answer what does not add up, of all files unless they are the ones that were asked."""
        is_same = known.stamps == {file.path: file_fingerprint(file) for file in self.files.files}
        whole: dict[str, PersonalData] = {}
        for metric in self.metrics:
            if not isinstance(metric, PersonalDataHits):
                continue
            before = known.whole.get(digest_of(metric)) if is_same else None
            if before is None:
                every = [CachedFile(file.path, "", "") for file in self.files.files]
                found = self._survey(every, [metric]).measurements[metric]
            else:
                found = before
                self.evidence[metric] = Evidence.STATE
            measurements[metric] = found
            if isinstance(found, PersonalData):
                whole[digest_of(metric)] = found
        return whole

    def _keepable(
        self, bundles: Iterable[FileGroup], asked: Iterable[Metric]
    ) -> tuple[FileGroup, ...]:
        """Return the bundles with the answers to what is asked now, and that the clock leaves."""
        questions = {digest_of(metric) for metric in asked}
        return tuple(
            replace(
                bundle,
                answers={
                    question: answer
                    for question, answer in bundle.answers.items()
                    if question in questions
                    and not (isinstance(answer, TimeRange) and answer.future)
                },
            )
            for bundle in bundles
        )


def _unchanged(known: TableAnswers, files: TableFiles) -> dict[int, FileGroup]:
    """Return the bundles none of whose files changed, by place; of many small ones none."""
    stamps = {file.path: file_fingerprint(file) for file in files.files}
    sizes = {file.path: file.size for file in files.files}
    kept = {
        place: bundle
        for place, bundle in enumerate(known.bundles)
        if all(stamps.get(file.path) == file.stamp for file in bundle.files)
    }
    small = {
        place
        for place, bundle in kept.items()
        if sum(sizes[file.path] for file in bundle.files) < BUNDLE_BYTES // 4
    }
    if len(small) <= _MOST_SMALL:
        return kept
    return {place: bundle for place, bundle in kept.items() if place not in small}


def _digest(schema: Schema | None) -> str:
    return sha256(repr(schema).encode()).hexdigest()[:32]
