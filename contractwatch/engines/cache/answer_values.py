"""Convert cached answers to JSON values and back.

Counts, by far the most frequent answers, are bare numbers.
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

MAX_BYTES = 8 << 20
"""Compressed size limit of one table's cached answers; larger ones are not cached."""

DECODE_ERRORS = (zlib.error, ValueError, LookupError, TypeError, OverflowError, RecursionError)
"""Raised by decoding content that is damaged or has another format."""

_MAX_DECOMPRESSED_BYTES = 256 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def compress(values: Mapping[str, Any]) -> bytes:
    """Return JSON values as compressed bytes; empty if they exceed `MAX_BYTES`."""
    content = zlib.compress(json.dumps(values, separators=(",", ":")).encode(), 6)
    return content if len(content) <= MAX_BYTES else b""


def decompress(content: bytes) -> Mapping[str, Any]:
    """Return the JSON values that `compress` was given.

    Raises:
        ValueError: If the content was cut off; damaged content raises one of `DECODE_ERRORS`.
    """
    decompressor = zlib.decompressobj()
    text = decompressor.decompress(content, _MAX_DECOMPRESSED_BYTES)
    if not decompressor.eof:
        raise ValueError
    values: Mapping[str, Any] = json.loads(text)
    return values


def columns_to_json(columns: TableColumns) -> list[Any]:
    """Return columns as JSON values."""
    return [_column_to_json(column) for column in columns.columns]


def columns_from_json(values: list[Any]) -> TableColumns:
    """Return columns from their JSON values."""
    return TableColumns(tuple(map(_column_from_json, values)))


def repeats_to_json(found: DuplicateCounts) -> list[int]:
    """Return the repeats of a key as JSON values."""
    return [found.rows, found.surplus, found.keys, found.affected]


def hits_to_json(found: PersonalData) -> list[list[Any]]:
    """Return the hits of personal data detectors as JSON values."""
    return [[one.column, one.detector.value, one.texts, one.hits] for one in found.found]


def hits_from_json(values: list[list[Any]]) -> PersonalData:
    """Return the hits of personal data detectors from JSON values."""
    hits = (DetectorHits(name, Detector(word), *counts) for name, word, *counts in values)
    return PersonalData(tuple(hits))


def file_answer_to_json(answer: FileAnswer | None) -> Any:
    """Return the additive answer of a file as a JSON value; None if there is no answer."""
    match answer:
        case UnparseableCells():
            return ["bad", answer.rows, answer.shapes]
        case Count():
            return answer.rows
        case TimeRange():
            return [
                "span",
                _optional_to_micros(answer.oldest),
                _optional_to_micros(answer.newest),
                answer.rows,
            ]
        case DelayTally():
            return ["delays", answer.rows, answer.late, answer.longest_seconds]
        case KeyBounds():
            return ["keys", answer.rows, answer.bounds]
        case None:
            return None


def file_answer_from_json(values: Any) -> FileAnswer:
    """Return the additive answer of a file from a JSON value."""
    if isinstance(values, int):
        return Count(values)
    kind, *numbers = values
    return _FILE_ANSWER_KINDS[kind](*numbers)


def answer_to_json(answer: CachedAnswer) -> Any:
    """Return any cached answer as a JSON value."""
    match answer:
        case DuplicateCounts():
            return ["repeats", *repeats_to_json(answer)]
        case PersonalData():
            return ["hits", hits_to_json(answer)]
        case TableColumns():
            return ["columns", columns_to_json(answer)]
        case _:
            return file_answer_to_json(answer)


def answer_from_json(values: Any) -> CachedAnswer:
    """Return any cached answer from a JSON value."""
    if isinstance(values, int):
        return Count(values)
    kind, *parts = values
    decode = _TABLE_ANSWER_KINDS.get(kind)
    return decode(*parts) if decode is not None else file_answer_from_json(values)


def instant_to_micros(instant: datetime) -> int:
    """Return an instant as microseconds since 1970."""
    return (instant - _EPOCH) // _TICK


def instant_from_micros(micros: int) -> datetime:
    """Return an instant (UTC) from microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def _column_to_json(column: ColumnType) -> list[Any]:
    children = [_column_to_json(child) for child in column.children]
    own = [column.name, column.kind, column.physical, column.timezone_aware, column.scale]
    files = [_column_to_json(one) for one in column.files]
    return [*own, column.text, children, column.exact, files, column.by_exact_name]


def _column_from_json(values: list[Any]) -> ColumnType:
    *own, children, exact, files, by_exact_name = values
    inner, types = (tuple(map(_column_from_json, some)) for some in (children, files))
    named = {"exact": exact, "files": types, "by_exact_name": by_exact_name}
    return ColumnType(*own, children=inner, **named)


def _span_from_json(oldest: int | None, newest: int | None, rows: int) -> TimeRange:
    return TimeRange(_optional_from_micros(oldest), _optional_from_micros(newest), rows)


def _bad_cells_from_json(rows: int, shapes: list[str]) -> UnparseableCells:
    return UnparseableCells(rows, tuple(shapes))


def _key_span_from_json(rows: int, bounds: list[list[int]]) -> KeyBounds:
    return KeyBounds(rows, tuple((least, greatest) for least, greatest in bounds))


_FILE_ANSWER_KINDS: Mapping[str, Callable[..., FileAnswer]] = {
    "bad": _bad_cells_from_json,
    "span": _span_from_json,
    "delays": DelayTally,
    "keys": _key_span_from_json,
}
_TABLE_ANSWER_KINDS: Mapping[str, Callable[..., CachedAnswer]] = {
    "repeats": DuplicateCounts,
    "hits": hits_from_json,
    "columns": columns_from_json,
}


def _optional_to_micros(instant: datetime | None) -> int | None:
    return None if instant is None else instant_to_micros(instant)


def _optional_from_micros(micros: int | None) -> datetime | None:
    return None if micros is None else instant_from_micros(micros)
