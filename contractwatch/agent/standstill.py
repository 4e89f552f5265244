"""While a promise about a table with a window is broken, what the next run reads still holds it.

Otherwise the next run, whose window begins later, would not see what this one found, and would take
it for mended.
"""

from contractwatch.engines.kept import KeptMetric
from contractwatch.model.check import Check, Outcome
from contractwatch.model.file_state import KeptTable
from contractwatch.model.frozen import frozen
from contractwatch.model.incremental import Extent
from contractwatch.model.metric import TableSchema, TimeSpan
from contractwatch.model.run import Reading, RunResult
from contractwatch.verify import Plan, rests_on

_UNSETTLED = frozenset({Outcome.FAILED, Outcome.ERROR})


@frozen
class _Next:
    """Of which tables the window stands still, and of which all rows are read next time."""

    still: frozenset[str]
    whole: frozenset[str]


def kept_after(
    plan: Plan, reading: Reading, run: RunResult, before: tuple[KeptTable, ...]
) -> tuple[KeptTable, ...] | None:
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


def _next(checks: list[Check], extents: tuple[Extent, ...]) -> _Next:
    """Return what becomes of each window of whose rows something is broken or without an answer.

    Where it was looked at from the cut that was kept, that cut still holds what was found. What was
    found in other rows is looked for in all, if it is judged by the window at all.
    """
    still: set[str] = set()
    whole: set[str] = set()
    for extent in extents:
        if not extent.moves:
            continue
        if extent.begins_as_kept:
            if any(rests_on(check, extent) or _counts_rows_of(check, extent) for check in checks):
                still.add(extent.table)
        elif any(rests_on(check, extent) for check in checks):
            whole.add(extent.table)
    return _Next(frozenset(still), frozenset(whole))


def _counts_rows_of(check: Check, extent: Extent) -> bool:
    """Whether a promise counts rows of a table, whatever their age: an old one may be mended."""
    counted = (one for one in check.metrics() if isinstance(one, KeptMetric))
    return any(
        one.table == extent.table and not isinstance(one, TimeSpan | TableSchema) for one in counted
    )
