"""Find the live files of the newest version of a Delta table, inside of what is allowed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl

from contractwatch.engines.tables.log_copy import copy_files, table_folder
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import DataFile, NamedFiles, TableFiles, TableSnapshot
from contractwatch.sources.search.search import MAX_FILES, location_error
from contractwatch.sources.search.table_location import TableLocation, missing_extra, require_files
from contractwatch.sources.table_formats.delta_log import (
    SIDECARS,
    deletion_vector_files,
    newest_log_files,
    sidecar_names,
)

METADATA_FOLDER = "_delta_log"
"""Folder by which a Delta table is recognized."""

MAX_BYTES = 256 * 1024 * 1024
"""Size limit of a log that is copied."""

_MAX_READER_VERSION = 3
_DELETION_VECTORS = "deletionVectors"

_FEATURES = frozenset(
    {
        "columnMapping",
        _DELETION_VECTORS,
        "timestampNtz",
        "typeWidening",
        "typeWidening-preview",
        "v2Checkpoint",
        "vacuumProtocolCheck",
        "variantType",
        "variantType-preview",
    }
)
"""Reader features that are supported; a variant column is refused by itself."""


@dataclass(frozen=True, slots=True)
class _Version:
    """Newest version of a log; `named` and `vectors` are names of data and vector files."""

    number: int
    table_id: str
    named: tuple[str, ...]
    vectors: tuple[str, ...]
    committed_at: datetime


def open_table(place: TableLocation, table: Table) -> tuple[TableFiles, datetime]:
    """Return the files of the newest version, and when it was committed (UTC).

    Raises:
        SourceError: If the log is broken, needs a feature that is not read, or leads outside.
    """
    # An optional library: only those who read such tables install it.
    try:
        from deltalake import DeltaTable  # noqa: PLC0415 - see above
    except ImportError as error:
        raise missing_extra("deltalake", "delta") from error

    if place.remote is None and unquote(place.location) != place.location:
        raise location_error(
            place.server, "holds '%' and two digits, which the library would decode"
        )
    log = place.list_files(METADATA_FOLDER)
    with table_folder(place.location, place.remote) as folder:
        try:
            log_files, parts = _log_files(place, log, folder)
            version = _read(DeltaTable(str(folder)), place.server, parts, log)
        except SourceError:
            raise
        except Exception as error:
            raise _broken() from error
    if len(version.named) > MAX_FILES:
        raise location_error(place.server, f"holds a table of more than {MAX_FILES:,} files")
    found = place.find([*version.named, *version.vectors])
    files = require_files(version.named, found)
    # Of old commits a vector may be gone; the library misses it only if it is still in use.
    log_files += tuple((name, found[name]) for name in version.vectors if name in found)
    _limit(place, log_files)
    snapshot = TableSnapshot(
        place.location,
        version.number,
        version.table_id,
        log_files if place.remote else (),
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


def _log_files(
    place: TableLocation, log: Sequence[DataFile], folder: Path
) -> tuple[NamedFiles, list[Path]]:
    """Return the log files that the newest version needs, and their local paths.

    Raises:
        SourceError: If they are too large, lead outside, or cannot be read.
    """
    if place.remote is None:
        parts = [Path(file.path) for file in log]
        sidecar_names(place.server, parts)
        return (), parts
    top = f"{place.location}/"
    names = {file.path.removeprefix(f"{top}{METADATA_FOLDER}/"): file for file in log}
    log_files = tuple(
        (f"{METADATA_FOLDER}/{name}", names[name]) for name in newest_log_files(names.keys())
    )
    _limit(place, log_files)
    copy_files(folder, log_files, place.remote)
    parts = [folder / name for name, _ in log_files]
    inner = [f"{SIDECARS}/{name}" for name in sidecar_names(place.server, parts)]
    sidecars = tuple((f"{METADATA_FOLDER}/{name}", names[name]) for name in inner if name in names)
    _limit(place, (*log_files, *sidecars))
    copy_files(folder, sidecars, place.remote)
    return (*log_files, *sidecars), [*parts, *(folder / name for name, _ in sidecars)]


def _limit(place: TableLocation, log_files: NamedFiles) -> None:
    if sum(file.size for _, file in log_files) > MAX_BYTES and place.remote is not None:
        raise location_error(
            place.server, f"holds a table whose log has more than {MAX_BYTES // 1024**2} MB"
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
        tuple(deletion_vector_files(server, parts)) if _DELETION_VECTORS in features else (),
        _committed_at(opened.history(1), log),
    )


def _refuse_unreadable(
    reader: int, features: frozenset[str], configuration: Mapping[str, str]
) -> None:
    """Raise SourceError if the table needs a feature that is not supported."""
    unknown = sorted(features - _FEATURES)
    if reader > _MAX_READER_VERSION or unknown:
        asked = ", ".join(name[:40] for name in unknown) or "a newer reader"
        raise _unsupported(f"asks for {asked}")
    if configuration.get("delta.columnMapping.mode") == "id":
        raise _unsupported("maps its columns by id")


def _committed_at(commits: Sequence[Mapping[str, Any]], log: Iterable[DataFile]) -> datetime:
    """Return when the newest version was committed, by the log, else by the age of its files."""
    milliseconds = commits[0].get("timestamp") if commits else None
    if isinstance(milliseconds, int):
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    return max(file.modified_at for file in log)


def _unsupported(why: str) -> SourceError:
    return SourceError(
        f"the delta table {why}: this is not read", retryable=False, blame=Blame.AGENT
    )


def _broken() -> SourceError:
    sentence = "the delta table cannot be opened: its log is broken, or asks for what is not read"
    return SourceError(sentence, retryable=True, blame=Blame.PRODUCT)
