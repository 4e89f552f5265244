"""Open SQLite connections with durable settings, and translate their errors.

Writers begin with BEGIN IMMEDIATE, so that two of them wait for each other at the start and never
fail in the middle; readers see one moment of the record for as long as they look.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from contractwatch.errors import StoreError

BUSY_SECONDS = 5.0
"""How long a writer waits for another process before it gives up."""

WHERE = "store_url in contractwatch.toml or CONTRACTWATCH_STORE_URL"
"""The settings that name the store, for messages."""

_IMMEDIATE = "contractwatch_immediate"

_KINDS = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "SQLITE_READONLY": "readonly",
    "SQLITE_PERM": "readonly",
    "SQLITE_FULL": "full",
    "SQLITE_CONSTRAINT": "constraint",
}

_ADVICE = {
    "locked": "another process kept it locked for {seconds:g} s; stop it, or try again",
    "readonly": "it may not be written; give this user the right to write the file and its folder",
    "full": "the disk is full; free some space there, or move the store ({where})",
    "constraint": "it contradicts what is already kept ({code}); two writers at work, or a mistake "
    "of the caller",
    "io": "it cannot be read or written ({code}); look after the disk, its quota and the rights",
    "damaged": "the file is damaged or no SQLite database ({code}); restore a copy, or move it "
    "away to begin anew",
}

_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def database_path(url: str) -> Path:
    """Return the file that a store URL such as `sqlite:///record.db` names.

    Raises:
        StoreError: If it is not the URL of an SQLite file.
    """
    try:
        parsed: URL = make_url(url)
    except ArgumentError as error:
        raise StoreError(
            f"the store's address cannot be read; write it as sqlite:///path/record.db ({WHERE})",
            kind="io",
        ) from error
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise StoreError(
            f"the store must be an SQLite file in this version, not "
            f"{parsed.get_backend_name()!r}; write it as sqlite:///path/record.db ({WHERE})",
            kind="io",
        )
    return Path(str(parsed.database))


def open_engine(path: Path, *, read_only: bool) -> Engine:
    """Return the pool of connections to one file; nothing is opened before it is used."""

    def connect() -> sqlite3.Connection:
        mode = "ro" if read_only else "rwc"
        return sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )

    engine = create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=4, max_overflow=60
    )
    event.listen(engine, "connect", _read_only_session if read_only else _writer_session)
    event.listen(engine, "begin", _begin)
    return engine


def write_engine(engine: Engine) -> Engine:
    """Return the same pool for writers: their transactions take the write lock as they begin."""
    return engine.execution_options(**{_IMMEDIATE: True})


@contextmanager
def translated_errors(path: Path, failing: str) -> Generator[None]:
    """Context manager that turns database errors into a StoreError beginning with `failing`.

    Args:
        path: The store's file, named in the message.
        failing: What did not happen: "the run of a/b was not saved".
    """
    try:
        yield
    except DBAPIError as error:
        raise _store_error(path, failing, error.orig) from error
    except sqlite3.Error as error:
        raise _store_error(path, failing, error) from error


def _store_error(path: Path, failing: str, cause: BaseException | None) -> StoreError:
    code = str(getattr(cause, "sqlite_errorname", None) or type(cause).__name__)
    family = "_".join(code.split("_")[:2])
    kind = _KINDS.get(family, "io")
    advice = _ADVICE["damaged" if family in _DAMAGED else kind]
    sentence = advice.format(seconds=BUSY_SECONDS, code=code, where=WHERE)
    return StoreError(f"{failing}: store {path}: {sentence}", kind=kind)


def _read_only_session(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA query_only=ON")


def _writer_session(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise StoreError(
            "the store's file system cannot share a write-ahead log; keep the store on a local "
            f"disk ({WHERE})",
            kind="io",
        )
    connection.execute("PRAGMA synchronous=FULL")


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_IMMEDIATE) else "BEGIN")
