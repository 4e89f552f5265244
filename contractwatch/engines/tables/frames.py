"""Open the files of a table as one lazy frame of known columns, before a row is read.

Files of different column sets are united by name: a column that a file lacks is null in its rows.
Types that differ only in width are widened, at any depth; a column on whose kind the files disagree
is listed with kind `other` and cannot be asked about. A directory `year=2026` is the column `year`,
whose values are text and are parsed to the declared type as those of CSV are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

import polars as pl

from contractwatch.engines.core.failures import QUERY_FAILURES, UNREADABLE, unreadable
from contractwatch.engines.core.file_types import United, as_working, column_type, unite
from contractwatch.engines.formats import readers
from contractwatch.engines.predicates import text
from contractwatch.engines.predicates.expressions import ColumnView
from contractwatch.engines.tables import delta, iceberg, json_cells, nested_json, scope, windows
from contractwatch.engines.tables.exact_names import with_exact_names
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat, ReadPolicy
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.contract.dataset import DataFile, TableFiles
from contractwatch.model.contract.incremental import Window
from contractwatch.model.measure.state import ColumnType, TableColumns

_TEXT: pl.DataType = pl.String()
_ROW = "\x00row"
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_NO_CELLS: Mapping[str, ColumnView] = {}

Types: TypeAlias = dict[str, pl.DataType]
Partition: TypeAlias = tuple[tuple[str, str | None], ...]
Shape: TypeAlias = tuple[readers.Schema, Partition]


@dataclass(frozen=True, slots=True)
class Frame:
    """A table that is ready to be asked.

    `columns` are the files' own; `rows` holds them and, for text sources, what they were parsed to.
    `cells` has an entry for each column that can be asked about. `no_columns` says why the columns
    are not known, and is empty otherwise. `bytes` is the size of all files, `bytes_per_file` the
    average; `trusts_statistics`
    whether what the files say of their values may stand in for reading them. `refused` says why the
    condition on its rows, or its window, cannot be asked, and no question about rows with it; else
    it is empty.
    """

    table: str
    data_format: DataFormat
    rows: pl.LazyFrame
    columns: TableColumns
    cells: Mapping[str, ColumnView]
    no_columns: str = ""
    bytes_per_file: int = 0
    bytes: int = 0
    trusts_statistics: bool = True
    refused: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """Files that are scanned together: same columns, same partition."""

    rows: pl.LazyFrame
    types: Types
    partition: Partition


def open_table(files: TableFiles, shapes: Sequence[Shape] = ()) -> Frame:
    """Return the table as a lazy frame; only footers, headers and keys are read.

    JSON arrays, and text with a byte order mark or in another encoding than UTF-8, are held in
    memory.

    Args:
        files: The table.
        shapes: Of all its files, if these are but some of them: the columns are those of all.

    Raises:
        SourceError: If a file cannot be read as the format that the contract states.
    """
    try:
        if nested_json.is_promised(files):
            return _of_document(files)
        parts = _parts(files)
    except UNREADABLE as error:
        raise unreadable(error, files.table, files.data_format) from error
    beside = [_Part(pl.LazyFrame(), dict(schema), partition) for schema, partition in shapes]
    found = _united(beside or parts, files.data_format)
    types: Types = {name: one.working for name, one in found.items() if one.working is not None}
    columns = with_exact_names(files.columns, [one.column for one in found.values()])
    if not parts and not shapes:
        types = dict.fromkeys((column.physical_name for column in files.columns), _TEXT)
        return _frame(files, _nothing(types), types, columns)
    chosen = [part for part in parts if _may_be_read(part, files, columns)]
    whole = _whole(chosen, types)
    trees = json_cells.trees_of(files.columns, columns)
    if not trees:
        return _frame(files, whole, types, columns)
    every_row = whole if len(chosen) == len(parts) else _whole(parts, types)
    found = json_cells.opened(whole, columns, trees, every_row)
    return _frame(files, found.rows, types, found.columns, found.cells)


def _whole(parts: Sequence[_Part], types: Types) -> pl.LazyFrame:
    return pl.concat([_aligned(part, types) for part in parts]) if parts else _nothing(types)


def _may_be_read(part: _Part, files: TableFiles, columns: TableColumns) -> bool:
    """Return whether rows of a part may be in the window: the name of its folder tells."""
    window = files.window
    found = columns.find(window.column) if window is not None else None
    values = dict(part.partition)
    if window is None or found is None or found.name not in values or found.name in part.types:
        return True
    column = _declared(files.columns, columns).get(found.name)
    parsed = text.parse(pl.col(found.name), column) if column is not None else None
    if column is None or parsed is None or column.parse_format:
        return True
    return windows.may_hold(window, values[found.name], parsed.dtype)


def _of_document(files: TableFiles) -> Frame:
    """Return a table of JSON files of which something inside of values is promised."""
    partitions = [dict(partition_of(file, files)) for file in files.files]
    found = nested_json.open_document(files, partitions)
    flat = (column_type(name, dtype, files.data_format) for name, dtype in found.flat.items())
    columns = with_exact_names(files.columns, (*flat, *found.types) if found.has_rows else ())
    return _frame(files, found.rows, found.flat, columns, found.cells)


def _nothing(types: Types) -> pl.LazyFrame:
    return pl.LazyFrame(schema=types)


def schema_of(files: TableFiles, file: DataFile) -> readers.Schema | None:
    """Return a file's own columns; None for a JSON file without a row.

    Raises:
        SourceError: If the file cannot be read as the format that the contract states.
    """
    try:
        looked = readers.look(files, file)
    except UNREADABLE as error:
        raise unreadable(error, files.table, files.data_format) from error
    return None if looked.is_empty else looked.schema


def _parts(files: TableFiles) -> list[_Part]:
    if files.snapshot is not None:
        opened = (delta if files.data_format is DataFormat.DELTA else iceberg).parts(files)
        return [_Part(rows, types, ()) for rows, types in opened]
    grouped: dict[tuple[readers.Schema, Partition], list[readers.OneFile]] = {}
    for file in files.files:
        looked = readers.look(files, file)
        if not looked.is_empty:
            key = (looked.schema, partition_of(file, files))
            grouped.setdefault(key, []).append(looked)
    return [
        _Part(readers.scan(files, members), dict(schema), partition)
        for (schema, partition), members in grouped.items()
    ]


def partition_of(file: DataFile, files: TableFiles) -> Partition:
    """Return the columns that a file has by the folders `name=value` below the table's root."""
    root, nulls = files.hive_root, (_NO_VALUE, *files.read.null_values)
    if root is None or not Path(file.path).is_relative_to(root):
        return ()
    folders = Path(file.path).relative_to(root).parts[:-1]
    pairs = [folder.partition("=") for folder in folders if "=" in folder]
    names = [unquote(name) for name, _, _ in pairs]  # Spark and DuckDB escape them, too
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError(
            f"a file is in two folders of the column {twice!r}",
            retryable=False,
            blame=Blame.PRODUCT,
        )
    named = ((name, unquote(value)) for name, (_, _, value) in zip(names, pairs, strict=True))
    return tuple((name, None if value in nulls else value) for name, value in named)


def _united(parts: Sequence[_Part], data_format: DataFormat) -> dict[str, United]:
    """Return each column over all parts; what only folders name is text."""
    seen: dict[str, list[pl.DataType]] = {}
    written: dict[str, list[str | None]] = {}
    for part in parts:
        for name, dtype in part.types.items():
            seen.setdefault(name, []).append(dtype)
        for name, value in part.partition:
            if name not in part.types:
                written.setdefault(name, []).append(value)
    found = {name: unite(name, dtypes, data_format) for name, dtypes in seen.items()}
    for name, values in written.items():
        found[name] = _with_folders(found.get(name), name, values)
    return found


def _with_folders(found: United | None, name: str, values: Sequence[str | None]) -> United:
    """Return a column that has its values by the names of folders, in some parts or in all."""
    folders = ColumnType(name, "string", "text", text=True)
    if found is None:
        return United(folders, _TEXT)
    if found.working is None or _are_all_of(found.working, values):
        return found
    files = (*found.column.in_files, folders)
    physical = f"{found.column.physical} or {folders.physical}"
    return United(ColumnType(name, "other", physical, files=files), None)


def _are_all_of(dtype: pl.DataType, values: Sequence[str | None]) -> bool:
    """Return whether all names of folders can be read as values of a file's type."""
    known = pl.Series([value for value in values if value is not None], dtype=pl.String)
    try:
        return known.to_frame("v").select(_read_as(pl.col("v"), dtype)).null_count().item() == 0
    except QUERY_FAILURES:
        return False


def _read_as(written: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Date:
        return written.str.to_date("%Y-%m-%d", strict=False)
    return written.cast(dtype, strict=False)


def _aligned(part: _Part, types: Types) -> pl.LazyFrame:
    """Return the part with exactly these columns, in this order."""
    if part.types == types and list(part.types) == list(types):
        return part.rows
    if not types:  # the files agree about no column, and still have rows
        return part.rows.with_row_index(_ROW).select(_ROW)
    partition = dict(part.partition)
    changed: list[pl.Expr] = []
    for name, dtype in types.items():
        if name not in part.types:
            written = pl.lit(partition.get(name), dtype=pl.String())
            changed.append(_read_as(written, dtype).alias(name))
        elif part.types[name] != dtype:
            changed.append(as_working(pl.col(name), part.types[name], dtype).alias(name))
    return part.rows.with_columns(changed).select(list(types))


def _frame(
    files: TableFiles,
    rows: pl.LazyFrame,
    types: Types,
    columns: TableColumns,
    known: Mapping[str, ColumnView] = _NO_CELLS,
) -> Frame:
    cells = dict(known)
    parsed_columns: list[pl.Expr] = []
    declared = _declared(files.columns, columns)
    texts = {column.name for column in columns.columns if column.text}
    numerals = files.read if files.data_format is DataFormat.CSV else ReadPolicy()
    for position, (name, dtype) in enumerate(types.items()):
        if name in known:
            continue
        raw = pl.col(name)
        column = declared.get(name)
        is_text = files.data_format.is_text or name in texts
        parsed = text.parse(raw, column, numerals) if is_text and column else None
        if parsed is None:
            is_coded = isinstance(dtype, pl.Categorical | pl.Enum)
            value = raw.cast(pl.String) if is_coded else raw
            is_day = _is_midnight(raw, dtype, column)
            cells[name] = ColumnView(raw, value, pl.String() if is_coded else dtype, is_day=is_day)
            continue
        value, readable = f"\x00value{position}", f"\x00readable{position}"
        parsed_columns += [parsed.value.alias(value), parsed.readable.alias(readable)]
        cells[name] = ColumnView(
            raw, pl.col(value), parsed.dtype, pl.col(readable), refused=parsed.refused
        )
    frame = Frame(
        files.table,
        files.data_format,
        rows.with_columns(parsed_columns) if parsed_columns else rows,
        columns,
        cells,
        "" if columns.columns or not files.columns else "there is no row to know the columns by",
        sum(file.size for file in files.files) // max(1, len(files.files)),
        sum(file.size for file in files.files),
    )
    scoped = _scoped(frame, files.where) if files.where else frame
    return scoped if files.window is None or scoped.refused else _windowed(scoped, files.window)


def _scoped(frame: Frame, where: str) -> Frame:
    """Return the table with the rows in scope only."""
    rows, refused = scope.within(frame.rows, frame.cells, frame.columns, where)
    return replace(frame, rows=rows, refused=refused)


def _windowed(frame: Frame, window: Window) -> Frame:
    """Return the table with the rows of the window only."""
    rows, refused = windows.within(frame.rows, frame.cells, frame.columns, window)
    return replace(frame, rows=rows, refused=refused)


def _is_midnight(raw: pl.Expr, dtype: pl.DataType, column: Column | None) -> pl.Expr | None:
    """Return whether a timestamp is null or the start of a day; None if no date is declared."""
    is_date = column is not None and column.logical_type is LogicalType.DATE
    if column is None or not is_date or not isinstance(dtype, pl.Datetime):
        return None
    local = raw.dt.convert_time_zone(column.default_timezone) if dtype.time_zone else raw
    return raw.is_null() | (local.dt.time() == time(0))


def _declared(columns: Sequence[Column], found: TableColumns) -> dict[str, Column]:
    """Return the contract's columns by the name that each has in the files."""
    matched = {column.physical_name: found.find(column.physical_name) for column in columns}
    return {
        actual.name if (actual := matched[column.physical_name]) else column.physical_name: column
        for column in columns
    }
