"""Values that the tests of alerting share: contracts, receivers, observations, an id maker."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.base.receiver import Receiver, ReceiverKind
from contractwatch.model.contract.contract import AlertPolicy, Contract, Status, SupportChannel
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.run import CheckResult, Observation

T0 = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

GOOD = ObjectiveState.GOOD
BAD = ObjectiveState.BAD
UNKNOWN = ObjectiveState.UNKNOWN

FRESHNESS = Objective.FRESHNESS
SCHEMA = Objective.SCHEMA
COMPLETENESS = Objective.COMPLETENESS


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"i{next(numbers)}"


def failed(
    objective: Objective = COMPLETENESS,
    *,
    severity: Severity = Severity.ERROR,
    kind: str = "nullValues",
    expected: str = "no null rows",
    observed: float | str | None = 12,
    threshold: str = "exactly 0 rows",
    reason: str = "12 of 3,000 rows",
    rows: int | None = 3000,
    violations: int | None = 12,
    column: str | None = "customer_id",
    line: int = 41,
    violation: str | None = None,
) -> CheckResult:
    return CheckResult(
        Promise(
            promise_id=f"orders/orders/{column or '-'}/{kind}/r1",
            kind=kind,
            clause=Clause("schema[0].properties[2].quality[0]", line),
            table="orders",
            column=column,
            severity=severity,
            dimension=Dimension.COMPLETENESS,
            objective=objective,
            expected=expected,
            violation=violation if violation is not None else "null" * (kind == "nullValues"),
        ),
        Verdict(Outcome.FAILED, observed, threshold, rows, violations, reason),
    )


def stale(seconds: float = 8040) -> CheckResult:
    return failed(
        FRESHNESS,
        kind="freshness",
        expected="the newest value is at most 1 h old",
        observed=seconds,
        threshold="at most 1 h",
        reason="the newest value is 2 h 14 min old",
        rows=3000,
        violations=None,
        column="created_at",
        line=88,
    )


def good(objective: Objective = COMPLETENESS) -> Observation:
    return Observation(objective, GOOD)


def bad(objective: Objective = COMPLETENESS, *results: CheckResult) -> Observation:
    return Observation(objective, BAD, results or (failed(objective),))


def unknown(objective: Objective = COMPLETENESS) -> Observation:
    return Observation(objective, UNKNOWN, reason="a worker was killed")


def warned(objective: Objective = COMPLETENESS) -> Observation:
    return Observation(objective, GOOD, (failed(objective, severity=Severity.WARNING),))


def support(name: str, *, channel: str = "", scope: str = "") -> SupportChannel:
    return SupportChannel(Clause("support[0]", 70), name, channel, scope=scope)


def contract(
    *channels: SupportChannel,
    alerts: AlertPolicy | None = None,
    status: Status = Status.ACTIVE,
    name: str = "orders",
) -> Contract:
    return Contract(
        file="orders.odcs.yaml",
        fingerprint="f" * 64,
        contract_id="orders-v1",
        name=name,
        version="1.2.0",
        status=status,
        api_version="v3.1.0",
        domain="finance",
        team="Orders team",
        owners=("ada",),
        support=channels,
        alerts=alerts or AlertPolicy(),
    )


def receiver(name: str, *aliases: str, kind: ReceiverKind = ReceiverKind.WEBHOOK) -> Receiver:
    return Receiver(name, kind, url="https://hooks.example.test", aliases=aliases)
