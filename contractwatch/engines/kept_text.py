"""What is kept of a table's files is compressed JSON text, and whatever cannot be read is nothing.

Counts are bare numbers, for they are nearly all there is; a question's digest is written once.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from contractwatch.engines.kept import (
    Bundle,
    FileAnswer,
    KeptFile,
    KeyGroup,
    TableStates,
)
from contractwatch.model.personal_data import Detector, DetectorHits, PersonalData
from contractwatch.model.state import (
    Columns,
    ColumnType,
    Count,
    DelayTally,
    KeySpan,
    Repeats,
    Span,
)

MOST_BYTES = 8 << 20
"""States that take more than this, compressed, are not kept."""

_MOST_EXPANDED = 256 << 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def packed(states: TableStates, context: str) -> bytes:
    """Return the states as bytes, or nothing if they take too many."""
    questions = sorted({one for bundle in states.bundles for one in bundle.answers})
    shapes = sorted({file.shape for bundle in states.bundles for file in bundle.files})
    written = {
        "context": context,
        "columns": [_column(column) for column in states.columns.columns],
        "questions": questions,
        "shapes": shapes,
        "bundles": [
            [
                [[file.path, file.stamp, shapes.index(file.shape)] for file in bundle.files],
                [_answer(bundle.answers.get(question)) for question in questions],
            ]
            for bundle in states.bundles
        ],
        "groups": {
            question: [
                [sorted(one.bundles), _repeats(one.repeats), int(one.shrunk)] for one in groups
            ]
            for question, groups in states.groups.items()
        },
        "whole": {question: _hits(found) for question, found in states.whole.items()},
    }
    content = zlib.compress(json.dumps(written, separators=(",", ":")).encode(), 6)
    return content if len(content) <= MOST_BYTES else b""


def unpacked(content: bytes, context: str) -> TableStates | None:
    """Return the states that `packed` wrote, or None if they are of another context or damaged."""
    try:
        expanding = zlib.decompressobj()
        expanded = expanding.decompress(content, _MOST_EXPANDED)
        if not expanding.eof:  # cut off, or no work of ours
            return None
        read: dict[str, Any] = json.loads(expanded)
        return _states(read) if read["context"] == context else None
    except (zlib.error, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None


def _states(read: Mapping[str, Any]) -> TableStates:
    questions: list[str] = read["questions"]
    shapes: list[str] = read["shapes"]
    bundles = tuple(
        Bundle(
            tuple(_file(shapes, *file) for file in files),
            {
                question: _read_answer(answer)
                for question, answer in zip(questions, answers, strict=True)
                if answer is not None
            },
        )
        for files, answers in read["bundles"]
    )
    groups = {
        question: tuple(_group(*group) for group in found)
        for question, found in read["groups"].items()
    }
    whole = {
        question: PersonalData(
            tuple(DetectorHits(name, Detector(word), *counts) for name, word, *counts in found)
        )
        for question, found in read["whole"].items()
    }
    columns = Columns(tuple(map(_read_column, read["columns"])))
    return TableStates(columns, bundles, groups, whole)


def _file(shapes: list[str], path: str, stamp: str, shape: int) -> KeptFile:
    return KeptFile(path, stamp, shapes[shape])


def _group(places: list[int], repeats: list[int], shrunk: int) -> KeyGroup:
    return KeyGroup(frozenset(places), Repeats(*repeats), bool(shrunk))


def _column(column: ColumnType) -> list[Any]:
    children = [_column(child) for child in column.children]
    own = [column.name, column.kind, column.physical, column.timezone_aware, column.scale]
    return [*own, column.text, children]


def _read_column(read: list[Any]) -> ColumnType:
    *own, children = read
    return ColumnType(*own, children=tuple(map(_read_column, children)))


def _repeats(found: Repeats) -> list[int]:
    return [found.rows, found.surplus, found.keys, found.affected]


def _hits(found: PersonalData) -> list[list[Any]]:
    return [[one.column, one.detector.value, one.texts, one.hits] for one in found.found]


def _answer(answer: FileAnswer | None) -> Any:
    match answer:
        case Count():
            return answer.rows
        case Span():
            return ["span", _micros(answer.oldest), _micros(answer.newest), answer.rows]
        case DelayTally():
            return ["delays", answer.rows, answer.late, answer.longest_seconds]
        case KeySpan():
            return ["keys", answer.rows, answer.bounds]
        case None:
            return None


def _read_answer(read: Any) -> FileAnswer:
    if isinstance(read, int):
        return Count(read)
    kind, *numbers = read
    return _READERS[kind](*numbers)


def _read_span(oldest: int | None, newest: int | None, rows: int) -> Span:
    return Span(_instant(oldest), _instant(newest), rows)


def _read_keys(rows: int, bounds: list[list[int]]) -> KeySpan:
    return KeySpan(rows, tuple((least, greatest) for least, greatest in bounds))


_READERS: Mapping[str, Callable[..., FileAnswer]] = {
    "span": _read_span,
    "delays": DelayTally,
    "keys": _read_keys,
}


def _micros(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // _TICK


def _instant(micros: int | None) -> datetime | None:
    return None if micros is None else _EPOCH + timedelta(microseconds=micros)
