"""The log of a Delta table is in a folder of this machine, where alone the library reads it.

The library can read a store by itself, and then goes wherever a log leads. So the parts of the log
that were checked are copied for as long as it reads them, and it is told of no store at all.
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from contractwatch.engines.remote import fetched
from contractwatch.model.dataset import DataFile, NamedFiles, Remote

_AT_ONCE = 8


@contextmanager
def folder_of(location: str, remote: Remote | None) -> Generator[Path]:
    """Yield the folder of a table of this machine; for one of a store an empty one, for a while."""
    if remote is None:
        yield Path(location)
        return
    with TemporaryDirectory(prefix="contractwatch-log-") as folder:
        yield Path(folder).resolve()


def copy_into(folder: Path, record: NamedFiles, remote: Remote | None) -> None:
    """Copy the objects of a record into a folder, each under its name.

    Raises:
        SourceError: If one cannot be read, or is another than the one that was listed.
    """
    if remote is None:
        return

    def copy(one: tuple[str, DataFile]) -> None:
        name, file = one
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(fetched(file, remote))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(copy, record))
