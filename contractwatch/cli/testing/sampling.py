"""Sample the keys of rows that break a promise; classified columns are never shown."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, TypeGuard

from contractwatch.checks.values.sql import SQL
from contractwatch.cli.reports.findings import Samples
from contractwatch.errors import SourceError
from contractwatch.model.base.connection import DATABASE_KINDS
from contractwatch.model.base.path import ArrayItem, StructField, struct_fields
from contractwatch.model.contract.contract import Column, Contract, LogicalType, Table
from contractwatch.model.measure.metric import CountWhere, Metric, SurplusRows, Unparseable
from contractwatch.model.record.check import Check, Outcome, Promise
from contractwatch.model.record.run import RunResult
from contractwatch.scan.scan import ScanJob
from contractwatch.scan.variable_resolution import resolve_server, resolve_variables
from contractwatch.scan.workers import JobFailed
from contractwatch.verify import Plan

_OPEN = frozenset({"", "public", "internal"})
_CLOSED_TAGS = frozenset(
    {"pii", "phi", "pci", "confidential", "restricted", "sensitive", "secret", "personal"}
)
_WORD = re.compile(r"[a-z0-9]+")
_NOT_ROWS = "rows are not shown for this kind of promise"
_NO_COLUMN = (
    "no column may be shown: the table has no primary key and no column that is required and "
    "unique; name one with --sample-columns"
)
_PUBLIC = "public"
_ALL_CLASSIFIED = "no column may be shown: they are classified"
_UNREADABLE = "the rows cannot be read"
_ONE_NUMBER = "a query in SQL answers with one number; select its rows yourself"

Rows: TypeAlias = tuple[Mapping[str, int | float | bool | str | None], ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many rows to sample, and which columns beside the primary key."""

    limit: int = 0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """A sample of up to `limit` rows that match the metrics.

    `columns` are the name that is shown, the physical one, and the way to a member of objects.
    """

    metrics: tuple[CountWhere | Unparseable | SurplusRows, ...]
    columns: tuple[tuple[str, str, tuple[StructField, ...]], ...]
    limit: int


def samples_of(
    plan: Plan,
    run: RunResult,
    sampling: Sampling,
    read: Callable[[tuple[SampleQuestion, ...]], list[Rows | None] | JobFailed],
) -> Mapping[str, Samples]:
    """Return rows for every failed check that counts rows, by the promise's id.

    Args:
        plan: The checks.
        run: What became of them.
        sampling: What a person asked for.
        read: Reads the rows that are asked for, as `sample_rows` does.
    """
    failed = {
        result.promise.promise_id
        for result in run.results
        if result.outcome is Outcome.FAILED
        and (result.verdict.violations or result.promise.kind == SQL.name)
    }
    checks = [check for check in plan.checks if check.promise.promise_id in failed]
    if not checks or not sampling.limit:
        return {}
    found: dict[str, Samples] = {}
    asked: dict[str, tuple[SampleQuestion, tuple[str, ...]]] = {}
    for check in checks:
        promise_id = check.promise.promise_id
        shown, withheld = _columns(plan.contract, check.promise, sampling)
        metrics = tuple(metric for metric in check.metrics() if _counts_rows(metric))
        if not metrics or not shown:
            why = _ALL_CLASSIFIED if withheld else _NO_COLUMN
            found[promise_id] = Samples((), _without_rows(check) if not metrics else why, withheld)
            continue
        asked[promise_id] = (SampleQuestion(metrics, shown, sampling.limit), withheld)
    told = read(tuple(one for one, _ in asked.values())) if asked else []
    rows = [None] * len(asked) if isinstance(told, JobFailed) else told
    for (promise_id, (_, withheld)), read_rows in zip(asked.items(), rows, strict=True):
        why = _UNREADABLE if read_rows is None else ""
        found[promise_id] = Samples(read_rows or (), why, withheld)
    return found


def sample_rows(wish: tuple[ScanJob, tuple[SampleQuestion, ...]]) -> list[Rows | None]:
    """Return the rows that are asked for, None where they cannot be read; a job for a worker."""
    # Imported where rows are read: this file is loaded by every call of the command.
    from contractwatch.engines.query import samples  # noqa: PLC0415 - see above
    from contractwatch.sources import open_server  # noqa: PLC0415 - see above

    job, asked = wish
    wanted = [
        samples.SampleRequest(
            one.metrics, tuple(samples.ShownColumn(*column) for column in one.columns)
        )
        for one in asked
    ]
    limit = max(one.limit for one in asked)
    try:
        environment = dict(job.environment)
        tables = resolve_variables(job.tables, (), environment).tables
        server = resolve_server(job.server, environment)
        if server.kind in DATABASE_KINDS:
            in_database = replace(job, server=server, tables=tables)
            return _sample_database(
                in_database, partial(samples.sample_tables, wanted, limit=limit)
            )
        dataset = open_server(server, tables, bases=job.bases, roots=job.roots, reach=job.reach)
        return list(samples.sample(dataset, wanted, limit=limit))
    except SourceError:
        return [None] * len(asked)


def _sample_database(
    job: ScanJob, sample: Callable[[Iterable[str], Callable[[str], Any]], list[Rows | None]]
) -> list[Rows | None]:
    """Return rows of a database, which are pulled if they are not too many.

    Raises:
        SourceError: If the database cannot be read.
    """
    # As above: it brings Polars and the SQL builder.
    from contractwatch.scan.open_databases import OpenDatabases  # noqa: PLC0415 - see above

    databases = OpenDatabases(job.connections, job.product, job.now)
    with closing(databases):
        found = databases.find_tables(job.server, job.tables, bases=job.bases)
        known = {table.table: table for table in found.tables}
        return sample(known, lambda name: databases.open_rows(known[name]))


def is_classified(column: Column, tags: Iterable[str]) -> bool:
    """Whether a column may not be shown, by its classification or by a tag above it."""
    words = {word for tag in tags for word in _WORD.findall(tag.lower())}
    return column.classification.strip().lower() not in _OPEN or bool(words & _CLOSED_TAGS)


def _counts_rows(metric: Metric) -> TypeGuard[CountWhere | Unparseable | SurplusRows]:
    return isinstance(metric, CountWhere | Unparseable | SurplusRows)


def _without_rows(check: Check) -> str:
    return _ONE_NUMBER if check.promise.kind == SQL.name else _NOT_ROWS


def _columns(
    contract: Contract, promise: Promise, sampling: Sampling
) -> tuple[tuple[tuple[str, str, tuple[StructField, ...]], ...], tuple[str, ...]]:
    """Return the columns to show, and the names of those withheld.

    What is inside of arrays is no single value to show. The column that the promise is about is
    shown unasked only if the contract declares it public.
    """
    table = contract.table(promise.table)
    if table is None:
        return (), ()
    broken = table.find(promise.column) if promise.column else None
    is_public = broken is not None and broken.classification.strip().lower() == _PUBLIC
    asked = (*_key(contract, table), *sampling.columns)
    names = (*asked, broken.name) if broken and is_public else asked
    named = [table.find(name) for name in dict.fromkeys(names)]
    columns = [c for c in named if c is not None and ArrayItem() not in c.path]
    closed = {c.name for c in columns if _is_closed(contract, table, c)}
    shown = tuple(
        (c.name, c.physical_name, struct_fields(c.path)) for c in columns if c.name not in closed
    )
    withheld = (column.name for column in columns if column.name in closed)
    return shown, tuple(name for name in withheld if name in asked)


def _key(contract: Contract, table: Table) -> tuple[str, ...]:
    """Return the primary key, or one column that tells the rows apart as well.

    Of several, one that is public or no text is taken first: an address may be unique, too.
    """
    if table.primary_key:
        return table.primary_key.columns
    fitting = [
        column
        for column in table.columns
        if column.required_clause and column.unique_clause
        if not _is_closed(contract, table, column)
    ]
    best = min(fitting, key=_reserve, default=None)
    return (best.name,) if best else ()


def _reserve(column: Column) -> int:
    if column.classification.strip().lower() == _PUBLIC:
        return 0
    return 2 if column.logical_type in (None, LogicalType.STRING) else 1


def _is_closed(contract: Contract, table: Table, column: Column) -> bool:
    """Whether a column, or one of the objects that it is inside of, is classified."""
    outer = (
        one
        for top in table.columns
        for one in (top, *top.nested)
        if top.physical_name == column.physical_name and one.path == column.path[: len(one.path)]
    )
    return any(is_classified(one, _tags(contract, table, one)) for one in outer)


def _tags(contract: Contract, table: Table, column: Column) -> Iterable[str]:
    yield from contract.tags
    for label in contract.labels:
        is_about = label.table == table.name and label.column in (None, column.name)
        if is_about and not label.rule_id:
            yield from label.tags
