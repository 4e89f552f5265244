"""The agent can be started by hand or by a supervisor, with one command."""

import json
from pathlib import Path
from typing import Annotated

from contractwatch.app import run
from contractwatch.cli.parameters import Option
from contractwatch.settings import environment, load_settings


def command(
    *,
    config: Annotated[
        Path | None,
        Option(help="Settings file; contractwatch.toml of this folder, if it is there."),
    ] = None,
    contracts: Annotated[
        Path | None, Option(help="Folder of contracts, in place of the one in the settings.")
    ] = None,
    port: Annotated[
        int | None, Option(min=0, max=65535, help="Port of the pages and series.")
    ] = None,
) -> int:
    """Run the agent: watch the contracts, run them when due, keep the record, tell the owners.

    Ends with 0 after SIGTERM or Ctrl-C; with 2 when it cannot start (the port or the store is
    taken); with 74 when the store cannot be written; with 70 when it got stuck.

    Example: contractwatch run --contracts contracts/ --port 8321
    """
    environ = environment()
    if contracts is not None:
        environ["CONTRACTWATCH_CONTRACTS"] = json.dumps([str(contracts.absolute())])
    if port is not None:
        environ["CONTRACTWATCH_PORT"] = str(port)
    return run(load_settings(config, environ))
