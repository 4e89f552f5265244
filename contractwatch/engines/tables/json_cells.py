"""Parse JSON texts in the cells of a column to the shape that the contract promises.

Files of CSV, and columns of text in files of any other format but JSON, may hold objects, arrays
and maps so. Each cell is parsed by the standard library; one that is no JSON, or nested more deeply
than a bound, is a value of another shape, and costs no more than its own verdict.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from contractwatch.engines.core.failures import UNREADABLE
from contractwatch.engines.core.json_tree import (
    JsonNode,
    ShapeNotes,
    conform,
    json_tree,
    observed_type,
    record_paths,
)
from contractwatch.engines.formats.json_rows import note_columns, parse_json
from contractwatch.engines.predicates.expressions import ColumnView
from contractwatch.engines.tables.nested_json import nested_view
from contractwatch.model.base.path import FieldPath, StructField
from contractwatch.model.contract.contract import Column
from contractwatch.model.measure.state import ColumnType, TableColumns

MAX_DEPTH = 500
"""Levels of nested objects and arrays: a deeper text may overflow the stack of a thread."""

_PIECE_ROWS = 10_000
_PIECE_CHARACTERS = 8 * 1024 * 1024
_SAMPLED_ROWS = 1000
_VALUE = "value"
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(r"[\[{\]}]")


@dataclass(frozen=True, slots=True)
class JsonCells:
    """A table with its JSON texts parsed into hidden columns, and the types of all columns.

    `cells` has an entry for each of these columns.
    """

    rows: pl.LazyFrame
    columns: TableColumns
    cells: Mapping[str, ColumnView]


def json_trees(promised: Iterable[Column], found: TableColumns) -> dict[str, JsonNode]:
    """Return the JSON tree that is promised of each column of texts, by the column's name.

    A column that several properties of the contract stand for stays text: it has no one tree.
    """
    trees: dict[str, JsonNode] = {}
    promises: Counter[str] = Counter()
    for column in promised:
        actual = found.find(column.physical_name)
        if actual is None or actual.kind != "string":
            continue
        promises[actual.name] += 1
        tree = json_tree(column)
        if tree is not None:
            trees[actual.name] = tree
    return {name: tree for name, tree in trees.items() if promises[name] == 1}


def parse_json_cells(
    rows: pl.LazyFrame,
    columns: TableColumns,
    trees: Mapping[str, JsonNode],
    every_row: pl.LazyFrame,
) -> JsonCells:
    """Return the table with its JSON texts parsed; reads rows until all members were seen.

    Args:
        rows: The rows that are asked about.
        columns: The columns of the files.
        trees: Of the columns of JSON texts, by `json_trees`.
        every_row: The rows that tell which members there are.
    """
    cells: dict[str, ColumnView] = {}
    types: dict[str, ColumnType] = {column.name: column for column in columns.columns}
    for name, tree in trees.items():
        text, laid = pl.col(name).cast(pl.String), f"\x00laid\x00{name}"
        rows = _with_parsed_values(rows, text, tree, laid)
        types[name] = _column_type(types[name], tree, _present_paths(every_row.select(text), tree))
        cells[name] = nested_view(tree, laid, text)
    return JsonCells(rows, TableColumns(tuple(types.values())), cells)


def _column_type(file_type: ColumnType, tree: JsonNode, seen: set[FieldPath]) -> ColumnType:
    """Return the type of the values; its physical type is the file's."""
    found = observed_type(tree, file_type.name, seen)
    found = replace(found, by_exact_name=file_type.by_exact_name)
    if file_type.text:
        return found
    return replace(found, physical=file_type.physical, files=file_type.in_files)


def _with_parsed_values(
    rows: pl.LazyFrame, text: pl.Expr, tree: JsonNode, laid: str
) -> pl.LazyFrame:
    """Return the rows with the values, and the notes about them, in hidden columns."""
    mismatched, null = note_columns(tree, laid, "mismatched"), note_columns(tree, laid, "null")
    notes = dict.fromkeys((*mismatched.values(), *null.values()), pl.Boolean())
    dtype = pl.Struct({_VALUE: tree.dtype(), **notes})
    lay_out = partial(_parse_batch, tree=tree, mismatched=mismatched, null=null, dtype=dtype)
    packed = text.map_batches(lay_out, return_dtype=dtype, is_elementwise=True)
    whole = f"\x00whole{laid}"
    field = pl.col(whole).struct.field
    unpacked = [field(_VALUE).alias(laid), *(field(name) for name in notes)]
    return rows.with_columns(packed.alias(whole)).with_columns(unpacked)


def _parse_batch(
    texts: pl.Series,
    *,
    tree: JsonNode,
    mismatched: Mapping[FieldPath, str],
    null: Mapping[FieldPath, str],
    dtype: pl.Struct,
) -> pl.Series:
    """Return the value of each text and the notes about it, parsed piece by piece."""
    made = [pl.Series(texts.name, [], dtype=dtype)]
    for piece in _pieces(texts):
        rows = [_parse_cell(cell, tree) for cell in piece]
        columns = [pl.Series(_VALUE, [value for value, _ in rows], dtype=tree.dtype())]
        columns += [
            pl.Series(name, [path in notes.mismatched for _, notes in rows])
            for path, name in mismatched.items()
        ]
        columns += [
            pl.Series(name, [path in notes.null for _, notes in rows])
            for path, name in null.items()
        ]
        made.append(pl.DataFrame(columns).to_struct(texts.name))
    return pl.concat(made)


def _pieces(texts: pl.Series) -> Iterator[Sequence[str | None]]:
    """Yield the cells in pieces: parsed values take many times the memory of their texts."""
    piece: list[str | None] = []
    letters = 0
    for cell in texts:
        piece.append(cell)
        letters += len(cell or "")
        if len(piece) >= _PIECE_ROWS or letters >= _PIECE_CHARACTERS:
            yield piece
            piece, letters = [], 0
    if piece:
        yield piece


def _parse_cell(cell: str | None, tree: JsonNode) -> tuple[object, ShapeNotes]:
    notes = ShapeNotes()
    return conform(tree, _load_cell(cell), notes), notes


def _load_cell(cell: str | None) -> object:
    """Return the JSON value of a cell; its text, a value of another shape, if it is no JSON."""
    if cell is None or is_too_deep(cell):
        return cell
    try:
        return parse_json(cell)
    except (ValueError, RecursionError):
        return cell


def is_too_deep(text: str) -> bool:
    """Return whether a JSON text has more than `MAX_DEPTH` levels."""
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_QUOTED.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _present_paths(texts: pl.LazyFrame, tree: JsonNode) -> set[FieldPath]:
    """Return the paths that have values; mostly the first rows have them all.

    Of the others only those are parsed that hold the name of a member that was not yet found.
    """
    seen: set[FieldPath] = set()
    known = texts.select(pl.all().alias(_VALUE)).drop_nulls()
    try:
        _observe(known.head(_SAMPLED_ROWS), tree, seen)
        missing = [node.path for node in tree.walk() if node.path not in seen]
        if missing:
            _observe(known.filter(_mentions_members(missing)), tree, seen)
    except UNREADABLE:
        pass  # it is told when the rows are read
    return seen


def _observe(texts: pl.LazyFrame, tree: JsonNode, seen: set[FieldPath]) -> None:
    """Add the paths that have values to those seen before."""
    every = {node.path for node in tree.walk()}

    def observe_batch(batch: pl.Series) -> pl.Series:
        for cell in batch:
            if every <= seen:
                break
            record_paths(tree, _load_cell(cell), seen)
        return pl.repeat(value=True, n=len(batch), dtype=pl.Boolean(), eager=True)

    observed = pl.col(_VALUE).map_batches(
        observe_batch, return_dtype=pl.Boolean(), is_elementwise=True
    )
    texts.select(observed.all()).collect(engine="streaming")


def _mentions_members(missing: Iterable[FieldPath]) -> pl.Expr:
    """Return whether a text contains the name of a member on one of these paths."""
    names: list[str] = []
    for path in missing:
        members = [step.name for step in path if isinstance(step, StructField)]
        if not members:
            return pl.lit(value=True)
        written = members[-1].lower()
        names += [json.dumps(written, ensure_ascii=is_ascii) for is_ascii in (True, False)]
    return pl.col(_VALUE).str.to_lowercase().str.contains_any(names)
