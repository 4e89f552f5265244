"""Real database servers for tests: PostgreSQL and MariaDB, one of each for all tests of a run."""

import fcntl
import itertools
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.connection import Connection, DatabaseKind
from contractwatch.model.base.receiver import SecretRef, SecretSource
from contractwatch.model.base.server import Server
from tests.database_keeper import (
    ADMIN,
    PASSWORD,
    READER,
    START_SECONDS,
    mariadbd,
    postgres_folder,
)
from tests.programs import lacks, needs

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """Server that runs on this machine, with an account that may do all and one that may read."""

    kind: DatabaseKind
    port: int
    password_file: Path
    host: str = "127.0.0.1"
    admin: str = ADMIN
    reader: str = READER
    password: str = PASSWORD

    @property
    def certificate(self) -> Path:
        """The server's certificate, signed by itself for 127.0.0.1; skip without openssl."""
        needs("openssl")
        return self.password_file.with_name("own") / "certificate.pem"

    def login(self, database: str = "", user: str = ADMIN) -> Any:
        """Return a driver's connection that commits each statement; the caller closes it."""
        if self.kind is DatabaseKind.POSTGRES:
            import psycopg  # noqa: PLC0415 - an extra

            return psycopg.connect(
                host=self.host,
                port=self.port,
                user=user,
                password=self.password,
                dbname=database or "postgres",
                autocommit=True,
            )
        import pymysql  # noqa: PLC0415 - an extra

        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=user,
            password=self.password,
            database=database or None,
            autocommit=True,
        )


@dataclass(frozen=True, slots=True)
class Database:
    """Empty database of one test."""

    at: DatabaseServer
    name: str

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Execute statements as the administrator; return the rows of the last one."""
        login = self.at.login(self.name)
        try:
            cursor, rows = login.cursor(), []
            for statement in statements:
                cursor.execute(statement)
                rows = list(cursor.fetchall()) if cursor.description else []
            return rows
        finally:
            login.close()

    def connection(self, **changes: Any) -> Connection:
        """Return the operator's connection of the reader to this database, with changes."""
        usual = Connection(
            name="shop",
            kind=self.at.kind,
            host=self.at.host,
            port=self.at.port,
            database=self.name,
            user=self.at.reader,
            password_ref=SecretRef(SecretSource.FILE, str(self.at.password_file)),
        )
        return replace(usual, **changes)

    def server(self, **changes: Any) -> Server:
        """Return the server of a contract that names this database, with changes."""
        is_postgres = self.at.kind is DatabaseKind.POSTGRES
        usual = Server(
            clause=Clause("orders.odcs.yaml", "servers[0]", 1),
            name="warehouse",
            kind=str(self.at.kind),
            host=self.at.host,
            port=str(self.at.port),
            database=self.name,
            schema="public" if is_postgres else "",
        )
        return replace(usual, **changes)


def serve_postgres() -> Iterator[DatabaseServer]:
    """Yield PostgreSQL, started when first asked for; skip without the program."""
    if postgres_folder() is None:
        lacks("PostgreSQL's server (Debian's package postgresql)")
    with _shared_server("postgres") as (port, password_file):
        yield DatabaseServer(DatabaseKind.POSTGRES, port, password_file)


def serve_mariadb() -> Iterator[DatabaseServer]:
    """Yield MariaDB, started when first asked for; skip without the program."""
    if mariadbd() is None:
        lacks("MariaDB's server (Debian's package mariadb-server)")
    with _shared_server("mariadb") as (port, password_file):
        yield DatabaseServer(DatabaseKind.MYSQL, port, password_file)


def fresh_database(at: DatabaseServer) -> Iterator[Database]:
    """Yield an empty database, and drop it."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    login = at.login()
    try:
        cursor = login.cursor()
        cursor.execute(f"CREATE DATABASE {name}")
        yield Database(at, name)
        # Whoever is still connected must not keep it.
        forced = " WITH (FORCE)" if at.kind is DatabaseKind.POSTGRES else ""
        cursor.execute(f"DROP DATABASE {name}{forced}")
    finally:
        login.close()


@contextmanager
def _shared_server(kind: str) -> Iterator[tuple[int, Path]]:
    """Join the server of this run, or start it; it ends when the last of its users has."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    # Short, because the path of a socket has 107 bytes.
    folder = Path(tempfile.gettempdir()) / f"cw-{kind}-{run[:12]}"
    with folder.with_suffix(".lock").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        users = _join(kind, folder)
        port = int((folder / "port").read_text())
        fcntl.flock(starting, fcntl.LOCK_UN)
    password_file = folder / "password"
    try:
        yield port, password_file
    finally:
        os.close(users)


def _join(kind: str, folder: Path) -> int:
    """Return the shared lock on a folder whose server answers."""
    if (folder / "port").exists():
        users = os.open(folder / "users", os.O_RDWR)
        fcntl.flock(users, fcntl.LOCK_SH)
        if (folder / "port").exists():
            return users
        os.close(users)  # its last user left a moment ago
    _until(lambda: not folder.exists(), "the last server is not gone")
    folder.mkdir(mode=0o700)
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    users = os.open(folder / "users", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_SH)
    program = str(Path(__file__).with_name("database_keeper.py"))
    with (folder / "problem").open("wb") as problem:
        keeper = subprocess.Popen(
            [sys.executable, program, kind, str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=problem,
            start_new_session=True,
        )
    _until(
        lambda: (folder / "port").exists() or keeper.poll() is not None,
        "no answer from the server's keeper",
    )
    if not (folder / "port").exists():
        pytest.fail(f"{kind} did not start: {(folder / 'problem').read_text(errors='replace')}")
    keeper.returncode = 0  # it outlives this process: nobody waits for it
    return users


def _until(is_true: Callable[[], bool], problem: str) -> None:
    until = time.monotonic() + 2 * START_SECONDS
    while not is_true():
        assert time.monotonic() < until, problem
        time.sleep(0.02)
