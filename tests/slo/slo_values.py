"""Values that the tests of slo share: a clock face, results, runs, records."""

from datetime import UTC, datetime, timedelta

from contractwatch.errors import Blame
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import (
    Interval,
    Objective,
    ObjectiveState,
    Standing,
    StateSeconds,
    Target,
)
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.incident import Incident
from contractwatch.model.record.product import DataVersion, LedgerLine, ProductCard, ProductRecord
from contractwatch.model.record.run import CheckResult, Coverage, Observation, RunOutcome, RunResult

T0 = datetime(2026, 11, 1, tzinfo=UTC)

GOOD = ObjectiveState.GOOD
BAD = ObjectiveState.BAD
UNKNOWN = ObjectiveState.UNKNOWN
EXCLUDED = ObjectiveState.EXCLUDED

FRESHNESS = Objective.FRESHNESS
SCHEMA = Objective.SCHEMA
COMPLETENESS = Objective.COMPLETENESS
CONFORMANCE = Objective.CONFORMANCE


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def span(start: float, end: float, state: ObjectiveState) -> Interval:
    return Interval(at(start), at(end), state)


def standing(
    objective: Objective = FRESHNESS,
    state: ObjectiveState = GOOD,
    *,
    start: float = 0,
    horizon: float = 100,
    stale: float | None = None,
    since: float | None = None,
) -> Standing:
    return Standing(
        objective=objective,
        state=state,
        since=at(start if since is None else since),
        observed_at=at(start),
        accrued_until=at(start),
        horizon=at(horizon),
        stale_at=None if stale is None else at(stale),
    )


def observed(
    objective: Objective, state: ObjectiveState = GOOD, *, stale: float | None = None
) -> Observation:
    return Observation(objective, state, stale_at=None if stale is None else at(stale))


def result(
    objective: Objective = SCHEMA,
    outcome: Outcome = Outcome.PASSED,
    *,
    severity: Severity = Severity.ERROR,
    reason: str = "",
    vacuous: bool = False,
    stale: float | None = None,
    kind: str = "presence",
) -> CheckResult:
    return CheckResult(
        Promise(
            promise_id=f"c/orders/id/{kind}",
            kind=kind,
            clause=Clause("schema[0].properties[0]", 12),
            table="orders",
            column="id",
            severity=severity,
            dimension=Dimension.CONFORMITY,
            objective=objective,
            expected="a column",
        ),
        Verdict(
            outcome,
            reason=reason,
            vacuous=vacuous,
            stale_at=None if stale is None else at(stale),
        ),
    )


def run(
    *results: CheckResult,
    readable: bool | None = True,
    blame: Blame | None = None,
    error: str = "",
    finished: float = 0,
) -> RunResult:
    return RunResult(
        contract_id="c",
        product="finance/orders",
        contract_version="1.2.0",
        fingerprint="f" * 64,
        server="live",
        started_at=at(finished),
        finished_at=at(finished),
        outcome=RunOutcome.PASSED,
        coverage=Coverage(len(results), len(results)),
        results=results,
        readable=readable,
        data_version="v7",
        error=error,
        blame=blame,
    )


def line(standing: Standing, *intervals: Interval) -> LedgerLine:
    total = StateSeconds()
    for interval in intervals:
        total += StateSeconds(**{interval.state.value: interval.seconds})
    return LedgerLine(standing, intervals, total)


def record(
    *lines: LedgerLine,
    last_run: RunResult | None = None,
    versions: tuple[DataVersion, ...] = (),
    incidents: tuple[Incident, ...] = (),
    targets: tuple[Target, ...] = (),
) -> ProductRecord:
    card = ProductCard(
        product="finance/orders",
        contract_id="c",
        version="1.2.0",
        status="active",
        domain="finance",
        team="Orders",
        owners=("ada",),
        purpose="",
        file="orders.odcs.yaml",
        fingerprint="f" * 64,
        targets=targets,
        interval_seconds=900.0,
    )
    return ProductRecord(card, lines, incidents, last_run, (), versions)
