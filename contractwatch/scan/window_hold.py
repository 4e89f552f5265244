"""Hold the window of a table in place while a promise about its rows is broken.

Otherwise the window of the next run would begin later, leave out the rows that break the promise,
and the promise would count as kept again.
"""

from dataclasses import dataclass

from contractwatch.engines.cache.file_answers import CacheableMetric
from contractwatch.model.base.clause import Severity
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.metric import RecordMetric, TableSchema, TimeSpan
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.model.record.check import Check, Outcome
from contractwatch.model.record.run import Reading, RunResult
from contractwatch.verify import Plan, rests_on

_HOLDING_OUTCOMES = frozenset({Outcome.FAILED, Outcome.ERROR})


@dataclass(frozen=True, slots=True)
class _WindowDecisions:
    """The tables whose window is held in place, and those that get a full scan next time."""

    held: frozenset[str]
    full_scans: frozenset[str]


def cache_after_run(
    plan: Plan, reading: Reading, run: RunResult, before: tuple[CachedTable, ...]
) -> tuple[CachedTable, ...] | None:
    """Return what is cached after a run; None leaves the cache as it was.

    Args:
        plan: The plan of the run.
        reading: The run's reading.
        run: The run's result.
        before: The cached tables before the run.
    """
    if reading.cached_tables is None:
        return None
    broken = {one.promise.promise_id for one in run.results if one.outcome in _HOLDING_OUTCOMES}
    checks = [check for check in plan.checks if check.promise.promise_id in broken]
    decisions = _decide_windows(checks, reading.extents)
    moved = [
        one
        for one in reading.cached_tables
        if one.table not in decisions.held | decisions.full_scans
    ]
    held = [one for one in before if one.table in decisions.held]
    return tuple(sorted((*moved, *held), key=lambda one: one.table))


def _decide_windows(checks: list[Check], extents: tuple[AnswerScope, ...]) -> _WindowDecisions:
    """Return what happens to each window whose rows break a promise or leave it unanswered.

    An additive answer may be broken by any row, and mended there: that needs a full scan. What is
    judged by the window needs the watermark of its scan, if that is the cached one; else a full
    scan.
    """
    held: set[str] = set()
    full_scans: set[str] = set()
    for extent in extents:
        if not extent.advances_watermark:
            continue
        if any(_is_broken_count(check, extent) for check in checks):
            full_scans.add(extent.table)
        elif any(rests_on(check, extent) for check in checks):
            (held if extent.keeps_watermark else full_scans).add(extent.table)
    return _WindowDecisions(frozenset(held), frozenset(full_scans))


def _is_broken_count(check: Check, extent: AnswerScope) -> bool:
    """Whether the check counts rows of any age; a check of age is mended by newer rows alone."""
    asked = check.metrics()
    is_of_age = any(isinstance(one, TimeSpan | RecordMetric) for one in asked)
    counted = (
        one for one in asked if isinstance(one, CacheableMetric) and one.table == extent.table
    )
    is_counted = any(not isinstance(one, TableSchema) for one in counted)
    is_error = check.promise.severity is Severity.ERROR
    return is_error and is_counted and not is_of_age and not rests_on(check, extent)
