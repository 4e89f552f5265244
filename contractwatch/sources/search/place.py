"""Location of a table that keeps metadata of its own, and the files that this may name."""

from collections.abc import Collection, Mapping
from typing import Protocol

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import Server
from contractwatch.model.contract.dataset import DataFile, RemoteStore


class TableLocation(Protocol):
    """Finds the files of one table; whatever its record names outside of it is a SourceError."""

    @property
    def server(self) -> Server: ...

    @property
    def location(self) -> str:
        """Return the folder of the table, without a slash at the end."""
        ...

    @property
    def remote(self) -> RemoteStore | None:
        """Return how its objects are reached; None for files of this machine."""
        ...

    def has(self, part: str) -> bool:
        """Whether the table has a folder of that name."""
        ...

    def names(self, part: str) -> list[str]:
        """Return the names of what is right below a part."""
        ...

    def below(self, part: str) -> list[DataFile]:
        """Return all files below a part, at any depth."""
        ...

    def is_whole(self, named: str) -> bool:
        """Whether a name says by itself where the file is, and not from the folder on."""
        ...

    def find(self, named: Collection[str]) -> dict[str, DataFile]:
        """Return the files that a record names, by those names, without those that are not there.

        Nothing of a name is decoded: the readers take `%2F` for three letters, too, and what is
        looked for has to be what they open.
        """
        ...


def all_of(named: Collection[str], found: Mapping[str, DataFile]) -> tuple[DataFile, ...]:
    """Return the files of all these names, each once.

    Raises:
        SourceError: If one is not there.
    """
    if not found.keys() >= set(named):
        raise SourceError(
            "a file that the table's record names is not there",
            retryable=True,
            blame=Blame.PRODUCT,
        )
    return tuple({found[name].path: found[name] for name in named}.values())


def missing(package: str, extra: str) -> SourceError:
    """Return the failure to import what an extra brings."""
    return SourceError(
        f"tables of format {extra} need {package}; install contractwatch-agent[{extra}]",
        retryable=False,
        blame=Blame.AGENT,
    )
