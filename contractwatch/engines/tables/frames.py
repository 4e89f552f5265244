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

from contractwatch.engines.core.failures import QUERY_FAILURES, UNREADABLE, table_error
from contractwatch.engines.core.file_types import UnitedColumn, cast_to_working, column_type, unite
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
_HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
_NO_CELLS: Mapping[str, ColumnView] = {}

Types: TypeAlias = dict[str, pl.DataType]
Partition: TypeAlias = tuple[tuple[str, str | None], ...]
Shape: TypeAlias = tuple[readers.Schema, Partition]


@dataclass(frozen=True, slots=True)
class Frame:
    """An opened table: a lazy frame with a view of each column.

    `columns` are the files' own; `rows` holds them and, for text sources, the parsed values.
    `cells` has the view of each column that can be queried. `no_columns` says why the columns
    are unknown, and is empty otherwise. `bytes` is the size of all files, `bytes_per_file` the
    average. `trusts_statistics` says whether file statistics may replace reading values.
    `refused` says why the
    condition on its rows, or its window, cannot be applied, and with it no metric about rows; else
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
    """Files of equal columns and partition, which are scanned together."""

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
        if nested_json.has_nested_promises(files):
            return _open_json_table(files)
        parts = _parts(files)
    except UNREADABLE as error:
        raise table_error(error, files.table, files.data_format) from error
    known_parts = [_Part(pl.LazyFrame(), dict(schema), partition) for schema, partition in shapes]
    found = _unite_columns(known_parts or parts, files.data_format)
    types: Types = {name: one.working for name, one in found.items() if one.working is not None}
    columns = with_exact_names(files.columns, [one.column for one in found.values()])
    if not parts and not shapes:
        types = dict.fromkeys((column.physical_name for column in files.columns), _TEXT)
        return _build_frame(files, _no_rows(types), types, columns)
    chosen = [part for part in parts if _may_be_read(part, files, columns)]
    whole = _concat_parts(chosen, types)
    trees = json_cells.json_trees(files.columns, columns)
    if not trees:
        return _build_frame(files, whole, types, columns)
    every_row = whole if len(chosen) == len(parts) else _concat_parts(parts, types)
    found = json_cells.parse_json_cells(whole, columns, trees, every_row)
    return _build_frame(files, found.rows, types, found.columns, found.cells)


def _concat_parts(parts: Sequence[_Part], types: Types) -> pl.LazyFrame:
    return pl.concat([_align_columns(part, types) for part in parts]) if parts else _no_rows(types)


def _may_be_read(part: _Part, files: TableFiles, columns: TableColumns) -> bool:
    """Return whether rows of a part may be in the window, by the names of its folders."""
    window = files.window
    found = columns.find(window.column) if window is not None else None
    values = dict(part.partition)
    if window is None or found is None or found.name not in values or found.name in part.types:
        return True
    column = _declared_columns(files.columns, columns).get(found.name)
    parsed = text.parse(pl.col(found.name), column) if column is not None else None
    if column is None or parsed is None or column.parse_format:
        return True
    return windows.partition_may_match(window, values[found.name], parsed.dtype)


def _open_json_table(files: TableFiles) -> Frame:
    """Open a table of JSON files with promises inside of values."""
    partitions = [dict(partition_of(file, files)) for file in files.files]
    found = nested_json.open_json_table(files, partitions)
    flat = (column_type(name, dtype, files.data_format) for name, dtype in found.flat.items())
    columns = with_exact_names(files.columns, (*flat, *found.types) if found.has_rows else ())
    return _build_frame(files, found.rows, found.flat, columns, found.cells)


def _no_rows(types: Types) -> pl.LazyFrame:
    return pl.LazyFrame(schema=types)


def schema_of(files: TableFiles, file: DataFile) -> readers.Schema | None:
    """Return a file's own columns; None for a JSON file without a row.

    Raises:
        SourceError: If the file cannot be read as the format that the contract states.
    """
    try:
        opened = readers.open_file(files, file)
    except UNREADABLE as error:
        raise table_error(error, files.table, files.data_format) from error
    return None if opened.is_empty else opened.schema


def _parts(files: TableFiles) -> list[_Part]:
    if files.snapshot is not None:
        opened = (delta if files.data_format is DataFormat.DELTA else iceberg).scan_parts(files)
        return [_Part(rows, types, ()) for rows, types in opened]
    grouped: dict[tuple[readers.Schema, Partition], list[readers.OpenedFile]] = {}
    for file in files.files:
        opened = readers.open_file(files, file)
        if not opened.is_empty:
            key = (opened.schema, partition_of(file, files))
            grouped.setdefault(key, []).append(opened)
    return [
        _Part(readers.scan(files, members), dict(schema), partition)
        for (schema, partition), members in grouped.items()
    ]


def partition_of(file: DataFile, files: TableFiles) -> Partition:
    """Return the partition columns of a file, from folders `name=value` below the table's root."""
    root, nulls = files.hive_root, (_HIVE_NULL, *files.read.null_values)
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


def _unite_columns(parts: Sequence[_Part], data_format: DataFormat) -> dict[str, UnitedColumn]:
    """Unite each column over all parts; one that only folders name is text."""
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
        found[name] = _with_folder_values(found.get(name), name, values)
    return found


def _with_folder_values(
    found: UnitedColumn | None, name: str, values: Sequence[str | None]
) -> UnitedColumn:
    """Unite a column with the values that folder names give in some or all parts."""
    folders = ColumnType(name, "string", "text", text=True)
    if found is None:
        return UnitedColumn(folders, _TEXT)
    if found.working is None or _are_castable(found.working, values):
        return found
    files = (*found.column.in_files, folders)
    physical = f"{found.column.physical} or {folders.physical}"
    return UnitedColumn(ColumnType(name, "other", physical, files=files), None)


def _are_castable(dtype: pl.DataType, values: Sequence[str | None]) -> bool:
    """Return whether all folder values can be cast to the files' type."""
    known = pl.Series([value for value in values if value is not None], dtype=pl.String)
    try:
        return (
            known.to_frame("v").select(_cast_folder_value(pl.col("v"), dtype)).null_count().item()
            == 0
        )
    except QUERY_FAILURES:
        return False


def _cast_folder_value(written: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Date:
        return written.str.to_date("%Y-%m-%d", strict=False)
    return written.cast(dtype, strict=False)


def _align_columns(part: _Part, types: Types) -> pl.LazyFrame:
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
            changed.append(_cast_folder_value(written, dtype).alias(name))
        elif part.types[name] != dtype:
            changed.append(cast_to_working(pl.col(name), part.types[name], dtype).alias(name))
    return part.rows.with_columns(changed).select(list(types))


def _build_frame(
    files: TableFiles,
    rows: pl.LazyFrame,
    types: Types,
    columns: TableColumns,
    known: Mapping[str, ColumnView] = _NO_CELLS,
) -> Frame:
    cells = dict(known)
    parsed_columns: list[pl.Expr] = []
    declared = _declared_columns(files.columns, columns)
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
    scoped = _filter_scope(frame, files.where) if files.where else frame
    return (
        scoped if files.window is None or scoped.refused else _filter_window(scoped, files.window)
    )


def _filter_scope(frame: Frame, where: str) -> Frame:
    """Return the table with the rows in scope only."""
    rows, refused = scope.filter_scope(frame.rows, frame.cells, frame.columns, where)
    return replace(frame, rows=rows, refused=refused)


def _filter_window(frame: Frame, window: Window) -> Frame:
    """Return the table with the rows of the window only."""
    rows, refused = windows.filter_window(frame.rows, frame.cells, frame.columns, window)
    return replace(frame, rows=rows, refused=refused)


def _is_midnight(raw: pl.Expr, dtype: pl.DataType, column: Column | None) -> pl.Expr | None:
    """Return whether a timestamp is null or the start of a day; None if no date is declared."""
    is_date = column is not None and column.logical_type is LogicalType.DATE
    if column is None or not is_date or not isinstance(dtype, pl.Datetime):
        return None
    local = raw.dt.convert_time_zone(column.default_timezone) if dtype.time_zone else raw
    return raw.is_null() | (local.dt.time() == time(0))


def _declared_columns(columns: Sequence[Column], found: TableColumns) -> dict[str, Column]:
    """Return the contract's columns by the name that each has in the files."""
    matched = {column.physical_name: found.find(column.physical_name) for column in columns}
    return {
        actual.name if (actual := matched[column.physical_name]) else column.physical_name: column
        for column in columns
    }
