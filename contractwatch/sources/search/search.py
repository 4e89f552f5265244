"""Find a table's files below the allowed roots, listing no more folders than needed."""

import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.odcs.product.server_locations import PATH_KEYS
from contractwatch.sources.search.patterns import as_glob, pattern_hint

_MAX_NAMES = 10_000
MAX_FILES = 100_000
"""Maximum number of files of one table."""

EXTENSIONS: Mapping[DataFormat, tuple[str, ...]] = {
    DataFormat.PARQUET: (".parquet", ".pq"),
    DataFormat.CSV: (".csv", ".tsv"),
    DataFormat.JSON: (".json", ".jsonl", ".ndjson"),
    DataFormat.AVRO: (".avro",),
    DataFormat.ARROW: (".arrow", ".ipc", ".feather"),
}


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a table, with the name for the dataset's digest."""

    path: Path
    name: str
    status: os.stat_result


@dataclass(frozen=True, slots=True)
class Search:
    """Search for the files of one table.

    `start` is a directory or file without patterns, `pattern` the rest, empty if there is none.
    `stem` is the file name, without extension, that tells a table from its siblings; empty if the
    path alone does.
    """

    server: Server
    data_format: DataFormat
    start: Path
    pattern: str
    stem: str
    roots: tuple[Path, ...] | None

    def allows(self, folder: Path) -> bool:
        """Return whether a real folder is below the roots."""
        return self.roots is None or any(folder.is_relative_to(root) for root in self.roots)


def first_match(searches: Sequence[Search]) -> tuple[Search, list[FoundFile]]:
    """Return the first search that finds files, and the files.

    Errors of the other searches are raised only if none finds any.

    Raises:
        SourceError: If a path is not allowed, matches nothing, or cannot be read.
    """
    refusal: SourceError | None = None
    allowed = [search for search in searches if _is_allowed(search, search.start)]
    for search in map(_literal_search, allowed or searches[:1]):
        try:
            found = _search(search)
        except SourceError as error:
            refusal = refusal or error
            continue
        if found:
            return search, found
    server = searches[0].server
    if searches[0].stem and refusal is None and any(_matches(search) for search in allowed):
        raise location_error(
            server, f"holds no file named {searches[0].stem!r}; put {{object}} into the path"
        )
    hint = pattern_hint(server.path) or _name_hint(allowed)
    raise refusal or SourceError(
        f"no file matches {server.path!r}{hint}",
        retryable=True,
        blame=Blame.PRODUCT,
    )


def location_error(server: Server, why: str) -> SourceError:
    """Return the error for a path of the contract; `why` ends its sentence."""
    what = PATH_KEYS.get(server.kind, "path")
    return SourceError(f"{what} {server.path!r} {why}", retryable=False, blame=Blame.PRODUCT)


def _literal_search(search: Search) -> Search:
    """Return the search for the file or folder whose name is the pattern itself, if it exists."""
    if not search.pattern or ".." in Path(search.pattern).parts:
        return search
    whole = search.start / search.pattern
    exists = os.path.exists(whole)  # noqa: PTH110 - False for a name that no file can have
    return replace(search, start=whole, pattern="") if exists else search


def _name_hint(searches: Iterable[Search]) -> str:
    """Return a hint on a file or folder whose name differs in case or in the form of letters."""
    for search in searches:
        try:
            place = _first_missing(search.start)
            if place.exists() or not _is_allowed(search, place.parent):
                continue
            names = [path.name for path in islice(place.parent.iterdir(), _MAX_NAMES)]
        except (OSError, ValueError):  # a name that no file can have, a folder that is not listed
            continue
        like = _folded(place.name)
        found = next((name for name in sorted(names) if _folded(name) == like), None)
        if found is not None:
            why = "by case" if found.lower() == place.name.lower() else "in the form of its letters"
            return f"; there is '{ascii(found)[1:-1]}', which differs {why} alone"
    return ""


def _first_missing(place: Path) -> Path:
    while not place.parent.is_dir() and place != place.parent:
        place = place.parent
    return place


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _matches(search: Search) -> bool:
    try:
        return bool(_search(replace(search, stem="")))
    except SourceError:
        return False


def _search(search: Search) -> list[FoundFile]:
    """Return the table's files in the order of their names.

    Raises:
        SourceError: If they are not allowed, too many, or not readable.
    """
    _confine(search, search.start)
    if ".." in Path(search.pattern).parts:
        raise location_error(search.server, "goes up after a wildcard")
    try:
        paths = list(islice(_candidates(search), MAX_FILES + 1))
        if len(paths) > MAX_FILES:
            raise location_error(search.server, f"matches more than {MAX_FILES:,} files")
        return [_found(search, path) for path in sorted(set(paths))]
    except ValueError as error:  # a NUL, or `**` beside other letters
        raise location_error(
            search.server, "cannot be looked for; `**` stands for whole folders"
        ) from error
    except PermissionError as error:
        raise SourceError(
            f"permission denied for {search.server.path!r}", retryable=False, blame=Blame.AGENT
        ) from error
    except OSError as error:
        raise SourceError(
            f"{search.server.path!r} cannot be listed", retryable=True, blame=Blame.AMBIGUOUS
        ) from error


def _candidates(search: Search) -> Iterator[Path]:
    """Yield every file that matches the path."""
    pattern = as_glob(search.pattern)
    matched = search.start.glob(pattern) if pattern else _if_exists(search.start)
    is_of_folders = Path(search.pattern).name == "**"  # from Python 3.13 on it finds files, too
    named = _is_hidden(Path(search.pattern))  # a pattern that names a hidden file means it
    for path in matched:
        if path.is_dir():
            yield from (file for file in _below(search, path) if _is_data(search, file))
        elif (
            not is_of_folders
            and search.stem in {"", path.stem}
            and (named or not _is_hidden(path.relative_to(search.start)))
        ):
            yield path


def _if_exists(path: Path) -> list[Path]:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path]


def _below(search: Search, folder: Path) -> Iterator[Path]:
    if not search.stem:
        yield from folder.rglob("*")
        return
    for extension in EXTENSIONS[search.data_format]:
        yield from _if_exists(folder / f"{search.stem}{extension}")
    if (folder / search.stem).is_dir():
        yield from (folder / search.stem).rglob("*")


def _is_data(search: Search, path: Path) -> bool:
    """Return whether a file below a directory has the format's extension and is not hidden."""
    known = path.suffix.lower() in EXTENSIONS[search.data_format]
    return known and not _is_hidden(path.relative_to(search.start)) and path.is_file()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _found(search: Search, path: Path) -> FoundFile:
    _confine(search, path)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise location_error(search.server, "is no regular file")
    with path.open("rb"):  # a right that is missing shows here, and not amid the scan
        pass
    name = path.relative_to(search.start).as_posix()
    return FoundFile(path if search.roots is None else path.resolve(), name, status)


def _confine(search: Search, path: Path) -> None:
    """Raise SourceError if the path, with all links followed, is below none of the roots."""
    if not _is_allowed(search, path):
        raise location_error(search.server, "is outside the directories that the operator allowed")


def _is_allowed(search: Search, path: Path) -> bool:
    if search.roots is None:
        return True
    real = real_path(search.server, path)
    return any(real.is_relative_to(root) for root in search.roots)


def real_path(server: Server, path: Path) -> Path:
    """Return the path with all links followed.

    Raises:
        SourceError: If they lead in a circle, or it holds a character that no path has.
    """
    try:
        return path.resolve()
    except (RuntimeError, ValueError) as error:
        raise location_error(server, "cannot be followed to its end") from error
