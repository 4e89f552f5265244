"""The live files of one version of a Delta table are found, and none outside of what is allowed."""

import glob
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias
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
_DELETES = "deletionVectors"
_ID_LETTERS = 20
_PLAIN = re.compile(r"[A-Za-z0-9_-]*")
_Vector: TypeAlias = tuple[str, str]

_FEATURES = frozenset(
    {
        "columnMapping",
        _DELETES,
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
        vectors = (
            {one for path in log for one in _vectors(path)}
            if _DELETES in features
            else set[_Vector]()
        )
        commits = opened.history(1)
        named: list[str] = pl.DataFrame(opened.get_add_actions())["path"].to_list()
    except SourceError:
        raise
    except Exception as error:
        raise _broken() from error
    _confine(folder, vectors)
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


def _confine(folder: Folder, vectors: Collection[_Vector]) -> None:
    """Raise SourceError if a deletion vector is elsewhere: the library would open it.

    Only clones name one by its whole path. A relative one has a folder before its id, and the
    library would follow it anywhere.
    """
    for kind, place in vectors:
        if kind != "u":
            raise refused(folder.server, "holds a table with deletion vectors by absolute paths")
        if not _PLAIN.fullmatch(place[:-_ID_LETTERS]):
            raise refused(
                folder.server, "holds a table with deletion vectors outside of its folder"
            )
    for inner in {place[:-_ID_LETTERS] for _, place in vectors}:
        for path in (folder.path / inner).glob("deletion_vector_*.bin"):
            folder.confined(path)


def _vectors(path: Path) -> Iterator[_Vector]:
    """Yield kind and place of each deletion vector with a file of its own, of a part of the log."""
    if path.suffix == ".json":
        with path.open("rb") as lines:
            for line in lines:
                yield from _vectors_of(json.loads(line)) if line.strip() else ()
    elif path.suffix == ".parquet":
        named = glob.escape(str(path))
        add = pl.read_parquet_schema(named).get("add")
        if isinstance(add, pl.Struct) and "deletionVector" in add.to_schema():
            vector = pl.col("add").struct.field("deletionVector").struct
            found = pl.scan_parquet(path, glob=False).select(
                kind=vector.field("storageType"), place=vector.field("pathOrInlineDv")
            )
            yield from found.filter(pl.col("kind") != "i").unique().collect().iter_rows()


def _vectors_of(action: Mapping[str, Mapping[str, Any] | None]) -> Iterator[_Vector]:
    vectors = ((each or {}).get("deletionVector") for each in action.values())
    known = ((one["storageType"], one["pathOrInlineDv"]) for one in vectors if one)
    yield from (one for one in known if one[0] != "i")


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
