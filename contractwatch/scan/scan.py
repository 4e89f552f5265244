"""Scan one server; whatever its data does to the reader ends in a `Reading`."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import DATABASE_KINDS, Connection
from contractwatch.model.base.object_store_access import NO_OBJECT_STORES, ObjectStoreAccess
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.database import DatabaseTables, ServerTables, SqlTable
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import ComparingMetric, Metric, TableSchema
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.model.record.run import Reading
from contractwatch.scan.cached_scan import ScanAnswers, full_scan, scan_with_cache
from contractwatch.scan.incremental_windows import with_windows
from contractwatch.scan.reference_resolver import ReferenceResolution
from contractwatch.scan.variable_resolution import resolve_server, resolve_variables


@dataclass(frozen=True, slots=True)
class ScanJob:
    """One scan of one server, as plain values that can be sent to a worker process.

    `bases` and `roots` are as in `sources.open_server`; `now` is the run's instant. `environment`
    holds the variables that contracts may use, with their values. `references` are those to other
    tables, resolved. `trusts_statistics` is as in `engines.query.engine.survey`. `reach` says which
    object stores may be read, `connections` which databases; `product` is the name that databases
    are told. With `uses_cache` answers may come
    from `cached_tables`, unless statistics are not trusted.
    """

    server: Server
    tables: tuple[Table, ...]
    metrics: frozenset[Metric]
    bases: tuple[Path, ...]
    roots: tuple[Path, ...] | None
    now: datetime
    trusts_statistics: bool = True
    references: tuple[ReferenceResolution, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    reach: ObjectStoreAccess = NO_OBJECT_STORES
    connections: tuple[Connection, ...] = ()
    product: str = ""
    uses_cache: bool = False
    cached_tables: tuple[CachedTable, ...] = ()


MAX_RETRIES = 2
"""Retries of a scan, listing included: a team may swap a file while it is read."""


def scan(job: ScanJob) -> Reading:
    """Open the server, answer the metrics, and report every failure as a value.

    It runs in a worker, or in the process of the command line. `readable` is True if all tables
    were read, False if one could not be by the product's fault, and None if by another's.
    """
    return retry_scan(lambda: _attempt(job))


def retry_scan(attempt: Callable[[], tuple[Reading, bool]]) -> Reading:
    """Retry until a retry would not improve the reading; return the last reading."""
    reading, may_improve = attempt()
    for _ in range(MAX_RETRIES):
        if not may_improve:
            break
        reading, may_improve = attempt()
    return reading


@dataclass(frozen=True, slots=True)
class _ScanResult:
    """What a scan found; `failures` are by table."""

    version: str
    failures: Mapping[str, SourceError]
    measurements: Mapping[Metric, Measurement]
    evidence: Mapping[Metric, Evidence]
    file_bytes: int
    cached_tables: tuple[CachedTable, ...] | None = None
    extents: tuple[AnswerScope, ...] = ()


def _scan_server(job: ScanJob) -> _ScanResult:
    """Open the server and answer the metrics.

    Raises:
        SourceError: If nothing can be read.
    """
    with ExitStack() as opened:
        return _scan_opened(job, opened)


def _scan_opened(job: ScanJob, opened: ExitStack) -> _ScanResult:
    """Open the server, its files pinned until the stack is closed, and answer the metrics."""
    # Imported here because the agent's own process only names this file.
    from contractwatch.sources import open_server  # noqa: PLC0415 - see above
    from contractwatch.sources.search.pinned_files import pin_files  # noqa: PLC0415 - see above

    environment = dict(job.environment)
    resolution = resolve_variables(job.tables, job.metrics, environment)
    server = resolve_server(job.server, environment)
    open_own = partial(open_server, roots=job.roots, reach=job.reach)

    @cache
    def databases():
        from contractwatch.scan.open_databases import OpenDatabases  # noqa: PLC0415 - see above

        known = OpenDatabases(
            job.connections, job.product, job.now, trusts_constraints=job.trusts_statistics
        )
        return opened.enter_context(closing(known))

    def open_held(
        server: Server, tables: tuple[Table, ...], *, bases: tuple[Path, ...]
    ) -> ServerTables:
        if server.kind in DATABASE_KINDS:
            return databases().find_tables(server, tables, bases=bases)
        listed = open_own(server, tables, bases=bases)
        return opened.enter_context(pin_files(listed, job.roots))

    dataset = open_held(server, resolution.tables, bases=job.bases)
    schemas = {TableSchema(table.name) for table in job.tables}
    asked = set(resolution.asked.values())
    comparing = {metric for metric in asked if isinstance(metric, ComparingMetric)}
    metrics = (asked - comparing) | schemas
    if isinstance(dataset, DatabaseTables):
        found = databases().answer_metrics(dataset, metrics, resolution.tables)
    else:
        relist = partial(open_own, server, resolution.tables, bases=job.bases)
        found = _answer_metrics(job, dataset, (metrics, comparing), relist)
        dataset = with_windows(dataset, found.windows)
    compared = _answer_comparisons(
        job, dataset, comparing, (open_held, lambda table: databases().open_rows(table))
    )
    evidence = {
        metric: found.evidence.get(resolved, Evidence.SCAN)
        for metric, resolved in resolution.asked.items()
    }
    measured = resolution.restored({**found.measurements, **compared})
    files = () if isinstance(dataset, DatabaseTables) else dataset.tables
    file_bytes = sum(file.size for table in files for file in table.files)
    version = "" if isinstance(dataset, DatabaseTables) else dataset.version
    extents = tuple(
        replace(
            extent,
            metrics=frozenset(
                metric for metric, one in resolution.asked.items() if one in extent.metrics
            ),
        )
        for extent in found.extents
    )
    return _ScanResult(
        version,
        found.failures,
        measured,
        evidence,
        file_bytes,
        found.cached_tables,
        extents,
    )


def _answer_metrics(
    job: ScanJob,
    dataset: Dataset,
    metrics_and_comparing: tuple[set[Metric], set[ComparingMetric]],
    relist: Callable[[], Dataset],
) -> ScanAnswers:
    """Answer the metrics about one table, from the cache where that is allowed."""
    metrics, comparing = metrics_and_comparing
    if job.uses_cache and job.trusts_statistics:
        return scan_with_cache(
            dataset, metrics, job.cached_tables, comparing=comparing, now=job.now, relist=relist
        )
    return full_scan(dataset, metrics, now=job.now, trusts_statistics=job.trusts_statistics)


def _answer_comparisons(
    job: ScanJob,
    dataset: ServerTables,
    metrics: set[ComparingMetric],
    opening: tuple[Callable[..., ServerTables], Callable[[SqlTable], Any]],
) -> Mapping[Metric, Measurement]:
    if not metrics:
        return {}
    # Imported here because it brings Polars, half a second and 50 MB, which the agent's own process
    # and a run without such metrics can do without.
    from contractwatch.scan.comparisons import Opening, answer_comparisons  # noqa: PLC0415 - see above

    found = answer_comparisons(
        dataset,
        metrics,
        job.references,
        tables=job.tables,
        opening=Opening(*opening),
        environment=dict(job.environment),
    )
    return {**found}


def _attempt(job: ScanJob) -> tuple[Reading, bool]:
    """Return the reading of one try, and whether a retry may improve it."""
    try:
        found = _scan_server(job)
    except SourceError as error:
        return failed_reading(job, str(error), error.blame), error.retryable
    except MemoryError:
        return failed_reading(job, "the memory limit was reached", Blame.AMBIGUOUS), False
    except BaseException as error:
        # A panic inside Polars is no Exception; anything but an order to stop is an answer here.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        return failed_reading(
            job, f"the reader failed ({type(error).__name__})", Blame.AGENT
        ), False
    failures = found.failures.values()
    blame = _worst_blame(error.blame for error in failures)
    nothing_read = len(found.failures) == len(job.tables) and bool(job.tables)
    reading = Reading(
        server=job.server.name,
        started_at=job.now,
        measurements=found.measurements,
        readable=_readable(blame),
        data_version=found.version,
        error="; ".join(str(error) for error in failures) if nothing_read else "",
        blame=blame,
        evidence=found.evidence,
        file_bytes=found.file_bytes,
        cached_tables=found.cached_tables,
        blames={table: error.blame for table, error in found.failures.items()},
        extents=found.extents,
    )
    return reading, any(error.retryable for error in failures)


def _worst_blame(blames: Iterable[Blame]) -> Blame | None:
    """Return the product's blame if there is one, else the next in the order of `Blame`."""
    found = set(blames)
    return next((blame for blame in Blame if blame in found), None)


def _readable(blame: Blame | None) -> bool | None:
    if blame is None:
        return True
    return False if blame is Blame.PRODUCT else None


def failed_reading(job: ScanJob, error: str, blame: Blame) -> Reading:
    """Return the reading of a job that read nothing, with the reason and the blame."""
    reason = Unmeasured(error)
    return Reading(
        server=job.server.name,
        started_at=job.now,
        measurements=dict.fromkeys(job.metrics, reason),
        readable=_readable(blame),
        error=error,
        blame=blame,
    )
