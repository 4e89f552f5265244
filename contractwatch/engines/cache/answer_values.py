"""Convert cached answers to plain JSON values and back.

Counts are bare numbers, for they are nearly all there is.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from contractwatch.engines.cache.file_answers import CachedAnswer, FileAnswer
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    DelayTally,
    DuplicateCounts,
    KeyBounds,
    TableColumns,
    TimeRange,
    UnparseableCells,
)
from contractwatch.model.promises.personal_data import Detector, DetectorHits, PersonalData

MOST_BYTES = 8 << 20
"""States that take more than this, compressed, are not kept."""

DAMAGES = (zlib.error, ValueError, LookupError, TypeError, OverflowError, RecursionError)
"""What reading raises of content that is damaged, or no work of ours."""

_MOST_EXPANDED = 256 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def compressed(written: Mapping[str, Any]) -> bytes:
    """Return plain values as bytes, or nothing if they take too many."""
    content = zlib.compress(json.dumps(written, separators=(",", ":")).encode(), 6)
    return content if len(content) <= MOST_BYTES else b""


def expanded(content: bytes) -> Mapping[str, Any]:
    """Return the plain values that `compressed` took.

    Raises:
        ValueError: If the content was cut off; damaged content raises one of `DAMAGES`.
    """
    expanding = zlib.decompressobj()
    found = expanding.decompress(content, _MOST_EXPANDED)
    if not expanding.eof:
        raise ValueError
    read: Mapping[str, Any] = json.loads(found)
    return read


def written_columns(columns: TableColumns) -> list[Any]:
    """Return columns as plain values."""
    return [_column(column) for column in columns.columns]


def read_columns(written: list[Any]) -> TableColumns:
    """Return the columns that were written."""
    return TableColumns(tuple(map(_read_column, written)))


def written_repeats(found: DuplicateCounts) -> list[int]:
    """Return the repeats of a key as plain numbers."""
    return [found.rows, found.surplus, found.keys, found.affected]


def written_hits(found: PersonalData) -> list[list[Any]]:
    """Return what detectors found as plain values."""
    return [[one.column, one.detector.value, one.texts, one.hits] for one in found.found]


def read_hits(written: list[list[Any]]) -> PersonalData:
    """Return what detectors found from plain values."""
    hits = (DetectorHits(name, Detector(word), *counts) for name, word, *counts in written)
    return PersonalData(tuple(hits))


def written_answer(answer: FileAnswer | None) -> Any:
    """Return the answer of a file, which adds up, as a plain value; of none there is none."""
    match answer:
        case UnparseableCells():
            return ["bad", answer.rows, answer.shapes]
        case Count():
            return answer.rows
        case TimeRange():
            return ["span", _micros(answer.oldest), _micros(answer.newest), answer.rows]
        case DelayTally():
            return ["delays", answer.rows, answer.late, answer.longest_seconds]
        case KeyBounds():
            return ["keys", answer.rows, answer.bounds]
        case None:
            return None


def read_answer(written: Any) -> FileAnswer:
    """Return the answer of a file from a plain value."""
    if isinstance(written, int):
        return Count(written)
    kind, *numbers = written
    return _READERS[kind](*numbers)


def written_whole(answer: CachedAnswer) -> Any:
    """Return any answer that is kept as a plain value."""
    match answer:
        case DuplicateCounts():
            return ["repeats", *written_repeats(answer)]
        case PersonalData():
            return ["hits", written_hits(answer)]
        case TableColumns():
            return ["columns", written_columns(answer)]
        case _:
            return written_answer(answer)


def read_whole(written: Any) -> CachedAnswer:
    """Return any answer that is kept from a plain value."""
    if isinstance(written, int):
        return Count(written)
    kind, *values = written
    read = _WHOLE_READERS.get(kind)
    return read(*values) if read is not None else read_answer(written)


def written_instant(instant: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (instant - _EPOCH) // _TICK


def read_instant(micros: int) -> datetime:
    """Return the instant of so many microseconds since 1970 (UTC)."""
    return _EPOCH + timedelta(microseconds=micros)


def _column(column: ColumnType) -> list[Any]:
    children = [_column(child) for child in column.children]
    own = [column.name, column.kind, column.physical, column.timezone_aware, column.scale]
    files = [_column(one) for one in column.files]
    return [*own, column.text, children, column.exact, files, column.by_exact_name]


def _read_column(read: list[Any]) -> ColumnType:
    *own, children, exact, files, by_exact_name = read
    inner, types = (tuple(map(_read_column, some)) for some in (children, files))
    named = {"exact": exact, "files": types, "by_exact_name": by_exact_name}
    return ColumnType(*own, children=inner, **named)


def _read_span(oldest: int | None, newest: int | None, rows: int) -> TimeRange:
    return TimeRange(_instant(oldest), _instant(newest), rows)


def _read_bad(rows: int, shapes: list[str]) -> UnparseableCells:
    return UnparseableCells(rows, tuple(shapes))


def _read_keys(rows: int, bounds: list[list[int]]) -> KeyBounds:
    return KeyBounds(rows, tuple((least, greatest) for least, greatest in bounds))


_READERS: Mapping[str, Callable[..., FileAnswer]] = {
    "bad": _read_bad,
    "span": _read_span,
    "delays": DelayTally,
    "keys": _read_keys,
}
_WHOLE_READERS: Mapping[str, Callable[..., CachedAnswer]] = {
    "repeats": DuplicateCounts,
    "hits": read_hits,
    "columns": read_columns,
}


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else written_instant(instant)


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else read_instant(micros)
