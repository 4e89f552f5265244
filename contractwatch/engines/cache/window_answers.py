"""Result cache of a table whose old rows do not change, split at a watermark.

Old rows are those whose value lies below the watermark. Their answers are valid until the next full
scan, whatever happens to the files; the rows from the watermark on, and those without a value, are
read every time.

Pure: a full cache hit needs no engine.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias

from contractwatch.engines.cache.answer_values import (
    DAMAGES,
    compressed,
    expanded,
    read_answer,
    read_columns,
    read_instant,
    read_whole,
    written_answer,
    written_columns,
    written_instant,
    written_whole,
)
from contractwatch.engines.cache.file_answers import (
    CacheableMetric,
    CachedAnswer,
    FileAnswer,
    cache_key,
    digest_of,
    file_fingerprint,
    holds,
)
from contractwatch.model.contract.dataset import TableFiles
from contractwatch.model.measure.metric import Metric, RowCount, SurplusRows, TableSchema
from contractwatch.model.measure.state import Count, TableColumns, TimeRange
from contractwatch.model.promises.personal_data import PersonalDataHits

_WORDS = "in the window"

OfWindow: TypeAlias = SurplusRows | PersonalDataHits
"""What does not add up, and is asked of the rows of the window."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """Where a window begins: in steps of the column's type, and as a person reads it.

    A number is not shown: it is a value of the data.
    """

    at: int
    shown: str = ""

    @property
    def words(self) -> str:
        """What is said of an answer about this window only."""
        return f"{_WORDS} since {self.shown}" if self.shown else f"{_WORDS} of the newest rows"


@dataclass(frozen=True, slots=True)
class WindowScan:
    """What the last run that read something answered, about the rows from `cut` on or about all.

    `rows` are those that it read, as far as they are in scope.
    """

    cut: Watermark
    is_full: bool
    rows: int
    answers: Mapping[str, CachedAnswer]


@dataclass(frozen=True, slots=True)
class CachedWindow:
    """What is kept of a table with a window.

    `before` are the answers of the rows below the cut, by the question's digest; a question that
    was `asked` and is not among them is asked of all rows. All rows were last read at `full_at`;
    `stamps` is a digest of the files at the last look.
    """

    columns: TableColumns
    cut: Watermark
    before: Mapping[str, FileAnswer]
    asked: frozenset[str]
    full_at: datetime
    stamps: str
    last: WindowScan


def window_cache_key(files: TableFiles, versions: str) -> str:
    """Return a digest of all that what is kept rests on, beside the rows and the question."""
    chosen = files.incremental
    read_by = (chosen.column, chosen.mode, chosen.lookback, chosen.timezone) if chosen else ()
    place = files.place if files.snapshot is None else files.snapshot.table_id
    return f"window {cache_key(files, versions)} {_digest(place)} {read_by!r}"


def window_fingerprint(files: TableFiles) -> str:
    """Return what tells one content of a table's files from another; empty if nothing does."""
    if files.snapshot is not None:
        seen = files.snapshot
        return _digest(repr((seen.location, seen.version, seen.table_id)))
    stamps = sorted((file.path, file_fingerprint(file)) for file in files.files)
    return _digest(repr(stamps)) if all(stamp for _, stamp in stamps) else ""


def cached_window(
    kept: CachedWindow, stamps: str, metrics: Iterable[CacheableMetric], now: datetime
) -> dict[Metric, CachedAnswer] | None:
    """Return the answers of a table whose files are those of the last look; None if not all are.

    Args:
        kept: What is kept, of the same context.
        stamps: Of the files that there are now.
        metrics: The questions.
        now: The run's instant.
    """
    if not stamps or kept.stamps != stamps:
        return None
    found: dict[Metric, CachedAnswer] = {}
    for metric in metrics:
        answer = (
            kept.columns
            if isinstance(metric, TableSchema)
            else kept.last.answers.get(digest_of(metric))
        )
        if answer is None or (isinstance(answer, TimeRange) and not holds(answer, now)):
            return None
        found[metric] = answer
    return found


def rows_of(table: str, look: WindowScan) -> dict[Metric, Count]:
    """Return the number of rows that take the place of all rows, for answers about a window."""
    return {} if look.is_full else {RowCount(table): Count(look.rows)}


def serialized_window(kept: CachedWindow, context: str) -> bytes:
    """Return what is kept as bytes, or nothing if it takes too many."""
    last = kept.last
    return compressed(
        {
            "context": context,
            "columns": written_columns(kept.columns),
            "cut": _written_cut(kept.cut),
            "before": {name: written_answer(answer) for name, answer in kept.before.items()},
            "asked": sorted(kept.asked),
            "full_at": written_instant(kept.full_at),
            "stamps": kept.stamps,
            "last": [
                _written_cut(last.cut),
                last.is_full,
                last.rows,
                {name: written_whole(answer) for name, answer in last.answers.items()},
            ],
        }
    )


def deserialized_window(content: bytes, context: str) -> CachedWindow | None:
    """Return what `serialized_window` wrote, or None if it is of another context or damaged."""
    try:
        read = expanded(content)
        return _window(read) if read["context"] == context else None
    except DAMAGES:
        return None


def _window(read: Mapping[str, Any]) -> CachedWindow:
    cut, is_full, rows, answers = read["last"]
    last = {name: read_whole(answer) for name, answer in answers.items()}
    return CachedWindow(
        columns=read_columns(read["columns"]),
        cut=Watermark(*read["cut"]),
        before={name: read_answer(answer) for name, answer in read["before"].items()},
        asked=frozenset(read["asked"]),
        full_at=read_instant(read["full_at"]),
        stamps=read["stamps"],
        last=WindowScan(Watermark(*cut), is_full, rows, last),
    )


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _written_cut(cut: Watermark) -> list[int | str]:
    return [cut.at, cut.shown]
