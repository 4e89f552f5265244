"""Session: one connection to a database for the queries of one run, on one snapshot."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.database import SqlTable

Row: TypeAlias = Sequence[object]


class QueryError(Exception):
    """A query has no answer; the message says why and holds no value of the data."""


def out_of_time(seconds: float) -> str:
    """Return why the database ended a query after so many seconds."""
    limits = "statement_timeout_seconds of the connection, or the deadline of the run"
    return f"the query took longer than {seconds:g} s ({limits})"


class Session(Protocol):
    """Open read-only session; all of its queries see the data of one moment where that exists.

    A query that fails raises QueryError and leaves the session usable; SourceError means that the
    database cannot be read at all any more.
    """

    def find_tables(self, wanted: Sequence[tuple[Table, str]]) -> Sequence[SqlTable | str]:
        """Return each table, or why it is not there.

        Args:
            wanted: The contract's tables, each with the schema that is looked in first.
        """
        ...

    def rows(self, query: str) -> list[Row]:
        """Return all rows of a query, which are few.

        Raises:
            QueryError: If the query fails.
            SourceError: If the database cannot be read any more.
        """
        ...

    def batches(self, query: str, size: int) -> AbstractContextManager[Iterator[list[Row]]]:
        """Yield the rows of a query in batches that are read one after the other.

        Raises:
            QueryError: If the query fails.
            SourceError: If the database cannot be read any more.
        """
        ...

    def close(self) -> None:
        """End the session, and what runs for it on the server."""
        ...
