"""A contract is written in the form of another tool, so that a team can use it there."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from contractwatch.cli.output import say
from contractwatch.cli.parameters import Argument, Option
from contractwatch.cli.whole_file import write_whole
from contractwatch.engines.pandera import pandera_source
from contractwatch.errors import UsageError
from contractwatch.odcs.load import load_contract


class Form(StrEnum):
    """The forms that are written."""

    PANDERA = "pandera"


def command(
    form: Annotated[Form, Argument(help="The other tool.")],
    file: Annotated[Path, Argument(metavar="FILE", help="A contract.")],
    output: Annotated[
        Path | None, Option(metavar="FILE", help="Write there; by default to the terminal.")
    ] = None,
) -> None:
    """Write a contract in another tool's form.

    pandera: Python source with a schema for each table, with which a team validates its frame
    before it publishes. It runs with pandera and polars alone.

    Exit code 0: written. 2: the contract is refused. 64: wrong usage.

    Example: contractwatch export pandera orders.odcs.yaml --output orders.py
    """
    if not file.is_file():
        raise UsageError(f"{file}: no such file")
    contract, _ = load_contract(file)
    sources = {Form.PANDERA: pandera_source}
    text = sources[form](contract)
    if output is None:
        say(text, nl=False)
    else:
        write_whole(output, text)
