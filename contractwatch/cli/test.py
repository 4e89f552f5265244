"""Contracts are run against their data here and now, with the rights of the person who asks."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from contractwatch import verify
from contractwatch.agent.clock import system_clock
from contractwatch.agent.scan import ScanJob, scan
from contractwatch.cli.contract_files import find_contracts
from contractwatch.cli.findings import FailOn, Finding, Judged, Refused, exit_code
from contractwatch.cli.reports import json_document
from contractwatch.cli.reports import text as text_report
from contractwatch.cli.whole_file import write_whole
from contractwatch.errors import ContractError, Problem, UsageError
from contractwatch.model.contract import Contract, Status
from contractwatch.model.metric import Probes
from contractwatch.model.run import Reading
from contractwatch.model.server import Server
from contractwatch.odcs.load import load_contract

_FILE_WIDTH = 100
_NO_SERVER = "the contract names no server"


class Format(StrEnum):
    """How results are told."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class _Loaded:
    contract: Contract
    problems: tuple[Problem, ...]


def command(
    places: Annotated[
        list[Path], typer.Argument(metavar="FILE|DIR...", help="Contracts, or folders of them.")
    ],
    *,
    server: Annotated[str, typer.Option(metavar="NAME", help="Run on this server only.")] = "",
    form: Annotated[
        Format, typer.Option("--format", help="A table to read, or JSON (docs/results.md).")
    ] = Format.TEXT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write there; by default to the terminal.")
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(help="The least bad outcome that ends with exit code 1.")
    ] = FailOn.FAILED,
    show_all: Annotated[
        bool, typer.Option("--all", help="Text: list each passed check, too.")
    ] = False,
) -> None:
    """Run contracts against their data, here and now, and tell what is kept and what is broken.

    Relative paths in a contract are looked up beside it, then in the current folder.

    Exit code 0: kept (there may be warnings). 1: broken. 2: no verdict could be reached.
    64: wrong usage.

    Example: contractwatch test contracts/ --format json --output runs.json
    """
    loaded = [_load(path) for path in find_contracts(places)]
    _refuse_unknown_server(server, loaded)
    findings = [finding for entry in loaded for finding in _findings(entry, server)]
    _write(findings, form, output, show_all=show_all)
    raise typer.Exit(exit_code(findings, fail_on))


def _load(path: Path) -> _Loaded | Refused:
    try:
        contract, problems = load_contract(path)
    except ContractError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        return Refused(str(path), error.problems)
    return _Loaded(contract, problems)


def _refuse_unknown_server(name: str, loaded: Sequence[_Loaded | Refused]) -> None:
    contracts = [entry.contract for entry in loaded if isinstance(entry, _Loaded)]
    known = {server.name for contract in contracts for server in contract.servers}
    if name and contracts and name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise UsageError(f"no server is named '{name}'; the contracts have: {names}")


def _findings(entry: _Loaded | Refused, server_name: str) -> Iterator[Finding]:
    if isinstance(entry, Refused):
        yield entry
        return
    contract = entry.contract
    servers = [s for s in contract.servers if not server_name or s.name == server_name]
    plan = verify.plan(contract)
    for server in servers:
        now = system_clock().now()
        reading = _read(plan, server, now)
        yield Judged(contract, verify.judge(plan, reading, now=now), entry.problems)
    if not servers:
        why = f"the contract has no server '{server_name}'" if contract.servers else _NO_SERVER
        now = system_clock().now()
        answers = verify.unread(plan, why)
        reading = Reading(server_name, now, answers, readable=None, error=why)
        yield Judged(contract, verify.judge(plan, reading, now=now), entry.problems)


def _read(plan: verify.Plan, server: Server, now: datetime) -> Reading:
    if server.unsupported or plan.contract.status is Status.RETIRED:
        return Reading(server.name, now, {}, readable=None)
    bases = (Path(plan.contract.file).resolve().parent, Path.cwd())
    return scan(
        ScanJob(
            server=server,
            tables=plan.contract.tables,
            metrics=plan.metrics - {Probes()},
            bases=bases,
            roots=None,
            now=now,
        )
    )


def _write(
    findings: Sequence[Finding], form: Format, output: Path | None, *, show_all: bool
) -> None:
    if form is Format.JSON:
        text = json_document.render(findings)
        if output is None:
            typer.echo(text, nl=False)
            return
    elif output is None:
        text_report.report(findings, Console(highlight=False), show_all=show_all)
        return
    else:
        buffer = io.StringIO()
        console = Console(file=buffer, width=_FILE_WIDTH, highlight=False, color_system=None)
        text_report.report(findings, console, show_all=show_all)
        text = buffer.getvalue()
    write_whole(output, text)
