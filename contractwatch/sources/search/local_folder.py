"""Folder of a table on this machine, whose metadata may name no file outside the allowed roots."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from contractwatch.model.base.server import Server
from contractwatch.model.contract.dataset import DataFile
from contractwatch.sources.search.search import MAX_FILES, location_error, real_path

_ABSOLUTE_STARTS = ("/", "file:/")


def allowed_folders(
    server: Server, path: str, *, bases: Sequence[Path], roots: tuple[Path, ...] | None
) -> list["LocalFolder"]:
    """Return the allowed folders that a path of the contract may stand for, by their real paths.

    Args:
        server: The server of the contract.
        path: As the contract has it.
        bases: Directories for a relative path, tried in turn.
        roots: Real directories in which every file must be; None allows all.

    Raises:
        SourceError: If none is allowed.
    """
    tried = [real_path(server, base / path) for base in bases or (Path.cwd(),)]
    allowed = [folder for one in tried if (folder := LocalFolder(server, one, roots)).is_allowed]
    if not allowed:
        raise location_error(server, "is outside the directories that the operator allowed")
    return allowed


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """Folder of one table. `path` and `roots` are real paths; with roots None all are allowed."""

    server: Server
    path: Path
    roots: tuple[Path, ...] | None

    @property
    def is_allowed(self) -> bool:
        """Whether the folder itself may be read."""
        return self._allows(self.path)

    @property
    def location(self) -> str:
        return str(self.path)

    @property
    def remote(self) -> None:
        return None

    def has_folder(self, part: str) -> bool:
        return (self.path / part).is_dir()

    def list_names(self, part: str) -> list[str]:
        return [path.name for path in self._confine(self.path / part).iterdir()]

    def list_files(self, part: str) -> list[DataFile]:
        found: list[DataFile] = []
        for path in self._confine(self.path / part).rglob("*"):
            real = self._confine(path)
            if real.is_file():
                found.append(_file(real))
            if len(found) > MAX_FILES:
                raise location_error(
                    self.server, f"holds a table with over {MAX_FILES:,} metadata files"
                )
        return found

    def is_absolute(self, named: str) -> bool:
        return named.startswith(_ABSOLUTE_STARTS)

    def find(self, named: Collection[str]) -> dict[str, DataFile]:
        paths = {name: self._local(name) for name in named}
        return {name: _file(path) for name, path in paths.items() if path.exists()}

    def _local(self, named: str) -> Path:
        """Return the file that the metadata name, by path or by `file:` address."""
        try:
            address = urlsplit(named)
        except ValueError as error:
            raise location_error(
                self.server, "holds a table that names files by no path"
            ) from error
        if address.scheme not in {"", "file"} or address.netloc:
            raise location_error(self.server, "holds a table that names files of another machine")
        return self._confine(self.path / named.removeprefix("file:").removeprefix("//"))

    def _confine(self, path: Path) -> Path:
        """Return the real path, or raise SourceError if it is outside the roots."""
        real = real_path(self.server, path)
        if not self._allows(real):
            raise location_error(
                self.server, "holds a table that leads outside the directories that are allowed"
            )
        return real

    def _allows(self, real: Path) -> bool:
        return self.roots is None or any(real.is_relative_to(root) for root in self.roots)


def _file(path: Path) -> DataFile:
    status = path.stat()
    return DataFile(str(path), status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))
