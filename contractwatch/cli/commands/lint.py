"""`contractwatch lint`: report every problem of contract files, and what a run would skip."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from contractwatch.agent.catalog.confusables import confusable_problems
from contractwatch.agent.catalog.input_lookup import input_problems
from contractwatch.agent.clock import system_clock
from contractwatch.cli.output import say
from contractwatch.cli.parser import Command
from contractwatch.cli.testing.bounded_reading import bounded
from contractwatch.cli.testing.contract_files import find_contracts
from contractwatch.cli.testing.database_connections import connections_for
from contractwatch.cli.testing.forecast import missing_data_problems, predicted_skips
from contractwatch.cli.testing.referable_contracts import referable_contracts
from contractwatch.cli.testing.test_options import config_option, places_argument
from contractwatch.errors import ContractError, Level, Problem, one_line
from contractwatch.model.contract.contract import Contract, Status
from contractwatch.odcs.load import load_valid_part
from contractwatch.scan.reference_resolver import Published

_FEW = 3
_VARIES = re.compile(r"'[^']*'|\d+")


@click.command("lint", cls=Command)
@places_argument
@click.option("--data", is_flag=True, help="Look whether the data is there; no row is read.")
@config_option
def command(places: tuple[Path, ...], *, data: bool, config: Path | None) -> int:
    """Say everything that is wrong in contract files, and what a run would skip.

    Exit code 0: no errors (there may be warnings). 1: something is wrong, or with `--data` not
    there. 64: wrong usage.

    Example: contractwatch lint contracts/
    """
    files = find_contracts(places)
    problems, contracts = _problems(files)
    known = connections_for(contracts, config)
    if data:
        problems += [
            problem for contract in contracts for problem in missing_data_problems(contract, known)
        ]
    forecasts: list[str] = []
    for contract in contracts:
        try:
            with bounded(contract.file):
                forecasts += predicted_skips(contract, known)
        except ContractError as late:
            problems += late.problems
    for line in _problem_lines(problems):
        say(line)
    for line in forecasts:
        say(one_line(line))
    errors = sum(problem.level is Level.ERROR for problem in problems)
    say(
        f"{_counted(len(files), 'contract')}: {_counted(errors, 'error')}, "
        f"{_counted(len(problems) - errors, 'warning')}"
    )
    return 1 if errors else 0


def _problem_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield each problem; more than a few warnings of one kind in one file are one line."""
    kinds: dict[tuple[object, ...], list[Problem]] = {}
    for number, problem in enumerate(problems):
        is_error = problem.level is Level.ERROR
        kind = _VARIES.sub("", problem.message)
        key = (number,) if is_error else (problem.file, _last(problem.path), kind)
        kinds.setdefault(key, []).append(problem)
    for alike in kinds.values():
        shown = alike[:1] if len(alike) > _FEW else alike
        for problem in shown:
            more = f"; {len(alike) - 1} more like it, the last in line {alike[-1].line}"
            rest = more if len(alike) > len(shown) else ""
            is_error = problem.level is Level.ERROR
            yield f"{problem}{rest}" if is_error else f"{problem}{rest} (warning)"


def _last(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path.rpartition(".")[2])


def _problems(files: Iterable[Path]) -> tuple[list[Problem], list[Contract]]:
    """Return every problem, by file and line, and the contracts without what is wrong in them.

    A product belongs to the first file that has it.
    """
    found: list[Problem] = []
    today = system_clock().now().date()
    holders: dict[str, Contract] = {}
    contracts: list[Contract] = []
    refused: list[str] = []
    for path in files:
        try:
            with bounded(path):
                contract, problems = load_valid_part(path, today=today)
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
    found += confusable_problems(holders.values()).values()
    return [*found, *_doubtful_inputs(contracts, refused)], contracts


def _doubtful_inputs(contracts: list[Contract], refused: list[str]) -> tuple[Problem, ...]:
    """Return what is doubtful about inputs, which may lie beside the files that are given."""
    if not any(contract.inputs for contract in contracts):
        return ()
    published = [Published(one, Path(one.file).resolve().parent) for one in contracts]
    return input_problems(published, referable_contracts(contracts, refused))


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.line, problem.path)))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
