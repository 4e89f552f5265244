"""Per-file result cache, keyed by file fingerprint and metric digest.

A group is one file, or a few small ones, that were read together. Its answers are valid while the
fingerprint of each file is unchanged (path, size, and the inode with its times, or the etag), while
the columns of the whole table unite to the same types, and while the cache key is the same (our
versions, and how the contract reads the table). Whatever is not certain is read again.

Pure: a full cache hit needs no engine.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeAlias

from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.contract.dataset import DataFile, TableFiles
from contractwatch.model.measure.metric import (
    FUTURE_ALLOWANCE,
    BadRows,
    CountWhere,
    Delays,
    KeyRange,
    Metric,
    RowCount,
    SurplusRows,
    TableSchema,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.measure.state import (
    Count,
    DelayTally,
    DuplicateCounts,
    KeyBounds,
    TableColumns,
    TimeRange,
)
from contractwatch.model.promises.personal_data import PersonalData, PersonalDataHits

_CACHE_FORMAT = 2
_CACHEABLE_FORMATS = frozenset({DataFormat.PARQUET, DataFormat.CSV, DataFormat.JSON})
_SETTLING_TIME = timedelta(seconds=2)
"""A younger file may be written again within one tick of the file system's clock."""

_NESTED = frozenset({LogicalType.OBJECT, LogicalType.ARRAY, LogicalType.MAP, LogicalType.VECTOR})
_UNRESTRICTED = frozenset({"", "public", "internal"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROMISE_FIELDS = frozenset(
    {
        "clause",
        "type_clause",
        "required_clause",
        "unique_clause",
        "encrypted_name_clause",
        "options",
        "rules",
    }
    | {"name", "description", "critical", "optional", "encrypted_name", "column_id", "nested"}
    | {"physical_type", "physical_clause"}
)
"""Fields of a column that say what is promised of it; the others say how it is read."""

Additive: TypeAlias = RowCount | CountWhere | Unparseable | TimeSpan | Delays | BadRows | KeyRange
"""Metrics whose answers add up over files; they are stable once no value is in the future."""

CacheableMetric: TypeAlias = Additive | TableSchema | SurplusRows | PersonalDataHits

FileAnswer: TypeAlias = Count | TimeRange | DelayTally | KeyBounds


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file as it was read; `schema_digest` is that of its own columns, empty if it has none."""

    path: str
    fingerprint: str
    schema_digest: str


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Files that were read together, and their answers by the metric's digest."""

    files: tuple[CachedFile, ...]
    answers: Mapping[str, FileAnswer]


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """File groups (by index) that share no key with any other, and the repeats among them.

    With `is_partial` some file groups were dropped since; all that is still known is that no key of
    the remaining ones repeats.
    """

    file_groups: frozenset[int]
    repeats: DuplicateCounts
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class TableAnswers:
    """Cached answers of one table.

    `key_groups` are by the digest of a `SurplusRows` metric. `whole_table` holds, by the metric's
    digest, answers that do not add up: they are valid for exactly these files.
    """

    columns: TableColumns
    file_groups: tuple[FileGroup, ...]
    key_groups: Mapping[str, tuple[KeyGroup, ...]] = field(
        default_factory=dict[str, tuple[KeyGroup, ...]]
    )
    whole_table: Mapping[str, PersonalData] = field(default_factory=dict[str, PersonalData])

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of every file by its path."""
        return {file.path: file.fingerprint for group in self.file_groups for file in group.files}

    def restricted_to(self, paths: Collection[str]) -> "TableAnswers":
        """Return the answers of those file groups whose files are all among these paths.

        A key group that has repeats stays whole or is dropped: which of its rows repeat is unknown.
        """
        remaining = [
            index
            for index, group in enumerate(self.file_groups)
            if all(file.path in paths for file in group.files)
        ]
        if len(remaining) == len(self.file_groups):
            return self
        indices = {old: new for new, old in enumerate(remaining)}
        key_groups = {
            digest: tuple(
                KeyGroup(
                    frozenset(now), one.repeats, one.is_partial or len(now) < len(one.file_groups)
                )
                for one in groups
                if (now := [indices[index] for index in one.file_groups if index in indices])
                and (not one.repeats.surplus or len(now) == len(one.file_groups))
            )
            for digest, groups in self.key_groups.items()
        }
        file_groups = tuple(self.file_groups[index] for index in remaining)
        return TableAnswers(self.columns, file_groups, key_groups)


class FullScanRequiredError(Exception):
    """The cache does not apply to the table as it is now; all of it has to be read."""


def metric_digest(metric: Metric) -> str:
    """Return the cache digest of a metric; 1 and true have different ones."""
    return sha256(repr(metric).encode()).hexdigest()[:32]


def key_range_of(key: SurplusRows, columns: Iterable[Column]) -> KeyRange:
    """Return the metric for the range of a key; no value of a classified column is cached."""
    classified = {
        column.physical_name.lower()
        for column in columns
        if any(map(_is_classified, (column, *column.nested)))
    }
    is_classified = any(name.lower() in classified for name in key.columns)
    return KeyRange(key.table, key.columns, key.paths, is_classified)


def _is_classified(column: Column) -> bool:
    return column.classification.strip().lower() not in _UNRESTRICTED


def file_fingerprint(file: DataFile) -> str:
    """Return a fingerprint of a file's content; empty if the file gives no certain one."""
    if not file.etag and not file.change:
        return ""
    return " ".join([str(file.size), file.etag, *map(str, file.change)])


def is_settled(file: DataFile, now: datetime) -> bool:
    """Return whether a file is old enough for its fingerprint to be certain."""
    if file.etag:
        return True
    latest = (now - _SETTLING_TIME - _EPOCH) // timedelta(microseconds=1) * 1000
    return bool(file.change) and max(file.change[1:]) <= latest


def cache_key(files: TableFiles, versions: str) -> str:
    """Return a digest of all that an answer depends on besides the files and the metric.

    Args:
        files: The table as it is read now.
        versions: Of contractwatch, and of the libraries that it reads with.
    """
    place = (files.remote.bucket, files.remote.endpoint) if files.remote else ()
    read = (files.data_format, files.read, files.json_array, files.hive_root, files.where)
    columns = tuple(map(_read_settings, files.columns))
    parts = (_CACHE_FORMAT, versions, files.table, place, *read, columns)
    return sha256(repr(parts).encode()).hexdigest()


def _read_settings(column: Column) -> tuple[object, ...]:
    names = (one.name for one in fields(Column) if one.name not in _PROMISE_FIELDS)
    own = tuple((name, getattr(column, name)) for name in names)
    return (*own, *map(_read_settings, column.nested))


def is_cacheable(files: TableFiles) -> bool:
    """Return whether every file of the table has a fingerprint, and a format that is cached."""
    if files.data_format.is_text and any(map(_is_nested, files.columns)):
        return False  # the fields of JSON objects are inferred from all files together
    return files.data_format in _CACHEABLE_FORMATS and all(map(file_fingerprint, files.files))


def _is_nested(column: Column) -> bool:
    return bool(column.nested) or column.logical_type in _NESTED


def is_valid_at(answer: FileAnswer, now: datetime) -> bool:
    """Return whether an answer is still valid: a time in the future may have passed since."""
    if not isinstance(answer, TimeRange):
        return True
    return not answer.future and (answer.newest is None or answer.newest <= now + FUTURE_ALLOWANCE)


CachedAnswer: TypeAlias = FileAnswer | TableColumns | DuplicateCounts | PersonalData


def cached_measurements(
    cached: TableAnswers, files: TableFiles, metrics: Iterable[CacheableMetric], now: datetime
) -> dict[Metric, CachedAnswer] | None:
    """Return the cached answers about a table; None if a file changed or an answer is missing.

    Args:
        cached: The cached answers, of the same cache key.
        files: The files as they are now.
        metrics: The metrics asked for.
        now: The run's instant.
    """
    if cached.fingerprints != {file.path: file_fingerprint(file) for file in files.files}:
        return None
    found: dict[Metric, CachedAnswer] = {}
    for metric in metrics:
        answer = _cached_answer(cached, metric, now)
        if answer is None:
            return None
        found[metric] = answer
    return found


def _cached_answer(
    cached: TableAnswers, metric: CacheableMetric, now: datetime
) -> CachedAnswer | None:
    digest = metric_digest(metric)
    match metric:
        case TableSchema():
            return cached.columns
        case SurplusRows():
            return _cached_repeats(cached, cached.key_groups.get(digest, ()))
        case PersonalDataHits():
            return cached.whole_table.get(digest)
        case _:
            answers = [group.answers.get(digest) for group in cached.file_groups]
            known = [one for one in answers if one is not None and is_valid_at(one, now)]
            return sum_answers(known) if len(known) == len(answers) else None


def _cached_repeats(cached: TableAnswers, groups: Sequence[KeyGroup]) -> DuplicateCounts | None:
    known = {index for group in groups if not group.is_partial for index in group.file_groups}
    is_whole = known == set(range(len(cached.file_groups)))
    return sum_repeats(group.repeats for group in groups) if is_whole else None


def sum_answers(answers: Sequence[FileAnswer]) -> FileAnswer:
    """Return the sum of the answers of files to one metric; at least one answer."""
    sum_repeats: Any = answers[0]
    for answer in answers[1:]:
        sum_repeats = sum_repeats + answer  # all answers to one metric are of one type
    return sum_repeats


def sum_repeats(repeats: Iterable[DuplicateCounts]) -> DuplicateCounts:
    """Return the sum of the repeats of groups that share no key."""
    found = list(repeats)
    return DuplicateCounts(
        sum(one.rows for one in found),
        sum(one.surplus for one in found),
        sum(one.keys for one in found),
        sum(one.affected for one in found),
    )


def disjoint_groups(spans: Mapping[int, KeyBounds]) -> list[frozenset[int]]:
    """Return groups of indices whose key ranges do not overlap, so that no key is in two groups.

    If one of the spans has no bounds, all that have keys form one group. One without keys is a
    group of its own.
    """
    empty = [frozenset({index}) for index, span in spans.items() if not span.rows]
    others = {index: span for index, span in spans.items() if span.rows}
    if not others:
        return empty
    if not all(span.bounds for span in others.values()):
        return [*empty, frozenset(others)]
    return [*empty, *_split(others, 0, 0)]


def _split(spans: Mapping[int, KeyBounds], column: int, tried: int) -> list[frozenset[int]]:
    """Split by one column of the key after another, until none splits any more."""
    columns = len(next(iter(spans.values())).bounds)
    if tried == columns or len(spans) == 1:
        return [frozenset(spans)]
    parts: list[dict[int, KeyBounds]] = []
    greatest = 0
    for index, span in sorted(spans.items(), key=lambda item: item[1].bounds[column]):
        least, most = span.bounds[column]
        if not parts or least > greatest:
            parts.append({})
            greatest = most
        parts[-1][index] = span
        greatest = max(greatest, most)
    following = (column + 1) % columns
    tried = tried + 1 if len(parts) == 1 else 1
    return [group for part in parts for group in _split(part, following, tried)]
