"""Find the files of a local server below the allowed folders, and fingerprint them.

A path may hold `{object}` (also `{model}`, `{table}`: the table's physical name) and the patterns
`*`, `**` and `?`; one that exists as it is written is that file or directory. A directory stands
for all files of the format below it. Without a placeholder the tables of a contract with several
are told apart by name: `<name>.<extension>`, or all files below `<name>/`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from contractwatch.errors import SourceError
from contractwatch.model.base.object_store_access import ObjectStoreAccess
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles
from contractwatch.sources.search.common_failure import raise_if_same_blame
from contractwatch.sources.search.local_folder import allowed_folders
from contractwatch.sources.search.patterns import first_pattern
from contractwatch.sources.search.search import FoundFile, Search, first_match, location_error
from contractwatch.sources.search.table_format_files import refuse_table_format_files
from contractwatch.sources.table_formats.table_folders import TABLE_FORMATS, open_table_folders

_PLACEHOLDERS = ("{object}", "{model}", "{table}")


def open_files(
    server: Server,
    tables: tuple[Table, ...],
    *,
    bases: tuple[Path, ...],
    roots: tuple[Path, ...] | None,
    reach: ObjectStoreAccess,
) -> Dataset:
    """Find the files of every table; a table without files does not fail the others.

    Args:
        server: A server of type local.
        tables: The tables to find.
        bases: Directories for a relative path, tried in turn.
        roots: Directories in which every file must really be, links followed; None allows all.
        reach: Not used.

    Raises:
        SourceError: If no table is found: paths are not allowed, match nothing or are not readable.
    """
    del reach
    data_format = _format_of(server)
    real_roots = None if roots is None else tuple(root.resolve() for root in roots)
    if data_format in TABLE_FORMATS:
        places = partial(allowed_folders, server, bases=bases, roots=real_roots)
        return open_table_folders(server, table_folders(server.path, tables), places)
    opened: list[TableFiles] = []
    missing_tables: list[tuple[str, SourceError]] = []
    fingerprints: list[tuple[str, str, int, int]] = []
    for table in tables:
        written = table_path(server.path, table)
        stem = "" if len(tables) == 1 or written != server.path else table.physical_name
        searches = [
            Search(server, data_format, *_split(base, written), stem, real_roots)
            for base in bases or (Path.cwd(),)
        ]
        try:
            search, found = first_match(searches)
            refuse_table_format_files(server, _places_of(found), search.allows)
        except SourceError as error:
            missing_tables.append((table.name, error))
            continue
        fingerprints += [
            (table.name, file.name, file.status.st_size, file.status.st_mtime_ns) for file in found
        ]
        opened.append(_table_files(search, table, found))
    newest = max((file.modified_at for table in opened for file in table.files), default=None)
    version = sha256(repr(sorted(fingerprints)).encode()).hexdigest()
    if not opened:
        raise_if_same_blame(error for _, error in missing_tables)
    return Dataset(server.name, tuple(opened), version, newest, tuple(missing_tables))


def _places_of(found: Sequence[FoundFile]) -> Iterator[Path]:
    """Yield where each file was found, and where it really is if that is elsewhere."""
    folders: set[Path] = set()
    for file in found:
        yield file.path.absolute()
        if file.path.is_symlink() or file.path.parent not in folders:
            folders.add(file.path.parent)
            yield file.path.resolve()


def _format_of(server: Server) -> DataFormat:
    if "://" in server.path:
        raise location_error(server, "is an address, and no path of this machine")
    if server.data_format is None:
        raise location_error(server, "has no format that can be read")
    return server.data_format


def table_path(path: str, table: Table) -> str:
    """Return the path of one table, with its physical name in place of each placeholder."""
    for placeholder in _PLACEHOLDERS:
        path = path.replace(f"${placeholder}", table.physical_name)
        path = path.replace(placeholder, table.physical_name)
    return path


def table_folders(path: str, tables: Sequence[Table]) -> list[tuple[Table, str]]:
    """Return each table with its folder; without a placeholder, a subfolder of its name."""
    written = [(table, table_path(path, table)) for table in tables]
    is_alone = len(tables) == 1
    return [
        (table, folder if is_alone or folder != path else f"{folder}/{table.physical_name}")
        for table, folder in written
    ]


def _split(base: Path, written: str) -> tuple[Path, str]:
    """Return the part of the path before the first pattern, and the rest."""
    parts = Path(written).parts
    plain = first_pattern(parts)
    return base.joinpath(*parts[:plain]), "/".join(parts[plain:])


def _table_files(search: Search, table: Table, found: Sequence[FoundFile]) -> TableFiles:
    files = tuple(
        DataFile(
            str(file.path.absolute()),
            file.status.st_size,
            datetime.fromtimestamp(file.status.st_mtime, UTC),
            change=(file.status.st_ino, file.status.st_mtime_ns, file.status.st_ctime_ns),
        )
        for file in found
    )
    return TableFiles(
        table.name,
        files,
        search.data_format,
        table.columns,
        search.server.read,
        search.server.json_array,
        _hive_root(search, files),
        place=repr((str(search.start.absolute()), search.pattern, search.stem)),
    )


def _hive_root(search: Search, files: Sequence[DataFile]) -> str | None:
    """Return the directory above all `key=value` ones; None if partitions are not read."""
    wanted = search.server.read.hive_partitioning
    start = search.start.absolute() if search.roots is None else search.start.resolve()
    named = [at for at, part in enumerate(start.parts) if "=" in part]
    root = Path(*start.parts[: named[0]]) if named else start
    root = root.parent if root.is_file() else root
    table_folders = (
        Path(file.path).relative_to(root).parts[:-1]
        for file in files
        if Path(file.path).is_relative_to(root)
    )
    has_pairs = any("=" in folder for parts in table_folders for folder in parts)
    return str(root) if has_pairs and wanted is not False else None
