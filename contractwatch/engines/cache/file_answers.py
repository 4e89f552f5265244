"""Per-file result cache, keyed by file fingerprint and question digest.

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

_FORMAT = 2
_FORMATS = frozenset({DataFormat.PARQUET, DataFormat.CSV, DataFormat.JSON})
_SETTLED = timedelta(seconds=2)
"""A file may be written again within the tick of its clock: a younger one is not yet known."""

_NESTED = frozenset({LogicalType.OBJECT, LogicalType.ARRAY, LogicalType.MAP, LogicalType.VECTOR})
_OPEN = frozenset({"", "public", "internal"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROMISED_ONLY = frozenset(
    {"clause", "type_clause", "required_clause", "unique_clause", "twin_clause", "options", "rules"}
    | {"name", "description", "critical", "optional", "twin", "column_id", "nested"}
    | {"physical_type", "physical_clause"}
)
"""Fields of a column that say what is promised of it, and not how it is read."""

Additive: TypeAlias = RowCount | CountWhere | Unparseable | TimeSpan | Delays | BadRows | KeyRange
"""What adds up over files, and depends on no clock once no value is in the future."""

CacheableMetric: TypeAlias = Additive | TableSchema | SurplusRows | PersonalDataHits

FileAnswer: TypeAlias = Count | TimeRange | DelayTally | KeyBounds


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file as it was read; `shape` is the digest of its own columns, empty if it has none."""

    path: str
    stamp: str
    shape: str


@dataclass(frozen=True, slots=True)
class FileGroup:
    """Files that were read together, and what they answered, by the question's digest."""

    files: tuple[CachedFile, ...]
    answers: Mapping[str, FileAnswer]


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Bundles (by place) that share no key with any other, and the repeats among them.

    Of a group that has `shrunk` no more is known than that no key of it repeats.
    """

    bundles: frozenset[int]
    repeats: DuplicateCounts
    shrunk: bool = False


@dataclass(frozen=True, slots=True)
class TableAnswers:
    """What is kept of one table; `groups` are by a key's digest, `whole` answers by a question's.

    An answer in `whole` holds for exactly these files.
    """

    columns: TableColumns
    bundles: tuple[FileGroup, ...]
    groups: Mapping[str, tuple[KeyGroup, ...]] = field(
        default_factory=dict[str, tuple[KeyGroup, ...]]
    )
    whole: Mapping[str, PersonalData] = field(default_factory=dict[str, PersonalData])

    @property
    def stamps(self) -> dict[str, str]:
        """The stamp of every file by its path."""
        return {file.path: file.stamp for bundle in self.bundles for file in bundle.files}

    def of(self, paths: Collection[str]) -> "TableAnswers":
        """Return what is known of bundles all of whose files are among these.

        Of a group whose keys repeat all is known or nothing: which rows repeat, nobody knows.
        """
        stay = [
            place
            for place, bundle in enumerate(self.bundles)
            if all(file.path in paths for file in bundle.files)
        ]
        if len(stay) == len(self.bundles):
            return self
        places = {old: new for new, old in enumerate(stay)}
        groups = {
            question: tuple(
                KeyGroup(
                    frozenset(now), group.repeats, group.shrunk or len(now) < len(group.bundles)
                )
                for group in found
                if (now := [places[place] for place in group.bundles if place in places])
                and (not group.repeats.surplus or len(now) == len(group.bundles))
            )
            for question, found in self.groups.items()
        }
        return TableAnswers(self.columns, tuple(self.bundles[place] for place in stay), groups)


def digest_of(question: Metric) -> str:
    """Return a digest that identifies a question; 1 and true have different ones."""
    return sha256(repr(question).encode()).hexdigest()[:32]


def range_of(key: SurplusRows, columns: Iterable[Column]) -> KeyRange:
    """Return the question for the range of a key; of a classified column no value is kept."""
    closed = {
        column.physical_name.lower()
        for column in columns
        if any(one.classification.strip().lower() not in _OPEN for one in (column, *column.nested))
    }
    is_closed = any(name.lower() in closed for name in key.columns)
    return KeyRange(key.table, key.columns, key.paths, is_closed)


def file_fingerprint(file: DataFile) -> str:
    """Return a fingerprint of the content at a path; empty if none is certain."""
    if not file.etag and not file.change:
        return ""
    return " ".join([str(file.size), file.etag, *map(str, file.change)])


def is_settled(file: DataFile, now: datetime) -> bool:
    """Return whether a file is old enough for its fingerprint to be certain."""
    if file.etag:
        return True
    latest = (now - _SETTLED - _EPOCH) // timedelta(microseconds=1) * 1000
    return bool(file.change) and max(file.change[1:]) <= latest


def cache_key(files: TableFiles, versions: str) -> str:
    """Return a digest of all that an answer rests on beside the files and the question.

    Args:
        files: The table as it is read now.
        versions: Of contractwatch, and of what it reads with.
    """
    place = (files.remote.bucket, files.remote.endpoint) if files.remote else ()
    read = (files.data_format, files.read, files.json_array, files.hive_root, files.where)
    columns = tuple(map(_as_read, files.columns))
    parts = (_FORMAT, versions, files.table, place, *read, columns)
    return sha256(repr(parts).encode()).hexdigest()


def _as_read(column: Column) -> tuple[object, ...]:
    names = (one.name for one in fields(Column) if one.name not in _PROMISED_ONLY)
    own = tuple((name, getattr(column, name)) for name in names)
    return (*own, *map(_as_read, column.nested))


def is_cacheable(files: TableFiles) -> bool:
    """Return whether every file of the table can be told from another content of its path."""
    if files.data_format.is_text and any(map(_is_nested, files.columns)):
        return False  # which members the objects have is known of all files together
    return files.data_format in _FORMATS and all(map(file_fingerprint, files.files))


def _is_nested(column: Column) -> bool:
    return bool(column.nested) or column.logical_type in _NESTED


def holds(answer: FileAnswer, now: datetime) -> bool:
    """Return whether an answer says nothing of a future that may have passed since."""
    if not isinstance(answer, TimeRange):
        return True
    return not answer.future and (answer.newest is None or answer.newest <= now + FUTURE_ALLOWANCE)


CachedAnswer: TypeAlias = FileAnswer | TableColumns | DuplicateCounts | PersonalData


def cached_measurements(
    states: TableAnswers, files: TableFiles, metrics: Iterable[CacheableMetric], now: datetime
) -> dict[Metric, CachedAnswer] | None:
    """Return the answers of a table none of whose files is new or gone; None if one is not known.

    Args:
        states: What is kept, of the same context.
        files: The files that there are now.
        metrics: The questions.
        now: The run's instant.
    """
    if states.stamps != {file.path: file_fingerprint(file) for file in files.files}:
        return None
    found: dict[Metric, CachedAnswer] = {}
    for metric in metrics:
        answer = _recalled(states, metric, now)
        if answer is None:
            return None
        found[metric] = answer
    return found


def _recalled(states: TableAnswers, metric: CacheableMetric, now: datetime) -> CachedAnswer | None:
    question = digest_of(metric)
    match metric:
        case TableSchema():
            return states.columns
        case SurplusRows():
            return _repeats(states, states.groups.get(question, ()))
        case PersonalDataHits():
            return states.whole.get(question)
        case _:
            answers = [bundle.answers.get(question) for bundle in states.bundles]
            known = [answer for answer in answers if answer is not None and holds(answer, now)]
            return summed(known) if len(known) == len(answers) else None


def _repeats(states: TableAnswers, groups: Sequence[KeyGroup]) -> DuplicateCounts | None:
    known = {place for group in groups if not group.shrunk for place in group.bundles}
    is_whole = known == set(range(len(states.bundles)))
    return total(group.repeats for group in groups) if is_whole else None


def summed(answers: Sequence[FileAnswer]) -> FileAnswer:
    """Return the sum of the answers that files gave to one question, at least one."""
    total: Any = answers[0]
    for answer in answers[1:]:
        total = total + answer  # all answers to one question are of one type
    return total


def total(repeats: Iterable[DuplicateCounts]) -> DuplicateCounts:
    """Return the repeats of a table from those of groups that share no key: then they add up."""
    found = list(repeats)
    return DuplicateCounts(
        sum(one.rows for one in found),
        sum(one.surplus for one in found),
        sum(one.keys for one in found),
        sum(one.affected for one in found),
    )


def disjoint_groups(spans: Mapping[int, KeyBounds]) -> list[frozenset[int]]:
    """Return groups whose key ranges do not overlap, so that no key is in two groups.

    What has no range is together with all; what has no key is by itself.
    """
    empty = [frozenset({place}) for place, span in spans.items() if not span.rows]
    others = {place: span for place, span in spans.items() if span.rows}
    if not others:
        return empty
    if not all(span.bounds for span in others.values()):
        return [*empty, frozenset(others)]
    return [*empty, *_split(others, 0, 0)]


def _split(spans: Mapping[int, KeyBounds], member: int, tried: int) -> list[frozenset[int]]:
    """Split by one member of the key after another, until none splits any more."""
    members = len(next(iter(spans.values())).bounds)
    if tried == members or len(spans) == 1:
        return [frozenset(spans)]
    parts: list[dict[int, KeyBounds]] = []
    greatest = 0
    for place, span in sorted(spans.items(), key=lambda item: item[1].bounds[member]):
        least, most = span.bounds[member]
        if not parts or least > greatest:
            parts.append({})
            greatest = most
        parts[-1][place] = span
        greatest = max(greatest, most)
    following = (member + 1) % members
    tried = tried + 1 if len(parts) == 1 else 1
    return [group for part in parts for group in _split(part, following, tried)]
