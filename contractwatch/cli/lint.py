"""Everything that is wrong in contract files is said at once, in the order of the files."""

from collections.abc import Iterable
from pathlib import Path

import click

from contractwatch.agent.clock import system_clock
from contractwatch.agent.inputs import input_problems
from contractwatch.agent.neighbours import Published
from contractwatch.cli.contract_files import find_contracts
from contractwatch.cli.neighbourhood import neighbourhood
from contractwatch.cli.output import say
from contractwatch.cli.parser import Command
from contractwatch.cli.test_options import places_argument
from contractwatch.errors import ContractError, Level, Problem
from contractwatch.model.contract import Contract, Status
from contractwatch.odcs.load import load_contract


@click.command("lint", cls=Command)
@places_argument
def command(places: tuple[Path, ...]) -> int:
    """Say everything that is wrong in contract files, and read no data.

    Exit code 0: no errors (there may be warnings). 1: a contract is refused. 64: wrong usage.

    Example: contractwatch lint contracts/
    """
    files = find_contracts(places)
    problems = _problems(files)
    for problem in problems:
        say(f"{problem}" if problem.level is Level.ERROR else f"{problem} (warning)")
    errors = sum(problem.level is Level.ERROR for problem in problems)
    say(
        f"{_counted(len(files), 'contract')}: {_counted(errors, 'error')}, "
        f"{_counted(len(problems) - errors, 'warning')}"
    )
    return 1 if errors else 0


def _problems(files: Iterable[Path]) -> list[Problem]:
    """Return every problem, by file and line; a product belongs to the first file that has it."""
    found: list[Problem] = []
    today = system_clock().now().date()
    holders: dict[str, Contract] = {}
    contracts: list[Contract] = []
    refused: list[str] = []
    for path in files:
        try:
            contract, problems = load_contract(path, today=today)
        except ContractError as error:
            found.extend(_sorted(error.problems))
            refused.append(str(path))
            continue
        found.extend(_sorted(problems))
        contracts.append(contract)
        if contract.status is Status.RETIRED:
            continue
        holder = holders.setdefault(contract.product, contract)
        if holder is not contract:
            message = f"the product {contract.product!r} is promised by {holder.file} already; "
            message += "give one of them another name or domain"
            found.append(Problem(contract.file, 0, "name", message))
    return [*found, *_doubtful_inputs(contracts, refused)]


def _doubtful_inputs(contracts: list[Contract], refused: list[str]) -> tuple[Problem, ...]:
    """Return what is doubtful about inputs, which may lie beside the files that are given."""
    if not any(contract.inputs for contract in contracts):
        return ()
    published = [Published(one, Path(one.file).resolve().parent) for one in contracts]
    return input_problems(published, neighbourhood(contracts, refused))


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.path)))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
