"""The files of a local server are found, confined to what the operator allowed, and digested.

A path may hold `{object}` (also `{model}`, `{table}`: the table's physical name) and globs with
`**`. A directory stands for all files of the format below it. Without a placeholder the tables of a
contract with several are told apart by name: `<name>.<extension>`, or all files below `<name>/`.
"""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path

from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract import DataFormat, Server, Table
from contractwatch.model.dataset import DataFile, Dataset, TableFiles

MAX_FILES = 100_000
"""More files than this for one table are refused."""

_PLACEHOLDERS = ("{object}", "{model}", "{table}")
_MAGIC = frozenset("*?[")
_EXTENSIONS: Mapping[DataFormat, tuple[str, ...]] = {
    DataFormat.PARQUET: (".parquet", ".pq"),
    DataFormat.CSV: (".csv", ".tsv"),
    DataFormat.JSON: (".json", ".jsonl", ".ndjson"),
}


@dataclass(frozen=True, slots=True)
class _Found:
    """A file of a table, and the name under which it is digested."""

    path: Path
    name: str
    status: os.stat_result


@dataclass(frozen=True, slots=True)
class _Search:
    """Where the files of one table are looked for.

    `start` is a directory or file without globs, `pattern` the rest, empty if there is none.
    `stem` is the file name, without extension, that tells a table from its siblings; empty if the
    path alone does.
    """

    server: Server
    data_format: DataFormat
    start: Path
    pattern: str
    stem: str
    roots: tuple[Path, ...] | None


def open_files(
    server: Server,
    tables: tuple[Table, ...],
    *,
    bases: tuple[Path, ...],
    roots: tuple[Path, ...] | None,
) -> Dataset:
    """Find the files of every table.

    Args:
        server: A server of type local.
        tables: The tables to find.
        bases: Directories for a relative path, tried in turn.
        roots: Directories in which every file must really be, links followed; None allows all.

    Raises:
        SourceError: If a path is not allowed, matches nothing, or cannot be read.
    """
    if "://" in server.path:
        raise _refused(server, "is an address, and no path of this machine")
    data_format = server.data_format
    if data_format is None:
        raise _refused(server, "has no format that can be read")
    real_roots = None if roots is None else tuple(root.resolve() for root in roots)
    opened: list[TableFiles] = []
    stamps: list[tuple[str, str, int, int]] = []
    for table in tables:
        written = _written(server.path, table)
        stem = "" if len(tables) == 1 or written != server.path else table.physical_name
        searches = [
            _Search(server, data_format, *_split(base, written), stem, real_roots)
            for base in bases or (Path.cwd(),)
        ]
        search, found = _first(searches)
        stamps += [
            (table.name, file.name, file.status.st_size, file.status.st_mtime_ns) for file in found
        ]
        opened.append(_table_files(search, table, found))
    newest = max((file.modified_at for table in opened for file in table.files), default=None)
    version = sha256(repr(sorted(stamps)).encode()).hexdigest()
    return Dataset(server.name, tuple(opened), version, newest)


def _refused(server: Server, why: str) -> SourceError:
    return SourceError(f"path {server.path!r} {why}", retryable=False, blame=Blame.PRODUCT)


def _written(path: str, table: Table) -> str:
    for placeholder in _PLACEHOLDERS:
        path = path.replace(f"${placeholder}", table.physical_name)
        path = path.replace(placeholder, table.physical_name)
    return path


def _split(base: Path, written: str) -> tuple[Path, str]:
    """Return the part of the path before the first glob, and the rest."""
    parts = Path(written).parts
    plain = next((at for at, part in enumerate(parts) if _MAGIC & set(part)), len(parts))
    return base.joinpath(*parts[:plain]), "/".join(parts[plain:])


def _first(searches: Sequence[_Search]) -> tuple[_Search, list[_Found]]:
    """Return the first search that finds files; a refusal counts only if none does."""
    refusal: SourceError | None = None
    for search in searches:
        try:
            found = _search(search)
        except SourceError as error:
            refusal = refusal or error
            continue
        if found:
            return search, found
    server = searches[0].server
    if searches[0].stem and refusal is None and any(_matches(search) for search in searches):
        raise _refused(
            server, f"holds no file named {searches[0].stem!r}; put {{object}} into the path"
        )
    raise refusal or SourceError(
        f"no file matches {server.path!r}", retryable=True, blame=Blame.PRODUCT
    )


def _matches(search: _Search) -> bool:
    try:
        return bool(_search(replace(search, stem="")))
    except SourceError:
        return False


def _search(search: _Search) -> list[_Found]:
    """Return the table's files in the order of their names.

    Raises:
        SourceError: If they are not allowed, too many, or not readable.
    """
    _confine(search, search.start)
    if ".." in Path(search.pattern).parts:
        raise _refused(search.server, "goes up after a wildcard")
    try:
        paths = list(islice(_candidates(search), MAX_FILES + 1))
        if len(paths) > MAX_FILES:
            raise _refused(search.server, f"matches more than {MAX_FILES:,} files")
        return [_found(search, path) for path in sorted(set(paths))]
    except PermissionError as error:
        raise SourceError(
            f"permission denied for {search.server.path!r}", retryable=False, blame=Blame.AGENT
        ) from error
    except OSError as error:
        raise SourceError(
            f"{search.server.path!r} cannot be listed", retryable=True, blame=Blame.AMBIGUOUS
        ) from error


def _candidates(search: _Search) -> Iterator[Path]:
    """Yield every file that the path stands for."""
    matched = search.start.glob(search.pattern) if search.pattern else _if_there(search.start)
    named = _is_hidden(Path(search.pattern))  # a pattern that names a hidden file means it
    for path in matched:
        if path.is_dir():
            yield from (file for file in _below(search, path) if _is_data(search, file))
        elif search.stem in {"", path.stem} and (
            named or not _is_hidden(path.relative_to(search.start))
        ):
            yield path


def _if_there(path: Path) -> list[Path]:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path]


def _below(search: _Search, folder: Path) -> Iterator[Path]:
    if not search.stem:
        yield from folder.rglob("*")
        return
    for extension in _EXTENSIONS[search.data_format]:
        yield from _if_there(folder / f"{search.stem}{extension}")
    if (folder / search.stem).is_dir():
        yield from (folder / search.stem).rglob("*")


def _is_data(search: _Search, path: Path) -> bool:
    """Return whether a file below a directory is one of the format and not a hidden one."""
    known = path.suffix.lower() in _EXTENSIONS[search.data_format]
    return known and not _is_hidden(path.relative_to(search.start)) and path.is_file()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _found(search: _Search, path: Path) -> _Found:
    _confine(search, path)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise _refused(search.server, "is no regular file")
    with path.open("rb"):  # a right that is missing shows here, and not amid the scan
        pass
    name = path.relative_to(search.start).as_posix()
    return _Found(path if search.roots is None else path.resolve(), name, status)


def _confine(search: _Search, path: Path) -> None:
    """Raise SourceError if the path, with all links followed, is below none of the roots."""
    if search.roots is None:
        return
    real = path.resolve()
    if not any(real.is_relative_to(root) for root in search.roots):
        raise _refused(search.server, "is outside the directories that the operator allowed")


def _table_files(search: _Search, table: Table, found: Sequence[_Found]) -> TableFiles:
    files = tuple(
        DataFile(
            str(file.path.absolute()),
            file.status.st_size,
            datetime.fromtimestamp(file.status.st_mtime, UTC),
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
    )


def _hive_root(search: _Search, files: Sequence[DataFile]) -> str | None:
    """Return the directory above all `key=value` ones; None if partitions are not to be read."""
    wanted = search.server.read.hive_partitioning
    start = search.start.absolute() if search.roots is None else search.start.resolve()
    named = [at for at, part in enumerate(start.parts) if "=" in part]
    root = Path(*start.parts[: named[0]]) if named else start
    root = root.parent if root.is_file() else root
    folders = (
        Path(file.path).relative_to(root).parts[:-1]
        for file in files
        if Path(file.path).is_relative_to(root)
    )
    has_pairs = any("=" in folder for parts in folders for folder in parts)
    return str(root) if has_pairs and wanted is not False else None
