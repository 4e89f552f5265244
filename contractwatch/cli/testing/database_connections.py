"""Connections to databases, read from the settings when a contract needs one."""

from collections.abc import Iterable
from pathlib import Path

from contractwatch.model.base.connection import DATABASE_KINDS, Connection
from contractwatch.model.contract.contract import Contract


def connections_for(contracts: Iterable[Contract], config: Path | None) -> tuple[Connection, ...]:
    """Return the operator's connections; none, and nothing is read, if no server is a database.

    Args:
        contracts: The contracts that are tested.
        config: The file of settings; None takes `contractwatch.toml` of the working folder.

    Raises:
        SettingsError: If the settings are wrong.
    """
    servers = (server for contract in contracts for server in contract.servers)
    if not any(server.kind in DATABASE_KINDS for server in servers):
        return ()
    # Imported where a database is read: the settings' reader takes half of a small run.
    from contractwatch.settings import environment, load_settings  # noqa: PLC0415 - see above

    return load_settings(config, environment()).connections
