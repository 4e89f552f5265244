"""Questions are answered from what earlier runs kept of the files, and only the rest is read.

Nothing is kept of a file that changed while it was read, or that was written just before. Where
nothing is new, the engine is not even loaded.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from contractwatch import __version__
from contractwatch.engines.kept import (
    KeptMetric,
    TableStates,
    context_of,
    is_settled,
    may_be_kept,
    recalled,
    stamp_of,
)
from contractwatch.engines.kept_text import packed, unpacked
from contractwatch.errors import SourceError
from contractwatch.model.dataset import Dataset, TableFiles
from contractwatch.model.evidence import Evidence
from contractwatch.model.file_state import KeptTable
from contractwatch.model.frozen import frozen
from contractwatch.model.metric import Metric, TableSchema
from contractwatch.model.sql import SqlScalar
from contractwatch.model.state import Measurement, Unmeasured

_TAKING_PART = ("polars", "regress-", "tzdata-")


@frozen
class Told:
    """The answers, the tables that could not be read, and what is kept for the next run.

    With `kept` None whatever was kept before stays.
    """

    measurements: Mapping[Metric, Measurement]
    failures: Mapping[str, SourceError]
    evidence: Mapping[Metric, Evidence]
    kept: tuple[KeptTable, ...] | None = None


def all_read(
    dataset: Dataset, metrics: Iterable[Metric], *, now: datetime, trusts_statistics: bool
) -> Told:
    """Answer questions by asking all files; what was kept is left as it is."""
    # Imported here because it brings Polars, half a second and 50 MB, which the agent's own process
    # and a run that finds nothing new can do without.
    from contractwatch.engines.polars import survey  # noqa: PLC0415 - see above

    found = survey(dataset, metrics, now=now, trusts_statistics=trusts_statistics)
    return Told(found.measurements, found.failures, found.evidence)


@dataclass(slots=True)
class _Gathered:
    """What is known so far; `fresh` are the states of tables of which something was read."""

    answers: dict[Metric, Measurement] = field(default_factory=dict[Metric, Measurement])
    evidence: dict[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])
    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])
    fresh: dict[str, tuple[str, TableStates]] = field(
        default_factory=dict[str, tuple[str, TableStates]]
    )


def told(
    dataset: Dataset,
    metrics: Iterable[Metric],
    before: Iterable[KeptTable],
    *,
    now: datetime,
    listed_again: Callable[[], Dataset],
) -> Told:
    """Answer questions about the tables of a server with as little reading as is safe.

    Args:
        dataset: The tables of one server.
        metrics: The questions, none about two tables.
        before: What the last run kept; it may be of another contract or version.
        now: The run's instant.
        listed_again: Finds the files once more, to see which of them changed meanwhile.
    """
    asked = frozenset(metrics)
    contents = {one.table: one.content for one in before}
    gathered = _Gathered()
    for files in dataset.tables:
        mine = tuple(
            one for one in asked if isinstance(one, KeptMetric) and one.table == files.table
        )
        if may_be_kept(files):
            _gather(gathered, files, mine, contents.get(files.table, b""), now)
    unfound = {table for table, _ in dataset.unfound} & contents.keys()
    gathered.contents.update({table: contents[table] for table in unfound})
    left = asked - gathered.answers.keys()
    failures: Mapping[str, SourceError] = dict(dataset.unfound)
    if left:
        failures = _read(gathered, dataset, left, now)
    for table, error in failures.items():
        _disown(gathered, table, error)
    if gathered.fresh:
        _keep(gathered, dataset, now, listed_again)
    kept = tuple(KeptTable(*one) for one in sorted(gathered.contents.items()))
    return Told(gathered.answers, failures, gathered.evidence, kept)


def _gather(
    gathered: _Gathered,
    files: TableFiles,
    metrics: tuple[KeptMetric, ...],
    content: bytes,
    now: datetime,
) -> None:
    """Add the answers of one table that what is kept of it gives, and what is new in it."""
    context = context_of(files, _versions())
    known = unpacked(content, context) if content else None
    if known is not None:
        gathered.contents[files.table] = content
        found = recalled(known, files, metrics, now)
        if found is not None:
            gathered.answers.update(found)
            gathered.evidence.update(dict.fromkeys(found, Evidence.STATE))
            return
    from contractwatch.engines.states import refreshed  # noqa: PLC0415 - brings Polars, as above

    fresh = refreshed(files, metrics, known, now=now)
    if fresh is not None:
        gathered.answers.update(fresh.measurements)
        gathered.evidence.update(fresh.evidence)
        gathered.fresh[files.table] = (context, fresh.states)


def _read(
    gathered: _Gathered, dataset: Dataset, metrics: Iterable[Metric], now: datetime
) -> Mapping[str, SourceError]:
    """Ask of all files what no state can answer; return which tables could not be read."""
    asked = set(metrics)
    names: set[str] = {getattr(one, "table", "") for one in asked}
    names |= {name for one in asked if isinstance(one, SqlScalar) for name in one.tables}
    tables = tuple(files for files in dataset.tables if files.table in names)
    found = all_read(replace(dataset, tables=tables), asked, now=now, trusts_statistics=True)
    gathered.answers.update(found.measurements)
    gathered.evidence.update(found.evidence)
    return found.failures


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
        context, states = gathered.fresh[files.table]
        later = {file.path: stamp_of(file) for file in again[files.table].files}
        firm = {
            file.path
            for file in files.files
            if is_settled(file, now) and later.get(file.path) == stamp_of(file)
        }
        content = packed(states.of(firm), context)
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
    ours = Path(__file__).parent.parent.glob("engines/*.py")
    times = [path.stat().st_mtime_ns for path in (library, *ours)]
    return repr((__version__, named, times[0], max(times[1:], default=0)))
