"""Open a database by its kind: the driver, which is imported then, and its dialect."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from time import monotonic
from typing import Protocol, cast

from contractwatch.engines.core.job_deadline import JOB_ENDS
from contractwatch.engines.databases.session import Session
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.engines.sql.dialects.duckdb import DuckdbDialect
from contractwatch.engines.sql.dialects.mysql import MysqlDialect
from contractwatch.engines.sql.dialects.postgres import PostgresDialect
from contractwatch.engines.sql.engine import SqlEngine
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import Connection, DatabaseKind

_LEAST_SECONDS = 1.0


class Connector(Protocol):
    """Opens a read-only session by a connection of the operator."""

    def __call__(self, connection: Connection, password: str, *, application: str) -> Session: ...


@dataclass(frozen=True, slots=True)
class _Database:
    """How a kind of database is opened: the module of its driver, its extra, its dialect."""

    module: str
    driver: str
    extra: str
    dialect: Callable[[], Dialect]


DATABASES: Mapping[DatabaseKind, _Database] = {
    DatabaseKind.POSTGRES: _Database("postgres", "psycopg", "postgres", PostgresDialect),
    DatabaseKind.MYSQL: _Database("mysql", "pymysql", "mysql", MysqlDialect),
    DatabaseKind.DUCKDB: _Database("duckdb", "duckdb", "", DuckdbDialect),
}
"""Databases that are asked, one module of `engines/databases` each."""


def open_database(
    connection: Connection,
    password: str,
    *,
    product: str,
    now: datetime,
    trusts_constraints: bool = True,
) -> SqlEngine:
    """Return an engine with an open session, which the caller closes.

    Args:
        connection: The operator's connection.
        password: Its password, or an empty text.
        product: The product whose contract asks; the server shows it beside the session.
        now: The run's instant.
        trusts_constraints: Whether what the database enforces need not be read.

    Raises:
        SourceError: If the driver is not installed or the database does not let the user in.
    """
    database = DATABASES[connection.kind]
    try:
        module = import_module(f"contractwatch.engines.databases.{database.module}")
    except ModuleNotFoundError as error:
        if error.name != database.driver:
            raise
        command = f"pip install 'contractwatch-agent[{database.extra}]'"
        raise SourceError(
            f"databases of type {connection.kind} are read with {database.driver}, which is not"
            f" installed; install it with: {command}",
            retryable=False,
            blame=Blame.AGENT,
        ) from None
    ends = JOB_ENDS.get()
    if ends:  # what runs on the server ends with the run, or nobody waits for it
        left = max(_LEAST_SECONDS, ends - monotonic())
        seconds = min(connection.statement_timeout_seconds, left)
        connection = replace(connection, statement_timeout_seconds=seconds)
    connect = cast("Connector", module.connect)
    session = connect(connection, password, application=f"contractwatch/{product}")
    return SqlEngine(session, database.dialect(), now, connection.pull_max_rows, trusts_constraints)
