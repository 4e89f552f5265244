"""Dataset of a server: the tables and files that were found, before any row is read."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from contractwatch.errors import SourceError
from contractwatch.model.base.server import DataFormat, ReadPolicy
from contractwatch.model.contract.contract import Column
from contractwatch.model.contract.incremental import Incremental, Window

_READ_PLAINLY = ReadPolicy()


@dataclass(frozen=True, slots=True)
class DataFile:
    """Data file: absolute path or `s3://bucket/key`, size in bytes, modification time (UTC).

    `etag` is what an object store says of the content; empty for a file. `change` are the inode of
    a file, and when its content and the file itself last changed, in nanoseconds; () for an object.
    `source` is what a file that is held open is read by, instead of its path.
    """

    path: str
    size: int
    modified_at: datetime
    etag: str = ""
    change: tuple[int, ...] = ()
    source: str = ""

    @property
    def open_path(self) -> str:
        """Path or address to open the file by."""
        return self.source or self.path


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """Bucket of an object store and its address; credentials are in the environment, never here.

    `endpoint` is the address of the store, `relay` the one through which alone it is reached.
    """

    bucket: str
    endpoint: str
    region: str
    relay: str
    is_anonymous: bool = False


NamedFiles: TypeAlias = tuple[tuple[str, DataFile], ...]
"""Files, each with the name that the table's own record has for it."""


@dataclass(frozen=True, slots=True)
class TableSnapshot:
    """Version of a table that lists its own files (Delta, Iceberg).

    `location` is its folder or metadata file; `table_id` differs from that of a table that takes
    its place. `metadata_files` are those that reading may open, `named` the files that the metadata
    name.
    """

    location: str
    version: int
    table_id: str
    metadata_files: NamedFiles = ()
    named: NamedFiles = ()


@dataclass(frozen=True, slots=True)
class TableFiles:
    """Files of one table and how to read them. Text cells are parsed to the contract's `columns`.

    `where` is the condition on the rows in scope, as in `Table`. `remote` says how the files are
    reached that are objects of a store; None for files of this machine. `snapshot` is the version
    of a table that keeps a record of its files. `incremental` is as in `Table`; `window` are the
    rows to be read, None for all. `place` tells where the contract says that the files are from any
    other such place; a table that keeps a record is told by that. `json_array` is as in `Server`.
    `by_line` has flat JSON read line by line: slower, but no number is too large for it.
    """

    table: str
    files: tuple[DataFile, ...]
    data_format: DataFormat
    columns: tuple[Column, ...]
    read: ReadPolicy = _READ_PLAINLY
    json_array: bool | None = None
    hive_root: str | None = None
    where: str = ""
    remote: RemoteStore | None = None
    snapshot: TableSnapshot | None = None
    incremental: Incremental | None = None
    window: Window | None = None
    place: str = ""
    by_line: bool = False


@dataclass(frozen=True, slots=True)
class Dataset:
    """Tables of one server; `version` digests every path, size, modification time and etag.

    `missing_tables` are the other tables of the contract, each with why it is not among them.
    """

    server: str
    tables: tuple[TableFiles, ...]
    version: str
    modified_at: datetime | None = None
    missing_tables: tuple[tuple[str, SourceError], ...] = ()

    def missing_reason(self, table: str) -> str:
        """Return why a table is not among those that were found."""
        known = (str(failure) for name, failure in self.missing_tables if name == table)
        return next(known, f"the server has no table {table!r}")
