"""Hold the window of a table in place while a promise about its rows is broken.

Otherwise the window of the next run would begin later, leave out the rows that break the promise,
and the promise would count as kept again.
"""

from dataclasses import dataclass

from contractwatch.engines.cache.file_answers import CacheableMetric
from contractwatch.model.base.clause import Severity
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.metric import RecordMetric, TableSchema, TimeSpan
from contractwatch.model.record.check import Check, Outcome
from contractwatch.model.record.file_state import CachedTable
from contractwatch.model.record.run import Reading, RunResult
from contractwatch.verify import Plan, rests_on

_UNSETTLED = frozenset({Outcome.FAILED, Outcome.ERROR})


@dataclass(frozen=True, slots=True)
class _Next:
    """Of which tables the window stands still, and of which all rows are read next time."""

    still: frozenset[str]
    whole: frozenset[str]


def kept_after(
    plan: Plan, reading: Reading, run: RunResult, before: tuple[CachedTable, ...]
) -> tuple[CachedTable, ...] | None:
    """Return what is kept after a run; None leaves what was kept before.

    Args:
        plan: What was asked.
        reading: What was read.
        run: What became of the promises.
        before: What was kept before the run.
    """
    if reading.kept is None:
        return None
    unsettled = {one.promise.promise_id for one in run.results if one.outcome in _UNSETTLED}
    checks = [check for check in plan.checks if check.promise.promise_id in unsettled]
    coming = _next(checks, reading.extents)
    moved = [one for one in reading.kept if one.table not in coming.still | coming.whole]
    stood = [one for one in before if one.table in coming.still]
    return tuple(sorted((*moved, *stood), key=lambda one: one.table))


def _next(checks: list[Check], extents: tuple[AnswerScope, ...]) -> _Next:
    """Return what becomes of each window of whose rows something is broken or without an answer.

    What adds up may be broken by any row, and be mended there: all are read. What is judged by the
    window is held by the cut from which it was looked at, if that is what was kept; else it is
    looked for in all rows, too.
    """
    still: set[str] = set()
    whole: set[str] = set()
    for extent in extents:
        if not extent.advances_watermark:
            continue
        if any(_is_broken_count(check, extent) for check in checks):
            whole.add(extent.table)
        elif any(rests_on(check, extent) for check in checks):
            (still if extent.keeps_watermark else whole).add(extent.table)
    return _Next(frozenset(still), frozenset(whole))


def _is_broken_count(check: Check, extent: AnswerScope) -> bool:
    """Whether an error is counted in rows of any age; one of age is mended by newer rows alone."""
    asked = check.metrics()
    is_of_age = any(isinstance(one, TimeSpan | RecordMetric) for one in asked)
    counted = (
        one for one in asked if isinstance(one, CacheableMetric) and one.table == extent.table
    )
    is_counted = any(not isinstance(one, TableSchema) for one in counted)
    is_error = check.promise.severity is Severity.ERROR
    return is_error and is_counted and not is_of_age and not rests_on(check, extent)
