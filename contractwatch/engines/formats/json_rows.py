"""Read JSON files with nested promises line by line, in batches.

The library would end at the first value of another shape. Here each line is parsed by the standard
library: slower, and a value of another shape costs no more than its own verdict.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import polars as pl

from contractwatch.engines.core.batches import lazily
from contractwatch.engines.core.json_tree import (
    JsonNode,
    Notes,
    Repeated,
    laid_out,
    member_of,
    object_of,
    observe,
    text_of,
)
from contractwatch.engines.remote.objects import opened
from contractwatch.model.base.path import FieldPath, StructField
from contractwatch.model.contract.dataset import RemoteStore

_BATCH_ROWS = 10_000
_BATCH_BYTES = 8 * 1024 * 1024
_SAMPLED_LINES = 1000
_EXACT = 1e15
_NO_OBJECT = "parsing line"
_LONE = ("\\ud", "\\uD")


@dataclass(frozen=True, slots=True)
class JsonText:
    """The lines of one file, and the texts of its partition's columns."""

    lines: "Lines"
    partition: Mapping[str, str | None]


class Lines:
    """Opens a file's lines anew each time that they are asked for."""

    def __init__(self, source: str | bytes, remote: RemoteStore | None) -> None:
        self._source = source
        self._remote = remote

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._source, bytes):
            yield from (line for line in self._source.splitlines() if line.strip())
            return
        with opened(self._source, self._remote) as file:
            yield from (line for line in file if line.strip())


def noted(tree: JsonNode, name: str, what: str) -> dict[FieldPath, str]:
    """Return the columns that say of a row whether it is `astray`, or `null`, at each place."""
    return {node.path: f"\x00{what}{at}\x00{name}" for at, node in enumerate(tree.walk())}


def scan(
    files: Sequence[JsonText], flat: Sequence[str], trees: Mapping[str, JsonNode]
) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """Return the rows: texts, values laid out along their trees, and notes in hidden columns."""
    types: dict[str, pl.DataType] = {name: pl.String() for name in flat}
    for name, tree in trees.items():
        types[name] = tree.dtype()
        for what in ("astray", "null"):
            types |= dict.fromkeys(noted(tree, name, what).values(), pl.Boolean())
    laid = tuple(
        (name, tree, noted(tree, name, "astray"), noted(tree, name, "null"))
        for name, tree in trees.items()
    )
    layout = _Layout(tuple(flat), laid, types)
    return lazily(lambda: _frames(files, layout), types), types


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
            batch.append(_row(parsed(line), file.partition, layout))
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
            row[name] = text_of(record[name])
    for name, tree, astray, null in layout.laid:
        notes = Notes()
        row[name] = laid_out(tree, member_of(record, name, tree), notes)
        row.update((astray[path], True) for path in notes.astray)
        row.update((null[path], True) for path in notes.null)
    return row


def parsed(line: bytes) -> dict[str, object]:
    """Return the object of a line, its numbers as texts.

    Raises:
        ComputeError: If it is no JSON object, worded so that the cause is told.
    """
    try:
        written = line.decode()
    except UnicodeDecodeError as error:
        raise pl.exceptions.ComputeError("invalid utf-8") from error
    try:
        record = value_of(written)
    except (ValueError, RecursionError) as error:
        raise pl.exceptions.ComputeError(_NO_OBJECT) from error
    if not isinstance(record, dict):
        raise pl.exceptions.ComputeError(_NO_OBJECT)
    if isinstance(record, Repeated):
        raise pl.exceptions.ComputeError(f"({record.told})")
    return cast("dict[str, object]", record)


def value_of(written: str) -> object:
    """Return the value of a JSON text, its numbers as texts.

    Raises:
        ValueError, RecursionError: If it is none, or nested too deeply.
    """
    found: object = json.loads(
        written,
        object_pairs_hook=object_of,
        parse_int=str,
        parse_float=_number,
        parse_constant=_refused,
    )
    return _sound(found) if any(lone in written for lone in _LONE) else found


def _number(written: str) -> str:
    """Return a whole number without point and exponent, as the library does for flat files."""
    value = float(written)
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else written


def _refused(written: str) -> str:
    raise ValueError(written)


def _sound(value: Any) -> Any:
    """Return a value whose texts can be encoded: half a surrogate pair cannot."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        items = [(_sound(k), _sound(v)) for k, v in cast("dict[str, object]", value).items()]
        return Repeated(items) if isinstance(value, Repeated) else dict(items)
    if isinstance(value, list):
        return [_sound(each) for each in cast("list[object]", value)]
    return value


def seen_in(files: Sequence[JsonText], trees: Mapping[str, JsonNode]) -> dict[str, set[FieldPath]]:
    """Return the places at which values stand, by column; the search ends once all are found.

    After the first lines only those are parsed that hold the name of a member not yet found.
    """
    seen: dict[str, set[FieldPath]] = {name: set() for name in trees}
    wanted = _wanted(trees, seen)
    for file in files:
        for at, line in enumerate(file.lines):
            if not wanted:
                return seen
            if at >= _SAMPLED_LINES and not any(name in line.lower() for name in wanted):
                continue
            try:
                record = parsed(line)
            except pl.exceptions.ComputeError:
                continue  # it is told when the rows are read
            for name, tree in trees.items():
                observe(tree, member_of(record, name, tree), seen[name])
            wanted = _wanted(trees, seen)
    return seen


def _wanted(trees: Mapping[str, JsonNode], seen: Mapping[str, set[FieldPath]]) -> frozenset[bytes]:
    """Return the names, in lower case and quotes, of what was not found yet."""
    return frozenset(
        json.dumps(_name(node, name).lower(), ensure_ascii=ascii_).encode()
        for name, tree in trees.items()
        for node in tree.walk()
        if node.path not in seen[name]
        for ascii_ in (True, False)
    )


def _name(node: JsonNode, column: str) -> str:
    """Return the name of the member that a place is, or is inside of."""
    members = [step.name for step in node.path if isinstance(step, StructField)]
    return members[-1] if members else column
