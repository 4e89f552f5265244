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
    Notes,
    laid_out,
    observe,
    tree_of,
    type_of,
)
from contractwatch.engines.formats.json_rows import noted, value_of
from contractwatch.engines.predicates.expressions import ColumnView
from contractwatch.engines.tables.nested_json import cells_at
from contractwatch.model.base.path import FieldPath, StructField
from contractwatch.model.contract.contract import Column
from contractwatch.model.measure.state import ColumnType, TableColumns

DEEPEST = 500
"""Levels of objects and arrays within each other: the parser has no more room on every thread."""

_PIECE_ROWS = 10_000
_PIECE_LETTERS = 8 * 1024 * 1024
_SAMPLED_ROWS = 1000
_VALUE = "value"
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(r"[\[{\]}]")


@dataclass(frozen=True, slots=True)
class JsonCells:
    """A table whose columns of JSON texts are laid out beside them, and the types of all columns.

    `cells` has an entry for each of these columns.
    """

    rows: pl.LazyFrame
    columns: TableColumns
    cells: Mapping[str, ColumnView]


def trees_of(promised: Iterable[Column], found: TableColumns) -> dict[str, JsonNode]:
    """Return what is promised of the values in columns of text, by the columns' names.

    A column that several properties of the contract stand for stays text: it has no one tree.
    """
    trees: dict[str, JsonNode] = {}
    promises: Counter[str] = Counter()
    for column in promised:
        actual = found.find(column.physical_name)
        if actual is None or actual.kind != "string":
            continue
        promises[actual.name] += 1
        tree = tree_of(column)
        if tree is not None:
            trees[actual.name] = tree
    return {name: tree for name, tree in trees.items() if promises[name] == 1}


def opened(
    rows: pl.LazyFrame,
    columns: TableColumns,
    trees: Mapping[str, JsonNode],
    every_row: pl.LazyFrame,
) -> JsonCells:
    """Return the table with the values of its JSON texts; as many are read as tell their members.

    Args:
        rows: The rows that are asked about.
        columns: The columns of the files.
        trees: Of the columns of JSON texts, by `trees_of`.
        every_row: The rows that tell which members there are.
    """
    cells: dict[str, ColumnView] = {}
    types: dict[str, ColumnType] = {column.name: column for column in columns.columns}
    for name, tree in trees.items():
        text, laid = pl.col(name).cast(pl.String), f"\x00laid\x00{name}"
        rows = _with_values(rows, text, tree, laid)
        types[name] = _type_of(types[name], tree, _seen_in(every_row.select(text), tree))
        cells[name] = cells_at(tree, laid, text)
    return JsonCells(rows, TableColumns(tuple(types.values())), cells)


def _type_of(file_type: ColumnType, tree: JsonNode, seen: set[FieldPath]) -> ColumnType:
    """Return the type of the values; its physical type is the file's."""
    found = type_of(tree, file_type.name, seen)
    found = replace(found, by_exact_name=file_type.by_exact_name)
    if file_type.text:
        return found
    return replace(found, physical=file_type.physical, files=file_type.in_files)


def _with_values(rows: pl.LazyFrame, text: pl.Expr, tree: JsonNode, laid: str) -> pl.LazyFrame:
    """Return the rows with the values, and the notes about them, in hidden columns."""
    astray, null = noted(tree, laid, "astray"), noted(tree, laid, "null")
    notes = dict.fromkeys((*astray.values(), *null.values()), pl.Boolean())
    dtype = pl.Struct({_VALUE: tree.dtype(), **notes})
    lay_out = partial(_laid_out, tree=tree, astray=astray, null=null, dtype=dtype)
    packed = text.map_batches(lay_out, return_dtype=dtype, is_elementwise=True)
    whole = f"\x00whole{laid}"
    field = pl.col(whole).struct.field
    unpacked = [field(_VALUE).alias(laid), *(field(name) for name in notes)]
    return rows.with_columns(packed.alias(whole)).with_columns(unpacked)


def _laid_out(
    texts: pl.Series,
    *,
    tree: JsonNode,
    astray: Mapping[FieldPath, str],
    null: Mapping[FieldPath, str],
    dtype: pl.Struct,
) -> pl.Series:
    """Return the value of each text and the notes about it, made piece by piece."""
    made = [pl.Series(texts.name, [], dtype=dtype)]
    for piece in _pieces(texts):
        rows = [_value_in(cell, tree) for cell in piece]
        columns = [pl.Series(_VALUE, [value for value, _ in rows], dtype=tree.dtype())]
        columns += [
            pl.Series(name, [path in notes.astray for _, notes in rows])
            for path, name in astray.items()
        ]
        columns += [
            pl.Series(name, [path in notes.null for _, notes in rows])
            for path, name in null.items()
        ]
        made.append(pl.DataFrame(columns).to_struct(texts.name))
    return pl.concat(made)


def _pieces(texts: pl.Series) -> Iterator[Sequence[str | None]]:
    """Yield the cells in pieces: parsed values take many times the room of their texts."""
    piece: list[str | None] = []
    letters = 0
    for cell in texts:
        piece.append(cell)
        letters += len(cell or "")
        if len(piece) >= _PIECE_ROWS or letters >= _PIECE_LETTERS:
            yield piece
            piece, letters = [], 0
    if piece:
        yield piece


def _value_in(cell: str | None, tree: JsonNode) -> tuple[object, Notes]:
    notes = Notes()
    return laid_out(tree, _parsed(cell), notes), notes


def _parsed(cell: str | None) -> object:
    """Return what a cell holds; if it is no JSON, its text, which is of no promised shape."""
    if cell is None or is_deep(cell):
        return cell
    try:
        return value_of(cell)
    except (ValueError, RecursionError):
        return cell


def is_deep(text: str) -> bool:
    """Return whether a JSON text has more levels than we parse."""
    if text.count("{") + text.count("[") <= DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKETS.findall(_QUOTED.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _seen_in(texts: pl.LazyFrame, tree: JsonNode) -> set[FieldPath]:
    """Return the places at which values stand; the first rows tell, mostly.

    Of the others only those are parsed that hold the name of a member that was not yet found.
    """
    seen: set[FieldPath] = set()
    known = texts.select(pl.all().alias(_VALUE)).drop_nulls()
    try:
        _observe(known.head(_SAMPLED_ROWS), tree, seen)
        missing = [node.path for node in tree.walk() if node.path not in seen]
        if missing:
            _observe(known.filter(_may_hold(missing)), tree, seen)
    except UNREADABLE:
        pass  # it is told when the rows are read
    return seen


def _observe(texts: pl.LazyFrame, tree: JsonNode, seen: set[FieldPath]) -> None:
    """Add the places at which values stand to those that were seen."""
    every = {node.path for node in tree.walk()}

    def look(batch: pl.Series) -> pl.Series:
        for cell in batch:
            if every <= seen:
                break
            observe(tree, _parsed(cell), seen)
        return pl.repeat(value=True, n=len(batch), dtype=pl.Boolean(), eager=True)

    looked = pl.col(_VALUE).map_batches(look, return_dtype=pl.Boolean(), is_elementwise=True)
    texts.select(looked.all()).collect(engine="streaming")


def _may_hold(missing: Iterable[FieldPath]) -> pl.Expr:
    """Return whether a text holds the name of one of the members that lead to these places."""
    names: list[str] = []
    for path in missing:
        members = [step.name for step in path if isinstance(step, StructField)]
        if not members:
            return pl.lit(value=True)
        written = members[-1].lower()
        names += [json.dumps(written, ensure_ascii=is_ascii) for is_ascii in (True, False)]
    return pl.col(_VALUE).str.to_lowercase().str.contains_any(names)
