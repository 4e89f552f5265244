"""List the objects that match the location of a table, treating keys as paths."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from contractwatch.engines.remote.objects import call_store, store_of
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import DataFile, RemoteStore
from contractwatch.sources.search.patterns import part_matches
from contractwatch.sources.search.search import EXTENSIONS, MAX_FILES
from contractwatch.sources.search.table_format_files import metadata_folders_in

MAX_LISTED = 2_000_000
"""Maximum number of keys that are listed below the first pattern."""

_PAGE = 1000


@dataclass(slots=True)
class ObjectSearch:
    """Search for the objects of one table, with what it found.

    `start` are the parts of the key before the first pattern, `pattern` those after it, empty if
    there is none. `stem` is as in `search.Search`; `has_others` means that it alone excluded
    objects. `exact` are objects whose keys equal the pattern: if there are any, only they count.
    `format_folders` are folders of Delta, Iceberg and Hudi tables, with the metadata folder's name.
    """

    start: tuple[str, ...]
    pattern: tuple[str, ...]
    stem: str
    data_format: DataFormat
    found: dict[str, DataFile] = field(default_factory=dict[str, DataFile])
    exact: dict[str, DataFile] = field(default_factory=dict[str, DataFile])
    has_others: bool = False
    format_folders: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])

    def offer(self, parts: tuple[str, ...], file: DataFile) -> None:
        """Add the object if it belongs to the table; `parts` are of its key below the start."""
        self.format_folders.update(metadata_folders_in(parts))
        if self._is_exact(parts):
            self.exact["/".join(parts)] = file
        if self._is_wanted(parts, self.stem):
            self.found["/".join(parts)] = file
        elif self.stem and not self.has_others:
            self.has_others = self._is_wanted(parts, "")

    def files(self) -> tuple[DataFile, ...]:
        """Return the objects by name, without empty ones that stand for a folder."""
        found = self.exact or self.found
        above = {str(one) for name in found for one in PurePosixPath(name).parents}
        kept = (name for name in sorted(found) if found[name].size or name not in above)
        return tuple(found[name] for name in kept)

    def metadata_folder(self) -> str:
        """Return the metadata folder of a table that one of the objects belongs to; else empty."""
        found = (name.split("/") for name in self.exact or self.found)
        above = (tuple(parts[:at]) for parts in found for at in range(len(parts)))
        return next((self.format_folders[one] for one in above if one in self.format_folders), "")

    def _is_exact(self, parts: tuple[str, ...]) -> bool:
        """Return whether the pattern is the object's very name, or that of a folder above it."""
        size = len(self.pattern)
        if not size or parts[:size] != self.pattern:
            return False
        below = parts[size:]
        return self._is_below(below, below, self.stem) if below else True

    def _is_wanted(self, parts: tuple[str, ...], stem: str) -> bool:
        if not self.pattern:
            return not parts or self._is_below(parts, parts, stem)
        if self.pattern[-1] != "**" and matches(self.pattern, parts):
            is_meant = _is_hidden(self.pattern) or not _is_hidden(parts)
            return is_meant and stem in {"", PurePosixPath(parts[-1]).stem}
        folders = (at for at in range(len(parts)) if matches(self.pattern, parts[:at]))
        return any(self._is_below(parts[at:], parts, stem) for at in folders)

    def _is_below(self, below: tuple[str, ...], parts: tuple[str, ...], stem: str) -> bool:
        """Return whether an object below a folder is a data file of the table."""
        extensions = EXTENSIONS[self.data_format]
        if PurePosixPath(parts[-1]).suffix.lower() not in extensions or _is_hidden(parts):
            return False
        names = {f"{stem}{extension}" for extension in extensions}
        return not stem or below[0] in ({stem} if below[1:] else names)


def _is_hidden(parts: Iterable[str]) -> bool:
    return any(part.startswith((".", "_")) for part in parts)


def matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Return whether path parts match those of a glob; `**` is any number of folders."""
    reached = {0}  # how much of the pattern is used up
    for part in parts:
        reached = {
            at if pattern[at] == "**" else at + 1
            for at in _with_empty_wildcards(pattern, reached)
            if at < len(pattern) and (pattern[at] == "**" or part_matches(part, pattern[at]))
        }
    return len(pattern) in _with_empty_wildcards(pattern, reached)


def _with_empty_wildcards(pattern: Sequence[str], reached: Iterable[int]) -> set[int]:
    """Return the positions, with those after a `**` that stands for no folder."""
    every: set[int] = set()
    for at in reached:
        every.add(at)
        after = at
        while after < len(pattern) and pattern[after] == "**":
            after += 1
            every.add(after)
    return every


def search_objects(remote: RemoteStore, searches: Sequence[ObjectSearch]) -> None:
    """Find the objects of all searches; a start that they share is listed once.

    Raises:
        SourceError: If the bucket cannot be listed, or holds too much.
    """
    starts = dict.fromkeys(one.start for one in searches)
    for start in starts:
        of_start = [one for one in searches if one.start == start]
        for key, file in _found(remote, "/".join(start), is_plain=not of_start[0].pattern):
            parts = tuple(key.split("/"))[len(start) :]
            for one in of_start:
                one.offer(parts, file)
                _limit(len(one.found), MAX_FILES, "matches")


def _found(remote: RemoteStore, key: str, *, is_plain: bool) -> Iterator[tuple[str, DataFile]]:
    """Yield the object that the key itself names, else all objects below it."""
    known = object_at(remote, key) if is_plain and key else {}
    yield from known.items() if known else objects_below(remote, key)


def object_at(remote: RemoteStore, key: str) -> dict[str, DataFile]:
    """Return the object of a key, by its key; empty if there is none.

    Raises:
        SourceError: If the store does not answer.
    """
    # An extra: agents that read no object store do not install it.
    store = store_of(remote)
    import obstore  # noqa: PLC0415 - see above

    try:
        entry = call_store(remote, lambda: obstore.head(store, key))
    except FileNotFoundError:
        return {}
    return {key: _file(remote, entry)}


def objects_below(
    remote: RemoteStore, key: str, *, after: str | None = None
) -> Iterator[tuple[str, DataFile]]:
    """Yield every object below a key, or those of them whose keys are greater than one.

    Raises:
        SourceError: If the bucket cannot be listed, or holds too much.
    """
    store = store_of(remote)
    import obstore  # noqa: PLC0415 - as above

    pages = iter(
        call_store(remote, lambda: obstore.list(store, key or None, offset=after, chunk_size=_PAGE))
    )
    listed = 0
    while page := call_store(remote, lambda: next(pages, None)):
        listed += len(page)
        _limit(listed, MAX_LISTED, "stands before")
        yield from ((entry["path"], _file(remote, entry)) for entry in page)


def _limit(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise SourceError(
            f"the location {what} more than {limit:,} objects", retryable=False, blame=Blame.PRODUCT
        )


def _file(remote: RemoteStore, entry: Any) -> DataFile:
    return DataFile(
        f"s3://{remote.bucket}/{entry['path']}",
        int(entry["size"]),
        entry["last_modified"],
        str(entry["e_tag"] or ""),
    )
