"""Protocol for the location of a table whose own metadata name its files."""

from collections.abc import Collection, Mapping
from typing import Protocol

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import Server
from contractwatch.model.contract.dataset import DataFile, RemoteStore


class TableLocation(Protocol):
    """Finds the files of one table; a name that leads outside of it is a SourceError."""

    @property
    def server(self) -> Server: ...

    @property
    def location(self) -> str:
        """Return the folder of the table, without a slash at the end."""
        ...

    @property
    def remote(self) -> RemoteStore | None:
        """Return the store of its objects; None for files of this machine."""
        ...

    def has_folder(self, part: str) -> bool:
        """Return whether the table has a folder of that name."""
        ...

    def list_names(self, part: str) -> list[str]:
        """Return the names directly below a folder of the table."""
        ...

    def list_files(self, part: str) -> list[DataFile]:
        """Return all files below a folder of the table, at any depth."""
        ...

    def is_absolute(self, named: str) -> bool:
        """Return whether a name is absolute, and not relative to the table's folder."""
        ...

    def find(self, named: Collection[str]) -> dict[str, DataFile]:
        """Return the files of these names in the metadata, by name, without missing ones.

        Names are not percent-decoded: the readers take `%2F` literally, and this must find the
        file that they open.
        """
        ...


def require_files(named: Collection[str], found: Mapping[str, DataFile]) -> tuple[DataFile, ...]:
    """Return the files of these names, each once.

    Raises:
        SourceError: If one is not there.
    """
    if not found.keys() >= set(named):
        raise SourceError(
            "a file that the table's metadata name is not there",
            retryable=True,
            blame=Blame.PRODUCT,
        )
    return tuple({found[name].path: found[name] for name in named}.values())


def missing_extra(package: str, extra: str) -> SourceError:
    """Return the error for an extra that is not installed."""
    return SourceError(
        f"tables of format {extra} need {package}; install contractwatch-agent[{extra}]",
        retryable=False,
        blame=Blame.AGENT,
    )
