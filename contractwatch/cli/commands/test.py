"""`contractwatch test`: run contracts against their data, here and now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from contractwatch import verify
from contractwatch.agent.clock import system_clock
from contractwatch.cli import reports
from contractwatch.cli.output import say, write_document
from contractwatch.cli.parser import Command
from contractwatch.cli.reports import ReportFormat
from contractwatch.cli.reports.findings import FailOn, Finding, Judged, Refused, Report, exit_code
from contractwatch.cli.testing import test_options as options
from contractwatch.cli.testing.atomic_write import TERMINAL, atomic_write
from contractwatch.cli.testing.bounded_reading import bounded
from contractwatch.cli.testing.contract_files import find_contracts
from contractwatch.cli.testing.database_connections import KnownConnections, connections_for
from contractwatch.cli.testing.isolated_process import IsolatedProcess
from contractwatch.cli.testing.referable_contracts import referable_contracts
from contractwatch.cli.testing.row_filters import with_row_filters
from contractwatch.cli.testing.sampling import Sampling, sample_rows, samples_of
from contractwatch.cli.testing.selection_options import (
    ServerChoice,
    resolve_columns,
    resolve_selection,
)
from contractwatch.cli.testing.state_folder import StateFolder
from contractwatch.errors import ContractError, Level, Problem, UsageError
from contractwatch.model.base.clause import Dimension
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract, Status
from contractwatch.model.record.run import Reading
from contractwatch.odcs.load import load_valid_part
from contractwatch.scan.reach import personal_reach
from contractwatch.scan.reference_resolver import Published, Registry, Resolver, resolve_references
from contractwatch.scan.scan import ScanJob
from contractwatch.scan.window_hold import cache_after_run
from contractwatch.selection import Selection, Topic, from_metadata, is_empty, select

_NO_SERVER = "the contract names no server"
_NO_STATES = StateFolder(None, is_written=False)
_NO_CONNECTIONS = KnownConnections()


@dataclass(frozen=True, slots=True)
class _Loaded:
    contract: Contract
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _TestRequest:
    """What a person asked for, beside the contracts, and those that they may refer to."""

    selection: Selection
    servers: ServerChoice
    sampling: Sampling
    registry: Registry
    isolated: IsolatedProcess
    evidence: options.CachePolicy = options.CachePolicy.METADATA
    variables: tuple[tuple[str, str], ...] = ()
    states: StateFolder = _NO_STATES
    known: KnownConnections = _NO_CONNECTIONS


@click.command("test", cls=Command)
@options.options
def command(  # noqa: PLR0913 - one parameter for each option of the command
    places: tuple[Path, ...],
    *,
    servers: tuple[str, ...],
    environments: tuple[str, ...],
    quality_ids: tuple[str, ...],
    tags: tuple[str, ...],
    dimensions: tuple[Dimension, ...],
    topics: tuple[Topic, ...],
    metadata_only: bool,
    tables: tuple[str, ...],
    condition: tuple[str, ...],
    conditions: tuple[str, ...],
    variables: tuple[str, ...],
    evidence: options.CachePolicy,
    state_dir: Path | None,
    form: ReportFormat,
    output: Path | None,
    fail_on: FailOn,
    show_all: bool,
    samples: int,
    sample_columns: tuple[str, ...],
    deadline: int,
    config: Path | None,
    memory_mb: int | None,
) -> int:
    """Run contracts against their data, here and now, and tell what is kept and what is broken.

    Relative paths in a contract are looked up beside it, then in the current folder. What is not
    selected is not judged, not shown and not counted; a word that no contract knows is wrong usage.

    Exit code 0: kept (there may be warnings). 1: broken. 2: no verdict could be reached.
    64: wrong usage.

    Example: contractwatch test contracts/ --format json --output runs.json
    """
    loaded = [_load(path) for path in find_contracts(places)]
    contracts = _contracts(loaded)
    registry = _registry(loaded)  # whole tables: a key is no orphan for a filter
    loaded = _narrowed(loaded, condition, conditions)
    wished = Selection(quality_ids, tags, dimensions, topics, tables, metadata_only)
    selection, choice = resolve_selection(wished, ServerChoice(servers, environments), contracts)
    columns = resolve_columns(sample_columns, contracts)
    is_all = selection.is_everything and not (condition or conditions)
    sampling, allowed = Sampling(samples, columns), _variables(variables)
    isolated = IsolatedProcess(memory_mb=memory_mb or 0, deadline_seconds=deadline)
    states = StateFolder(state_dir, is_written=is_all)
    known = connections_for(contracts, config)
    wish = _TestRequest(
        selection, choice, sampling, registry, isolated, evidence, allowed, states, known
    )
    report = Report(_all_findings(loaded, wish), selection, fail_on, show_all)
    return _written(report, form, output)


def _contracts(loaded: Sequence[_Loaded | Refused]) -> list[Contract]:
    return [entry.contract for entry in loaded if isinstance(entry, _Loaded)]


def _all_findings(loaded: Sequence[_Loaded | Refused], wish: _TestRequest) -> tuple[Finding, ...]:
    try:
        findings = tuple(finding for entry in loaded for finding in _findings(entry, wish))
    finally:
        wish.isolated.close()
    if not findings:
        raise UsageError(f"nothing is selected: no promise has {wish.selection}")
    return findings


def _variables(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    if not names:
        return ()
    # Imported where a variable is allowed: the settings' reader takes half of a small run.
    from contractwatch import settings  # noqa: PLC0415 - see above

    return settings.variables(names, settings.environment())


def _registry(loaded: Sequence[_Loaded | Refused]) -> Registry:
    return referable_contracts(
        _contracts(loaded), [one.file for one in loaded if isinstance(one, Refused)]
    )


def _load(path: Path) -> _Loaded | Refused:
    try:
        with bounded(path):
            contract, problems = load_valid_part(path, today=system_clock().now().date())
    except ContractError as error:
        return _refused(str(path), error)
    for problem in problems:
        if problem.level is Level.ERROR:
            say(str(problem), err=True)
    return _Loaded(contract, problems)


def _refused(file: str, error: ContractError) -> Refused:
    for problem in error.problems:
        say(str(problem), err=True)
    return Refused(file, error.problems)


def _narrowed(
    entries: Sequence[_Loaded | Refused], alone: Sequence[str], conditions: Sequence[str]
) -> list[_Loaded | Refused]:
    found = iter(with_row_filters(_contracts(entries), alone, conditions))
    return [
        replace(entry, contract=next(found)) if isinstance(entry, _Loaded) else entry
        for entry in entries
    ]


def _findings(entry: _Loaded | Refused, wish: _TestRequest) -> Iterator[Finding]:
    if isinstance(entry, Refused):
        yield entry
        return
    contract, selection = entry.contract, wish.selection
    try:
        with bounded(contract.file):
            plan = verify.as_of(verify.plan(contract), system_clock().now())
    except ContractError as late:
        yield _refused(contract.file, late)
        return
    if not selection.is_everything:
        plan = select(plan, selection)
        if is_empty(plan):
            return
    servers = wish.servers.matching_servers(contract)
    for server in servers:
        yield _judged(entry, plan, server, wish)
    if not servers:
        why = wish.servers.absence_reason() if contract.servers else _NO_SERVER
        now = system_clock().now()
        answers = verify.unread(plan, why)
        reading = Reading(", ".join(wish.servers.listed), now, answers, readable=None, error=why)
        yield Judged(contract, verify.judge(plan, reading, now=now), entry.problems)


def _judged(entry: _Loaded, plan: verify.Plan, server: Server, wish: _TestRequest) -> Judged:
    bases = (Path(plan.contract.file).resolve().parent, Path.cwd())
    server = wish.known.server(server, bases=bases, environment=dict(wish.variables))
    asked = from_metadata(plan, server) if wish.selection.metadata_only else plan
    now = system_clock().now()
    metrics = verify.asked_of_data(asked)
    published = Published(plan.contract, bases[0])
    environment = server.environment if wish.servers.environments else ""
    resolver = Resolver(published, server, environment, bases[1:])
    job = ScanJob(
        server=server,
        tables=plan.contract.tables,
        metrics=metrics,
        bases=bases,
        roots=None,
        now=now,
        trusts_statistics=wish.evidence is options.CachePolicy.METADATA,
        references=resolve_references(metrics, resolver, wish.registry),
        environment=wish.variables,
        reach=personal_reach(),
        connections=wish.known.connections,
        product=plan.contract.product,
        uses_cache=wish.states.is_used,
        cached_tables=wish.states.read(entry.contract, server),
    )
    closed = server.unsupported or plan.contract.status is Status.RETIRED
    unread = Reading(server.name, now, {}, readable=None, unsupported=server.unsupported)
    reading = unread if closed else wish.isolated.read(job)
    run = verify.judge(asked, reading, now=now)
    kept = cache_after_run(asked, reading, run, job.cached_tables)
    wish.states.write(entry.contract, server, kept)
    samples = samples_of(
        asked, run, wish.sampling, lambda rows: wish.isolated.call(sample_rows, (job, rows))
    )
    return Judged(entry.contract, run, entry.problems, samples)


def _written(report: Report, form: ReportFormat, output: Path | None) -> int:
    """Write the report and return the exit code."""
    if output not in (None, TERMINAL):
        atomic_write(output, reports.render(form, report))
    elif form is ReportFormat.TEXT:
        # Imported when a terminal is written to: rich takes a tenth of a second.
        from contractwatch.cli.reports import text  # noqa: PLC0415 - see above

        text.show_in_terminal(report)
    else:
        write_document(reports.render(form, report))
    return exit_code(report.findings, report.fail_on)
