"""Scan a table whose old rows do not change from its window on, and fully when that is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from contractwatch.engines.cache.file_answers import CacheableMetric, digest_of
from contractwatch.engines.cache.window_answers import (
    CachedWindow,
    OfWindow,
    WindowScan,
    cached_window,
    deserialized_window,
    rows_of,
    serialized_window,
    window_cache_key,
    window_fingerprint,
)
from contractwatch.model.contract.dataset import Dataset, TableFiles
from contractwatch.model.contract.incremental import AnswerScope, Incremental, Window
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import BadRowsAcross, Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.promises.reference import Orphans
from contractwatch.model.promises.sql import SqlScalar


@dataclass(frozen=True, slots=True)
class Windowed:
    """What is known of a table with a window.

    `window` is that of the questions that are asked elsewhere, None for all rows. `content` is what
    is to be kept: with `is_fresh` only if the files are still as they were, else what was kept.
    """

    answers: Mapping[Metric, Measurement]
    evidence: Mapping[Metric, Evidence]
    extent: AnswerScope
    window: Window | None
    content: bytes
    is_fresh: bool = False


def scan_windowed(
    files: TableFiles,
    metrics: Iterable[Metric],
    content: bytes,
    *,
    versions: str,
    now: datetime,
) -> Windowed | AnswerScope | None:
    """Answer questions about a table with a window.

    Args:
        files: The table.
        metrics: All questions about it; some are asked elsewhere, of the same rows.
        content: What the last run kept of it.
        versions: As in `engines.cache.file_answers.cache_key`.
        now: The run's instant.

    Returns:
        The extent of the answers if the table has to be read as without a window, and why; None if
        it could not be read.
    """
    chosen = files.incremental
    if chosen is None:
        return None
    about = frozenset(
        one for one in metrics if isinstance(one, OfWindow | SqlScalar | Orphans | BadRowsAcross)
    )
    if chosen.unusable:
        return _all_rows(files, about, chosen.unusable)
    context = window_cache_key(files, versions)
    known = deserialized_window(content, context) if content else None
    is_due = known is not None and full_scan_is_due(chosen, known.full_at, now)
    mine = tuple(one for one in metrics if isinstance(one, CacheableMetric))
    if known is not None and (known.last.is_full or not is_due):
        found = _recalled(files, mine, about, known, now)
        if found is not None:  # if a full scan is due, all rows are as they were at the last one
            again = serialized_window(replace(known, full_at=now), context) if is_due else content
            return replace(found, content=again)
    return _looked(files, mine, about, None if is_due else known, now=now, context=context)


def full_scan_is_due(chosen: Incremental, full_at: datetime, now: datetime) -> bool:
    """Return whether all rows are to be read again, by the table's own cron."""
    if not chosen.full_scan:
        return False
    # Imported where a cron is read: croniter takes a quarter of a run that finds nothing new.
    from contractwatch.timetable import Cron  # noqa: PLC0415 - see above

    return Cron(chosen.full_scan, chosen.full_scan_timezone).after(full_at) <= now


def narrowed(dataset: Dataset, windows: Mapping[str, Window]) -> Dataset:
    """Return the tables of a server with the windows that some of them have."""
    tables = (replace(one, window=windows.get(one.table)) for one in dataset.tables)
    return replace(dataset, tables=tuple(tables)) if windows else dataset


def without_windows(dataset: Dataset) -> Dataset:
    """Return the tables of a server with all their rows."""
    tables = (one if one.window is None else replace(one, window=None) for one in dataset.tables)
    return replace(dataset, tables=tuple(tables))


def _all_rows(files: TableFiles, about: frozenset[Metric], why: str) -> AnswerScope:
    return AnswerScope(files.table, about, f"all rows were read: {why}")


def _recalled(
    files: TableFiles,
    metrics: tuple[CacheableMetric, ...],
    about: frozenset[Metric],
    known: CachedWindow,
    now: datetime,
) -> Windowed | None:
    """Return the answers of the last look, if no file is new or gone."""
    is_asked = {digest_of(one) for one in about} <= known.asked
    found = cached_window(known, window_fingerprint(files), metrics, now) if is_asked else None
    if found is None:
        return None
    evidence = dict.fromkeys(found, Evidence.STATE)
    return _found(files, (found, evidence), about, known.last, b"")


def _looked(
    files: TableFiles,
    metrics: tuple[CacheableMetric, ...],
    about: frozenset[Metric],
    known: CachedWindow | None,
    *,
    now: datetime,
    context: str,
) -> Windowed | AnswerScope | None:
    """Read the table from its window on, or as a whole."""
    # Imported here because it brings Polars, which a run that finds nothing new can do without.
    from contractwatch.engines.cache.window_scan import Unordered, WindowScanResult, scan_window  # noqa: PLC0415 - so

    beside = about - frozenset(metrics)
    look = scan_window(files, metrics, known, beside=beside, now=now)
    match look:
        case Unordered():
            return _all_rows(files, about, look.reason)
        case WindowScanResult():
            kept = replace(look.kept, stamps=window_fingerprint(files))
            answers = (look.measurements, look.evidence)
            content = serialized_window(kept, context)
            found = _found(files, answers, about, kept.last, content)
            extent = replace(found.extent, keeps_watermark=not kept.last.is_full)
            return replace(found, extent=extent, is_fresh=True)
        case None:
            return None


def _found(
    files: TableFiles,
    answers: tuple[Mapping[Metric, Measurement], Mapping[Metric, Evidence]],
    about: frozenset[Metric],
    look: WindowScan,
    content: bytes,
) -> Windowed:
    words = "" if look.is_full else look.cut.words
    extent = AnswerScope(
        files.table, about, words, rows_of(files.table, look), advances_watermark=True
    )
    column = files.incremental.column if files.incremental is not None else ""
    window = None if look.is_full else Window(column, look.cut.at)
    return Windowed(*answers, extent, window, content)
