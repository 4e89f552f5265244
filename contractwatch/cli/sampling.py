"""Rows that break a promise are shown by their keys, if asked; a classified column never is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from contractwatch.agent.resolution import resolve, resolve_server
from contractwatch.agent.scan import ScanJob
from contractwatch.cli.findings import Samples
from contractwatch.errors import SourceError
from contractwatch.model.check import Outcome
from contractwatch.model.contract import Column, Contract, Table
from contractwatch.model.metric import CountWhere, Metric, Unparseable
from contractwatch.model.run import RunResult
from contractwatch.verify import Plan

_OPEN = frozenset({"", "public", "internal"})
_CLOSED_TAGS = frozenset(
    {"pii", "phi", "pci", "confidential", "restricted", "sensitive", "secret", "personal"}
)
_WORD = re.compile(r"[a-z0-9]+")
_NOT_ROWS = "what breaks this promise is told by no single row"
_NO_COLUMN = "no column may be shown; the table has no primary key: name one with --sample-columns"
_ALL_CLASSIFIED = "no column may be shown: they are classified"
_UNREADABLE = "the rows cannot be read"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many rows are shown, and which columns beside the primary key."""

    limit: int = 0
    columns: tuple[str, ...] = ()


def samples_of(
    plan: Plan, run: RunResult, job: ScanJob, sampling: Sampling
) -> Mapping[str, Samples]:
    """Return rows for every failed check that counts rows, by the promise's id."""
    failed = {
        result.promise.promise_id
        for result in run.results
        if result.outcome is Outcome.FAILED and result.verdict.violations
    }
    checks = [check for check in plan.checks if check.promise.promise_id in failed]
    if not checks or not sampling.limit:
        return {}
    # Imported when rows are asked for: this file is loaded by every call of the command.
    from contractwatch.engines.samples import Wanted, sample  # noqa: PLC0415 - see above
    from contractwatch.sources import open_server  # noqa: PLC0415 - see above

    found: dict[str, Samples] = {}
    asked: list[tuple[str, Wanted, tuple[str, ...]]] = []
    for check in checks:
        promise_id = check.promise.promise_id
        shown, withheld = _columns(plan.contract, check.promise.table, sampling)
        metrics = tuple(metric for metric in check.metrics() if _counts_rows(metric))
        if not metrics or not shown:
            why = _ALL_CLASSIFIED if withheld else _NO_COLUMN
            found[promise_id] = Samples((), _NOT_ROWS if not metrics else why, withheld)
            continue
        asked.append((promise_id, Wanted(metrics, shown), withheld))
    try:
        environment = dict(job.environment)
        tables = resolve(job.tables, (), environment).tables
        server = resolve_server(job.server, environment)
        dataset = open_server(server, tables, bases=job.bases, roots=job.roots)
        rows = sample(dataset, [wanted for _, wanted, _ in asked], limit=sampling.limit)
    except SourceError:
        rows = [None] * len(asked)
    for (promise_id, _, withheld), read in zip(asked, rows, strict=True):
        why = _UNREADABLE if read is None else ""
        found[promise_id] = Samples(read or (), why, withheld)
    return found


def is_classified(column: Column, tags: Iterable[str]) -> bool:
    """Whether a column may not be shown, by its classification or by a tag above it."""
    words = {word for tag in tags for word in _WORD.findall(tag.lower())}
    return column.classification.strip().lower() not in _OPEN or bool(words & _CLOSED_TAGS)


def _counts_rows(metric: Metric) -> TypeGuard[CountWhere | Unparseable]:
    return isinstance(metric, CountWhere | Unparseable)


def _columns(
    contract: Contract, table_name: str, sampling: Sampling
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the columns to show by name and physical name, and the names of those withheld."""
    table = contract.table(table_name)
    if table is None:
        return (), ()
    keys = table.primary_key.columns if table.primary_key else ()
    named = [table.column(name) for name in dict.fromkeys((*keys, *sampling.columns))]
    columns = [column for column in named if column is not None]
    closed = {c.name for c in columns if is_classified(c, _tags(contract, table, c))}
    shown = tuple((c.name, c.physical_name) for c in columns if c.name not in closed)
    return shown, tuple(column.name for column in columns if column.name in closed)


def _tags(contract: Contract, table: Table, column: Column) -> Iterable[str]:
    yield from contract.tags
    for label in contract.labels:
        is_about = label.table == table.name and label.column in (None, column.name)
        if is_about and not label.rule_id:
            yield from label.tags
