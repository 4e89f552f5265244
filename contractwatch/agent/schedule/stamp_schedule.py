"""Mark which promises with a schedule of their own are due; the others keep their last verdict.

Pure. A promise is due once its cron has ticked since it was judged, and before that

- if it was never judged, or for another version of the contract, on another server, or at an
  instant that the clock has not reached again,
- if it had no answer, so that its objective is unknown,
- if its verdict has run out by itself: an age that was young enough is not for ever,
- if an incident of its objective waits for evidence whether just this promise is broken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from contractwatch.checks.time.freshness import FRESHNESS
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.incident import Cause, Incident, Phase
from contractwatch.model.record.product import LastPass, ProductState
from contractwatch.model.record.run import CheckResult, RunResult, Timing
from contractwatch.slo.observe import is_neutral
from contractwatch.timetable import Cron
from contractwatch.verify import Plan, without

Crons = Mapping[str, Cron]
"""The promises of a plan that have a schedule of their own, by their identity."""

_UNDECIDED = frozenset({Phase.PENDING, Phase.RECOVERING})


def crons_of(plan: Plan) -> Crons:
    """Return the promises of a plan that have a schedule of their own."""
    own = {one.clause.path: Cron(one.cron, one.timezone) for one in plan.contract.promise_schedules}
    promises = (check.promise for check in plan.checks) if own else ()
    return {
        promise.promise_id: own[promise.clause.path]
        for promise in promises
        if promise.clause.path in own
    }


def due_plan(plan: Plan, crons: Crons, state: ProductState, *, server: str, now: datetime) -> Plan:
    """Return the plan that asks only what is due at `now`.

    Args:
        plan: The whole plan.
        crons: Of this plan.
        state: With the last run, if there are crons.
        server: The one that is read now.
        now: When the run starts.
    """
    last = _last_results(plan, state.last_run, server)
    if not crons or not last:
        return plan
    wanted = frozenset(_unsettled(state.incidents))
    in_force = [
        CheckResult(check.promise, found.verdict, found.timing)
        for check in plan.checks
        if check.promise.promise_id in crons
        and (found := last.get(check.promise.promise_id)) is not None
        and check.promise.promise_id not in wanted
        and not is_due(found, now)
    ]
    return without(plan, in_force)


def is_due(result: CheckResult, now: datetime) -> bool:
    """Return whether what was found last of a promise with a schedule does not hold at `now`."""
    timing, verdict = result.timing, result.verdict
    if timing is None or not timing.judged_at <= now < timing.next_at:
        return True
    if verdict.outcome is Outcome.ERROR:
        return True
    if verdict.outcome is Outcome.SKIPPED:
        return not is_neutral(result)
    return verdict.stale_at is not None and verdict.stale_at < now


def stamp_schedule(
    run: RunResult, crons: Crons, state: ProductState, *, began: datetime
) -> RunResult:
    """Return the run with the times of what it judged by a schedule of its own.

    Args:
        run: As it was judged; what is in force has its times.
        crons: Of its plan.
        state: With the last run, if there are crons: it may know the newest time of the data.
        began: When it was decided what is due: a tick while the data was read is still to come.
    """
    if not crons:
        return run
    results = tuple(
        result
        if result.timing is not None or result.promise.promise_id not in crons
        else replace(result, timing=_timing(crons[result.promise.promise_id], began))
        for result in run.results
    )
    last = state.last_run
    known = last.data_timestamp if last is not None else None
    carried = (_newest_then(result) for result in results if _is_before(result, began))
    times = [min(one, known or one) for one in carried if one is not None]
    newest = max((*filter(None, (run.data_timestamp,)), *times), default=None)
    return replace(run, results=results, data_timestamp=newest)


def last_passes(run: RunResult, state: ProductState) -> tuple[LastPass, ...]:
    """Return when each promise that this run found broken was last found kept by its schedule."""
    before = {} if state.last_run is None else _by_promise(state.last_run)
    pairs = (
        (result.promise.promise_id, before.get(result.promise.promise_id))
        for result in run.results
        if result.timing is not None and result.outcome is Outcome.FAILED
    )
    return tuple(
        LastPass(promise_id, found.timing.judged_at)
        for promise_id, found in pairs
        if found is not None and found.timing is not None and found.outcome is Outcome.PASSED
    )


def _timing(cron: Cron, at: datetime) -> Timing:
    return Timing(at, cron.after(at))


def _is_before(result: CheckResult, began: datetime) -> bool:
    return result.timing is not None and result.timing.judged_at < began


def _newest_then(result: CheckResult) -> datetime | None:
    """Return the time of the newest data, as a verdict in force about its age knew it."""
    age, timing = result.verdict.observed, result.timing
    if result.promise.kind != FRESHNESS.name or timing is None or not isinstance(age, int | float):
        return None
    return timing.judged_at - timedelta(seconds=age)


def _by_promise(run: RunResult) -> dict[str, CheckResult]:
    return {result.promise.promise_id: result for result in run.results}


def _last_results(plan: Plan, last: RunResult | None, server: str) -> Mapping[str, CheckResult]:
    """Return what the last run found, if it judged the same contract on the same server."""
    if last is None or (last.fingerprint, last.server) != (plan.contract.fingerprint, server):
        return {}
    return _by_promise(last)


def _unsettled(incidents: Iterable[Incident]) -> Iterable[str]:
    """Yield the promises of which another verdict decides whether something is told."""
    for incident in incidents:
        is_worse = incident.phase is Phase.OPEN and incident.severity is not incident.told_severity
        if incident.cause is Cause.BREACH and (incident.phase in _UNDECIDED or is_worse):
            yield from (broken.promise_id for broken in incident.broken)
