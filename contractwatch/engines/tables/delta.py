"""Read one version of a Delta table: its live files, with the names and types of the log.

Files are scanned as Parquet. Values of partition columns come from the log and never from a path;
columns that the log renamed are renamed; rows that a deletion vector marks are left out. A column
that a file lacks is null in its rows, as the protocol demands.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

import polars as pl

from contractwatch.engines.core.file_types import type_name
from contractwatch.engines.formats import bounds
from contractwatch.engines.formats.readers import parquet_schema
from contractwatch.engines.remote.objects import scan_options
from contractwatch.engines.tables.log_copy import copy_files, table_folder
from contractwatch.engines.tables.windows import partition_may_match
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.dataset import RemoteStore, TableFiles, TableSnapshot
from contractwatch.model.contract.incremental import Window

Types: TypeAlias = dict[str, pl.DataType]

_ROW = "\x00row"
_NESTED = (pl.Struct, pl.List, pl.Array, pl.Map)


@dataclass(frozen=True, slots=True)
class _Log:
    """One version of the log: fields, added files and deletion vectors.

    `location` is the folder where the library read it.
    """

    location: str
    fields: Sequence[Mapping[str, Any]]
    types: pl.Schema
    is_mapped: bool
    added: pl.DataFrame
    vectors: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _LogColumn:
    """A column of the log: its name in the files, and its type."""

    stored: str
    dtype: pl.DataType


@dataclass(frozen=True, slots=True)
class _LiveFile:
    """A file of the version: partition values by column, and indices of deleted rows."""

    path: str
    partition: Mapping[str, object]
    deleted: pl.Series | None


def scan_parts(files: TableFiles) -> list[tuple[pl.LazyFrame, Types]]:
    """Scan the version as frames that all have the columns and types of the log.

    Raises:
        SourceError: If a file's column cannot have the type of the log, or it is not supported.
        OSError, PolarsError: If a file cannot be read.
    """
    if files.snapshot is None:
        raise SourceError("the table has no version", retryable=False, blame=Blame.AGENT)
    log = _read_log(files.snapshot, files.remote)
    columns = _columns(log)
    types = {name: column.dtype for name, column in columns.items()}
    live = _live_files(log, files.snapshot)
    chosen = [file for file in live if _may_be_read(file, types, files.window)]
    groups = _group_files(chosen, files.remote)
    found = [(_scan_group(group, columns, files.remote), types) for group in groups]
    return found or [(pl.LazyFrame(schema=types), types)]


def _read_log(snapshot: TableSnapshot, remote: RemoteStore | None) -> _Log:
    # An optional library: only those who read such tables install it.
    from deltalake import DeltaTable  # noqa: PLC0415 - see above

    with table_folder(snapshot.location, remote) as folder:
        copy_files(folder, snapshot.metadata_files, remote)
        try:
            table = DeltaTable(str(folder), version=snapshot.version)
            has_vectors = "deletionVectors" in (table.protocol().reader_features or ())
            return _Log(
                str(folder),
                json.loads(table.schema().to_json())["fields"],
                pl.Schema(table.schema()),
                table.metadata().configuration.get("delta.columnMapping.mode") == "name",
                pl.DataFrame(table.get_add_actions()),
                pl.DataFrame(table.deletion_vectors().read_all())
                if has_vectors
                else pl.DataFrame(),
            )
        except Exception as error:  # the library raises classes of several kinds for a broken log
            sentence = "the log of the delta table is broken"
            raise SourceError(sentence, retryable=True, blame=Blame.PRODUCT) from error


def _columns(log: _Log) -> dict[str, _LogColumn]:
    if '"variant"' in json.dumps([field["type"] for field in log.fields]):
        raise _unsupported("a variant")
    if log.is_mapped and any(map(_has_renamed_members, log.fields)):
        raise _unsupported("renamed members inside of objects")
    bounds.refuse_duplicates([field["name"] for field in log.fields])
    return {
        field["name"]: _LogColumn(
            _physical_name(field) if log.is_mapped else field["name"], log.types[field["name"]]
        )
        for field in log.fields
    }


def _physical_name(field: Mapping[str, Any]) -> str:
    return field.get("metadata", {}).get("delta.columnMapping.physicalName", field["name"])


def _has_renamed_members(field: Mapping[str, Any]) -> bool:
    left: list[object] = [field["type"]]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            written = cast("dict[str, Any]", each)
            inner: list[Mapping[str, Any]] = written.get("fields", [])
            if any(_physical_name(one) != one["name"] for one in inner):
                return True
            left += [one["type"] for one in inner]
            left += [written.get(key) for key in ("elementType", "keyType", "valueType")]
    return False


def _live_files(log: _Log, snapshot: TableSnapshot) -> list[_LiveFile]:
    has_partitions = "partition" in log.added.columns
    none: list[dict[str, object]] = [{}] * log.added.height
    values: list[dict[str, object]] = log.added["partition"].to_list() if has_partitions else none
    names = [unquote(path) for path in log.added["path"]]
    known = dict(snapshot.named)
    if not known.keys() >= set(names):
        raise SourceError("the log changed while it was read", retryable=True, blame=Blame.PRODUCT)
    vectors = _deleted_rows_by_path(log.vectors)
    if not vectors.keys() <= {_library_path(log.location, name) for name in names}:
        raise _unsupported("deletion vectors of files that it does not name")
    return [
        _LiveFile(known[name].open_path, partition, vectors.get(_library_path(log.location, name)))
        for name, partition in zip(names, values, strict=True)
    ]


def _may_be_read(file: _LiveFile, types: Types, window: Window | None) -> bool:
    """Return whether rows of a file may be in the window, by the partition in the log."""
    if window is None or window.column not in file.partition:
        return True
    value = file.partition[window.column]
    return partition_may_match(window, None if value is None else str(value), types[window.column])


def _library_path(location: str, named: str) -> str:
    """Return the path that the library uses for a file."""
    is_whole = named.startswith("/") or "://" in named
    return named.removeprefix("file://") if is_whole else f"{location}/{named}"


def _deleted_rows_by_path(found: pl.DataFrame) -> dict[str, pl.Series]:
    """Return the indices of deleted rows, by path."""
    if found.is_empty():
        return {}
    return {
        unquote(path).removeprefix("file://"): (~mask).arg_true()
        for path, mask in zip(found["filepath"], found["selection_vector"], strict=True)
    }


def _group_files(
    files: Sequence[_LiveFile], remote: RemoteStore | None
) -> list[list[tuple[_LiveFile, pl.Schema]]]:
    """Group files of equal columns and partition; one with deleted rows is by itself."""
    groups: dict[object, list[tuple[_LiveFile, pl.Schema]]] = {}
    for file in files:
        schema = pl.Schema(parquet_schema(file.path, remote))
        alone = file.path if file.deleted is not None else ""
        key = (tuple(schema.items()), repr(sorted(file.partition.items())), alone)
        groups.setdefault(key, []).append((file, schema))
    return list(groups.values())


def _scan_group(
    group: Sequence[tuple[_LiveFile, pl.Schema]],
    columns: Mapping[str, _LogColumn],
    remote: RemoteStore | None,
) -> pl.LazyFrame:
    first, schema = group[0]
    paths = [file.path for file, _ in group]
    named = None if first.deleted is None else _ROW
    rows = pl.scan_parquet(
        paths, glob=False, hive_partitioning=False, row_index_name=named, **scan_options(remote)
    )
    if first.deleted is not None:
        rows = rows.filter(~pl.col(_ROW).is_in(first.deleted.implode()))
    return rows.select(_column_expr(name, one, first, schema) for name, one in columns.items())


def _column_expr(name: str, column: _LogColumn, file: _LiveFile, schema: pl.Schema) -> pl.Expr:
    if name in file.partition:
        return pl.lit(file.partition[name], dtype=column.dtype).alias(name)
    have = schema.get(column.stored)
    if have is None:
        return pl.lit(None, dtype=column.dtype).alias(name)
    return cast_to_declared(name, pl.col(column.stored), have, column.dtype).alias(name)


def cast_to_declared(name: str, value: pl.Expr, have: pl.DataType, want: pl.DataType) -> pl.Expr:
    """Cast a file's values to the type that the table's metadata declare, without loss.

    Raises:
        SourceError: If the file's type cannot become that one.
    """
    if have == want:
        return value
    if isinstance(have, pl.Datetime) and isinstance(want, pl.Datetime):
        fine = value.dt.cast_time_unit(want.time_unit)
        if have.time_zone == want.time_zone:
            return fine
        if have.time_zone is None:  # old writers state no zone and mean UTC
            return fine.dt.replace_time_zone("UTC")
        return fine.dt.convert_time_zone(want.time_zone) if want.time_zone else fine
    if _is_widening(have, want):
        return value.cast(want)
    types = f"{type_name(have)}, and the table's metadata as {type_name(want)}"
    sentence = f"a file has column {name!r} as {types}"
    raise SourceError(sentence, retryable=False, blame=Blame.PRODUCT)


def _is_widening(have: pl.DataType, want: pl.DataType) -> bool:
    """Return whether a type is widened without loss to another."""
    if isinstance(want, _NESTED):  # members are matched by name, and their types are checked below
        return have.base_type() == want.base_type()
    numeric = have.is_integer() or have.is_float() or have.is_decimal()
    if want.is_float() or want.is_decimal():
        return numeric and not (have.is_float() and want.is_decimal())
    if want.is_integer():
        return have.is_integer()
    if isinstance(want, pl.String):
        return isinstance(have, pl.Categorical | pl.Enum)
    return have == pl.Null or (have == pl.Date and isinstance(want, pl.Datetime))


def _unsupported(what: str) -> SourceError:
    return SourceError(
        f"the delta table has {what}: this is not read", retryable=False, blame=Blame.AGENT
    )
