"""A table that keeps a record of its own files is found by its folder, and confined file by file.

Such a record (the log of a Delta table, the metadata of an Iceberg table) may name any path or
address: each is held against the directories that the operator allowed before it is read.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract import Table
from contractwatch.model.dataset import Dataset, TableFiles
from contractwatch.model.server import DataFormat, Server
from contractwatch.sources.confined import Folder
from contractwatch.sources.search import refused
from contractwatch.sources.unfound import refuse_alike

_Opened: TypeAlias = tuple[TableFiles, datetime]

LAKES = frozenset({DataFormat.DELTA, DataFormat.ICEBERG})
"""The formats of tables that keep a record of their files."""

_GLOBS = frozenset("*?[")


def open_lake(
    server: Server,
    tables: Sequence[tuple[Table, str]],
    *,
    bases: tuple[Path, ...],
    roots: tuple[Path, ...] | None,
) -> Dataset:
    """Find the folder of every table, and the live files that its record names.

    Args:
        server: A server whose format keeps a record.
        tables: The tables, each with the path of its folder.
        bases: Directories for a relative path, tried in turn.
        roots: Real directories in which every file must be; None allows all.

    Raises:
        SourceError: If a path is not allowed or no table is there, if the record is broken or of a
            kind that we cannot read, or if what reads it is not installed.
    """
    found: list[_Opened] = []
    unfound: list[tuple[str, SourceError]] = []
    for table, path in tables:
        try:
            found.append(_open(server, table, path, bases, roots))
        except SourceError as error:
            unfound.append((table.name, error))
    if not found:
        refuse_alike(error for _, error in unfound)
    stamps = sorted((files.table, files.snapshot) for files, _ in found)
    return Dataset(
        server.name,
        tuple(files for files, _ in found),
        sha256(repr(stamps).encode()).hexdigest(),
        max((modified for _, modified in found), default=None),
        tuple(unfound),
    )


def _open(
    server: Server, table: Table, path: str, bases: tuple[Path, ...], roots: tuple[Path, ...] | None
) -> _Opened:
    if server.data_format is None or _GLOBS & set(path):
        raise refused(server, "holds a wildcard; expected the folder of one table")
    record, opened_by = _reader(server.data_format)
    folders = [Folder(server, base / path, roots) for base in bases or (Path.cwd(),)]
    allowed = [folder for folder in folders if folder.is_allowed]
    if not allowed:
        raise refused(server, "is outside the directories that the operator allowed")
    for folder in allowed:
        if (folder.path / record).is_dir():
            real = Folder(server, folder.path.resolve(), roots)
            return opened_by(real, table)
    sentence = f"no {server.data_format.value} table is at {path!r}: it has no folder {record!r}"
    raise SourceError(sentence, retryable=True, blame=Blame.PRODUCT)


def _reader(data_format: DataFormat) -> tuple[str, Callable[[Folder, Table], _Opened]]:
    """Return the name of the folder with the record, and what reads it."""
    # Imported for such a table: both bring Polars, which finding other files does without.
    from contractwatch.sources import delta, iceberg  # noqa: PLC0415 - see above

    if data_format is DataFormat.DELTA:
        return delta.RECORD, delta.open_table
    return iceberg.RECORD, iceberg.open_table
