"""`contractwatch export`: write a contract in another tool's format."""

from enum import StrEnum
from pathlib import Path

import click

from contractwatch.cli.output import say, write_document
from contractwatch.cli.parser import Command
from contractwatch.cli.testing.atomic_write import TERMINAL, atomic_write
from contractwatch.cli.testing.bounded_reading import bounded
from contractwatch.cli.values import FilePath, OneOf
from contractwatch.engines.pandera.export import pandera_source
from contractwatch.errors import UsageError
from contractwatch.odcs.compat.write import dump_odcs31
from contractwatch.odcs.load import load_contract
from contractwatch.odcs.yaml.document import has_comments, load_yaml


class Form(StrEnum):
    """Formats to which a contract can be exported."""

    PANDERA = "pandera"
    ODCS = "odcs"


@click.command("export", cls=Command)
@click.argument("form", type=OneOf(Form), help="The form to write.")
@click.argument("file", metavar="FILE", type=FilePath(), help="A contract.")
@click.option(
    "--output",
    type=FilePath(),
    metavar="FILE",
    help="Write there; by default, or with `-`, to the terminal.",
)
def command(form: Form, file: Path, *, output: Path | None) -> None:
    """Write a contract in another tool's format.

    pandera: Python source with a schema for each table, with which a team validates its frame
    before it publishes. It runs with pandera and polars alone.
    odcs: the same contract as ODCS 3.1.0, from any 3.x. It promises the same here; what 3.1.0 has
    no place for is kept in the custom property contractwatch.kept. Comments are not written.

    Exit code 0: written. 2: the contract is refused. 64: wrong usage.

    Example: contractwatch export pandera orders.odcs.yaml --output orders.py
    """
    if not file.is_file():
        raise UsageError(f"{file}: no such file")
    with bounded(file):
        text = _in_form(form, file)
    if output in (None, TERMINAL):
        write_document(text)
    else:
        atomic_write(output, text)


def _in_form(form: Form, file: Path) -> str:
    contract, _ = load_contract(file)
    match form:
        case Form.PANDERA:
            return pandera_source(contract)
        case Form.ODCS:
            return _as_odcs31(file)


def _as_odcs31(file: Path) -> str:
    """Return a contract as ODCS 3.1.0, and say if that leaves out comments."""
    data = file.read_bytes()
    text = dump_odcs31(load_yaml(data, str(file)))
    if has_comments(data):
        say(f"{file}: its comments are not written; they are no part of a contract", err=True)
    return text
