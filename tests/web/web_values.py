"""Builders of records for the tests of the pages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import (
    Interval,
    Objective,
    ObjectiveState,
    Standing,
    StateSeconds,
    Target,
)
from contractwatch.model.promises.lifetime import Lifetime
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.incident import BrokenPromise, Cause, Incident, Phase
from contractwatch.model.record.product import (
    DataVersion,
    LedgerLine,
    ProductCard,
    ProductRecord,
    RunSummary,
)
from contractwatch.model.record.run import CheckResult, Coverage, RunOutcome, RunResult

NOW = datetime(2026, 10, 20, 14, 30, tzinfo=UTC)
ENDING = Lifetime(NOW - timedelta(days=90), NOW - timedelta(days=1), NOW + timedelta(days=10))
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
GOOD, BAD, UNKNOWN = ObjectiveState.GOOD, ObjectiveState.BAD, ObjectiveState.UNKNOWN

Piece = tuple[ObjectiveState, timedelta]


def line(
    objective: Objective,
    *pieces: Piece,
    ends: datetime = NOW,
    horizon: timedelta = HOUR,
) -> LedgerLine:
    """A line whose pieces follow one another up to `ends`; the last state goes on from there."""
    start = ends - sum((length for _, length in pieces), timedelta(0))
    intervals: list[Interval] = []
    for state, length in pieces:
        intervals.append(Interval(start, start + length, state))
        start += length
    total = dict.fromkeys(ObjectiveState, 0.0)
    for interval in intervals:
        total[interval.state] += interval.seconds
    last = intervals[-1]
    standing = Standing(objective, last.state, last.start, ends, ends, ends + horizon)
    seconds = StateSeconds(total[GOOD], total[BAD], total[UNKNOWN])
    return LedgerLine(standing, tuple(intervals), seconds)


def card(product: str = "finance/orders", **changes: object) -> ProductCard:
    name = product.rsplit("/", 1)[-1]
    domain = product.rsplit("/", 1)[0] if "/" in product else ""
    plain = ProductCard(
        product=product,
        contract_id=f"urn:datacontract:{name}",
        version="2.1.0",
        status="active",
        domain=domain,
        team="Order Platform",
        owners=("Mara Lindqvist", "Jonas Weber"),
        purpose="Every order of the shop, one row each, for revenue reports and forecasts.",
        file=f"contracts/{product}.odcs.yaml",
        fingerprint="9f2c" * 16,
        targets=(
            Target(Objective.CONFORMANCE, 0.995, is_default=False),
            Target(Objective.FRESHNESS, 0.99, is_default=False),
        ),
        interval_seconds=900.0,
    )
    return replace(plain, **changes)


def result(
    outcome: Outcome,
    kind: str,
    column: str | None,
    expected: str,
    *,
    table: str = "orders",
    objective: Objective = Objective.VALIDITY,
    severity: Severity = Severity.ERROR,
    line_number: int = 40,
    contract_id: str = "urn:datacontract:orders",
    **verdict: object,
) -> CheckResult:
    promise = Promise(
        promise_id=f"{contract_id}/{table}/{column or '-'}/{kind}",
        kind=kind,
        clause=Clause(f"schema[0].properties[{line_number % 9}]", line_number),
        table=table,
        column=column,
        severity=severity,
        dimension=Dimension.CONFORMITY,
        objective=objective,
        expected=expected,
    )
    return CheckResult(promise, Verdict(outcome, **verdict))


def healthy_results() -> tuple[CheckResult, ...]:
    passed = Outcome.PASSED
    return (
        result(passed, "presence", "order_id", "the column is there", objective=Objective.SCHEMA),
        result(
            passed,
            "unique",
            "order_id",
            "each value once",
            observed=0,
            threshold="exactly 0 rows",
            rows=1_204_554,
            violations=0,
            objective=Objective.UNIQUENESS,
            line_number=44,
        ),
        result(
            passed,
            "required",
            "customer_id",
            "no row is empty",
            observed=0,
            threshold="exactly 0 rows",
            rows=1_204_554,
            violations=0,
            objective=Objective.COMPLETENESS,
            line_number=52,
        ),
        result(
            passed,
            "minimum",
            "amount",
            "at least 0",
            observed=0,
            threshold="exactly 0 rows",
            rows=1_204_554,
            violations=0,
            line_number=61,
        ),
        result(
            Outcome.SKIPPED,
            "sql",
            None,
            "no order without a customer",
            reason="unsupported: rules of type sql are not executed in this version",
            line_number=88,
        ),
    )


def failing_results() -> tuple[CheckResult, ...]:
    return (
        result(
            Outcome.FAILED,
            "freshness",
            "created_at",
            "newest row at most 1 h old",
            observed=8040.0,
            threshold="at most 1 hour",
            objective=Objective.FRESHNESS,
            line_number=121,
        ),
        result(
            Outcome.FAILED,
            "nullValues",
            "country",
            "at most 1 % empty",
            observed=3.482,
            threshold="at most 1 %",
            rows=1_204_554,
            violations=41_943,
            severity=Severity.WARNING,
            objective=Objective.COMPLETENESS,
            line_number=70,
        ),
        result(
            Outcome.ERROR,
            "pattern",
            "email",
            "matches the pattern of the contract",
            reason="the pattern cannot be run: look-around is not supported",
            line_number=77,
        ),
        *healthy_results(),
    )


def run_result(
    outcome: RunOutcome = RunOutcome.PASSED,
    results: tuple[CheckResult, ...] | None = None,
    *,
    ended: datetime = NOW - timedelta(minutes=4),
    **changes: object,
) -> RunResult:
    found = healthy_results() if results is None else results
    executed = sum(one.outcome in (Outcome.PASSED, Outcome.FAILED) for one in found)
    plain = RunResult(
        contract_id="urn:datacontract:orders",
        product="finance/orders",
        contract_version="2.1.0",
        fingerprint="9f2c" * 16,
        server="production",
        started_at=ended - timedelta(seconds=2.4),
        finished_at=ended,
        outcome=outcome,
        coverage=Coverage(executed, len(found)),
        results=found,
        readable=True,
        data_version="8c41f0",
        data_timestamp=ended - timedelta(minutes=11),
        rows=1_204_554,
    )
    return replace(plain, **changes)


def summaries(run: RunResult, count: int = 4) -> tuple[RunSummary, ...]:
    return tuple(
        RunSummary(
            run_id=100 - index,
            started_at=run.started_at - index * HOUR / 4,
            finished_at=run.finished_at - index * HOUR / 4,
            outcome=run.outcome,
            coverage=run.coverage,
            error=run.error,
        )
        for index in range(count)
    )


def versions(count: int) -> tuple[DataVersion, ...]:
    return tuple(DataVersion(f"v{index}", NOW - index * 4 * HOUR) for index in range(count))


def incident(**changes: object) -> Incident:
    broken = BrokenPromise(
        promise_id="urn:datacontract:orders/orders/created_at/freshness",
        clause_path="slaProperties[0]",
        clause_line=121,
        table="orders",
        column="created_at",
        expected="newest row at most 1 h old",
        observed="2h14m old",
        severity=Severity.ERROR,
    )
    plain = Incident(
        incident_id="inc-7",
        product="finance/orders",
        objective=Objective.FRESHNESS,
        cause=Cause.BREACH,
        phase=Phase.OPEN,
        severity=Severity.ERROR,
        since=NOW - 74 * timedelta(minutes=1),
        opened_at=NOW - 70 * timedelta(minutes=1),
        sequence=1,
        broken=(broken,),
    )
    return replace(plain, **changes)


def kept(product: str = "finance/refunds", **changes: object) -> ProductRecord:
    """A product that keeps its promises, with an hour's outage ten days ago."""
    past: tuple[Piece, ...] = ((GOOD, 30 * DAY), (BAD, HOUR), (GOOD, 10 * DAY))
    whole: tuple[Piece, ...] = ((GOOD, 40 * DAY + HOUR),)
    run = run_result(product=product)
    record = ProductRecord(
        card=card(product, targets=()),
        lines=(
            line(Objective.SCHEMA, *whole),
            line(Objective.COMPLETENESS, *whole),
            line(Objective.VALIDITY, *past),
            line(Objective.UNIQUENESS, *whole),
            line(Objective.CONFORMANCE, *past),
        ),
        incidents=(
            incident(
                incident_id="inc-3",
                product=product,
                objective=Objective.VALIDITY,
                phase=Phase.RESOLVED,
                since=NOW - 10 * DAY - HOUR,
                opened_at=NOW - 10 * DAY - HOUR / 2,
                resolved_at=NOW - 10 * DAY,
            ),
        ),
        last_run=run,
        runs=summaries(run),
        data_versions=versions(160),
    )
    return replace(record, **changes)


def breached(product: str = "finance/orders", **changes: object) -> ProductRecord:
    """A product that has been stale for 74 minutes, after a night in which the agent was down."""
    bad = timedelta(minutes=74)
    past: tuple[Piece, ...] = (
        (GOOD, 12 * DAY),
        (BAD, 3 * HOUR),
        (GOOD, 5 * DAY),
        (UNKNOWN, 20 * HOUR),
        (GOOD, 8 * DAY),
    )
    total = sum((length for _, length in past), timedelta(0)) + bad
    calm: tuple[Piece, ...] = (
        (GOOD, 17 * DAY + 3 * HOUR),
        (UNKNOWN, 20 * HOUR),
        (GOOD, 8 * DAY + bad),
    )
    assert total == sum((length for _, length in calm), timedelta(0))
    run = run_result(RunOutcome.FAILED, failing_results(), product=product)
    record = ProductRecord(
        card=card(product),
        lines=(
            line(Objective.FRESHNESS, *past, (BAD, bad)),
            line(Objective.SCHEMA, *calm),
            line(Objective.COMPLETENESS, *calm),
            line(Objective.VALIDITY, *calm),
            line(Objective.AVAILABILITY, *calm),
            line(Objective.UNIQUENESS, *calm),
            line(Objective.CONFORMANCE, *past, (BAD, bad)),
        ),
        incidents=(
            incident(
                incident_id="inc-2",
                product=product,
                phase=Phase.RESOLVED,
                since=NOW - 14 * DAY,
                opened_at=NOW - 14 * DAY + HOUR / 4,
                resolved_at=NOW - 14 * DAY + 3 * HOUR,
            ),
            incident(product=product),
        ),
        last_run=run,
        runs=summaries(run),
        data_versions=versions(140),
    )
    return replace(record, **changes)


def unknown(product: str = "logistics/shipments", **changes: object) -> ProductRecord:
    """A product whose files the agent cannot read since this morning."""
    past: tuple[Piece, ...] = ((GOOD, 6 * DAY), (UNKNOWN, 6 * HOUR))
    run = run_result(
        RunOutcome.ERROR,
        (),
        product=product,
        readable=None,
        rows=None,
        data_timestamp=None,
        error="the files of server production cannot be read: permission denied",
    )
    record = ProductRecord(
        card=card(product, team="Logistics", targets=(), lifetime=ENDING),
        lines=tuple(
            line(objective, *past)
            for objective in (Objective.SCHEMA, Objective.VOLUME, Objective.CONFORMANCE)
        ),
        incidents=(),
        last_run=run,
        runs=summaries(run),
        data_versions=versions(3),
    )
    return replace(record, **changes)


def unseen(product: str = "marketing/leads") -> ProductRecord:
    """A product that was never run."""
    return ProductRecord(
        card=card(product, team="", owners=(), purpose=""),
        lines=(),
        incidents=(),
        last_run=None,
        runs=(),
        data_versions=(),
    )


def fleet() -> tuple[ProductRecord, ...]:
    return (
        breached(),
        kept("finance/refunds"),
        kept("flights/airports"),
        kept("flights/weather"),
        unknown(),
        unseen(),
    )
