"""Refuse files that belong to a Delta or Iceberg table and are read without its metadata.

The folder of such a table holds files of old versions, too, and files with rows that are deleted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from contractwatch.errors import SourceError
from contractwatch.model.base.server import Server
from contractwatch.sources.search.search import location_error

METADATA_FOLDERS: Mapping[str, str] = {
    "_delta_log": "of a Delta table: write format: delta, and the folder of the table as its place",
    "metadata": (
        "of an Iceberg table: write format: iceberg, and the folder of the table as its place"
    ),
    ".hoodie": "of a Hudi table, and such tables are not read",
}
"""Metadata folders of table formats, with the end of the error message for their files."""

_ICEBERG = "metadata"
_METADATA = (".metadata.json", "version-hint.text")
_DATA = "data"


def refuse_table_format_files(
    server: Server, files: Iterable[Path], is_visible: Callable[[Path], bool]
) -> None:
    """Raise SourceError if one of the files belongs to a table with metadata.

    Args:
        server: Where the contract says that the data is.
        files: The files that were found.
        is_visible: Returns whether a folder above them may be read.
    """
    known: set[Path] = set()
    for file in files:
        for folder in file.parents:
            if folder in known or not is_visible(folder):
                break
            known.add(folder)
            folder_name = next(
                (name for name in METADATA_FOLDERS if _has_metadata(folder, name)), ""
            )
            if folder_name:
                raise table_format_error(server, folder_name)


def table_format_error(server: Server, folder_name: str) -> SourceError:
    """Return the error for a path that leads to files of such a table."""
    return location_error(server, f"leads to files {METADATA_FOLDERS[folder_name]}")


def metadata_folders_in(parts: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each folder for whose metadata a key stands, with the name of the metadata folder."""
    for at, part in enumerate(parts[:-1]):
        if part in METADATA_FOLDERS and is_metadata_file(part, parts[-1]):
            yield tuple(parts[:at]), part


def is_metadata_file(folder_name: str, name: str) -> bool:
    """Return whether a file name shows that a folder of that name holds metadata."""
    return folder_name != _ICEBERG or name.endswith(_METADATA)


def table_above(parts: Sequence[str]) -> tuple[str, ...] | None:
    """Return the folder of the table that a path may be inside of; None if it is in none.

    The data files of a table are in `data` or in folders `name=value`.
    """
    at = len(parts)
    while at and ("=" in parts[at - 1] or parts[at - 1] == _DATA):
        at -= 1
    return tuple(parts[:at]) if at < len(parts) else None


def _has_metadata(folder: Path, folder_name: str) -> bool:
    place = folder / folder_name
    try:
        return place.is_dir() and (
            folder_name != _ICEBERG
            or any(is_metadata_file(folder_name, path.name) for path in place.iterdir())
        )
    except OSError:
        return False
