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

from contractwatch.engines.remote.objects import read_as_listed
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.dataset import DataFile, NamedFiles, RemoteStore

_PARALLEL_DOWNLOADS = 8
_PREFIX = "contractwatch-log-"
_MIN_AGE_SECONDS = 60.0
"""A younger folder may be one whose maker has not locked it yet."""


@contextmanager
def table_folder(location: str, remote: RemoteStore | None) -> Generator[Path]:
    """Yield a local table's folder; for a table in a store, a temporary empty folder."""
    if remote is None:
        yield Path(location)
        return
    _remove_abandoned()
    with TemporaryDirectory(prefix=_PREFIX) as folder, _locked(Path(folder)):
        yield Path(folder).resolve()


def _remove_abandoned() -> None:
    """Remove folders of workers that were killed: their locks ended with them."""
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another one clears it, or it belongs to somebody else
            is_older = time.time() - folder.stat().st_mtime > _MIN_AGE_SECONDS
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


def copy_files(folder: Path, files: NamedFiles, remote: RemoteStore | None) -> None:
    """Copy metadata files from a store into a folder, each under its name.

    Raises:
        SourceError: If one cannot be read, or is another than the one that was listed.
    """
    if remote is None:
        return

    def copy(one: tuple[str, DataFile]) -> None:
        name, file = one
        found = read_as_listed(file, remote)
        try:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(found)
        except OSError as error:
            raise SourceError(
                "the log of a table cannot be copied to the temporary folder; see TMPDIR",
                retryable=False,
                blame=Blame.AGENT,
            ) from error

    with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        list(pool.map(copy, files))
