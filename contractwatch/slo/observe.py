"""Reduce one run to an observation for each promised objective: good, bad or unknown."""

from collections.abc import Iterable
from datetime import datetime

from contractwatch.errors import Blame
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.check import NOT_EXECUTED, Outcome
from contractwatch.model.record.run import CheckResult, Observation, RunResult

NEUTRAL_SKIPS = (*NOT_EXECUTED, "too young", "not due", "warming up")
"""A skip whose reason starts so leaves nothing to know yet: it makes no objective unknown."""

_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}

_PROBED = {True: ObjectiveState.GOOD, False: ObjectiveState.BAD, None: ObjectiveState.UNKNOWN}


def observe(run: RunResult, promised: frozenset[Objective]) -> tuple[Observation, ...]:
    """Return one observation for each promised objective, in the order of the enumeration.

    A failed check of severity error is bad. Else any error, any skip that is not neutral, or
    nothing but vacuous verdicts is unknown. Else good; failed checks of lower severity are listed
    and change nothing. Availability is what the run's own probe found.
    """
    return tuple(
        _observe(run, objective)
        for objective in Objective
        if objective in promised and objective is not Objective.CONFORMANCE
    )


def is_neutral(result: CheckResult) -> bool:
    """Return whether a result counts neither for nor against its objective."""
    skipped = result.outcome is Outcome.SKIPPED
    return result.verdict.vacuous or (skipped and result.verdict.reason.startswith(NEUTRAL_SKIPS))


def _observe(run: RunResult, objective: Objective) -> Observation:
    results = tuple(
        result
        for result in run.results
        if result.promise.objective is objective and not result.promise.operations
    )
    failed = _worst_first(results)
    if objective is Objective.AVAILABILITY:
        return Observation(objective, _PROBED[run.readable], failed, reason=run.error)
    if run.readable is False and run.blame is Blame.PRODUCT:
        unreadable = objective is Objective.SCHEMA
        state = ObjectiveState.BAD if unreadable else ObjectiveState.UNKNOWN
        return Observation(objective, state, failed, reason=run.error or "data cannot be read")
    state, reason = _judge(results)
    stale_at = _stale_at(results) if state is ObjectiveState.GOOD else None
    return Observation(objective, state, failed, stale_at, reason or run.error)


def _judge(results: tuple[CheckResult, ...]) -> tuple[ObjectiveState, str]:
    telling = [result for result in results if not is_neutral(result)]
    if any(_is_breach(result) for result in telling):
        return ObjectiveState.BAD, ""
    if not telling:
        reasons = (result.verdict.reason for result in results)
        return ObjectiveState.UNKNOWN, next(filter(None, reasons), "nothing was judged")
    for result in telling:
        if result.outcome in (Outcome.ERROR, Outcome.SKIPPED):
            return ObjectiveState.UNKNOWN, result.verdict.reason
    return ObjectiveState.GOOD, ""


def _is_breach(result: CheckResult) -> bool:
    return result.outcome is Outcome.FAILED and result.promise.severity is Severity.ERROR


def _worst_first(results: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    failed = (
        result
        for result in results
        if result.outcome is Outcome.FAILED and not result.verdict.vacuous
    )
    return tuple(sorted(failed, key=lambda result: _RANK[result.promise.severity]))


def _stale_at(results: Iterable[CheckResult]) -> datetime | None:
    """Return the first instant at which a passed check of severity error fails without new data."""
    instants = (
        result.verdict.stale_at
        for result in results
        if result.outcome is Outcome.PASSED and result.promise.severity is Severity.ERROR
    )
    return min((instant for instant in instants if instant is not None), default=None)
