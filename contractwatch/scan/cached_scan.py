"""Answer metrics from the per-file cache, and scan only what it cannot answer.

Nothing is cached of a file that changed while it was read, or that was written just before. On a
full cache hit the engine is not even imported.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from contractwatch import __version__
from contractwatch.engines.cache.file_answers import (
    CacheableMetric,
    cache_key,
    cached_measurements,
    file_fingerprint,
    is_cacheable,
    is_settled,
)
from contractwatch.engines.cache.serialization import deserialize_table, serialize_table
from contractwatch.errors import SourceError
from contractwatch.model.contract.dataset import Dataset, TableFiles
from contractwatch.model.contract.incremental import AnswerScope, Window
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import Metric, TableSchema
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import SqlScalar
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.scan.incremental_windows import answer_window, with_windows

_VERSIONED_LIBRARIES = ("duckdb-", "polars", "regress-", "sqlglot-", "tzdata-")


@dataclass(frozen=True, slots=True)
class ScanAnswers:
    """The answers, the tables that could not be read, and what is cached for the next run.

    With `cached_tables` None the cache stays as it was. `windows` are those of the tables that were
    not read whole; `extents` say which rows the answers about them are about.
    """

    measurements: Mapping[Metric, Measurement]
    failures: Mapping[str, SourceError]
    evidence: Mapping[Metric, Evidence]
    cached_tables: tuple[CachedTable, ...] | None = None
    windows: Mapping[str, Window] = field(default_factory=dict[str, Window])
    extents: tuple[AnswerScope, ...] = ()


def full_scan(
    dataset: Dataset, metrics: Iterable[Metric], *, now: datetime, trusts_statistics: bool
) -> ScanAnswers:
    """Answer metrics by reading all files; the cache is left as it is."""
    # Imported here because it brings Polars, half a second and 50 MB, which the agent's own process
    # and a run that finds nothing new can do without.
    from contractwatch.engines.query.engine import survey  # noqa: PLC0415 - see above

    found = survey(dataset, metrics, now=now, trusts_statistics=trusts_statistics)
    return ScanAnswers(found.measurements, found.failures, found.evidence)


_CacheWriter: TypeAlias = Callable[[Collection[str]], bytes]
"""Serializes the new answers of a table, given the paths of files unchanged since the scan."""


@dataclass(slots=True)
class _Progress:
    """The answers so far; `fresh` are the writers for tables of which something was read."""

    answers: dict[Metric, Measurement] = field(default_factory=dict[Metric, Measurement])
    evidence: dict[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])
    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])
    fresh: dict[str, _CacheWriter] = field(default_factory=dict[str, _CacheWriter])
    windows: dict[str, Window] = field(default_factory=dict[str, Window])
    extents: list[AnswerScope] = field(default_factory=list[AnswerScope])


def scan_with_cache(
    dataset: Dataset,
    metrics: Iterable[Metric],
    before: Iterable[CachedTable],
    *,
    comparing: Iterable[Metric] = (),
    now: datetime,
    relist: Callable[[], Dataset],
) -> ScanAnswers:
    """Answer metrics about the tables of a server from the cache, and scan for the rest.

    Args:
        dataset: The tables of one server.
        metrics: The metrics, each about one table.
        before: The cache as the last run left it; it may be of another contract or version.
        comparing: Metrics about two tables, which the caller asks.
        now: The run's instant.
        relist: Lists the files once more, to see which of them changed meanwhile.
    """
    asked = frozenset(metrics)
    contents = {one.table: one.content for one in before}
    progress = _Progress()
    for files in dataset.tables:
        content = contents.get(files.table, b"")
        every = [one for one in (*asked, *comparing) if getattr(one, "table", "") == files.table]
        if files.incremental is not None and _answer_from_window(
            progress, files, every, content, now
        ):
            continue
        mine = tuple(one for one in every if isinstance(one, CacheableMetric))
        if is_cacheable(files):
            _answer_from_files(progress, files, mine, content, now)
    unfound = {table for table, _ in dataset.missing_tables} & contents.keys()
    progress.contents.update({table: contents[table] for table in unfound})
    unanswered = asked - progress.answers.keys()
    failures: Mapping[str, SourceError] = dict(dataset.missing_tables)
    if unanswered:
        failures = _scan_unanswered(progress, dataset, unanswered, now)
    for table, error in failures.items():
        _invalidate_table(progress, table, error)
    if progress.fresh:
        _update_cache(progress, dataset, now, relist)
    cached_tables = tuple(CachedTable(*one) for one in sorted(progress.contents.items()))
    extents = tuple(progress.extents)
    return ScanAnswers(
        progress.answers, failures, progress.evidence, cached_tables, progress.windows, extents
    )


def _answer_from_window(
    progress: _Progress,
    files: TableFiles,
    metrics: Iterable[Metric],
    content: bytes,
    now: datetime,
) -> bool:
    """Add the answers of a table with a window; return whether nothing is left to do for it."""
    found = answer_window(files, metrics, content, versions=_versions(), now=now)
    if isinstance(found, AnswerScope):
        progress.extents.append(found)
        return False
    progress.contents[files.table] = content
    if found is None:  # the cache stays, and the table is read as a whole
        return True
    progress.answers.update(found.answers)
    progress.evidence.update(found.evidence)
    progress.extents.append(found.extent)
    if found.window is not None:
        progress.windows[files.table] = found.window
    if not found.is_fresh:
        progress.contents[files.table] = found.content
        return True
    every = {file.path for file in files.files}
    progress.fresh[files.table] = lambda unchanged: (
        found.content if every <= set(unchanged) else content
    )
    return True


def _answer_from_files(
    progress: _Progress,
    files: TableFiles,
    metrics: tuple[CacheableMetric, ...],
    content: bytes,
    now: datetime,
) -> None:
    """Add the answers that the cache of one table gives, and those of its new files."""
    key = cache_key(files, _versions())
    cached = deserialize_table(content, key) if content else None
    if cached is not None:
        progress.contents[files.table] = content
        found = cached_measurements(cached, files, metrics, now)
        if found is not None:
            progress.answers.update(found)
            progress.evidence.update(dict.fromkeys(found, Evidence.STATE))
            return
    from contractwatch.engines.cache.incremental_scan import incremental_scan  # noqa: PLC0415 - brings Polars, as above

    fresh = incremental_scan(files, metrics, cached, now=now)
    if fresh is not None:
        progress.answers.update(fresh.measurements)
        progress.evidence.update(fresh.evidence)
        progress.fresh[files.table] = lambda unchanged: serialize_table(
            fresh.table_answers.restricted_to(unchanged), key
        )


def _scan_unanswered(
    progress: _Progress, dataset: Dataset, metrics: Iterable[Metric], now: datetime
) -> Mapping[str, SourceError]:
    """Scan for what the cache cannot answer; return which tables could not be read.

    All files are asked, but a query at a table with a window is asked of that window, and of all
    rows of the other tables.
    """
    groups: dict[str, set[Metric]] = {}
    for one in metrics:
        has_window = isinstance(one, SqlScalar) and one.table in progress.windows
        groups.setdefault(getattr(one, "table", "") if has_window else "", set()).add(one)
    failures: dict[str, SourceError] = {}
    for table, asked in groups.items():
        names: set[str] = {getattr(one, "table", "") for one in asked}
        names |= {name for one in asked if isinstance(one, SqlScalar) for name in one.tables}
        tables = tuple(files for files in dataset.tables if files.table in names)
        window = {table: progress.windows[table]} if table else {}
        chosen = with_windows(replace(dataset, tables=tables), window)
        found = full_scan(chosen, asked, now=now, trusts_statistics=True)
        progress.answers.update(found.measurements)
        progress.evidence.update(found.evidence)
        failures.update(found.failures)
    return failures


def _invalidate_table(progress: _Progress, table: str, error: SourceError) -> None:
    """Replace the answers about a table that cannot be read now, except its columns."""
    for metric in progress.answers:
        of_table = getattr(metric, "table", "") == table
        if of_table and not isinstance(metric, TableSchema | SqlScalar):
            progress.answers[metric] = Unmeasured(str(error))


def _update_cache(
    progress: _Progress, dataset: Dataset, now: datetime, relist: Callable[[], Dataset]
) -> None:
    """Replace the cached answers of the tables that were read."""
    try:
        relisted = {files.table: files for files in relist().tables}
    except SourceError:
        return
    for files in dataset.tables:
        if files.table not in progress.fresh or files.table not in relisted:
            continue
        later = {file.path: file_fingerprint(file) for file in relisted[files.table].files}
        unchanged = {
            file.path
            for file in files.files
            if files.snapshot is not None  # a version of such a table never changes
            or (is_settled(file, now) and later.get(file.path) == file_fingerprint(file))
        }
        content = progress.fresh[files.table](unchanged)
        progress.contents.pop(files.table, None)
        if content:
            progress.contents[files.table] = content


@cache
def _versions() -> str:
    """Return the versions of all code that takes part in an answer.

    Installed versions are read from folder names: `importlib.metadata` takes as long as the
    rest of a run that reads nothing. Where nothing is installed, file times stand for versions.
    """
    found = find_spec("polars")
    library = Path(found.origin) if found is not None and found.origin else Path()
    installed = (path.name for path in library.parent.parent.glob("*.dist-info"))
    named = sorted(name for name in installed if name.startswith(_VERSIONED_LIBRARIES))
    ours = (Path(__file__).parents[1] / "engines").rglob("*.py")
    times = [path.stat().st_mtime_ns for path in (library, *ours)]
    return repr((__version__, named, times[0], max(times[1:], default=0)))
