"""The live files of an Iceberg table are found, and none outside of what is allowed."""

import re
from collections.abc import Set
from datetime import UTC, datetime
from pathlib import Path

from contractwatch.engines.iceberg import static_table
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract import Table
from contractwatch.model.dataset import Snapshot, TableFiles
from contractwatch.model.server import DataFormat
from contractwatch.sources.confined import Folder, listed, missing
from contractwatch.sources.search import MAX_FILES, refused

RECORD = "metadata"
"""The folder by which an Iceberg table is known."""

_METADATA = re.compile(r"v?(\d+)(?:-.*)?(?:\.gz)?\.metadata\.json(?:\.gz)?")
_HINT = "version-hint.text"
_LONGEST_HINT = 200
_WHOLE = ("/", "file:/")
_MOST_METADATA_BYTES = 128 * 1024 * 1024


def open_table(folder: Folder, table: Table) -> tuple[TableFiles, datetime]:
    """Return the files of the current snapshot, and when it was committed (UTC).

    Raises:
        SourceError: If the metadata are broken, ask for more than we can read, or lead outside.
    """
    location = _newest(folder)
    record: dict[str, str] = {}

    def local(named: str) -> str:
        record[named] = str(_local(folder, named))
        return record[named]

    try:
        opened = static_table(str(location), local)
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
        raise refused(folder.server, f"holds a table of more than {MAX_FILES:,} files")
    for task in tasks:
        _refuse_unreadable(
            task.file.file_format.name, {deletes.content.name for deletes in task.delete_files}
        )
        for file in (task.file, *task.delete_files):
            local(file.file_path)
    paths = dict.fromkeys(record[task.file.file_path] for task in tasks)
    files = tuple(listed(Path(path)) for path in paths)
    snapshot = opened.current_snapshot()
    at = opened.metadata.last_updated_ms if snapshot is None else snapshot.timestamp_ms
    found = TableFiles(
        table.name,
        files,
        DataFormat.ICEBERG,
        table.columns,
        folder.server.read,
        snapshot=Snapshot(
            str(location),
            -1 if snapshot is None else snapshot.snapshot_id,
            str(opened.metadata.table_uuid),
            tuple(record.items()),
        ),
    )
    return found, datetime.fromtimestamp(at / 1000, UTC)


def _local(folder: Folder, named: str) -> Path:
    """Return the file that a record names; Polars would look for others where it was started."""
    path = folder.local(named)
    if not named.startswith(_WHOLE):
        raise refused(folder.server, "holds a table that names files without their whole path")
    return path


def _newest(folder: Folder) -> Path:
    """Return the metadata file that the hint names, else the one with the highest number."""
    numbered: dict[str, int] = {}
    for path in folder.confined(folder.path / RECORD).iterdir():
        if matched := _METADATA.fullmatch(path.name):
            numbered[path.name] = int(matched[1])
    hint = _hint(folder)
    hinted = [name for name in numbered if name in {hint, f"v{hint}.metadata.json"}]
    newest = max(numbered, key=lambda name: (numbered[name], name), default="")
    name = hinted[0] if hinted else newest
    if not name:
        raise _unread("has no metadata file")
    path = folder.confined(folder.path / RECORD / name)
    if path.stat().st_size > _MOST_METADATA_BYTES:
        raise _unread("has metadata that are too large")
    return path


def _hint(folder: Folder) -> str:
    path = folder.path / RECORD / _HINT
    if not path.exists():
        return ""
    with folder.confined(path).open("rb") as file:
        return file.read(_LONGEST_HINT).decode("utf-8", "replace").strip()


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
