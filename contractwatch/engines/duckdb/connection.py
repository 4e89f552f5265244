"""Connection to an in-memory DuckDB that can read what it is given and nothing else.

No file, network, extension or Python variable can be reached, and no setting changed. A query has a
memory limit and a deadline, and what it raises is worded without a value of the data.
"""

import resource
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from contractwatch.engines.duckdb.errors import QueryError, query_error

_SETTINGS = (
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET TimeZone = 'UTC'",
    # first of the last three: the folder of temporary files stays readable and writable otherwise
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
_MEGABYTE = 1024 * 1024
_LEAST_MEMORY = 64 * _MEGABYTE
_MOST_ROWS = 3
"""More than anyone asks for, so that a result is read to its end before its tables go."""


class ArrowStream(Protocol):
    """Rows that are read anew each time that they are asked for."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one query: bytes of memory and seconds; 0 is no limit."""

    memory_bytes: int = 0
    seconds: float = 0
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """The first rows of an answer, and the types of its columns in DuckDB's words."""

    values: tuple[tuple[object, ...], ...]
    types: tuple[str, ...]


def run_query(
    query: str,
    tables: Mapping[str, ArrowStream],
    limits: Limits | None = None,
    *,
    integer_division: bool = False,
) -> Rows:
    """Run a query over tables in a locked connection of its own.

    Args:
        query: One SELECT.
        tables: The rows that it may read, by name.
        limits: What it may use.
        integer_division: Whether `7 / 2` of integers is 3, as in PostgreSQL, instead of 3.5.

    Raises:
        QueryError: If there is no answer; the message holds no value of the data.
    """
    limits = limits or Limits()
    with locked_connection(limits, integer_division=integer_division) as connection:
        return run_on(connection, query, tables, limits)


def run_on(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    tables: Mapping[str, ArrowStream],
    limits: Limits,
) -> Rows:
    """Run a query over tables in a locked connection, which knows them for this query only.

    Raises:
        QueryError: As `run_query` does; after it, the connection is to be used no more.
    """
    try:
        with _deadline(connection, limits.seconds), _memory_limit(limits.memory_bytes):
            for name, rows in tables.items():
                connection.register(name, rows)
            found = connection.execute(query)
            types = tuple(str(column[1]) for column in found.description or ())
            rows_found = Rows(tuple(found.fetchmany(_MOST_ROWS)), types)
            for name in tables:
                connection.unregister(name)
            return rows_found
    except (duckdb.Error, MemoryError, RuntimeError) as error:
        raise query_error(error, limits.seconds) from None


@contextmanager
def locked_connection(
    limits: Limits, *, integer_division: bool = False
) -> Generator[duckdb.DuckDBPyConnection]:
    """Open an in-memory database that reaches nothing outside it, and close it at the end."""
    connection = duckdb.connect(":memory:")
    try:
        if limits.memory_bytes:
            megabytes = max(limits.memory_bytes, _LEAST_MEMORY) // _MEGABYTE
            connection.execute(f"SET memory_limit = '{megabytes}MiB'")
        if limits.threads:
            connection.execute(f"SET threads = {limits.threads}")
        if integer_division:
            connection.execute("SET integer_division = true")
        for setting in _SETTINGS:
            connection.execute(setting)
        yield connection
    finally:
        connection.close()


@contextmanager
def _deadline(connection: duckdb.DuckDBPyConnection, seconds: float) -> Generator[None]:
    """Interrupt the query that runs when the time is over."""
    if not seconds:
        yield
        return
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _memory_limit(size: int) -> Generator[None]:
    """Limit what the process may allocate beyond what it has: DuckDB's own limit misses strings.

    RLIMIT_DATA and not RLIMIT_AS: files that Polars maps into memory do not count as allocated.
    """
    held = _allocated_bytes()
    if not size or not held:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = held + 2 * max(size, _LEAST_MEMORY)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _allocated_bytes() -> int:
    """Return the size of the process's private data; 0 where /proc is missing (not Linux)."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[5]
    except (OSError, IndexError):
        return 0
    return int(pages) * resource.getpagesize()


__all__ = [
    "ArrowStream",
    "Limits",
    "QueryError",
    "Rows",
    "locked_connection",
    "run_on",
    "run_query",
]
