"""Find the live files of the newest version of a Delta table, inside of what is allowed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl

from contractwatch.engines.tables.log_copy import copy_into, folder_of
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import DataFile, NamedFiles, TableFiles, TableSnapshot
from contractwatch.sources.search.place import TableLocation, all_of, missing
from contractwatch.sources.search.search import MAX_FILES, refused
from contractwatch.sources.table_formats.delta_log import (
    SIDECARS,
    newest_part,
    sidecars,
    vector_files,
)

RECORD = "_delta_log"
"""The folder by which a Delta table is known."""

MOST_BYTES = 256 * 1024 * 1024
"""No more of a log is copied."""

_NEWEST_READER = 3
_DELETES = "deletionVectors"

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


@dataclass(frozen=True, slots=True)
class _Version:
    """What the log says of its newest version; `named` and `vectors` are names of files."""

    number: int
    table_id: str
    named: tuple[str, ...]
    vectors: tuple[str, ...]
    committed_at: datetime


def open_table(place: TableLocation, table: Table) -> tuple[TableFiles, datetime]:
    """Return the files of the newest version, and when it was committed (UTC).

    Raises:
        SourceError: If the log is broken, asks for more than we can read, or leads outside.
    """
    # An optional library: only those who read such tables install it.
    try:
        from deltalake import DeltaTable  # noqa: PLC0415 - see above
    except ImportError as error:
        raise missing("deltalake", "delta") from error

    if place.remote is None and unquote(place.location) != place.location:
        raise refused(place.server, "holds '%' and two digits, which the library would decode")
    log = place.below(RECORD)
    with folder_of(place.location, place.remote) as folder:
        try:
            record, parts = _parts(place, log, folder)
            version = _read(DeltaTable(str(folder)), place.server, parts, log)
        except SourceError:
            raise
        except Exception as error:
            raise _broken() from error
    if len(version.named) > MAX_FILES:
        raise refused(place.server, f"holds a table of more than {MAX_FILES:,} files")
    found = place.find([*version.named, *version.vectors])
    files = all_of(version.named, found)
    # Of old commits a vector may be gone; the library misses it only if it is still in use.
    record += tuple((name, found[name]) for name in version.vectors if name in found)
    _limit(place, record)
    snapshot = TableSnapshot(
        place.location,
        version.number,
        version.table_id,
        record if place.remote else (),
        tuple((name, found[name]) for name in version.named),
    )
    opened = TableFiles(
        table.name,
        files,
        DataFormat.DELTA,
        table.columns,
        place.server.read,
        remote=place.remote,
        snapshot=snapshot,
    )
    return opened, version.committed_at


def _parts(
    place: TableLocation, log: Sequence[DataFile], folder: Path
) -> tuple[NamedFiles, list[Path]]:
    """Return the files that the newest version rests on, and where on this machine they are.

    Raises:
        SourceError: If they are too large, lead outside, or cannot be read.
    """
    if place.remote is None:
        parts = [Path(file.path) for file in log]
        sidecars(place.server, parts)
        return (), parts
    top = f"{place.location}/"
    names = {file.path.removeprefix(f"{top}{RECORD}/"): file for file in log}
    record = tuple((f"{RECORD}/{name}", names[name]) for name in newest_part(names.keys()))
    _limit(place, record)
    copy_into(folder, record, place.remote)
    parts = [folder / name for name, _ in record]
    inner = [f"{SIDECARS}/{name}" for name in sidecars(place.server, parts)]
    beside = tuple((f"{RECORD}/{name}", names[name]) for name in inner if name in names)
    _limit(place, (*record, *beside))
    copy_into(folder, beside, place.remote)
    return (*record, *beside), [*parts, *(folder / name for name, _ in beside)]


def _limit(place: TableLocation, record: NamedFiles) -> None:
    if sum(file.size for _, file in record) > MOST_BYTES and place.remote is not None:
        raise refused(
            place.server, f"holds a table whose log has more than {MOST_BYTES // 1024**2} MB"
        )


def _read(opened: Any, server: Server, parts: Sequence[Path], log: Iterable[DataFile]) -> _Version:
    features: frozenset[str] = frozenset(opened.protocol().reader_features or ())
    _refuse_unreadable(
        opened.protocol().min_reader_version, features, opened.metadata().configuration
    )
    named: list[str] = pl.DataFrame(opened.get_add_actions())["path"].to_list()
    return _Version(
        opened.version(),
        str(opened.metadata().id),
        tuple(unquote(path) for path in named),
        tuple(vector_files(server, parts)) if _DELETES in features else (),
        _committed_at(opened.history(1), log),
    )


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


def _committed_at(commits: Sequence[Mapping[str, Any]], log: Iterable[DataFile]) -> datetime:
    """Return when the newest version was committed, by the log, else by the age of its files."""
    milliseconds = commits[0].get("timestamp") if commits else None
    if isinstance(milliseconds, int):
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return max(file.modified_at for file in log)


def _unread(why: str) -> SourceError:
    return SourceError(
        f"the delta table {why}: this is not read", retryable=False, blame=Blame.AGENT
    )


def _broken() -> SourceError:
    sentence = "the delta table cannot be opened: its log is broken, or asks for what is not read"
    return SourceError(sentence, retryable=True, blame=Blame.PRODUCT)
