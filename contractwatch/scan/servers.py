"""Choose the server of a contract that is run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from contractwatch.errors import SourceError
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.connection import DATABASE_KINDS, Connection
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract
from contractwatch.scan.connection_match import match_connection
from contractwatch.scan.variable_resolution import Environment, resolve_server


def choose_server(contract: Contract, environment: str) -> tuple[Server, str]:
    """Return the server that is run, and a warning if the choice was a guess.

    It is the one of the operator's environment, else the only one, else the first that is written.
    A contract without servers gets one that has no name and no kind.
    """
    servers = contract.servers
    if not servers:
        return Server(Clause("servers", 0), name="", kind=""), ""
    fitting = [one for one in servers if environment and one.environment == environment]
    if len(fitting) == 1 or len(servers) == 1:
        return (fitting or servers)[0], ""
    chosen = (fitting or servers)[0]
    which = f"environment {environment!r}" if environment else "no environment in the settings"
    return chosen, (
        f"{contract.file}: {len(fitting)} of {len(servers)} servers fit ({which}); "
        f"the first, {chosen.name!r}, is run; set `environment` in contractwatch.toml"
    )


def connected_server(
    server: Server,
    connections: Sequence[Connection],
    *,
    bases: Sequence[Path],
    environment: Environment,
) -> tuple[Server, Connection | None]:
    """Return a server with its connection, if it is a database.

    A database that no connection is for is unsupported: the reason is the entry that is missing.
    One whose variables have no value is returned as it is: the scan says which one that is.
    """
    if server.kind not in DATABASE_KINDS or server.unsupported:
        return server, None
    try:
        known = resolve_server(server, environment)
    except SourceError:
        return server, None
    try:
        return server, match_connection(known, connections, bases)
    except SourceError as error:
        return replace(server, unsupported=str(error)), None
