"""Find the live files of an Iceberg table, inside of what is allowed."""

import re
from collections.abc import Collection, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from contractwatch.engines.remote.objects import first_bytes
from contractwatch.engines.tables.iceberg import MAX_METADATA_BYTES, static_table
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import DataFile, TableFiles, TableSnapshot
from contractwatch.sources.search.search import MAX_FILES, location_error
from contractwatch.sources.search.table_location import TableLocation, missing_extra, require_files

METADATA_FOLDER = "metadata"
"""Folder by which an Iceberg table is recognized."""

_METADATA = re.compile(r"v?(\d+)(?:-.*)?(?:\.gz)?\.metadata\.json(?:\.gz)?")
_HINT = "version-hint.text"
_MAX_HINT_BYTES = 200
MAX_BYTES = 256 * 1024 * 1024
"""Size limit of all metadata of a table."""


def open_table(place: TableLocation, table: Table) -> tuple[TableFiles, datetime]:
    """Return the files of the current snapshot, and when it was committed (UTC).

    Raises:
        SourceError: If the metadata are broken, need what is not supported, or lead outside.
    """
    newest = _newest_metadata(place)
    metadata = _MetadataFiles(place, {newest.path: newest})
    try:
        opened = static_table(newest.path, metadata.find, place.remote)
        tasks = list(opened.scan().plan_files())
    except ImportError as error:
        raise missing_extra("pyiceberg and pyarrow", "iceberg") from error
    except SourceError:
        raise
    except Exception as error:
        is_equality = "equality deletes" in str(error).lower()
        why = "has equality deletes" if is_equality else "cannot be planned"
        raise _unsupported(why) from error
    if len(tasks) > MAX_FILES:
        raise location_error(place.server, f"holds a table of more than {MAX_FILES:,} files")
    for task in tasks:
        _refuse_unreadable(
            task.file.file_format.name, {deletes.content.name for deletes in task.delete_files}
        )
    named = dict.fromkeys(
        file.file_path for task in tasks for file in (task.file, *task.delete_files)
    )
    found = _find(place, named)
    require_files(named, found)
    snapshot = opened.current_snapshot()
    at = opened.metadata.last_updated_ms if snapshot is None else snapshot.timestamp_ms
    rows = TableFiles(
        table.name,
        require_files([task.file.file_path for task in tasks], found),
        DataFormat.ICEBERG,
        table.columns,
        place.server.read,
        remote=place.remote,
        snapshot=TableSnapshot(
            newest.path,
            -1 if snapshot is None else snapshot.snapshot_id,
            str(opened.metadata.table_uuid),
            tuple(metadata.files.items()),
            tuple(found.items()),
        ),
    )
    return rows, datetime.fromtimestamp(at / 1000, UTC)


@dataclass(slots=True)
class _MetadataFiles:
    """Metadata files that were opened so far, by their names in the table."""

    place: TableLocation
    files: dict[str, DataFile]

    def find(self, named: str) -> DataFile:
        """Return the file of a name.

        Raises:
            SourceError: If it is missing, leads outside, or all of them are too large.
        """
        if named not in self.files:
            (file,) = require_files([named], _find(self.place, [named]))
            self.files[named] = file
            if sum(one.size for one in self.files.values()) > MAX_BYTES:
                raise _unsupported(f"has metadata of more than {MAX_BYTES // 1024**2} MB")
        return self.files[named]


def _find(place: TableLocation, named: Collection[str]) -> dict[str, DataFile]:
    """Return the files of these names; a relative one is refused: Polars resolves it otherwise."""
    found = place.find(named)
    if not all(map(place.is_absolute, named)):
        raise location_error(
            place.server, "holds a table that names files without their whole path"
        )
    return found


def _newest_metadata(place: TableLocation) -> DataFile:
    """Return the metadata file that the hint names, else the one with the highest number."""
    names = place.list_names(METADATA_FOLDER)
    numbered = {name: int(found[1]) for name in names if (found := _METADATA.fullmatch(name))}
    hint = _version_hint(place) if _HINT in names else ""
    hinted = [name for name in numbered if name in {hint, f"v{hint}.metadata.json"}]
    newest = max(numbered, key=lambda name: (numbered[name], name), default="")
    name = hinted[0] if hinted else newest
    if not name:
        raise _unsupported("has no metadata file")
    (file,) = require_files(
        [f"{METADATA_FOLDER}/{name}"], place.find([f"{METADATA_FOLDER}/{name}"])
    )
    if file.size > MAX_METADATA_BYTES:
        raise _unsupported("has metadata that are too large")
    return file


def _version_hint(place: TableLocation) -> str:
    found = place.find([f"{METADATA_FOLDER}/{_HINT}"])
    written = (first_bytes(file.path, place.remote, _MAX_HINT_BYTES) for file in found.values())
    return next(written, b"").decode("utf-8", "replace").strip()


def _refuse_unreadable(file_format: str, deletes: Set[str]) -> None:
    """Raise SourceError for a file format or deletes that Polars would misread."""
    if file_format != "PARQUET":
        raise _unsupported(f"has files of format {file_format.lower()}")
    if deletes - {"POSITION_DELETES"}:
        raise _unsupported("has equality deletes")


def _unsupported(why: str) -> SourceError:
    return SourceError(
        f"the iceberg table {why}: this is not read", retryable=False, blame=Blame.PRODUCT
    )
