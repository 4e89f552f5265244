"""Refuse a server none of whose tables is found, unless the tables have different reasons."""

from collections.abc import Iterable

from contractwatch.errors import SourceError


def refuse_alike(failures: Iterable[SourceError]) -> None:
    """Refuse a server none of whose tables is found, for one reason or several of one kind.

    Where some are gone and others cannot be looked at, each table has its own failure.

    Raises:
        SourceError: The first, if all have the same to blame.
    """
    found = tuple(failures)
    if len({failure.blame for failure in found}) == 1:
        raise found[0]
