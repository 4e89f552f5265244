"""Scan one server; whatever its data does to the reader ends in a `Reading`."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.reach import NO_OBJECT_STORES, ObjectStoreAccess
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import ComparingMetric, Metric, TableSchema
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.record.file_state import CachedTable
from contractwatch.model.record.run import Reading
from contractwatch.scan.cached_scan import ScanAnswers, full_scan, scan_with_cache
from contractwatch.scan.incremental_windows import narrowed
from contractwatch.scan.reference_resolver import Resolution
from contractwatch.scan.resolution import resolve, resolve_server


@dataclass(frozen=True, slots=True)
class ScanJob:
    """What a worker needs to read one server: plain values, so that they reach another process.

    `bases` and `roots` are as in `sources.open_server`; `now` is the run's instant. `environment`
    holds the variables that contracts may use, with their values. `leads` say where the references
    to other tables lead. `trusts_statistics` is as in `engines.polars.survey`. `reach` says which
    object stores may be read. With `keeps_states` answers may rest on what is `kept` of the files,
    unless values are to be read anyway.
    """

    server: Server
    tables: tuple[Table, ...]
    metrics: frozenset[Metric]
    bases: tuple[Path, ...]
    roots: tuple[Path, ...] | None
    now: datetime
    trusts_statistics: bool = True
    leads: tuple[Resolution, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    reach: ObjectStoreAccess = NO_OBJECT_STORES
    keeps_states: bool = False
    kept: tuple[CachedTable, ...] = ()


FURTHER_TRIES = 2
"""A team may swap a file while it is read: so often the folder is listed and read once more."""


def scan(job: ScanJob) -> Reading:
    """Open the server, answer the metrics, and report every failure as a value.

    It runs in a worker, or in the process of the command line. `readable` is True if all tables
    were read, False if one could not be by the product's fault, and None if by another's.
    """
    return settled(lambda: _attempt(job))


def settled(attempt: Callable[[], tuple[Reading, bool]]) -> Reading:
    """Return the first reading that another try would not better, or the last of three."""
    reading, may_better = attempt()
    for _ in range(FURTHER_TRIES):
        if not may_better:
            break
        reading, may_better = attempt()
    return reading


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found before it is a reading; `failures` are by table."""

    version: str
    failures: Mapping[str, SourceError]
    measurements: Mapping[Metric, Measurement]
    evidence: Mapping[Metric, Evidence]
    file_bytes: int
    kept: tuple[CachedTable, ...] | None = None
    extents: tuple[AnswerScope, ...] = ()


def _find(job: ScanJob) -> _Found:
    """Open the server and ask.

    Raises:
        SourceError: If nothing can be read.
    """
    with ExitStack() as opened:
        return _asked(job, opened)


def _asked(job: ScanJob, opened: ExitStack) -> _Found:
    """Open the server, whose files are held as long as the stack is, and ask."""
    # Imported here because the agent's own process only names this file.
    from contractwatch.sources import open_server  # noqa: PLC0415 - see above
    from contractwatch.sources.search.pinned_files import held  # noqa: PLC0415 - see above

    environment = dict(job.environment)
    resolution = resolve(job.tables, job.metrics, environment)
    server = resolve_server(job.server, environment)
    open_own = partial(open_server, roots=job.roots, reach=job.reach)

    def open_held(*place: Any, bases: tuple[Path, ...]) -> Dataset:
        return opened.enter_context(held(open_own(*place, bases=bases), job.roots))

    dataset = open_held(server, resolution.tables, bases=job.bases)
    schemas = {TableSchema(table.name) for table in job.tables}
    asked = set(resolution.asked.values())
    comparing = {metric for metric in asked if isinstance(metric, ComparingMetric)}
    again = partial(open_own, server, resolution.tables, bases=job.bases)
    found = _answered(job, dataset, ((asked - comparing) | schemas, comparing), again)
    across = _across(job, narrowed(dataset, found.windows), comparing, open_held)
    evidence = {
        metric: found.evidence.get(resolved, Evidence.SCAN)
        for metric, resolved in resolution.asked.items()
    }
    measured = resolution.restored({**found.measurements, **across})
    file_bytes = sum(file.size for table in dataset.tables for file in table.files)
    extents = tuple(
        replace(
            extent,
            metrics=frozenset(
                metric for metric, one in resolution.asked.items() if one in extent.metrics
            ),
        )
        for extent in found.extents
    )
    return _Found(
        dataset.version, found.failures, measured, evidence, file_bytes, found.kept, extents
    )


def _answered(
    job: ScanJob,
    dataset: Dataset,
    questions: tuple[set[Metric], set[ComparingMetric]],
    listed_again: Callable[[], Dataset],
) -> ScanAnswers:
    """Ask what is about one table, of what is kept of its files where that is allowed."""
    metrics, beside = questions
    if job.keeps_states and job.trusts_statistics:
        return scan_with_cache(
            dataset, metrics, job.kept, beside=beside, now=job.now, listed_again=listed_again
        )
    return full_scan(dataset, metrics, now=job.now, trusts_statistics=job.trusts_statistics)


def _across(
    job: ScanJob,
    dataset: Dataset,
    metrics: set[ComparingMetric],
    open_other: Callable[..., Dataset],
) -> Mapping[Metric, Measurement]:
    if not metrics:
        return {}
    # Imported here because it brings Polars, half a second and 50 MB, which the agent's own process
    # and a run without such questions can do without.
    from contractwatch.scan.comparisons import answer_comparisons  # noqa: PLC0415 - see above

    found = answer_comparisons(
        dataset,
        metrics,
        job.leads,
        tables=job.tables,
        open_other=open_other,
        environment=dict(job.environment),
    )
    return {**found}


def _attempt(job: ScanJob) -> tuple[Reading, bool]:
    """Return what one try found, and whether another one may find more."""
    try:
        found = _find(job)
    except SourceError as error:
        return unread(job, str(error), error.blame), error.retryable
    except MemoryError:
        return unread(job, "the memory limit was reached", Blame.AMBIGUOUS), False
    except BaseException as error:
        # A panic inside Polars is no Exception; anything but an order to stop is an answer here.
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        return unread(job, f"the reader failed ({type(error).__name__})", Blame.AGENT), False
    failures = found.failures.values()
    blame = _worst(error.blame for error in failures)
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
        kept=found.kept,
        blames={table: error.blame for table, error in found.failures.items()},
        extents=found.extents,
    )
    return reading, any(error.retryable for error in failures)


def _worst(blames: Iterable[Blame]) -> Blame | None:
    """Return the product's blame if there is one: what it breaks, it breaks for everyone."""
    found = set(blames)
    return next((blame for blame in Blame if blame in found), None)


def _readable(blame: Blame | None) -> bool | None:
    if blame is None:
        return True
    return False if blame is Blame.PRODUCT else None


def unread(job: ScanJob, error: str, blame: Blame) -> Reading:
    """Return the reading of a job that read nothing, with the reason and who is to blame."""
    reason = Unmeasured(error)
    return Reading(
        server=job.server.name,
        started_at=job.now,
        measurements=dict.fromkeys(job.metrics, reason),
        readable=_readable(blame),
        error=error,
        blame=blame,
    )
