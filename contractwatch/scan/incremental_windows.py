"""Scan a table whose old rows do not change from its window on, and fully when that is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from contractwatch.engines.cache.file_answers import CacheableMetric, metric_digest
from contractwatch.engines.cache.window_answers import (
    CachedWindow,
    WindowMetric,
    WindowScan,
    cached_window,
    deserialize_window,
    serialize_window,
    window_cache_key,
    window_fingerprint,
    window_row_count,
)
from contractwatch.model.contract.dataset import Dataset, TableFiles
from contractwatch.model.contract.incremental import AnswerScope, Incremental, Window
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import BadRowsAcross, Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.promises.reference import Orphans
from contractwatch.model.promises.sql import SqlScalar


@dataclass(frozen=True, slots=True)
class WindowedAnswers:
    """Answers about a table with a window.

    `window` is for the metrics that the caller asks, None for all rows. `content` is what is to be
    cached: with `is_fresh` only if the files did not change since, else it was cached before.
    """

    answers: Mapping[Metric, Measurement]
    evidence: Mapping[Metric, Evidence]
    extent: AnswerScope
    window: Window | None
    content: bytes
    is_fresh: bool = False


def answer_window(
    files: TableFiles,
    metrics: Iterable[Metric],
    content: bytes,
    *,
    versions: str,
    now: datetime,
) -> WindowedAnswers | AnswerScope | None:
    """Answer metrics about a table with a window.

    Args:
        files: The table.
        metrics: All metrics about it; the caller asks some of them, of the same rows.
        content: The cached answers of the last run.
        versions: As in `engines.cache.file_answers.cache_key`.
        now: The run's instant.

    Returns:
        The extent of the answers if the table has to be read as without a window, and why; None if
        it could not be read.
    """
    chosen = files.incremental
    if chosen is None:
        return None
    window_metrics = frozenset(
        one
        for one in metrics
        if isinstance(one, WindowMetric | SqlScalar | Orphans | BadRowsAcross)
    )
    if chosen.unusable:
        return _all_rows(files, window_metrics, chosen.unusable)
    key = window_cache_key(files, versions)
    cached = deserialize_window(content, key) if content else None
    is_due = cached is not None and full_scan_is_due(chosen, cached.full_scan_at, now)
    mine = tuple(one for one in metrics if isinstance(one, CacheableMetric))
    if cached is not None and (cached.last_scan.is_full or not is_due):
        found = _answers_from_cache(files, mine, window_metrics, cached, now)
        if found is not None:  # if a full scan is due, all rows are as they were at the last one
            again = serialize_window(replace(cached, full_scan_at=now), key) if is_due else content
            return replace(found, content=again)
    return _scan_rows(files, mine, window_metrics, None if is_due else cached, now=now, key=key)


def full_scan_is_due(chosen: Incremental, full_scan_at: datetime, now: datetime) -> bool:
    """Return whether a full scan is due, by the table's own cron."""
    if not chosen.full_scan:
        return False
    # Imported where a cron is read: croniter takes a quarter of a run that finds nothing new.
    from contractwatch.timetable import Cron  # noqa: PLC0415 - see above

    return Cron(chosen.full_scan, chosen.full_scan_timezone).after(full_scan_at) <= now


def with_windows(dataset: Dataset, windows: Mapping[str, Window]) -> Dataset:
    """Return the dataset with these windows on its tables."""
    tables = (replace(one, window=windows.get(one.table)) for one in dataset.tables)
    return replace(dataset, tables=tuple(tables)) if windows else dataset


def without_windows(dataset: Dataset) -> Dataset:
    """Return the dataset with all rows of its tables."""
    tables = (one if one.window is None else replace(one, window=None) for one in dataset.tables)
    return replace(dataset, tables=tuple(tables))


def _all_rows(files: TableFiles, window_metrics: frozenset[Metric], why: str) -> AnswerScope:
    return AnswerScope(files.table, window_metrics, f"all rows were read: {why}")


def _answers_from_cache(
    files: TableFiles,
    metrics: tuple[CacheableMetric, ...],
    window_metrics: frozenset[Metric],
    cached: CachedWindow,
    now: datetime,
) -> WindowedAnswers | None:
    """Return the answers of the last scan, if no file changed."""
    is_asked = {metric_digest(one) for one in window_metrics} <= cached.asked
    found = cached_window(cached, window_fingerprint(files), metrics, now) if is_asked else None
    if found is None:
        return None
    evidence = dict.fromkeys(found, Evidence.STATE)
    return _windowed_answers(files, (found, evidence), window_metrics, cached.last_scan, b"")


def _scan_rows(
    files: TableFiles,
    metrics: tuple[CacheableMetric, ...],
    window_metrics: frozenset[Metric],
    cached: CachedWindow | None,
    *,
    now: datetime,
    key: str,
) -> WindowedAnswers | AnswerScope | None:
    """Read the table from its window on, or as a whole."""
    # Imported here because it brings Polars, which a run that finds nothing new can do without.
    from contractwatch.engines.cache.window_scan import Unordered, WindowScanResult, scan_window  # noqa: PLC0415 - so

    other_metrics = window_metrics - frozenset(metrics)
    result = scan_window(files, metrics, cached, other_metrics=other_metrics, now=now)
    match result:
        case Unordered():
            return _all_rows(files, window_metrics, result.reason)
        case WindowScanResult():
            latest = replace(result.cached, fingerprint=window_fingerprint(files))
            answers = (result.measurements, result.evidence)
            content = serialize_window(latest, key)
            found = _windowed_answers(files, answers, window_metrics, latest.last_scan, content)
            extent = replace(found.extent, keeps_watermark=not latest.last_scan.is_full)
            return replace(found, extent=extent, is_fresh=True)
        case None:
            return None


def _windowed_answers(
    files: TableFiles,
    answers: tuple[Mapping[Metric, Measurement], Mapping[Metric, Evidence]],
    window_metrics: frozenset[Metric],
    scan: WindowScan,
    content: bytes,
) -> WindowedAnswers:
    words = "" if scan.is_full else scan.watermark.description
    extent = AnswerScope(
        files.table,
        window_metrics,
        words,
        window_row_count(files.table, scan),
        advances_watermark=True,
    )
    column = files.incremental.column if files.incremental is not None else ""
    window = None if scan.is_full else Window(column, scan.watermark.value)
    return WindowedAnswers(*answers, extent, window, content)
