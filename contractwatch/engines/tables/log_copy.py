"""Provide a Delta log in a local folder, so that the library needs no access to a store.

The library can read a store by itself, and then goes wherever a log leads. So the parts of the log
that were checked are copied for as long as it reads them, and it is told of no store at all.
"""

import fcntl
import os
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, gettempdir

from contractwatch.engines.remote.objects import fetched
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.dataset import DataFile, NamedFiles, RemoteStore

_AT_ONCE = 8
_PREFIX = "contractwatch-log-"
_YOUNGEST_SECONDS = 60.0
"""A younger folder may be one whose maker has not locked it yet."""


@contextmanager
def folder_of(location: str, remote: RemoteStore | None) -> Generator[Path]:
    """Yield the folder of a table of this machine; for one of a store an empty one, for a while."""
    if remote is None:
        yield Path(location)
        return
    _clear()
    with TemporaryDirectory(prefix=_PREFIX) as folder, _locked(Path(folder)):
        yield Path(folder).resolve()


def _clear() -> None:
    """Remove what workers left that were ended while they read: their locks ended with them."""
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another one clears it, or it belongs to somebody else
            is_older = time.time() - folder.stat().st_mtime > _YOUNGEST_SECONDS
            if is_older:
                with _locked(folder):
                    rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Hold the lock of a folder.

    Raises:
        OSError: If another process holds it.
    """
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(number)


def copy_into(folder: Path, record: NamedFiles, remote: RemoteStore | None) -> None:
    """Copy the objects of a record into a folder, each under its name.

    Raises:
        SourceError: If one cannot be read, or is another than the one that was listed.
    """
    if remote is None:
        return

    def copy(one: tuple[str, DataFile]) -> None:
        name, file = one
        found = fetched(file, remote)
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(found)
        except OSError as error:
            raise SourceError(
                "the log of a table cannot be copied to the temporary folder; see TMPDIR",
                retryable=False,
                blame=Blame.AGENT,
            ) from error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(copy, record))
