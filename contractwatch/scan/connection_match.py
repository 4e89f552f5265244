"""Match the server of a contract to a connection of the operator.

A contract chooses by its type, host, port and database, and by nothing else that it says.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import (
    DATABASE_KINDS,
    DEFAULT_PORTS,
    Connection,
    DatabaseKind,
)
from contractwatch.model.base.server import Server

_MAX_SHOWN = 80


def match_connection(
    server: Server, connections: Sequence[Connection], bases: Iterable[Path]
) -> Connection:
    """Return the connection for a server.

    Args:
        server: The server, without variables.
        connections: Those of the operator.
        bases: Directories against which the relative path of a database file is tried.

    Raises:
        SourceError: If none or several are for it, with the entry that the settings lack.
    """
    kind = DATABASE_KINDS[server.kind]
    fitting = [one for one in connections if one.kind is kind and _fits(server, one, bases)]
    if len(fitting) == 1:
        return fitting[0]
    place = f"{server.kind} {shown_place(server)}"
    if fitting:
        names = ", ".join(one.name for one in fitting)
        why = f"several connections are for {place}: {names}; name the server's host and database"
    else:
        why = f"no connection is configured for {place}; add {_entry(server, kind)}"
    raise SourceError(why, retryable=False, blame=Blame.AGENT)


def shown_place(server: Server) -> str:
    """Return where a server's database is, as messages show it."""
    if DATABASE_KINDS[server.kind] is DatabaseKind.DUCKDB:
        return server.database[:_MAX_SHOWN]
    port = server.port or str(DEFAULT_PORTS[DATABASE_KINDS[server.kind]])
    return f"{server.host or '?'}:{port}/{server.database}"[:_MAX_SHOWN]


def _fits(server: Server, connection: Connection, bases: Iterable[Path]) -> bool:
    if connection.kind is DatabaseKind.DUCKDB:
        file = Path(connection.database).resolve()
        return any((base / server.database).resolve() == file for base in bases)
    default = DEFAULT_PORTS[connection.kind]
    pairs = (
        (server.host.lower(), connection.host.lower()),
        (server.port or str(default), str(connection.port or default)),
        (server.database, connection.database),
    )
    # What the contract leaves out is no choice: it fits any.
    return all(not wanted or wanted == known for wanted, known in pairs)


def _entry(server: Server, kind: DatabaseKind) -> str:
    """Return the entry of the settings that a server lacks, on one line."""
    name = "".join(c for c in Path(server.database).stem if c.isascii() and c.isalnum()) or "NAME"
    keys = [f'type = "{kind}"']
    if kind is DatabaseKind.DUCKDB:
        return f"[connections.{name}] {keys[0]}, database = {_quoted(server.database)}"
    keys += [
        f"host = {_quoted(server.host)}",
        f"port = {server.port or DEFAULT_PORTS[kind]}",
        f"database = {_quoted(server.database)}",
        'user = "..."',
        'password = {env = "..."}',
    ]
    return f"[connections.{name}] {', '.join(keys)}"


def _quoted(text: str) -> str:
    kept = text[:_MAX_SHOWN].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{kept}"'
