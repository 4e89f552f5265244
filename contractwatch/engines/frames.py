"""The files of a table are one lazy frame whose columns are known before a row is read.

Files of different column sets are united by name: a column that a file lacks is null in its rows.
Types that differ only in width are widened; a column on whose kind the files disagree is listed
with kind `other` and cannot be asked about. A directory `year=2026` is the column `year`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

import polars as pl

from contractwatch.engines import delta, iceberg, nested_json, readers, scope, text, windows
from contractwatch.engines.expressions import Cells
from contractwatch.engines.failures import UNREADABLE, unreadable
from contractwatch.engines.nested import children_of
from contractwatch.model.contract import Column, LogicalType
from contractwatch.model.dataset import DataFile, TableFiles
from contractwatch.model.frozen import frozen
from contractwatch.model.incremental import Window
from contractwatch.model.server import DataFormat
from contractwatch.model.state import Columns, ColumnType

_TEXT: pl.DataType = pl.String()
_ROW = "\x00row"
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
_KINDS: Mapping[type[pl.DataType], str] = {
    pl.String: "string",
    pl.Categorical: "string",
    pl.Enum: "string",
    pl.Decimal: "decimal",
    pl.Float32: "float",
    pl.Float64: "float",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "timestamp",
    pl.Time: "time",
    pl.Struct: "object",
    pl.List: "array",
    pl.Array: "array",
    pl.Binary: "binary",
    pl.Null: "null",
}
_TEXTUAL = (pl.String, pl.Categorical, pl.Enum)

_NO_CELLS: Mapping[str, Cells] = {}

Types: TypeAlias = dict[str, pl.DataType]
Partition: TypeAlias = tuple[tuple[str, str | None], ...]
Shape: TypeAlias = tuple[readers.Schema, Partition]


@frozen
class Frame:
    """A table that is ready to be asked.

    `columns` are the files' own; `rows` holds them and, for text sources, what they were parsed to.
    `cells` has an entry for each column that can be asked about. `no_columns` says why the columns
    are not known, and is empty otherwise. `bytes_per_file` is an average; `trusts_statistics`
    whether what the files say of their values may stand in for reading them. `refused` says why the
    condition on its rows, or its window, cannot be asked, and no question about rows with it; else
    it is empty.
    """

    table: str
    data_format: DataFormat
    rows: pl.LazyFrame
    columns: Columns
    cells: Mapping[str, Cells]
    no_columns: str = ""
    bytes_per_file: int = 0
    trusts_statistics: bool = True
    refused: str = ""


@frozen
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
    found = _found_types(beside or parts, is_text=files.data_format.is_text)
    types: Types = {name: dtype for name, dtype in found.items() if isinstance(dtype, pl.DataType)}
    of_files = {name for part in beside or parts for name in part.types}
    columns = Columns(
        tuple(
            _column_type(name, dtype, files.data_format)
            if name in of_files
            else _column_of_folders(name, dtype, files.data_format)
            for name, dtype in found.items()
        )
    )
    if not parts and not shapes:
        types = dict.fromkeys((column.physical_name for column in files.columns), _TEXT)
        return _frame(files, _nothing(types), types, columns)
    chosen = [part for part in parts if _may_be_read(part, types, columns, files.window)]
    whole = pl.concat([_aligned(part, types) for part in chosen]) if chosen else _nothing(types)
    return _frame(files, whole, types, columns)


def _may_be_read(part: _Part, types: Types, columns: Columns, window: Window | None) -> bool:
    """Return whether rows of a part may be in the window: the name of its folder tells."""
    found = columns.find(window.column) if window is not None else None
    values = dict(part.partition)
    if window is None or found is None or found.name not in values or found.name in part.types:
        return True
    return windows.may_hold(window, values[found.name], types.get(found.name, _TEXT))


def _of_document(files: TableFiles) -> Frame:
    """Return a table of JSON files of which something inside of values is promised."""
    partitions = [dict(partition_of(file, files.hive_root)) for file in files.files]
    found = nested_json.open_document(files, partitions)
    flat = (_column_type(name, dtype, files.data_format) for name, dtype in found.flat.items())
    columns = Columns((*flat, *found.types) if found.has_rows else ())
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
            key = (looked.schema, partition_of(file, files.hive_root))
            grouped.setdefault(key, []).append(looked)
    return [
        _Part(readers.scan(files, members), dict(schema), partition)
        for (schema, partition), members in grouped.items()
    ]


def partition_of(file: DataFile, root: str | None) -> Partition:
    """Return the columns that a file has by the folders `name=value` below a root."""
    if root is None or not Path(file.path).is_relative_to(root):
        return ()
    folders = Path(file.path).relative_to(root).parts[:-1]
    pairs = [folder.partition("=") for folder in folders if "=" in folder]
    return tuple((name, None if value == _NO_VALUE else unquote(value)) for name, _, value in pairs)


def _found_types(parts: Sequence[_Part], *, is_text: bool) -> dict[str, pl.DataType | str]:
    """Return each column's type over all parts, or the words for types that do not agree."""
    seen: dict[str, list[pl.DataType]] = {}
    values: dict[str, list[str | None]] = {}
    for part in parts:
        for name, dtype in part.types.items():
            seen.setdefault(name, []).append(dtype)
        for name, value in part.partition:
            if name not in part.types:
                values.setdefault(name, []).append(value)
    for name, written in values.items():
        seen.setdefault(name, []).append(pl.String() if is_text else _partition_type(written))
    return {name: _widest(dtypes) for name, dtypes in seen.items()}


def _partition_type(values: Iterable[str | None]) -> pl.DataType:
    known = [value for value in values if value is not None]
    if all(value.removeprefix("-").isdecimal() and value.isascii() for value in known):
        return pl.Int64()
    return pl.Date() if all(_is_day(value) for value in known) else pl.String()


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _widest(dtypes: Iterable[pl.DataType]) -> pl.DataType | str:
    distinct = list(dict.fromkeys(dtype for dtype in dtypes if dtype != pl.Null))
    if not distinct:
        return pl.Null()
    if len(distinct) == 1:
        return distinct[0]
    if all(isinstance(dtype, _TEXTUAL) for dtype in distinct):
        return pl.String()
    if all(dtype.is_integer() for dtype in distinct):
        return pl.Int128()
    if all(dtype.is_integer() or dtype.is_float() for dtype in distinct):
        return pl.Float64()
    decimals = [dtype for dtype in distinct if isinstance(dtype, pl.Decimal)]
    if len(decimals) == len(distinct):
        return pl.Decimal(38, max(dtype.scale for dtype in decimals))
    times = [dtype for dtype in distinct if isinstance(dtype, pl.Datetime)]
    if len(times) == len(distinct) and len({dtype.time_zone for dtype in times}) == 1:
        return pl.Datetime("us", times[0].time_zone)
    return " or ".join(sorted(str(dtype) for dtype in distinct))


def _column_type(name: str, dtype: pl.DataType | str, data_format: DataFormat) -> ColumnType:
    if isinstance(dtype, str):
        return ColumnType(name, "other", dtype)
    return ColumnType(
        name,
        "integer" if dtype.is_integer() else _KINDS.get(dtype.base_type(), "other"),
        str(dtype),
        timezone_aware=isinstance(dtype, pl.Datetime) and dtype.time_zone is not None,
        scale=dtype.scale if isinstance(dtype, pl.Decimal) else 0,
        text=data_format.is_text,
        children=tuple(
            _column_type(inner, child, data_format) for inner, child in children_of(dtype)
        ),
    )


def _column_of_folders(name: str, dtype: pl.DataType | str, data_format: DataFormat) -> ColumnType:
    """Return a column whose type no file states: it is no more than its kind."""
    found = _column_type(name, dtype, data_format)
    return replace(found, physical=found.kind)


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
            changed.append(_literal(partition.get(name), dtype).alias(name))
        elif part.types[name] != dtype:
            changed.append(pl.col(name).cast(dtype))
    return part.rows.with_columns(changed).select(list(types))


def _literal(written: str | None, dtype: pl.DataType) -> pl.Expr:
    """Return a value from the name of a directory; null without one."""
    if written is None:
        return pl.lit(None, dtype=dtype)
    text_of = pl.lit(written, dtype=pl.String())
    return text_of.str.to_date("%Y-%m-%d") if dtype == pl.Date else text_of.cast(dtype)


def _frame(
    files: TableFiles,
    rows: pl.LazyFrame,
    types: Types,
    columns: Columns,
    known: Mapping[str, Cells] = _NO_CELLS,
) -> Frame:
    cells = dict(known)
    parsed_columns: list[pl.Expr] = []
    declared = _declared(files.columns, columns)
    for position, (name, dtype) in enumerate(types.items()):
        raw = pl.col(name)
        column = declared.get(name)
        is_text = files.data_format.is_text
        parsed = text.parse(raw, column) if is_text and column else None
        if parsed is None:
            is_coded = isinstance(dtype, pl.Categorical | pl.Enum)
            value = raw.cast(pl.String) if is_coded else raw
            is_day = _is_midnight(raw, dtype, column)
            cells[name] = Cells(raw, value, pl.String() if is_coded else dtype, is_day=is_day)
            continue
        value, readable = f"\x00value{position}", f"\x00readable{position}"
        parsed_columns += [parsed.value.alias(value), parsed.readable.alias(readable)]
        cells[name] = Cells(raw, pl.col(value), parsed.dtype, pl.col(readable))
    frame = Frame(
        files.table,
        files.data_format,
        rows.with_columns(parsed_columns) if parsed_columns else rows,
        columns,
        cells,
        "" if columns.columns or not files.columns else "there is no row to know the columns by",
        sum(file.size for file in files.files) // max(1, len(files.files)),
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


def _declared(columns: Sequence[Column], found: Columns) -> dict[str, Column]:
    """Return the contract's columns by the name that each has in the files."""
    matched = {column.physical_name: found.find(column.physical_name) for column in columns}
    return {
        actual.name if (actual := matched[column.physical_name]) else column.physical_name: column
        for column in columns
    }
