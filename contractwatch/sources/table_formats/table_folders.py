"""Find the folders of Delta and Iceberg tables, and check every file that their metadata names.

The log of a Delta table and the metadata of an Iceberg table may name any path or
address: each is checked against what the operator allowed before it is read.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import Dataset, TableFiles, TableSnapshot
from contractwatch.sources.search.common_failure import raise_if_same_blame
from contractwatch.sources.search.patterns import is_pattern
from contractwatch.sources.search.search import location_error
from contractwatch.sources.search.table_location import TableLocation

_Opened: TypeAlias = tuple[TableFiles, datetime]

TABLE_FORMATS = frozenset({DataFormat.DELTA, DataFormat.ICEBERG})
"""Formats of tables whose own metadata list their files."""


def open_table_folders(
    server: Server,
    tables: Sequence[tuple[Table, str]],
    locations: Callable[[str], Sequence[TableLocation]],
) -> Dataset:
    """Find the folder of every table, and the live files that its metadata name.

    Args:
        server: A server of one of the `TABLE_FORMATS`.
        tables: The tables, each with the path of its folder.
        locations: Returns the locations that a path may have, in the order in which to try them.

    Raises:
        SourceError: If a path is not allowed or holds no table, if the metadata are broken or of a
            kind that is not read, or if the extra is not installed.
    """
    found: list[_Opened] = []
    missing_tables: list[tuple[str, SourceError]] = []
    for table, path in tables:
        try:
            found.append(_open(server, table, path, locations))
        except SourceError as error:
            missing_tables.append((table.name, error))
    if not found:
        raise_if_same_blame(error for _, error in missing_tables)
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
    server: Server, table: Table, path: str, locations: Callable[[str], Sequence[TableLocation]]
) -> _Opened:
    if server.data_format is None:
        raise location_error(server, "has no format that can be read")
    metadata_folder, open_table = _reader(server.data_format)
    for location in locations(path):
        if location.has_folder(metadata_folder):
            return open_table(location, table)
    if is_pattern(path):
        raise location_error(server, "holds a wildcard; expected the folder of one table")
    sentence = (
        f"no {server.data_format.value} table is at {path!r}: it has no folder {metadata_folder!r}"
    )
    raise SourceError(sentence, retryable=True, blame=Blame.PRODUCT)


def _reader(data_format: DataFormat) -> tuple[str, Callable[[TableLocation, Table], _Opened]]:
    """Return the name of the metadata folder, and the function that opens the table."""
    # Imported for such a table: both bring Polars, which finding other files does without.
    from contractwatch.sources.table_formats import delta, iceberg  # noqa: PLC0415 - see above

    if data_format is DataFormat.DELTA:
        return delta.METADATA_FOLDER, delta.open_table
    return iceberg.METADATA_FOLDER, iceberg.open_table
