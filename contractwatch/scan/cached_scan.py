"""Answer questions from the per-file cache, and scan only what it cannot answer.

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
from contractwatch.engines.cache.serialization import deserialized, serialized
from contractwatch.errors import SourceError
from contractwatch.model.contract.dataset import Dataset, TableFiles
from contractwatch.model.contract.incremental import AnswerScope, Window
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import Metric, TableSchema
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import SqlScalar
from contractwatch.model.record.file_state import CachedTable
from contractwatch.scan.incremental_windows import narrowed, scan_windowed

_TAKING_PART = ("polars", "regress-", "tzdata-")


@dataclass(frozen=True, slots=True)
class ScanAnswers:
    """The answers, the tables that could not be read, and what is kept for the next run.

    With `kept` None whatever was kept before stays. `windows` are those of the tables that were not
    read whole, `extents` say what the answers about them are about.
    """

    measurements: Mapping[Metric, Measurement]
    failures: Mapping[str, SourceError]
    evidence: Mapping[Metric, Evidence]
    kept: tuple[CachedTable, ...] | None = None
    windows: Mapping[str, Window] = field(default_factory=dict[str, Window])
    extents: tuple[AnswerScope, ...] = ()


def full_scan(
    dataset: Dataset, metrics: Iterable[Metric], *, now: datetime, trusts_statistics: bool
) -> ScanAnswers:
    """Answer questions by reading all files; the cache is left as it is."""
    # Imported here because it brings Polars, half a second and 50 MB, which the agent's own process
    # and a run that finds nothing new can do without.
    from contractwatch.engines.query.engine import survey  # noqa: PLC0415 - see above

    found = survey(dataset, metrics, now=now, trusts_statistics=trusts_statistics)
    return ScanAnswers(found.measurements, found.failures, found.evidence)


_Packing: TypeAlias = Callable[[Collection[str]], bytes]
"""What is to be kept of a table, of whose files these paths are known to be as they were read."""


@dataclass(slots=True)
class _Gathered:
    """What is known so far; `fresh` are the states of tables of which something was read."""

    answers: dict[Metric, Measurement] = field(default_factory=dict[Metric, Measurement])
    evidence: dict[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])
    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])
    fresh: dict[str, _Packing] = field(default_factory=dict[str, _Packing])
    windows: dict[str, Window] = field(default_factory=dict[str, Window])
    extents: list[AnswerScope] = field(default_factory=list[AnswerScope])


def scan_with_cache(
    dataset: Dataset,
    metrics: Iterable[Metric],
    before: Iterable[CachedTable],
    *,
    beside: Iterable[Metric] = (),
    now: datetime,
    listed_again: Callable[[], Dataset],
) -> ScanAnswers:
    """Answer questions about the tables of a server from the cache, and scan the rest.

    Args:
        dataset: The tables of one server.
        metrics: The questions, none about two tables.
        before: What the last run kept; it may be of another contract or version.
        beside: The questions about two tables, which are asked elsewhere.
        now: The run's instant.
        listed_again: Finds the files once more, to see which of them changed meanwhile.
    """
    asked = frozenset(metrics)
    contents = {one.table: one.content for one in before}
    gathered = _Gathered()
    for files in dataset.tables:
        content = contents.get(files.table, b"")
        every = [one for one in (*asked, *beside) if getattr(one, "table", "") == files.table]
        if files.incremental is not None and _gather_window(gathered, files, every, content, now):
            continue
        mine = tuple(one for one in every if isinstance(one, CacheableMetric))
        if is_cacheable(files):
            _gather(gathered, files, mine, content, now)
    unfound = {table for table, _ in dataset.missing_tables} & contents.keys()
    gathered.contents.update({table: contents[table] for table in unfound})
    left = asked - gathered.answers.keys()
    failures: Mapping[str, SourceError] = dict(dataset.missing_tables)
    if left:
        failures = _read(gathered, dataset, left, now)
    for table, error in failures.items():
        _disown(gathered, table, error)
    if gathered.fresh:
        _keep(gathered, dataset, now, listed_again)
    kept = tuple(CachedTable(*one) for one in sorted(gathered.contents.items()))
    extents = tuple(gathered.extents)
    return ScanAnswers(
        gathered.answers, failures, gathered.evidence, kept, gathered.windows, extents
    )


def _gather_window(
    gathered: _Gathered,
    files: TableFiles,
    metrics: Iterable[Metric],
    content: bytes,
    now: datetime,
) -> bool:
    """Add the answers of a table with a window; return whether that is all there is to do."""
    found = scan_windowed(files, metrics, content, versions=_versions(), now=now)
    if isinstance(found, AnswerScope):
        gathered.extents.append(found)
        return False
    gathered.contents[files.table] = content
    if found is None:  # what is kept stays, and the table is read as a whole
        return True
    gathered.answers.update(found.answers)
    gathered.evidence.update(found.evidence)
    gathered.extents.append(found.extent)
    if found.window is not None:
        gathered.windows[files.table] = found.window
    if not found.is_fresh:
        gathered.contents[files.table] = found.content
        return True
    every = {file.path for file in files.files}
    gathered.fresh[files.table] = lambda firm: found.content if every <= set(firm) else content
    return True


def _gather(
    gathered: _Gathered,
    files: TableFiles,
    metrics: tuple[CacheableMetric, ...],
    content: bytes,
    now: datetime,
) -> None:
    """Add the answers of one table that what is kept of it gives, and what is new in it."""
    context = cache_key(files, _versions())
    known = deserialized(content, context) if content else None
    if known is not None:
        gathered.contents[files.table] = content
        found = cached_measurements(known, files, metrics, now)
        if found is not None:
            gathered.answers.update(found)
            gathered.evidence.update(dict.fromkeys(found, Evidence.STATE))
            return
    from contractwatch.engines.cache.incremental_scan import incremental_scan  # noqa: PLC0415 - brings Polars, as above

    fresh = incremental_scan(files, metrics, known, now=now)
    if fresh is not None:
        gathered.answers.update(fresh.measurements)
        gathered.evidence.update(fresh.evidence)
        gathered.fresh[files.table] = lambda firm: serialized(fresh.states.of(firm), context)


def _read(
    gathered: _Gathered, dataset: Dataset, metrics: Iterable[Metric], now: datetime
) -> Mapping[str, SourceError]:
    """Ask what no state can answer; return which tables could not be read.

    All files are asked, but a query at a table with a window is asked of that window, and of all
    rows of the other tables.
    """
    groups: dict[str, set[Metric]] = {}
    for one in metrics:
        has_window = isinstance(one, SqlScalar) and one.table in gathered.windows
        groups.setdefault(getattr(one, "table", "") if has_window else "", set()).add(one)
    failures: dict[str, SourceError] = {}
    for table, asked in groups.items():
        names: set[str] = {getattr(one, "table", "") for one in asked}
        names |= {name for one in asked if isinstance(one, SqlScalar) for name in one.tables}
        tables = tuple(files for files in dataset.tables if files.table in names)
        window = {table: gathered.windows[table]} if table else {}
        chosen = narrowed(replace(dataset, tables=tables), window)
        found = full_scan(chosen, asked, now=now, trusts_statistics=True)
        gathered.answers.update(found.measurements)
        gathered.evidence.update(found.evidence)
        failures.update(found.failures)
    return failures


def _disown(gathered: _Gathered, table: str, error: SourceError) -> None:
    """Let nothing but its columns be known of a table that cannot be read now."""
    for metric in gathered.answers:
        of_table = getattr(metric, "table", "") == table
        if of_table and not isinstance(metric, TableSchema | SqlScalar):
            gathered.answers[metric] = Unmeasured(str(error))


def _keep(
    gathered: _Gathered, dataset: Dataset, now: datetime, listed_again: Callable[[], Dataset]
) -> None:
    """Add what is to be kept of the tables that were read."""
    try:
        again = {files.table: files for files in listed_again().tables}
    except SourceError:
        return
    for files in dataset.tables:
        if files.table not in gathered.fresh or files.table not in again:
            continue
        later = {file.path: file_fingerprint(file) for file in again[files.table].files}
        firm = {
            file.path
            for file in files.files
            if files.snapshot is not None  # a version of such a table never changes
            or (is_settled(file, now) and later.get(file.path) == file_fingerprint(file))
        }
        content = gathered.fresh[files.table](firm)
        gathered.contents.pop(files.table, None)
        if content:
            gathered.contents[files.table] = content


@cache
def _versions() -> str:
    """Return what tells the versions of all that takes part in an answer.

    Names of installed versions are looked up as folders: the library for it takes as long as the
    rest of a run that reads nothing. Where nothing is installed, the times of files tell.
    """
    found = find_spec("polars")
    library = Path(found.origin) if found is not None and found.origin else Path()
    installed = (path.name for path in library.parent.parent.glob("*.dist-info"))
    named = sorted(name for name in installed if name.startswith(_TAKING_PART))
    ours = (Path(__file__).parents[1] / "engines").rglob("*.py")
    times = [path.stat().st_mtime_ns for path in (library, *ours)]
    return repr((__version__, named, times[0], max(times[1:], default=0)))
