"""Match the server of a contract to a connection of the operator.

A contract chooses by its type, host, port and database, and by nothing else that it says. No name
is looked up in DNS.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import (
    DATABASE_KINDS,
    DEFAULT_PORTS,
    Connection,
    DatabaseKind,
    normalized_host,
)
from contractwatch.model.base.server import Server

_MAX_SHOWN = 80
_NOT_BARE = re.compile(r"[^A-Za-z0-9_-]+")


def match_connection(
    server: Server, connections: Sequence[Connection], bases: Iterable[Path]
) -> Connection:
    """Return the connection for a server.

    Args:
        server: The server, without variables.
        connections: Those of the operator.
        bases: Directories against which the relative path of a database file is tried in turn; the
            first that has it wins, as with other files.

    Raises:
        SourceError: If none or several are for it, with the entry that the settings lack.
    """
    kind = DATABASE_KINDS[server.kind]
    alike = [one for one in connections if one.kind is kind]
    if kind is DatabaseKind.DUCKDB:
        file = _file(server, bases)
        fitting = [one for one in alike if os.path.realpath(one.database) == file]
    else:
        file = ""
        fitting = [one for one in alike if _fits(server, one)]
    if len(fitting) == 1:
        return fitting[0]
    place = f"{server.kind} {shown_place(server)}"
    if fitting:
        names = ", ".join(one.name for one in fitting)
        why = f"several connections are for {place}: {names}; name the server's host and database"
    else:
        entry = _entry(server, kind, file, {one.name for one in connections})
        why = f"no connection is configured for {place}; add {entry}"
    raise SourceError(why, retryable=False, blame=Blame.AGENT)


def shown_place(server: Server) -> str:
    """Return where a server's database is, as messages show it."""
    if DATABASE_KINDS[server.kind] is DatabaseKind.DUCKDB:
        return server.database[:_MAX_SHOWN]
    port = server.port or str(DEFAULT_PORTS[DATABASE_KINDS[server.kind]])
    return f"{server.host or '?'}:{port}/{server.database}"[:_MAX_SHOWN]


def _file(server: Server, bases: Iterable[Path]) -> str:
    """Return the file of a DuckDB server, its links followed."""
    places = [os.path.realpath(base / server.database) for base in bases]
    places = places or [os.path.realpath(server.database)]
    return next((place for place in places if Path(place).exists()), places[0])


def _fits(server: Server, connection: Connection) -> bool:
    default = DEFAULT_PORTS[connection.kind]
    pairs = (
        (normalized_host(server.host), normalized_host(connection.host)),
        (server.port or (str(default) if server.host else ""), str(connection.port or default)),
        (server.database, connection.database),
    )
    # What the contract leaves out is no choice: it fits any.
    return all(not wanted or wanted == known for wanted, known in pairs)


def _entry(server: Server, kind: DatabaseKind, file: str, taken: set[str]) -> str:
    """Return the entry of the settings that a server lacks, on one line."""
    name = _free_name(Path(server.database).stem, taken)
    if kind is DatabaseKind.DUCKDB:
        # The whole path: the settings, the contract and this process may lie in three folders.
        return f'[connections.{name}] type = "{kind}", database = {_quoted(file)}'
    keys = (
        f'type = "{kind}"',
        f"host = {_quoted(server.host)}",
        f"port = {_shown_port(server, kind)}",
        f"database = {_quoted(server.database)}",
        'user = "..."',
        'password = {env = "..."}',
    )
    return f"[connections.{name}] {', '.join(keys)}"


def _shown_port(server: Server, kind: DatabaseKind) -> str:
    """Return the port of a server; that of the kind if a variable gave something else."""
    is_number = server.port.isascii() and server.port.isdigit()
    return server.port[:_MAX_SHOWN] if is_number else str(DEFAULT_PORTS[kind])


def _free_name(wanted: str, taken: set[str]) -> str:
    """Return a bare key of TOML that no connection has."""
    plain = _NOT_BARE.sub("", wanted)[:_MAX_SHOWN] or "NAME"
    number, name = 1, plain
    while name in taken:
        number += 1
        name = f"{plain}{number}"
    return name


def _quoted(text: str) -> str:
    # A basic string of TOML is written as a string of JSON is.
    return json.dumps(text, ensure_ascii=False)
