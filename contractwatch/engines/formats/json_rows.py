"""Read JSON files with nested promises line by line, in batches.

The library would end at the first value of another shape. Here each line is parsed by the standard
library: slower, and a value of another shape costs no more than its own verdict.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from contractwatch.engines.core.batches import scan_frames
from contractwatch.engines.core.json_tree import (
    DuplicateKeyObject,
    JsonNode,
    ShapeNotes,
    as_text,
    conform,
    find_json_member,
    object_from_pairs,
    record_paths,
)
from contractwatch.engines.remote.objects import open_stream
from contractwatch.model.base.path import FieldPath, StructField
from contractwatch.model.contract.dataset import RemoteStore

_BATCH_ROWS = 10_000
_BATCH_BYTES = 8 * 1024 * 1024
_SAMPLED_LINES = 1000
_EXACT_LIMIT = 1e15
_NO_OBJECT = "parsing line"
_SURROGATES = ("\\ud", "\\uD")


@dataclass(frozen=True, slots=True)
class JsonText:
    """Lines of one file, with the texts of its partition columns."""

    lines: "Lines"
    partition: Mapping[str, str | None]


class Lines:
    """Iterable that reopens the lines of a file each time."""

    def __init__(self, source: str | bytes, remote: RemoteStore | None) -> None:
        self._source = source
        self._remote = remote

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._source, bytes):
            yield from (line for line in self._source.splitlines() if line.strip())
            return
        with open_stream(self._source, self._remote) as file:
            yield from (line for line in file if line.strip())


def note_columns(tree: JsonNode, name: str, what: str) -> dict[FieldPath, str]:
    """Return the columns that say of a row whether it is `mismatched`, or `null`, at each place."""
    return {node.path: f"\x00{what}{at}\x00{name}" for at, node in enumerate(tree.walk())}


def scan(
    files: Sequence[JsonText], flat: Sequence[str], trees: Mapping[str, JsonNode]
) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """Scan the rows: flat texts, nested values, and shape notes in hidden columns."""
    types: dict[str, pl.DataType] = {name: pl.String() for name in flat}
    for name, tree in trees.items():
        types[name] = tree.dtype()
        for what in ("mismatched", "null"):
            types |= dict.fromkeys(note_columns(tree, name, what).values(), pl.Boolean())
    laid = tuple(
        (name, tree, note_columns(tree, name, "mismatched"), note_columns(tree, name, "null"))
        for name, tree in trees.items()
    )
    layout = _Layout(tuple(flat), laid, types)
    return scan_frames(lambda: _frames(files, layout), types), types


@dataclass(frozen=True, slots=True)
class _Layout:
    flat: tuple[str, ...]
    laid: tuple[tuple[str, JsonNode, dict[FieldPath, str], dict[FieldPath, str]], ...]
    types: dict[str, pl.DataType]


def _frames(files: Sequence[JsonText], layout: _Layout) -> Iterator[pl.DataFrame]:
    for file in files:
        batch: list[dict[str, object]] = []
        size = 0
        for line in file.lines:
            batch.append(_row(parse_record(line), file.partition, layout))
            size += len(line)
            if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
                yield _frame(batch, layout)
                batch, size = [], 0
        if batch:
            yield _frame(batch, layout)


def _frame(batch: Sequence[Mapping[str, object]], layout: _Layout) -> pl.DataFrame:
    return pl.DataFrame(
        [
            pl.Series(name, [row.get(name) for row in batch], dtype=dtype)
            for name, dtype in layout.types.items()
        ]
    )


def _row(
    record: dict[str, object], partition: Mapping[str, str | None], layout: _Layout
) -> dict[str, object]:
    row: dict[str, object] = {**partition}
    for name in layout.flat:
        if name in record:
            row[name] = as_text(record[name])
    for name, tree, mismatched, null in layout.laid:
        notes = ShapeNotes()
        row[name] = conform(tree, find_json_member(record, name, tree), notes)
        row.update((mismatched[path], True) for path in notes.mismatched)
        row.update((null[path], True) for path in notes.null)
    return row


def parse_record(line: bytes) -> dict[str, object]:
    """Parse a line as a JSON object, with numbers as texts.

    Raises:
        ComputeError: If it is no JSON object, worded so that the cause is recognized.
    """
    try:
        written = line.decode()
    except UnicodeDecodeError as error:
        raise pl.exceptions.ComputeError("invalid utf-8") from error
    try:
        record = parse_json(written)
    except (ValueError, RecursionError) as error:
        raise pl.exceptions.ComputeError(_NO_OBJECT) from error
    if not isinstance(record, dict):
        raise pl.exceptions.ComputeError(_NO_OBJECT)
    if isinstance(record, DuplicateKeyObject):
        raise pl.exceptions.ComputeError(f"({record.message})")
    return cast("dict[str, object]", record)


def parse_json(written: str) -> object:
    """Parse a JSON text, with numbers as texts.

    Raises:
        ValueError, RecursionError: If it is none, or nested too deeply.
    """
    found: object = json.loads(
        written,
        object_pairs_hook=object_from_pairs,
        parse_int=str,
        parse_float=_number,
        parse_constant=_refuse_constant,
    )
    return _encodable(found) if any(lone in written for lone in _SURROGATES) else found


def _number(written: str) -> str:
    """Return a whole number without point and exponent, as Polars does for flat files."""
    value = float(written)
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT_LIMIT else written


def _refuse_constant(written: str) -> str:
    raise ValueError(written)


def _encodable(value: Any) -> Any:
    """Return the value with lone surrogates, which cannot be encoded, replaced."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        items = [
            (_encodable(k), _encodable(v)) for k, v in cast("dict[str, object]", value).items()
        ]
        return DuplicateKeyObject(items) if isinstance(value, DuplicateKeyObject) else dict(items)
    if isinstance(value, list):
        return [_encodable(each) for each in cast("list[object]", value)]
    return value


def present_paths(
    files: Sequence[JsonText], trees: Mapping[str, JsonNode]
) -> dict[str, set[FieldPath]]:
    """Return the paths that have values, by column; stops once all are found.

    After the first lines only those are parsed that hold the name of a member not yet found.
    """
    seen: dict[str, set[FieldPath]] = {name: set() for name in trees}
    wanted = _missing_names(trees, seen)
    for file in files:
        for at, line in enumerate(file.lines):
            if not wanted:
                return seen
            if at >= _SAMPLED_LINES and not any(name in line.lower() for name in wanted):
                continue
            try:
                record = parse_record(line)
            except pl.exceptions.ComputeError:
                continue  # it is told when the rows are read
            for name, tree in trees.items():
                record_paths(tree, find_json_member(record, name, tree), seen[name])
            wanted = _missing_names(trees, seen)
    return seen


def _missing_names(
    trees: Mapping[str, JsonNode], seen: Mapping[str, set[FieldPath]]
) -> frozenset[bytes]:
    """Return the quoted names, in lower case, of members that were not found yet."""
    return frozenset(
        json.dumps(_name(node, name).lower(), ensure_ascii=ascii_).encode()
        for name, tree in trees.items()
        for node in tree.walk()
        if node.path not in seen[name]
        for ascii_ in (True, False)
    )


def _name(node: JsonNode, column: str) -> str:
    """Return the name of the last member on a node's path, or of the column."""
    members = [step.name for step in node.path if isinstance(step, StructField)]
    return members[-1] if members else column
