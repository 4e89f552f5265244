"""The live files of one version of a Delta table are found, and none outside of what is allowed."""

import glob
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl

from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract import Table
from contractwatch.model.dataset import Snapshot, TableFiles
from contractwatch.model.server import DataFormat
from contractwatch.sources.confined import Folder, listed, missing
from contractwatch.sources.search import MAX_FILES, refused

RECORD = "_delta_log"
"""The folder by which a Delta table is known."""

_NEWEST_READER = 3
_FEATURES = frozenset(
    {
        "columnMapping",
        "deletionVectors",
        "timestampNtz",
        "typeWidening",
        "typeWidening-preview",
        "v2Checkpoint",
        "vacuumProtocolCheck",
        "variantType",
        "variantType-preview",
    }
)
"""What we can read; a variant as such is refused by its column."""


def open_table(folder: Folder, table: Table) -> tuple[TableFiles, datetime]:
    """Return the files of the newest version, and when it was committed (UTC).

    Raises:
        SourceError: If the log is broken, asks for more than we can read, or leads outside.
    """
    # An optional library: only those who read such tables install it.
    try:
        from deltalake import DeltaTable  # noqa: PLC0415 - see above
    except ImportError as error:
        raise missing("deltalake", "delta") from error

    log = folder.below(RECORD)
    try:
        opened = DeltaTable(str(folder.path))
        features = frozenset(opened.protocol().reader_features or ())
        _refuse_unreadable(
            opened.protocol().min_reader_version, features, opened.metadata().configuration
        )
        has_absolute = "deletionVectors" in features and any(map(_has_absolute_vector, log))
        commits = opened.history(1)
        named: list[str] = pl.DataFrame(opened.get_add_actions())["path"].to_list()
    except SourceError:
        raise
    except Exception as error:
        raise _broken() from error
    if has_absolute:
        raise refused(folder.server, "holds a table with deletion vectors by absolute paths")
    if len(named) > MAX_FILES:
        raise refused(folder.server, f"holds a table of more than {MAX_FILES:,} files")
    files = tuple(listed(folder.local(unquote(path))) for path in named)
    snapshot = Snapshot(str(folder.path), opened.version(), str(opened.metadata().id))
    found = TableFiles(
        table.name, files, DataFormat.DELTA, table.columns, folder.server.read, snapshot=snapshot
    )
    return found, _committed_at(commits, log)


def _refuse_unreadable(
    reader: int, features: frozenset[str], configuration: Mapping[str, str]
) -> None:
    """Raise SourceError if a table asks for more than is read here."""
    unknown = sorted(features - _FEATURES)
    if reader > _NEWEST_READER or unknown:
        asked = ", ".join(name[:40] for name in unknown) or "a newer reader"
        raise _unread(f"asks for {asked}")
    if configuration.get("delta.columnMapping.mode") == "id":
        raise _unread("maps its columns by id")


def _has_absolute_vector(path: Path) -> bool:
    """Whether a part of the log names a deletion vector by its absolute path.

    The library would open it wherever it is. Only clones have such ones.
    """
    if path.suffix == ".json":
        with path.open("rb") as lines:
            return any(_is_absolute(json.loads(line)) for line in lines if line.strip())
    if path.suffix != ".parquet":
        return False
    schema = pl.read_parquet_schema(glob.escape(str(path)))
    add = schema.get("add")
    if not isinstance(add, pl.Struct) or "deletionVector" not in add.to_schema():
        return False
    kind = pl.col("add").struct.field("deletionVector").struct.field("storageType")
    return bool(pl.scan_parquet(path, glob=False).select((kind == "p").any()).collect().item())


def _is_absolute(action: dict[str, dict[str, Any] | None]) -> bool:
    vectors = [(each or {}).get("deletionVector") for each in action.values()]
    return any(vector and vector.get("storageType") == "p" for vector in vectors)


def _committed_at(commits: Sequence[Mapping[str, Any]], log: Iterable[Path]) -> datetime:
    """Return when the newest version was committed, by the log, else by the age of its files."""
    milliseconds = commits[0].get("timestamp") if commits else None
    if isinstance(milliseconds, int):
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return datetime.fromtimestamp(max(path.stat().st_mtime for path in log), UTC)


def _unread(why: str) -> SourceError:
    return SourceError(
        f"the delta table {why}: this is not read", retryable=False, blame=Blame.AGENT
    )


def _broken() -> SourceError:
    sentence = "the delta table cannot be opened: its log is broken, or asks for what is not read"
    return SourceError(sentence, retryable=True, blame=Blame.PRODUCT)
