"""Find the live files of an Iceberg table, inside of what is allowed."""

import re
from collections.abc import Collection, Set
from dataclasses import dataclass
from datetime import UTC, datetime

from contractwatch.engines.remote.objects import begins
from contractwatch.engines.tables.iceberg import MOST_METADATA_BYTES, static_table
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import DataFile, TableFiles, TableSnapshot
from contractwatch.sources.search.place import TableLocation, all_of, missing
from contractwatch.sources.search.search import MAX_FILES, refused

RECORD = "metadata"
"""The folder by which an Iceberg table is known."""

_METADATA = re.compile(r"v?(\d+)(?:-.*)?(?:\.gz)?\.metadata\.json(?:\.gz)?")
_HINT = "version-hint.text"
_LONGEST_HINT = 200
MOST_BYTES = 256 * 1024 * 1024
"""No more of a record is read."""


def open_table(place: TableLocation, table: Table) -> tuple[TableFiles, datetime]:
    """Return the files of the current snapshot, and when it was committed (UTC).

    Raises:
        SourceError: If the metadata are broken, ask for more than we can read, or lead outside.
    """
    newest = _newest(place)
    record = _Record(place, {newest.path: newest})
    try:
        opened = static_table(newest.path, record.known, place.remote)
        tasks = list(opened.scan().plan_files())
    except ImportError as error:
        raise missing("pyiceberg and pyarrow", "iceberg") from error
    except SourceError:
        raise
    except Exception as error:
        is_equality = "equality deletes" in str(error).lower()
        why = "has equality deletes" if is_equality else "cannot be planned"
        raise _unread(why) from error
    if len(tasks) > MAX_FILES:
        raise refused(place.server, f"holds a table of more than {MAX_FILES:,} files")
    for task in tasks:
        _refuse_unreadable(
            task.file.file_format.name, {deletes.content.name for deletes in task.delete_files}
        )
    named = dict.fromkeys(
        file.file_path for task in tasks for file in (task.file, *task.delete_files)
    )
    found = _find(place, named)
    all_of(named, found)
    snapshot = opened.current_snapshot()
    at = opened.metadata.last_updated_ms if snapshot is None else snapshot.timestamp_ms
    rows = TableFiles(
        table.name,
        all_of([task.file.file_path for task in tasks], found),
        DataFormat.ICEBERG,
        table.columns,
        place.server.read,
        remote=place.remote,
        snapshot=TableSnapshot(
            newest.path,
            -1 if snapshot is None else snapshot.snapshot_id,
            str(opened.metadata.table_uuid),
            tuple(record.files.items()),
            tuple(found.items()),
        ),
    )
    return rows, datetime.fromtimestamp(at / 1000, UTC)


@dataclass(slots=True)
class _Record:
    """The files of the record that were opened so far, each by the name that the table has."""

    place: TableLocation
    files: dict[str, DataFile]

    def known(self, named: str) -> DataFile:
        """Return the file of a name.

        Raises:
            SourceError: If it is not there, leads outside, or all of them are too large.
        """
        if named not in self.files:
            (file,) = all_of([named], _find(self.place, [named]))
            self.files[named] = file
            if sum(one.size for one in self.files.values()) > MOST_BYTES:
                raise _unread(f"has a record of more than {MOST_BYTES // 1024**2} MB")
        return self.files[named]


def _find(place: TableLocation, named: Collection[str]) -> dict[str, DataFile]:
    """Return the files that a record names; Polars would look for others where it was started."""
    found = place.find(named)
    if not all(map(place.is_whole, named)):
        raise refused(place.server, "holds a table that names files without their whole path")
    return found


def _newest(place: TableLocation) -> DataFile:
    """Return the metadata file that the hint names, else the one with the highest number."""
    names = place.names(RECORD)
    numbered = {name: int(found[1]) for name in names if (found := _METADATA.fullmatch(name))}
    hint = _hint(place) if _HINT in names else ""
    hinted = [name for name in numbered if name in {hint, f"v{hint}.metadata.json"}]
    newest = max(numbered, key=lambda name: (numbered[name], name), default="")
    name = hinted[0] if hinted else newest
    if not name:
        raise _unread("has no metadata file")
    (file,) = all_of([f"{RECORD}/{name}"], place.find([f"{RECORD}/{name}"]))
    if file.size > MOST_METADATA_BYTES:
        raise _unread("has metadata that are too large")
    return file


def _hint(place: TableLocation) -> str:
    found = place.find([f"{RECORD}/{_HINT}"])
    written = (begins(file.path, place.remote, _LONGEST_HINT) for file in found.values())
    return next(written, b"").decode("utf-8", "replace").strip()


def _refuse_unreadable(file_format: str, deletes: Set[str]) -> None:
    """Raise SourceError for what would be read wrongly."""
    if file_format != "PARQUET":
        raise _unread(f"has files of format {file_format.lower()}")
    if deletes - {"POSITION_DELETES"}:
        raise _unread("has equality deletes")


def _unread(why: str) -> SourceError:
    return SourceError(
        f"the iceberg table {why}: this is not read", retryable=False, blame=Blame.PRODUCT
    )
