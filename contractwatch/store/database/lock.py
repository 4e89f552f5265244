"""Hold an exclusive lock file, so that one agent works on a store at a time."""

import fcntl
import os
from pathlib import Path

from contractwatch.errors import StoreError
from contractwatch.store.database.engine import WHERE


class AgentLock:
    """The lock file beside the store; the kernel releases it when the process ends.

    It holds the id of the process that has it, for the message of the one that has not.
    """

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + ".lock")
        self._file: int | None = None

    def take(self) -> None:
        """Take the lock; does nothing if this object holds it already.

        Raises:
            StoreError: If another process has it, or the file cannot be written.
        """
        if self._file is not None:
            return
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                f"the lock file {self._path} cannot be opened ({error.strerror}); give this user "
                "the right to write its folder",
                kind="readonly",
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise StoreError(
                f"another agent (process {holder}) holds {self._path}; stop it, or give this one "
                f"a store of its own ({WHERE})",
                kind="locked",
            ) from error
        self._file = file
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock; the file stays, because removing it would let two agents in."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None
