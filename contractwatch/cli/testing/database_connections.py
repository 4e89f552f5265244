"""Connections to databases, read from the settings when a contract needs one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contractwatch.errors import SettingsError
from contractwatch.model.base.connection import DATABASE_KINDS, Connection
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract
from contractwatch.scan.servers import connected_server
from contractwatch.scan.variable_resolution import Environment


@dataclass(frozen=True, slots=True)
class KnownConnections:
    """The operator's connections; `problem` says why they cannot be known, else it is empty."""

    connections: tuple[Connection, ...] = ()
    problem: str = ""

    def server(self, server: Server, *, bases: Sequence[Path], environment: Environment) -> Server:
        """Return a server, marked as unsupported if it is a database without a connection."""
        if self.problem and server.kind in DATABASE_KINDS and not server.unsupported:
            return replace(server, unsupported=self.problem)
        found, _ = connected_server(server, self.connections, bases=bases, environment=environment)
        return found


def connections_for(contracts: Iterable[Contract], config: Path | None) -> KnownConnections:
    """Return the operator's connections; nothing is read if no server is a database.

    Mistakes in settings that nobody named cost the databases, not the contracts of files beside
    them.

    Args:
        contracts: The contracts that are tested.
        config: The file of settings; None takes `contractwatch.toml` of the working folder.

    Raises:
        SettingsError: If the settings that a person named are wrong.
    """
    servers = (server for contract in contracts for server in contract.servers)
    if not any(server.kind in DATABASE_KINDS for server in servers):
        return KnownConnections()
    # Imported where a database is read: the settings' reader takes half of a small run.
    from contractwatch.settings import environment, load_settings  # noqa: PLC0415 - see above

    try:
        return KnownConnections(load_settings(config, environment()).connections)
    except SettingsError as error:
        if config is not None:
            raise
        listed = "; ".join(error.problems)
        return KnownConnections(problem=f"its connection is not known: the settings: {listed}")
