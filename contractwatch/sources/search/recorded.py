"""Refuse files that belong to a Delta or Iceberg table and are read without its metadata.

The folder of such a table holds files of old versions, too, and files with rows that are deleted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from contractwatch.errors import SourceError
from contractwatch.model.base.server import Server
from contractwatch.sources.search.search import refused

RECORDS: Mapping[str, str] = {
    "_delta_log": "of a Delta table: write format: delta, and the folder of the table as its place",
    "metadata": (
        "of an Iceberg table: write format: iceberg, and the folder of the table as its place"
    ),
    ".hoodie": "of a Hudi table, and such tables are not read",
}
"""The folders in which tables keep their records, and what to say of the files of such a table."""

_ICEBERG = "metadata"
_METADATA = (".metadata.json", "version-hint.text")
_DATA = "data"


def refuse_recorded(
    server: Server, files: Iterable[Path], may_be_seen: Callable[[Path], bool]
) -> None:
    """Raise SourceError if one of the files is below a folder that keeps a record.

    Args:
        server: Where the contract says that the data is.
        files: The files that were found.
        may_be_seen: Whether a folder above them may be looked into.
    """
    known: set[Path] = set()
    for file in files:
        for folder in file.parents:
            if folder in known or not may_be_seen(folder):
                break
            known.add(folder)
            record = next((name for name in RECORDS if _keeps(folder, name)), "")
            if record:
                raise refusal(server, record)


def refusal(server: Server, record: str) -> SourceError:
    """Return the failure that tells whose files a path leads to."""
    return refused(server, f"leads to files {RECORDS[record]}")


def records_in(parts: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each folder of which a key belongs to the record, and which record that is."""
    for at, part in enumerate(parts[:-1]):
        if part in RECORDS and is_of_record(part, parts[-1]):
            yield tuple(parts[:at]), part


def is_of_record(record: str, name: str) -> bool:
    """Return whether a name in a folder shows that the folder is a record."""
    return record != _ICEBERG or name.endswith(_METADATA)


def table_above(parts: Sequence[str]) -> tuple[str, ...] | None:
    """Return the folder of the table that a place may be inside of; None if it is in none.

    Data files stand in `data`, or in folders `name=value`.
    """
    at = len(parts)
    while at and ("=" in parts[at - 1] or parts[at - 1] == _DATA):
        at -= 1
    return tuple(parts[:at]) if at < len(parts) else None


def _keeps(folder: Path, record: str) -> bool:
    place = folder / record
    try:
        return place.is_dir() and (
            record != _ICEBERG or any(is_of_record(record, path.name) for path in place.iterdir())
        )
    except OSError:
        return False
