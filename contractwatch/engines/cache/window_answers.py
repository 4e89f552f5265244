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
    DECODE_ERRORS,
    answer_from_json,
    answer_to_json,
    columns_from_json,
    columns_to_json,
    compress,
    decompress,
    file_answer_from_json,
    file_answer_to_json,
    instant_from_micros,
    instant_to_micros,
)
from contractwatch.engines.cache.file_answers import (
    CacheableMetric,
    CachedAnswer,
    FileAnswer,
    cache_key,
    file_fingerprint,
    is_valid_at,
    metric_digest,
)
from contractwatch.model.contract.dataset import TableFiles
from contractwatch.model.measure.metric import Metric, RowCount, SurplusRows, TableSchema
from contractwatch.model.measure.state import Count, TableColumns, TimeRange
from contractwatch.model.promises.personal_data import PersonalDataHits

_WORDS = "in the window"

WindowMetric: TypeAlias = SurplusRows | PersonalDataHits
"""Metrics whose answers do not add up; they are asked of the rows in the window."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """Value at which a window begins, in steps of the column's type.

    `shown` is the same for a person to read; empty for a number, which is a value of the data.
    """

    value: int
    shown: str = ""

    @property
    def description(self) -> str:
        """The words for an answer that is about this window only."""
        return f"{_WORDS} since {self.shown}" if self.shown else f"{_WORDS} of the newest rows"


@dataclass(frozen=True, slots=True)
class WindowScan:
    """The answers of the last run that read something, by the metric's digest.

    They are about the rows from the watermark on, with `is_full` about all rows. `rows` counts the
    rows that were read and are in scope.
    """

    watermark: Watermark
    is_full: bool
    rows: int
    answers: Mapping[str, CachedAnswer]


@dataclass(frozen=True, slots=True)
class CachedWindow:
    """Cached answers of a table with a window.

    `older_answers` are about the rows below the watermark, by the metric's digest; a metric in
    `asked` without one is asked of all rows every time. All rows were last read at `full_scan_at`;
    `fingerprint` is that of the files at the last scan.
    """

    columns: TableColumns
    watermark: Watermark
    older_answers: Mapping[str, FileAnswer]
    asked: frozenset[str]
    full_scan_at: datetime
    fingerprint: str
    last_scan: WindowScan


def window_cache_key(files: TableFiles, versions: str) -> str:
    """Return the key of all that the cached answers depend on besides the rows and the metric."""
    chosen = files.incremental
    read_by = (chosen.column, chosen.mode, chosen.lookback, chosen.timezone) if chosen else ()
    place = files.place if files.snapshot is None else files.snapshot.table_id
    return f"window {cache_key(files, versions)} {_digest(place)} {read_by!r}"


def window_fingerprint(files: TableFiles) -> str:
    """Return a fingerprint of a table's files together; empty if one of them has none."""
    if files.snapshot is not None:
        seen = files.snapshot
        return _digest(repr((seen.location, seen.version, seen.table_id)))
    fingerprints = sorted((file.path, file_fingerprint(file)) for file in files.files)
    return _digest(repr(fingerprints)) if all(one for _, one in fingerprints) else ""


def cached_window(
    cached: CachedWindow, fingerprint: str, metrics: Iterable[CacheableMetric], now: datetime
) -> dict[Metric, CachedAnswer] | None:
    """Return the answers of the last scan; None if the files changed or an answer is missing.

    Args:
        cached: The cached answers, of the same cache key.
        fingerprint: Of the files as they are now.
        metrics: The metrics asked for.
        now: The run's instant.
    """
    if not fingerprint or cached.fingerprint != fingerprint:
        return None
    found: dict[Metric, CachedAnswer] = {}
    for metric in metrics:
        answer = (
            cached.columns
            if isinstance(metric, TableSchema)
            else cached.last_scan.answers.get(metric_digest(metric))
        )
        if answer is None or (isinstance(answer, TimeRange) and not is_valid_at(answer, now)):
            return None
        found[metric] = answer
    return found


def window_row_count(table: str, scan: WindowScan) -> dict[Metric, Count]:
    """Return the row count of a window, which replaces that of the table; empty for a full scan."""
    return {} if scan.is_full else {RowCount(table): Count(scan.rows)}


def serialize_window(cached: CachedWindow, key: str) -> bytes:
    """Return the cached answers of a window as bytes; empty if they exceed `MAX_BYTES`."""
    last = cached.last_scan
    return compress(
        {
            "key": key,
            "columns": columns_to_json(cached.columns),
            "watermark": _watermark_to_json(cached.watermark),
            "older_answers": {
                digest: file_answer_to_json(answer)
                for digest, answer in cached.older_answers.items()
            },
            "asked": sorted(cached.asked),
            "full_scan_at": instant_to_micros(cached.full_scan_at),
            "fingerprint": cached.fingerprint,
            "last_scan": [
                _watermark_to_json(last.watermark),
                last.is_full,
                last.rows,
                {digest: answer_to_json(answer) for digest, answer in last.answers.items()},
            ],
        }
    )


def deserialize_window(content: bytes, key: str) -> CachedWindow | None:
    """Return what `serialize_window` wrote, or None if it has another key or is damaged."""
    try:
        values = decompress(content)
        return _cached_window_from_json(values) if values["key"] == key else None
    except DECODE_ERRORS:
        return None


def _cached_window_from_json(values: Mapping[str, Any]) -> CachedWindow:
    watermark, is_full, rows, answers = values["last_scan"]
    last = {digest: answer_from_json(answer) for digest, answer in answers.items()}
    older = values["older_answers"]
    return CachedWindow(
        columns=columns_from_json(values["columns"]),
        watermark=Watermark(*values["watermark"]),
        older_answers={name: file_answer_from_json(answer) for name, answer in older.items()},
        asked=frozenset(values["asked"]),
        full_scan_at=instant_from_micros(values["full_scan_at"]),
        fingerprint=values["fingerprint"],
        last_scan=WindowScan(Watermark(*watermark), is_full, rows, last),
    )


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _watermark_to_json(watermark: Watermark) -> list[int | str]:
    return [watermark.value, watermark.shown]
