"""While a promise about a window is broken the window stands still: it stays broken till mended.

Otherwise the next run, whose window begins later, would not see what this one found, and would take
it for mended.
"""

from contractwatch.model.check import Outcome
from contractwatch.model.file_state import KeptTable
from contractwatch.model.run import Reading, RunResult
from contractwatch.verify import Plan, rests_on

_UNSETTLED = frozenset({Outcome.FAILED, Outcome.ERROR})


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
    still = {
        extent.table
        for extent in reading.extents
        if extent.moves and any(rests_on(check, extent) for check in checks)
    }
    if not still:
        return reading.kept
    moved = [one for one in reading.kept if one.table not in still]
    stood = [one for one in before if one.table in still]
    return tuple(sorted((*moved, *stood), key=lambda one: one.table))
