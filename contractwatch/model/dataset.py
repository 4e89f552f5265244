"""All tables of one server, found and ready to be read; still no row was read."""

from dataclasses import dataclass
from datetime import datetime

from contractwatch.model.contract import Column
from contractwatch.model.server import DataFormat, ReadPolicy

_READ_PLAINLY = ReadPolicy()


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file: absolute path, bytes, modification time (UTC)."""

    path: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The files of one table. `columns` are the contract's, to which text sources are parsed.

    `where` is the condition on the rows in scope, as in `Table`.
    """

    table: str
    files: tuple[DataFile, ...]
    data_format: DataFormat
    columns: tuple[Column, ...]
    read: ReadPolicy = _READ_PLAINLY
    json_array: bool = False
    hive_root: str | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """The tables of one server; `version` digests every path, size and modification time."""

    server: str
    tables: tuple[TableFiles, ...]
    version: str
    modified_at: datetime | None = None
