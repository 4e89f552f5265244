"""A folder out of which no path leads that a table's own record names."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from contractwatch.errors import Blame, SourceError
from contractwatch.model.dataset import DataFile
from contractwatch.model.frozen import frozen
from contractwatch.model.server import Server
from contractwatch.sources.search import MAX_FILES, real_path, refused


@frozen
class Folder:
    """The folder of one table. `roots` are real directories; None allows what the person may."""

    server: Server
    path: Path
    roots: tuple[Path, ...] | None

    @property
    def is_allowed(self) -> bool:
        """Whether the folder itself may be read."""
        return self._allows(real_path(self.server, self.path))

    def local(self, named: str) -> Path:
        """Return the file of this machine that a record names, by path or by `file:` address.

        Nothing in an address is decoded: the readers take `%2F` for three letters, too, and what is
        confined has to be what they open.

        Raises:
            SourceError: If it is an address, or really outside of the allowed directories.
        """
        address = urlsplit(named)
        if address.scheme not in {"", "file"} or address.netloc:
            raise refused(self.server, "holds a table that names files of another machine")
        return self.confined(self.path / named.removeprefix("file:").removeprefix("//"))

    def confined(self, path: Path) -> Path:
        """Return the path, or raise SourceError if it is really outside of what is allowed."""
        real = real_path(self.server, path)
        if not self._allows(real):
            raise refused(
                self.server, "holds a table that leads outside the directories that are allowed"
            )
        return real

    def below(self, name: str) -> list[Path]:
        """Return all files below a part of the folder, each of them confined.

        Raises:
            SourceError: If one leads outside, or they are too many.
        """
        top = self.confined(self.path / name)
        found: list[Path] = []
        for path in top.rglob("*"):
            found.append(self.confined(path))
            if len(found) > MAX_FILES:
                raise refused(
                    self.server, f"holds a table whose record has over {MAX_FILES:,} files"
                )
        return found

    def _allows(self, real: Path) -> bool:
        return self.roots is None or any(real.is_relative_to(root) for root in self.roots)


def listed(path: Path) -> DataFile:
    """Return a file that a record names.

    Raises:
        SourceError: If it is not there.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(
            "a file that the table's record names is not there",
            retryable=True,
            blame=Blame.PRODUCT,
        ) from error
    return DataFile(str(path), status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def missing(package: str, extra: str) -> SourceError:
    """Return the failure to import what an extra brings."""
    return SourceError(
        f"tables of format {extra} need {package}; install contractwatch-agent[{extra}]",
        retryable=False,
        blame=Blame.AGENT,
    )
