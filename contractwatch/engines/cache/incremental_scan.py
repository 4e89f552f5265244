"""Answer metrics by reading only new and changed files and adding the cached answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from contractwatch.engines.cache.file_answers import (
    CacheableMetric,
    CachedFile,
    FileAnswer,
    FileGroup,
    FullScanRequiredError,
    KeyGroup,
    TableAnswers,
    file_fingerprint,
    is_valid_at,
    key_range_of,
    metric_digest,
    sum_answers,
    sum_repeats,
)
from contractwatch.engines.cache.uniqueness import RepeatCounter
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

GROUP_BYTES = 16 << 20
_MAX_GROUP_FILES = 128
"""New files are read in groups of up to so many bytes or files: each scan has a fixed cost."""

_MAX_SMALL_GROUPS = 32
"""With more small groups than this their files are read again, in few large groups."""


@dataclass(frozen=True, slots=True)
class IncrementalScanResult:
    """The answers that could be had, the evidence for each, and what is to be cached."""

    measurements: Mapping[Metric, Measurement]
    evidence: Mapping[Metric, Evidence]
    table_answers: TableAnswers


def incremental_scan(
    files: TableFiles,
    metrics: Iterable[CacheableMetric],
    cached: TableAnswers | None,
    *,
    now: datetime,
) -> IncrementalScanResult | None:
    """Answer metrics from the cached answers of unchanged files and by reading the others.

    Args:
        files: The table.
        metrics: The metrics; one without an answer is to be asked of all files.
        cached: The cached answers of the same cache key.
        now: As in `engines.query.engine.survey`.

    Returns:
        None if the whole table has to be read.
    """
    try:
        return _IncrementalScan(files, tuple(metrics), now).run(cached)
    except (SourceError, FullScanRequiredError, *QUERY_FAILURES):
        return None


@dataclass(slots=True)
class _GroupReads:
    """The file groups of a table, cached ones first, and the surveys of those that were read."""

    groups: list[FileGroup]
    cached_count: int
    surveys: dict[int, Survey] = field(default_factory=dict[int, Survey])


@dataclass(slots=True)
class _IncrementalScan:
    """One incremental scan of one table.

    `shapes` are the distinct schemas of its files with their partitions, `digests` the digest of
    each file's schema by path; `unanswered` are metrics that some group gave no answer to.
    """

    files: TableFiles
    metrics: tuple[CacheableMetric, ...]
    now: datetime
    shapes: tuple[Shape, ...] = ()
    digests: dict[str, str] = field(default_factory=dict[str, str])
    evidence: dict[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])
    unanswered: set[Metric] = field(default_factory=set[Metric])

    def run(self, cached: TableAnswers | None) -> IncrementalScanResult:
        cached = cached or TableAnswers(TableColumns(), ())
        unchanged = _unchanged_groups(cached, self.files)
        columns = self._unite_columns(unchanged)
        if columns != cached.columns:
            unchanged = {}
        old = [cached.file_groups[index] for index in unchanged]
        groups = old + self._new_groups(cached, unchanged)
        keys = [metric for metric in self.metrics if isinstance(metric, SurplusRows)]
        additive = self._additive_metrics(keys)
        reads = _GroupReads(groups, len(unchanged))
        self._read_groups(reads, additive, keys)
        measurements: dict[Metric, Measurement] = {
            metric: self._sum(groups, metric)
            for metric in additive
            if metric not in self.unanswered
        }
        indices = {before: now for now, before in enumerate(unchanged)}
        key_groups = {
            metric_digest(key): found
            for key in keys
            if (found := self._key_groups(key, reads, cached, indices)) is not None
        }
        for key in keys:
            if metric_digest(key) in key_groups:
                repeats = [group.repeats for group in key_groups[metric_digest(key)]]
                measurements[key] = sum_repeats(repeats)
        whole_table = self._whole_table_answers(cached, measurements)
        schema = TableSchema(self.files.table)
        measurements[schema] = columns
        self.evidence[schema] = Evidence.STATE if unchanged else Evidence.METADATA
        file_groups = self._cacheable_groups(groups, additive)
        return self._result(
            measurements, TableAnswers(columns, file_groups, key_groups, whole_table)
        )

    def _result(
        self, measurements: Mapping[Metric, Measurement], table_answers: TableAnswers
    ) -> IncrementalScanResult:
        answers: dict[Metric, Measurement] = {}
        evidence: dict[Metric, Evidence] = {}
        for metric in self.metrics:
            if metric in measurements:
                answers[metric] = measurements[metric]
                evidence[metric] = self.evidence.get(metric, Evidence.SCAN)
        return IncrementalScanResult(answers, evidence, table_answers)

    def _read_groups(
        self, reads: _GroupReads, additive: Sequence[Metric], keys: Sequence[SurplusRows]
    ) -> None:
        """Ask each group for its missing answers; a new one also for its repeats, if of use."""
        new_group_keys = keys if reads.cached_count or len(reads.groups) == 1 else ()
        digests = [(metric, metric_digest(metric)) for metric in additive]
        for index, group in enumerate(reads.groups):
            missing: list[Metric] = [
                metric
                for metric, digest in digests
                if metric not in self.unanswered and not self._is_cached(group, metric, digest)
            ]
            missing += new_group_keys if index >= reads.cached_count else ()
            if missing:
                reads.surveys[index] = self._survey(group.files, missing)
                reads.groups[index] = self._with_answers(group, reads.surveys[index], additive)

    def _key_groups(
        self,
        key: SurplusRows,
        reads: _GroupReads,
        cached: TableAnswers,
        indices: Mapping[int, int],
    ) -> tuple[KeyGroup, ...] | None:
        key_range = key_range_of(key, self.files.columns)
        if key_range in self.unanswered:
            return None
        own_repeats = {
            index: repeats
            for index, found in reads.surveys.items()
            if isinstance(repeats := found.measurements.get(key), DuplicateCounts)
        }
        counter = RepeatCounter(
            key,
            key_range,
            reads.groups,
            len(indices),
            own_repeats,
            open_frame=self._open_frame,
            count_repeats=self._count_repeats,
        )
        found = counter.key_groups(cached, indices)
        if counter.used_cache:
            self.evidence[key] = Evidence.STATE
        return found

    def _additive_metrics(self, keys: Iterable[SurplusRows]) -> list[Metric]:
        not_additive = (SurplusRows, TableSchema, PersonalDataHits)
        ranges = [key_range_of(key, self.files.columns) for key in keys]
        return [*(one for one in self.metrics if not isinstance(one, not_additive)), *ranges]

    def _unite_columns(self, unchanged: Mapping[int, FileGroup]) -> TableColumns:
        """Unite the schemas of new files, and of one unchanged file for each known schema."""
        by_path = {file.path: file for group in unchanged.values() for file in group.files}
        schemas: dict[str, Schema | None] = {}
        shapes: dict[Shape, None] = {}
        for file in self.files.files:
            before = by_path.get(file.path)
            digest = before.schema_digest if before is not None else ""
            if digest not in schemas:
                own = schema_of(self.files, file)
                digest = _schema_digest(own)
                if before is not None and before.schema_digest != digest:
                    raise FullScanRequiredError  # it was written since it was listed
                schemas[digest] = own
            self.digests[file.path] = digest
            schema = schemas[digest]
            if schema is not None:
                shapes[schema, partition_of(file, self.files)] = None
        self.shapes = tuple(shapes)
        if not self.shapes:
            raise FullScanRequiredError
        no_files = replace(self.files, files=(), where="")
        frame = open_table(no_files, self.shapes)
        if any(cells.within is not None for cells in frame.cells.values()):
            # The fields of JSON objects in text cells are inferred from all files together.
            raise FullScanRequiredError
        return frame.columns

    def _new_groups(
        self, cached: TableAnswers, unchanged: Mapping[int, FileGroup]
    ) -> list[FileGroup]:
        before = {file.path for index in unchanged for file in cached.file_groups[index].files}
        groups: list[list[DataFile]] = []
        size = 0
        for file in self.files.files:
            if file.path in before:
                continue
            if not groups or size >= GROUP_BYTES or len(groups[-1]) == _MAX_GROUP_FILES:
                groups.append([])
                size = 0
            groups[-1].append(file)
            size += file.size
        return [
            FileGroup(
                tuple(CachedFile(f.path, file_fingerprint(f), self.digests[f.path]) for f in files),
                {},
            )
            for files in groups
        ]

    def _is_cached(self, group: FileGroup, metric: Metric, digest: str) -> bool:
        answer = group.answers.get(digest)
        is_cached = answer is not None and is_valid_at(answer, self.now)
        if is_cached:
            self.evidence[metric] = Evidence.STATE
        return is_cached

    def _survey(self, some: Iterable[CachedFile], metrics: Sequence[Metric]) -> Survey:
        found = survey(
            Dataset("", (self._with_files(some),), ""),
            metrics,
            now=self.now,
            open_rows=lambda files: open_table(files, self.shapes),
        )
        if found.failures:
            raise FullScanRequiredError
        for metric in metrics:
            if isinstance(found.measurements[metric], Unmeasured):
                self.unanswered.add(metric)
            if self.evidence.get(metric, Evidence.SCAN) is Evidence.SCAN:
                self.evidence[metric] = found.evidence.get(metric, Evidence.SCAN)
        return found

    def _open_frame(self, some: Iterable[CachedFile]) -> Frame:
        return open_table(self._with_files(some), self.shapes)

    def _with_files(self, some: Iterable[CachedFile]) -> TableFiles:
        paths = {file.path for file in some}
        chosen = tuple(file for file in self.files.files if file.path in paths)
        return replace(self.files, files=chosen)

    def _count_repeats(
        self, some: Iterable[CachedFile], key: SurplusRows
    ) -> DuplicateCounts | None:
        found = self._survey(some, [key]).measurements[key]
        return found if isinstance(found, DuplicateCounts) else None

    def _with_answers(
        self, group: FileGroup, found: Survey, metrics: Iterable[Metric]
    ) -> FileGroup:
        answers = dict(group.answers)
        for metric in metrics:
            answer = found.measurements.get(metric)
            if isinstance(answer, Count | TimeRange | DelayTally | KeyBounds):
                answers[metric_digest(metric)] = answer
        return replace(group, answers=answers)

    def _sum(self, groups: Iterable[FileGroup], metric: Metric) -> FileAnswer:
        digest = metric_digest(metric)
        return sum_answers([group.answers[digest] for group in groups])

    def _whole_table_answers(
        self, cached: TableAnswers, measurements: dict[Metric, Measurement]
    ) -> dict[str, PersonalData]:
        """Answer metrics that do not add up, from the cache if no file changed, else from all."""
        fingerprints = {file.path: file_fingerprint(file) for file in self.files.files}
        is_same = cached.fingerprints == fingerprints
        answers: dict[str, PersonalData] = {}
        for metric in self.metrics:
            if not isinstance(metric, PersonalDataHits):
                continue
            before = cached.whole_table.get(metric_digest(metric)) if is_same else None
            if before is None:
                every = [CachedFile(file.path, "", "") for file in self.files.files]
                found = self._survey(every, [metric]).measurements[metric]
            else:
                found = before
                self.evidence[metric] = Evidence.STATE
            measurements[metric] = found
            if isinstance(found, PersonalData):
                answers[metric_digest(metric)] = found
        return answers

    def _cacheable_groups(
        self, groups: Iterable[FileGroup], metrics: Iterable[Metric]
    ) -> tuple[FileGroup, ...]:
        """Return the groups with their answers to these metrics, without times in the future."""
        digests = {metric_digest(metric) for metric in metrics}
        return tuple(
            replace(
                group,
                answers={
                    digest: answer
                    for digest, answer in group.answers.items()
                    if digest in digests and not (isinstance(answer, TimeRange) and answer.future)
                },
            )
            for group in groups
        )


def _unchanged_groups(cached: TableAnswers, files: TableFiles) -> dict[int, FileGroup]:
    """Return the groups none of whose files changed, by index; without small ones if many are."""
    fingerprints = {file.path: file_fingerprint(file) for file in files.files}
    sizes = {file.path: file.size for file in files.files}
    unchanged = {
        index: group
        for index, group in enumerate(cached.file_groups)
        if all(fingerprints.get(file.path) == file.fingerprint for file in group.files)
    }
    small = {
        index
        for index, group in unchanged.items()
        if sum(sizes[file.path] for file in group.files) < GROUP_BYTES // 4
    }
    if len(small) <= _MAX_SMALL_GROUPS:
        return unchanged
    return {index: group for index, group in unchanged.items() if index not in small}


def _schema_digest(schema: Schema | None) -> str:
    return sha256(repr(schema).encode()).hexdigest()[:32]
