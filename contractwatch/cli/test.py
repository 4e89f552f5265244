"""Contracts are run against their data here and now, with the rights of the person who asks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from contractwatch import verify
from contractwatch.agent.clock import system_clock
from contractwatch.agent.neighbours import Published, Registry, Visitor, leads_of
from contractwatch.agent.reach import personal_reach
from contractwatch.agent.scan import ScanJob
from contractwatch.agent.standstill import kept_after
from contractwatch.cli import reports
from contractwatch.cli import test_options as options
from contractwatch.cli.apart import DEADLINE_SECONDS, Apart
from contractwatch.cli.contract_files import find_contracts
from contractwatch.cli.filters import narrowed
from contractwatch.cli.findings import FailOn, Finding, Judged, Refused, Report, exit_code
from contractwatch.cli.neighbourhood import neighbourhood
from contractwatch.cli.output import say
from contractwatch.cli.reports import Format
from contractwatch.cli.sampling import Sampling, rows_of, samples_of
from contractwatch.cli.selected import (
    ServerChoice,
    refuse_unknown,
    refuse_unknown_columns,
    topics_of,
)
from contractwatch.cli.state_folder import StateFolder
from contractwatch.cli.whole_file import write_whole
from contractwatch.errors import ContractError, Problem, UsageError
from contractwatch.model.contract import Contract, Status
from contractwatch.model.frozen import frozen
from contractwatch.model.run import Reading
from contractwatch.model.server import Server
from contractwatch.odcs.load import load_contract
from contractwatch.selection import Selection, is_empty, select, without_rows

_NO_SERVER = "the contract names no server"
_NO_STATES = StateFolder(None, is_written=False)


@frozen
class _Loaded:
    contract: Contract
    problems: tuple[Problem, ...]


@frozen
class _Wish:
    """What a person asked for, beside the contracts, and those that they may refer to."""

    selection: Selection
    servers: ServerChoice
    sampling: Sampling
    registry: Registry
    apart: Apart
    evidence: options.Trusted = options.Trusted.METADATA
    variables: tuple[tuple[str, str], ...] = ()
    states: StateFolder = _NO_STATES


def command(  # noqa: PLR0913 - one parameter for each option of the command
    places: options.Places,
    *,
    server: options.ServerName = "",
    environment: options.Environment = "",
    quality_id: options.QualityIds = None,
    tag: options.Tag = "",
    dimension: options.OneDimension = None,
    checks: options.Checks = "",
    metadata_only: options.MetadataOnly = False,
    schema_name: options.SchemaName = "",
    row_filter: options.Filter = "",
    filters: options.Filters = None,
    allow_env: options.AllowedNames = None,
    evidence: options.LeastEvidence = options.Trusted.METADATA,
    state_dir: options.StateDir = None,
    form: options.Form = Format.TEXT,
    output: options.Output = None,
    fail_on: options.FailOnOption = FailOn.FAILED,
    show_all: options.ShowAll = False,
    samples: options.SampleCount = 0,
    sample_columns: options.SampleColumns = "",
    deadline: options.Deadline = DEADLINE_SECONDS,
    memory_mb: options.MemoryMegabytes = 0,
) -> int:
    """Run contracts against their data, here and now, and tell what is kept and what is broken.

    Relative paths in a contract are looked up beside it, then in the current folder. What is not
    selected is not judged, not shown and not counted; a word that no contract knows is wrong usage.

    Exit code 0: kept (there may be warnings). 1: broken. 2: no verdict could be reached.
    64: wrong usage.

    Example: contractwatch test contracts/ --format json --output runs.json
    """
    ids = tuple(dict.fromkeys(quality_id or ()))
    selection = Selection(ids, tag, dimension, topics_of(checks), schema_name, metadata_only)
    columns = tuple(name.strip() for name in sample_columns.split(",") if name.strip())
    servers = ServerChoice(server, environment)
    loaded = [_load(path) for path in find_contracts(places)]
    registry = _registry(loaded)  # whole tables: a key is no orphan for a filter
    loaded = _narrowed(loaded, row_filter, filters or ())
    _refuse_unknown(loaded, selection, servers, columns)
    sampling, allowed = Sampling(samples, columns), _variables(allow_env or ())
    apart = Apart(memory_mb=memory_mb, deadline_seconds=deadline)
    is_all = selection.is_everything and not (row_filter or filters)
    states = StateFolder(state_dir, is_written=is_all)
    wish = _Wish(selection, servers, sampling, registry, apart, evidence, allowed, states)
    report = Report(_all_findings(loaded, wish), selection, fail_on, show_all)
    return _written(report, form, output)


def _refuse_unknown(
    loaded: Sequence[_Loaded | Refused],
    selection: Selection,
    servers: ServerChoice,
    columns: tuple[str, ...],
) -> None:
    contracts = [entry.contract for entry in loaded if isinstance(entry, _Loaded)]
    refuse_unknown(selection, servers, contracts)
    refuse_unknown_columns(columns, contracts)


def _all_findings(loaded: Sequence[_Loaded | Refused], wish: _Wish) -> tuple[Finding, ...]:
    try:
        findings = tuple(finding for entry in loaded for finding in _findings(entry, wish))
    finally:
        wish.apart.close()
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
    contracts = [entry.contract for entry in loaded if isinstance(entry, _Loaded)]
    return neighbourhood(contracts, [one.file for one in loaded if isinstance(one, Refused)])


def _load(path: Path) -> _Loaded | Refused:
    try:
        contract, problems = load_contract(path, today=system_clock().now().date())
    except ContractError as error:
        for problem in error.problems:
            say(str(problem), err=True)
        return Refused(str(path), error.problems)
    return _Loaded(contract, problems)


def _narrowed(
    entries: Sequence[_Loaded | Refused], condition: str, conditions: Sequence[str]
) -> list[_Loaded | Refused]:
    contracts = [entry.contract for entry in entries if isinstance(entry, _Loaded)]
    found = iter(narrowed(contracts, condition, conditions))
    return [
        replace(entry, contract=next(found)) if isinstance(entry, _Loaded) else entry
        for entry in entries
    ]


def _findings(entry: _Loaded | Refused, wish: _Wish) -> Iterator[Finding]:
    if isinstance(entry, Refused):
        yield entry
        return
    contract, selection = entry.contract, wish.selection
    plan = verify.as_of(verify.plan(contract), system_clock().now())
    if not selection.is_everything:
        plan = select(plan, selection)
        if is_empty(plan):
            return
    servers = wish.servers.among(contract)
    for server in servers:
        yield _judged(entry, plan, server, wish)
    if not servers:
        why = wish.servers.lack() if contract.servers else _NO_SERVER
        now = system_clock().now()
        answers = verify.unread(plan, why)
        reading = Reading(wish.servers.name, now, answers, readable=None, error=why)
        yield Judged(contract, verify.judge(plan, reading, now=now), entry.problems)


def _judged(entry: _Loaded, plan: verify.Plan, server: Server, wish: _Wish) -> Judged:
    asked = without_rows(plan, server) if wish.selection.metadata_only else plan
    bases = (Path(plan.contract.file).resolve().parent, Path.cwd())
    now = system_clock().now()
    metrics = verify.asked_of_data(asked)
    published = Published(plan.contract, bases[0])
    visitor = Visitor(published, server, wish.servers.environment, bases[1:])
    job = ScanJob(
        server=server,
        tables=plan.contract.tables,
        metrics=metrics,
        bases=bases,
        roots=None,
        now=now,
        trusts_statistics=wish.evidence is options.Trusted.METADATA,
        leads=leads_of(metrics, visitor, wish.registry),
        environment=wish.variables,
        reach=personal_reach(),
        keeps_states=wish.states.is_used,
        kept=wish.states.read(entry.contract, server),
    )
    closed = server.unsupported or plan.contract.status is Status.RETIRED
    reading = Reading(server.name, now, {}, readable=None) if closed else wish.apart.read(job)
    run = verify.judge(asked, reading, now=now)
    kept = kept_after(asked, reading, run, job.kept)
    wish.states.write(entry.contract, server, kept)
    samples = samples_of(
        asked, run, wish.sampling, lambda rows: wish.apart.ask(rows_of, (job, rows))
    )
    return Judged(entry.contract, run, entry.problems, samples)


def _written(report: Report, form: Format, output: Path | None) -> int:
    """Write the report and return the exit code."""
    if output is not None:
        write_whole(output, reports.render(form, report))
    elif form is Format.TEXT:
        # Imported when a terminal is written to: rich takes a tenth of a second.
        from contractwatch.cli.reports import text  # noqa: PLC0415 - see above

        text.show_in_terminal(report)
    else:
        say(reports.render(form, report), nl=False)
    return exit_code(report.findings, report.fail_on)
