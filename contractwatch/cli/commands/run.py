"""`contractwatch run`: run the agent."""

import json
from pathlib import Path

import click

from contractwatch.app import run
from contractwatch.cli.parser import Command
from contractwatch.cli.record_access.record_messages import config_option
from contractwatch.cli.values import FilePath, Whole
from contractwatch.settings import CONFIG_NAME, Settings, environment, load_settings


@click.command("run", cls=Command)
@config_option
@click.option(
    "--contracts",
    type=FilePath(),
    metavar="DIR",
    help="Folder of contracts, in place of the one in the settings.",
)
@click.option("--port", type=Whole(min=0, max=65535), help="Port of the pages and series.")
def command(*, config: Path | None, contracts: Path | None, port: int | None) -> int:
    """Run the agent: watch the contracts, run them when due, keep the record, tell the owners.

    SIGHUP reads the settings and the contracts again.

    Ends with 0 after SIGTERM or Ctrl-C; with 2 when it cannot start (the port or the store is
    taken); with 74 when the store cannot be written; with 70 when it got stuck.

    Example: contractwatch run --contracts contracts/ --port 8321
    """
    environ = environment()
    if contracts is not None:
        environ["CONTRACTWATCH_CONTRACTS"] = json.dumps([str(contracts.absolute())])
    if port is not None:
        environ["CONTRACTWATCH_PORT"] = str(port)

    # What was there at the start must be there again: without it nobody would be told any more.
    file = config or (Path(CONFIG_NAME) if Path(CONFIG_NAME).exists() else None)

    def load() -> Settings:
        return load_settings(file, environ)

    return run(load(), reload=load)
