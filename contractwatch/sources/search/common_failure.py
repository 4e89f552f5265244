"""Raise one error for a server none of whose tables is found, if all have the same to blame."""

from collections.abc import Iterable

from contractwatch.errors import SourceError


def raise_if_same_blame(failures: Iterable[SourceError]) -> None:
    """Raise the first of the errors if all have the same to blame.

    Where some tables are missing and others cannot be accessed, each keeps its own error.

    Raises:
        SourceError: The first, if all have the same to blame.
    """
    found = tuple(failures)
    if len({failure.blame for failure in found}) == 1:
        raise found[0]
