"""Everything that is wrong in contract files is said at once, in the order of the files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from contractwatch.cli.contract_files import find_contracts
from contractwatch.errors import ContractError, Level, Problem
from contractwatch.odcs.load import load_contract


def command(
    places: Annotated[
        list[Path], typer.Argument(metavar="FILE|DIR...", help="Contracts, or folders of them.")
    ],
) -> None:
    """Say everything that is wrong in contract files, and read no data.

    Exit code 0: no errors (there may be warnings). 1: a contract is refused. 64: wrong usage.

    Example: contractwatch lint contracts/
    """
    files = find_contracts(places)
    problems = [problem for path in files for problem in problems_of(path)]
    for problem in problems:
        typer.echo(f"{problem}" if problem.level is Level.ERROR else f"{problem} (warning)")
    errors = sum(problem.level is Level.ERROR for problem in problems)
    typer.echo(
        f"{_counted(len(files), 'contract')}: {_counted(errors, 'error')}, "
        f"{_counted(len(problems) - errors, 'warning')}"
    )
    raise typer.Exit(1 if errors else 0)


def problems_of(path: Path) -> tuple[Problem, ...]:
    """Return every problem of one file, by line."""
    try:
        _, problems = load_contract(path)
    except ContractError as error:
        problems = error.problems
    return _sorted(problems)


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.path)))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
