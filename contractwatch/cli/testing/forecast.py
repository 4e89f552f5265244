"""Predict what a run would skip, and check that the data is there, without reading rows."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from contractwatch import verify
from contractwatch.agent.clock import system_clock
from contractwatch.cli.testing.database_connections import KnownConnections
from contractwatch.errors import Blame, Problem, SourceError
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.connection import DATABASE_KINDS
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Contract, Status
from contractwatch.model.record.check import WRONG
from contractwatch.model.record.run import CheckResult, Coverage
from contractwatch.scan.reach import personal_reach
from contractwatch.scan.variable_resolution import resolve_server

_MOST_LINES = 8
_MOST_KINDS = 20
"""Servers that are read, or not read, for reasons of their own; more of them are counted only."""
_NOWHERE = "the contract names no server"


def predicted_skips(contract: Contract, known: KnownConnections) -> Iterator[str]:
    """Yield what `test` would skip of a contract, for each server."""
    if contract.status is Status.RETIRED:
        yield f"{contract.file}: `test` would judge nothing: the contract is retired"
        return
    plan = verify.plan(contract)
    nowhere = Server(Clause("servers", 0), name="", kind="", unsupported=_NOWHERE)
    told: dict[tuple[str, ...], list[str]] = {}
    found: dict[tuple[str, bool], tuple[tuple[CheckResult, ...], Coverage]] = {}
    uncounted = 0
    bases = _bases(contract)
    for written in contract.servers or (nowhere,):
        server = known.server(written, bases=bases, environment={})
        is_text = server.data_format is not None and server.data_format.is_text
        alike = (server.unsupported, is_text)  # servers may be as many as the clauses
        if alike not in found and len(found) == _MOST_KINDS:
            uncounted += 1
            continue
        if alike not in found:
            found[alike] = verify.forecast(plan, server)
        skipped, coverage = found[alike]
        if skipped or not coverage.promised:
            clauses = f"{coverage.executed} of {coverage.promised} clauses"
            lines = (f"`test` would judge {clauses}", *_reasons(skipped))
            told.setdefault(lines, []).append(server.name)
    for (first, *rest), names in told.items():
        listed = ", ".join(f"'{name}'" for name in names if name)
        yield f"{contract.file}: {first}{f' on {listed}' if listed else ''}"
        yield from rest
    if uncounted:
        servers = "1 more server" if uncounted == 1 else f"{uncounted} more servers"
        yield f"{contract.file}: what `test` would skip on {servers} is not told; name fewer"


def missing_data_problems(contract: Contract, known: KnownConnections) -> Iterator[Problem]:
    """Yield a problem for each server whose data is not found; reads no row."""
    # Imported where data is looked for: lint alone has no need of what reads files.
    from contractwatch.sources import open_server  # noqa: PLC0415 - see above

    bases = _bases(contract)
    for server in contract.servers:
        if server.unsupported:
            continue  # said already
        try:
            if server.kind in DATABASE_KINDS:
                _find_tables(contract, server, known, bases)
            else:
                open_server(
                    server, contract.tables, bases=bases, roots=None, reach=personal_reach()
                )
        except SourceError as error:
            message = f"the data is not found: {error}"
            yield Problem(contract.file, server.clause.line, server.clause.path, message)


def _find_tables(
    contract: Contract, server: Server, known: KnownConnections, bases: tuple[Path, ...]
) -> None:
    """Look up the tables of a database.

    Raises:
        SourceError: If there is no connection for it, or it has not all of them.
    """
    if known.problem:
        raise SourceError(known.problem, retryable=False, blame=Blame.AGENT)
    # Imported where a database is looked at: it brings the SQL builder and Polars.
    from contractwatch.scan.open_databases import OpenDatabases  # noqa: PLC0415 - see above

    resolved = resolve_server(server, {})
    databases = OpenDatabases(known.connections, contract.product, system_clock().now())
    with closing(databases):
        found = databases.find_tables(resolved, contract.tables, bases=bases)
    for _, why in found.missing_tables:
        raise why


def _bases(contract: Contract) -> tuple[Path, ...]:
    return Path(contract.file).resolve().parent, Path.cwd()


def _reasons(skipped: Iterable[CheckResult]) -> Iterator[str]:
    """Yield one line a reason, with the lines of the file."""
    by_reason: dict[str, list[int]] = {}
    for result in skipped:
        reason = result.verdict.reason
        said = f"{WRONG}, see above" if reason.startswith(WRONG) else reason
        by_reason.setdefault(said, []).append(result.promise.clause.line)
    for reason, lines in by_reason.items():
        known = list(dict.fromkeys(map(str, lines)))
        more = f" and {len(known) - _MOST_LINES} more" if len(known) > _MOST_LINES else ""
        where = ", ".join(known[:_MOST_LINES])
        noun = "line" if len(known) == 1 else "lines"
        yield f"  skipped: {len(lines)} ({noun} {where}{more}): {reason}"
