"""Builders of values for the tests of the store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Interval, Objective, ObjectiveState, Standing, Target
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.incident import (
    BrokenPromise,
    Cause,
    Incident,
    Notification,
    Phase,
    Transition,
    TransitionKind,
    TransitionNote,
    Urgency,
)
from contractwatch.model.record.product import LedgerEntry, ProductCard, RunEntry
from contractwatch.model.record.run import CheckResult, Coverage, RunOutcome, RunResult

NOW = datetime(2026, 10, 1, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def card(product: str = "finance/orders", **changes: object) -> ProductCard:
    return replace(
        ProductCard(
            product=product,
            contract_id=f"id-of-{product}",
            version="1.2.0",
            status="active",
            domain="finance",
            team="orders team",
            owners=("ann@example.org",),
            purpose="orders as they are placed",
            file="contracts/orders.odcs.yaml",
            fingerprint="f" * 64,
            targets=(Target(Objective.SCHEMA, 0.995, is_default=False),),
            interval_seconds=900.0,
        ),
        **changes,
    )


def check(number: int, outcome: Outcome = Outcome.PASSED, **verdict: object) -> CheckResult:
    promise = Promise(
        promise_id=f"orders/orders/column_{number}/nullValues/{number:08x}",
        kind="nullValues",
        clause=Clause(f"schema[0].properties[{number}].quality[0]", 40 + number),
        table="orders",
        column=f"column_{number}",
        severity=Severity.ERROR,
        dimension=Dimension.COMPLETENESS,
        objective=Objective.COMPLETENESS,
        expected=f"at most {number} null rows",
        physical_columns=(f"column_{number}",),
    )
    values = {"observed": number * 3, "threshold": f"<= {number} rows", "rows": 336_776}
    return CheckResult(promise, Verdict(outcome, **{**values, "violations": number * 3, **verdict}))


def run(
    product: str = "finance/orders",
    *,
    at: datetime = NOW,
    results: tuple[CheckResult, ...] | None = None,
    **changes: object,
) -> RunResult:
    checks = tuple(check(number) for number in range(3)) if results is None else results
    return replace(
        RunResult(
            contract_id=f"id-of-{product}",
            product=product,
            contract_version="1.2.0",
            fingerprint="f" * 64,
            server="production",
            started_at=at - timedelta(seconds=2),
            finished_at=at,
            outcome=RunOutcome.PASSED,
            coverage=Coverage(len(checks), len(checks) + 1),
            results=checks,
            readable=True,
            data_version=f"{int(at.timestamp()):064x}",
            data_timestamp=at - MINUTE,
            rows=336_776,
        ),
        **changes,
    )


def standing(
    objective: Objective = Objective.SCHEMA, *, at: datetime = NOW, **changes: object
) -> Standing:
    return replace(
        Standing(
            objective=objective,
            state=ObjectiveState.GOOD,
            since=at - HOUR,
            observed_at=at,
            accrued_until=at,
            horizon=at + HOUR,
        ),
        **changes,
    )


def span(
    start: datetime,
    end: datetime,
    state: ObjectiveState = ObjectiveState.GOOD,
    objective: Objective = Objective.SCHEMA,
) -> LedgerEntry:
    return LedgerEntry(objective, Interval(start, end, state))


def incident(name: str = "i1", phase: Phase = Phase.OPEN, **changes: object) -> Incident:
    return replace(
        Incident(
            incident_id=name,
            product="finance/orders",
            objective=Objective.COMPLETENESS,
            cause=Cause.BREACH,
            phase=phase,
            severity=Severity.ERROR,
            since=NOW - HOUR,
            opened_at=NOW,
            sequence=1,
            bad_streak=2,
            broken=(broken(),),
        ),
        **changes,
    )


def broken() -> BrokenPromise:
    return BrokenPromise(
        promise_id="orders/orders/id/required",
        clause_path="schema[0].properties[0]",
        clause_line=41,
        table="orders",
        column="id",
        expected="no null rows",
        observed="12 rows",
        severity=Severity.ERROR,
        rows=336_776,
        violations=12,
    )


def transition(
    of: Incident, sequence: int = 1, kind: TransitionKind = TransitionKind.OPENED
) -> Transition:
    return Transition(of, kind, NOW, sequence)


def notification(key: str = "k1", *, lane: str = "lane", **changes: object) -> Notification:
    note = TransitionNote(
        incident_id="i1",
        sequence=1,
        kind=TransitionKind.OPENED,
        cause=Cause.BREACH,
        objective=Objective.COMPLETENESS,
        severity=Severity.ERROR,
        episode=1,
        since=NOW - HOUR,
        at=NOW,
        broken=(broken(),),
        budget_remaining_ratio=0.25,
        budget_is_default=True,
    )
    return replace(
        Notification(
            key=key,
            receiver="ops",
            lane=lane,
            urgency=Urgency.PAGE,
            kind=TransitionKind.OPENED,
            product="finance/orders",
            contract_id="orders",
            contract_version="1.2.0",
            contract_file="contracts/orders.odcs.yaml",
            owner="orders team",
            title="PAGE finance/orders: 12 rows are null, promised none",
            notes=(note,),
            created_at=NOW,
        ),
        **changes,
    )


def entry(product: str = "finance/orders", *, at: datetime = NOW, **changes: object) -> RunEntry:
    return replace(
        RunEntry(
            card=card(product),
            at=at,
            run=run(product, at=at),
            entries=(),
            standings=(standing(at=at),),
            incidents=(),
            transitions=(),
            notifications=(),
        ),
        **changes,
    )


def whole_entry(number: int) -> RunEntry:
    """Return the entry of that hour, with one of everything and two messages."""
    at = NOW + number * HOUR
    opened = incident(f"i{number}")
    return entry(
        at=at,
        entries=(span(at, at + HOUR),),
        incidents=(opened,),
        transitions=(transition(opened),),
        notifications=(notification(f"k{number}"), notification(f"l{number}")),
    )
