"""Find the objects of an S3 server, in an allowed store and bucket.

A location is `s3://bucket/path`; its path holds placeholders and patterns as that of a local
server does. Nothing but the name of the store and of the bucket comes from the contract: region and
credentials are the agent's own.
"""

from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path

from contractwatch.engines.remote.objects import SCHEME
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.object_store_access import ObjectStoreAccess
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import DataFile, Dataset, RemoteStore, TableFiles
from contractwatch.sources.files import table_folders, table_path
from contractwatch.sources.search.endpoints import resolve_store
from contractwatch.sources.search.object_search import ObjectSearch, objects_below, search_objects
from contractwatch.sources.search.patterns import first_pattern, is_pattern, pattern_hint
from contractwatch.sources.search.prefix import Prefix
from contractwatch.sources.search.search import location_error
from contractwatch.sources.search.table_format_files import (
    METADATA_FOLDERS,
    is_metadata_file,
    table_above,
    table_format_error,
)
from contractwatch.sources.table_formats.table_folders import TABLE_FORMATS, open_table_folders


def open_objects(
    server: Server,
    tables: tuple[Table, ...],
    *,
    bases: tuple[Path, ...],
    roots: tuple[Path, ...] | None,
    reach: ObjectStoreAccess,
) -> Dataset:
    """Find the objects of every table.

    Args:
        server: A server of type s3.
        tables: The tables to find.
        bases: Not used.
        roots: Not used.
        reach: Which stores and buckets may be read, and as whom.

    Raises:
        SourceError: If the store or the bucket is not allowed, not reached or matches nothing.
    """
    del bases, roots
    if server.data_format in TABLE_FORMATS:
        return _open_table_folders(server, tables, reach)
    bucket, searches = _searches(server, tables, reach)
    remote = resolve_store(server, bucket, reach)
    search_objects(remote, searches)
    opened: list[TableFiles] = []
    missing_tables: list[tuple[str, SourceError]] = []
    for table, one in zip(tables, searches, strict=True):
        files = one.files()
        folder_name = one.metadata_folder() or (
            _table_format_above(remote, one.start) if files else ""
        )
        if folder_name:
            missing_tables.append((table.name, table_format_error(server, folder_name)))
        elif files:
            opened.append(_table_files(server, table, one, files, remote))
        else:
            missing_tables.append((table.name, _no_match(server, one)))
    if missing_tables and not opened:
        raise missing_tables[0][1]
    fingerprints = [
        (table.table, file.path, file.size, file.modified_at.isoformat(), file.etag)
        for table in opened
        for file in table.files
    ]
    newest = max((file.modified_at for table in opened for file in table.files), default=None)
    version = sha256(repr(sorted(fingerprints)).encode()).hexdigest()
    return Dataset(server.name, tuple(opened), version, newest, tuple(missing_tables))


def _open_table_folders(
    server: Server, tables: Sequence[Table], reach: ObjectStoreAccess
) -> Dataset:
    placed = table_folders(server.path, tables)
    keys = {path: _allowed_parts(server, path, reach) for _, path in placed}
    remote = resolve_store(server, _bucket(server, {parts[0] for parts in keys.values()}), reach)
    return open_table_folders(
        server, placed, lambda path: (Prefix(server, remote, "/".join(keys[path][1:])),)
    )


def _searches(
    server: Server, tables: Sequence[Table], reach: ObjectStoreAccess
) -> tuple[str, list[ObjectSearch]]:
    """Return the bucket, and the search for each table.

    Raises:
        SourceError: If a location is invalid, or not allowed.
    """
    data_format = server.data_format
    if data_format is None:
        raise location_error(server, "has no format that can be read")
    buckets: set[str] = set()
    searches: list[ObjectSearch] = []
    for table in tables:
        written = table_path(server.path, table)
        bucket, *parts = _allowed_parts(server, written, reach)
        stem = "" if len(tables) == 1 or written != server.path else table.physical_name
        plain = first_pattern(parts)
        searches.append(ObjectSearch(tuple(parts[:plain]), tuple(parts[plain:]), stem, data_format))
        buckets.add(bucket)
    return _bucket(server, buckets), searches


def _bucket(server: Server, buckets: Collection[str]) -> str:
    if len(buckets) > 1:
        raise location_error(server, "names more than one bucket")
    return next(iter(buckets), "")


def _allowed_parts(server: Server, written: str, reach: ObjectStoreAccess) -> list[str]:
    """Return the bucket and the parts of the key."""
    parts = [part for part in written.removeprefix(SCHEME).split("/") if part not in {"", "."}]
    if not written.startswith(SCHEME) or not parts or is_pattern(parts[0]):
        raise location_error(server, "is no location such as s3://bucket/path")
    if ".." in parts:
        raise location_error(server, "goes up; a key has no folder above it")
    plain = first_pattern(parts)
    if not _is_allowed(parts[:plain], reach.buckets):
        raise SourceError(
            f"location {server.path!r} is outside the buckets that the operator allowed",
            retryable=False,
            blame=Blame.AGENT,
        )
    return parts


def _is_allowed(place: Sequence[str], buckets: tuple[str, ...] | None) -> bool:
    if buckets is None:
        return True
    entries = ([part for part in entry.split("/") if part] for entry in buckets)
    return any(list(place[: len(entry)]) == entry for entry in entries)


def _table_files(
    server: Server,
    table: Table,
    one: ObjectSearch,
    files: tuple[DataFile, ...],
    remote: RemoteStore,
) -> TableFiles:
    return TableFiles(
        table.name,
        files,
        one.data_format,
        table.columns,
        server.read,
        server.json_array,
        _hive_root(server, one, files, remote),
        remote=remote,
        place=repr((one.start, one.pattern, one.stem)),
    )


def _table_format_above(remote: RemoteStore, start: Sequence[str]) -> str:
    """Return the metadata folder of the table that a location is inside of; empty if none."""
    above = table_above(start)
    for folder_name in METADATA_FOLDERS if above is not None else ():
        below = objects_below(remote, "/".join((*(above or ()), folder_name)))
        try:
            first = next((key for key, _ in below if is_metadata_file(folder_name, key)), "")
        except SourceError:  # the agent may not look there
            return ""
        if first:
            return folder_name
    return ""


def _hive_root(
    server: Server, one: ObjectSearch, files: Sequence[DataFile], remote: RemoteStore
) -> str | None:
    """Return the folder above all `key=value` ones; None if partitions are not read."""
    named = next((at for at, part in enumerate(one.start) if "=" in part), len(one.start))
    root = f"{SCHEME}{remote.bucket}/" + "".join(f"{part}/" for part in one.start[:named])
    table_folders = (file.path.removeprefix(root).split("/")[:-1] for file in files)
    has_pairs = any("=" in folder for parts in table_folders for folder in parts)
    return root if has_pairs and server.read.hive_partitioning is not False else None


def _no_match(server: Server, one: ObjectSearch) -> SourceError:
    if one.has_others:
        return location_error(server, f"holds no file named {one.stem!r}; put {{object}} into it")
    sentence = f"no object matches {server.path!r}{pattern_hint(server.path)}"
    return SourceError(sentence, retryable=True, blame=Blame.PRODUCT)
