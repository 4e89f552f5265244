"""Find the folders of Delta and Iceberg tables, and check every file that their metadata names.

Such a record (the log of a Delta table, the metadata of an Iceberg table) may name any path or
address: each is held against what the operator allowed before it is read.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import Dataset, TableFiles, TableSnapshot
from contractwatch.sources.search.patterns import is_pattern
from contractwatch.sources.search.place import TableLocation
from contractwatch.sources.search.search import refused
from contractwatch.sources.search.unfound import refuse_alike

_Opened: TypeAlias = tuple[TableFiles, datetime]

LAKES = frozenset({DataFormat.DELTA, DataFormat.ICEBERG})
"""The formats of tables that keep a record of their files."""


def open_lake(
    server: Server,
    tables: Sequence[tuple[Table, str]],
    places: Callable[[str], Sequence[TableLocation]],
) -> Dataset:
    """Find the folder of every table, and the live files that its record names.

    Args:
        server: A server whose format keeps a record.
        tables: The tables, each with the path of its folder.
        places: Gives the places where a path may be, in the order in which they are tried.

    Raises:
        SourceError: If a path is not allowed or no table is there, if the record is broken or of a
            kind that we cannot read, or if what reads it is not installed.
    """
    found: list[_Opened] = []
    missing_tables: list[tuple[str, SourceError]] = []
    for table, path in tables:
        try:
            found.append(_open(server, table, path, places))
        except SourceError as error:
            missing_tables.append((table.name, error))
    if not found:
        refuse_alike(error for _, error in missing_tables)
    versions = sorted((files.table, *_version(files.snapshot)) for files, _ in found)
    return Dataset(
        server.name,
        tuple(files for files, _ in found),
        sha256(repr(versions).encode()).hexdigest(),
        max((modified for _, modified in found), default=None),
        tuple(missing_tables),
    )


def _version(snapshot: TableSnapshot | None) -> tuple[str, ...]:
    if snapshot is None:
        return ()
    return (snapshot.location, str(snapshot.version), snapshot.table_id)


def _open(
    server: Server, table: Table, path: str, places: Callable[[str], Sequence[TableLocation]]
) -> _Opened:
    if server.data_format is None:
        raise refused(server, "has no format that can be read")
    record, opened_by = _reader(server.data_format)
    for place in places(path):
        if place.has(record):
            return opened_by(place, table)
    if is_pattern(path):
        raise refused(server, "holds a wildcard; expected the folder of one table")
    sentence = f"no {server.data_format.value} table is at {path!r}: it has no folder {record!r}"
    raise SourceError(sentence, retryable=True, blame=Blame.PRODUCT)


def _reader(data_format: DataFormat) -> tuple[str, Callable[[TableLocation, Table], _Opened]]:
    """Return the name of the folder with the record, and what reads it."""
    # Imported for such a table: both bring Polars, which finding other files does without.
    from contractwatch.sources.table_formats import delta, iceberg  # noqa: PLC0415 - see above

    if data_format is DataFormat.DELTA:
        return delta.RECORD, delta.open_table
    return iceberg.RECORD, iceberg.open_table
