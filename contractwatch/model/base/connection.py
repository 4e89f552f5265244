"""Connections to databases, which the operator configures and servers of contracts are matched to.

What a contract says of its server chooses a connection and nothing more: who logs in, how and what
may be read is the operator's.
"""

from dataclasses import dataclass
from enum import StrEnum

from contractwatch.model.base.receiver import SecretRef


class DatabaseKind(StrEnum):
    """Kinds of databases that are asked where their data lives."""

    POSTGRES = "postgres"
    MYSQL = "mysql"
    DUCKDB = "duckdb"


SQL_DIALECTS = {
    DatabaseKind.POSTGRES: "postgres",
    DatabaseKind.MYSQL: "mysql",
    DatabaseKind.DUCKDB: "duckdb",
}
"""Dialects of SQL, by their names in the parser."""

DEFAULT_PORTS = {DatabaseKind.POSTGRES: 5432, DatabaseKind.MYSQL: 3306}
"""Ports of servers that name none."""

DATABASE_KINDS = {
    "postgres": DatabaseKind.POSTGRES,
    "postgresql": DatabaseKind.POSTGRES,
    "cloudsql": DatabaseKind.POSTGRES,
    "mysql": DatabaseKind.MYSQL,
    "mariadb": DatabaseKind.MYSQL,
    "duckdb": DatabaseKind.DUCKDB,
}
"""ODCS server types that are databases, with their kinds."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Connection of the operator to one database.

    `database` is a name, of DuckDB the absolute path of a file. `password_ref` is where the
    password is kept. `sslmode` is as libpq has it; empty for the driver's default. `schemas` are
    those that contracts may read (`roots` in the settings); none allows all but the system's own.
    `statement_timeout_seconds` bounds each query on the server. A run uses one connection;
    `connections_limit` bounds those that are open to this database at one time. A table of at most
    `pull_max_rows` rows is read by this agent where the database has no exact answer.
    `sslrootcert` is the file of the authorities that may have signed the server's certificate;
    empty for those that the driver knows.
    """

    name: str
    kind: DatabaseKind
    host: str = ""
    port: int = 0
    database: str = ""
    user: str = ""
    password_ref: SecretRef | None = None
    sslmode: str = ""
    schemas: tuple[str, ...] = ()
    statement_timeout_seconds: float = 60.0
    connections_limit: int = 2
    pull_max_rows: int = 1_000_000
    sslrootcert: str = ""


def normalized_host(host: str) -> str:
    """Return a host as hosts are compared: without case, brackets and the dot of the root."""
    return host.strip().casefold().removeprefix("[").removesuffix("]").removesuffix(".")
