"""Write a file atomically: readers see the old content or the new, never a part."""

import os
import tempfile
from pathlib import Path

from contractwatch.errors import UsageError

TERMINAL = Path("-")
"""What a person names instead of a file to write to the terminal."""


def atomic_write(path: Path, text: str, *, is_private: bool = False) -> None:
    """Write a file that is never seen half written.

    Who may read it is as the user's umask says; if it is private, the user alone.

    Raises:
        UsageError: If its folder does not exist.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        if not is_private:
            Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _umask() -> int:
    found = os.umask(0o077)  # the system tells it only to who sets it
    os.umask(found)
    return found
