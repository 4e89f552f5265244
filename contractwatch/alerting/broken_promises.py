"""Word failed checks for a message: severity, counts and units, never a value of the data."""

from contractwatch.alerting.words import duration, number
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.incident import BrokenPromise
from contractwatch.model.record.run import CheckResult, Observation

_AGE_KINDS = frozenset({"freshness", "retention"})
_WAIT_KINDS = frozenset(
    {"latency", "timeOfAvailability", "timeToDetect", "timeToNotify", "timeToRepair"}
)

_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def worst_severity(observation: Observation) -> Severity:
    """Return the worst severity of the failed checks; error for a bad state, else info."""
    severities = [result.promise.severity for result in observation.failed]
    if observation.state is ObjectiveState.BAD:
        severities.append(Severity.ERROR)
    return max(severities, key=_RANK.__getitem__, default=Severity.INFO)


def broken_promises(observation: Observation, *, product: str) -> tuple[BrokenPromise, ...]:
    """Return what is broken, worst first; the whole objective if no failed check says it."""
    told = tuple(
        _broken_promise(result)
        for result in observation.failed
        if result.promise.severity != Severity.INFO
    )
    return told or (_whole_objective(observation, product),)


def observed_words(result: CheckResult) -> str:
    """Word an observed value: `2h14m old`, `12 rows`, `0.5 %`; empty if there is none."""
    observed = result.verdict.observed
    if observed is None:
        return ""
    if isinstance(observed, str):
        return observed
    if result.promise.kind in _AGE_KINDS:
        return f"{duration(observed)} old"
    if result.verdict.threshold.endswith("%"):
        return f"{number(observed)} %"
    if result.promise.kind in _WAIT_KINDS:
        return duration(observed)
    unit = " row" if observed == 1 else " rows"
    return number(observed) + (unit if result.verdict.threshold.endswith("rows") else "")


def _broken_promise(result: CheckResult) -> BrokenPromise:
    promise, verdict = result.promise, result.verdict
    return BrokenPromise(
        promise_id=promise.promise_id,
        clause_path=promise.clause.path,
        clause_line=promise.clause.line,
        table=promise.table,
        column=promise.column,
        expected=promise.expected,
        observed=observed_words(result),
        severity=promise.severity,
        rows=verdict.rows,
        violations=verdict.violations,
        reason=verdict.reason,
        threshold=verdict.threshold,
        kind=promise.kind,
        violation=promise.violation,
    )


def _whole_objective(observation: Observation, product: str) -> BrokenPromise:
    """Return the stand-in for an objective that is bad or unknown as a whole."""
    bad = observation.state is ObjectiveState.BAD
    unknown_product = observation.objective is Objective.CONFORMANCE
    return BrokenPromise(
        promise_id=f"{product}/-/-/{observation.objective.value}",
        clause_path="",
        clause_line=0,
        table="-",
        column=None,
        expected="promises that can be judged" if unknown_product else "data that can be read",
        observed="not readable" if bad else "not known",
        severity=Severity.ERROR if bad else Severity.WARNING,
        reason=observation.reason,
    )
