"""Judge what was read against a plan: answers become verdicts, verdicts become a run."""

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from contractwatch.checks.common.nested_paths import COLUMN_MISSING, unreachable_verdict
from contractwatch.checks.schema import physical_type, types
from contractwatch.checks.schema.presence import PRESENCE
from contractwatch.checks.time.freshness import FRESHNESS
from contractwatch.errors import Blame
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import ReadPolicy, Server
from contractwatch.model.contract.contract import Contract
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.evidence import Evidence, evidence_of_check
from contractwatch.model.measure.metric import (
    IncidentTimes,
    Metric,
    Probes,
    RecordMetric,
    RowCount,
    RowHistory,
    TableSchema,
    TimeSpan,
    UpdateHistory,
)
from contractwatch.model.measure.state import (
    Count,
    IncidentLog,
    Measurement,
    ProbeTally,
    TableColumns,
    TimeRange,
    Unmeasured,
    WatermarkLog,
)
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict
from contractwatch.model.record.run import CheckResult, Coverage, Reading, RunOutcome, RunResult
from contractwatch.verify.outcome import (
    EXECUTED,
    coverage_of,
    outcome_of,
    why_nothing_ran,
    with_scope_words,
)
from contractwatch.verify.planning import Plan


def judge(plan: Plan, reading: Reading, *, now: datetime) -> RunResult:
    """Judge every promise of a plan by what was read; results are in the contract's order.

    A question that the reading does not answer is unmeasured; what only a record knows is still
    warming up without one. A check on a missing column is skipped, and so is every check on a
    server that is not supported.
    """
    contract = plan.contract
    server = _server(contract, reading.server)
    if reading.unsupported:
        server = replace(server, unsupported=reading.unsupported)
    answers = {**_without_record(plan.metrics), **reading.measurements}
    if plan.is_after_life:
        reading, answers = _after_life(reading, answers)
    found = _Answers(answers, _extents_of(reading.extents), reading.evidence)
    asked = [(check, check.metrics()) for check in plan.checks]  # each is asked once
    judged = [
        _judged(check, metrics, plan.in_force, found, server, now)
        for check, metrics in asked
        if not _is_only_shown(check, server)
    ]
    ordered = sorted(
        [*judged, *_skipped_on(plan, server)], key=lambda result: result.promise.clause.line
    )
    results = tuple(ordered)
    outcome = outcome_of(results)
    return RunResult(
        contract_id=contract.contract_id,
        product=contract.product,
        contract_version=contract.version,
        fingerprint=contract.fingerprint,
        server=reading.server,
        started_at=reading.started_at,
        finished_at=now,
        outcome=outcome,
        coverage=coverage_of(results),
        results=results,
        readable=reading.readable,
        data_version=reading.data_version,
        data_timestamp=_data_timestamp(asked, answers),
        rows=_rows((metric for _, metrics in asked for metric in metrics), answers),
        error=reading.error or (why_nothing_ran(results) if outcome is RunOutcome.ERROR else ""),
        blame=reading.blame,
    )


def forecast(plan: Plan, server: Server) -> tuple[tuple[CheckResult, ...], Coverage]:
    """Return what will be skipped on a server, whatever its data are, and the coverage at best."""
    asked = [check for check in plan.checks if not _is_only_shown(check, server)]
    known = [(check.promise, _closed(check.metrics(), server)) for check in asked]
    closed = (CheckResult(promise, why) for promise, why in known if why)
    skipped = (*_skipped_on(plan, server), *closed)
    lost = {result.promise.clause for result in skipped}
    kept = {promise.clause for promise, _ in known} - lost
    ordered = sorted(skipped, key=lambda result: result.promise.clause.line)
    return tuple(ordered), Coverage(len(kept), len(kept) + len(lost))


def _skipped_on(plan: Plan, server: Server) -> Iterator[CheckResult]:
    """Yield the results that are known without asking, without those about another server."""
    others = {one.clause.path for one in plan.contract.servers} - {server.clause.path}
    is_known = any(one.name == server.name for one in plan.contract.servers)
    for result in plan.skipped:
        start, bracket, _ = result.promise.clause.path.partition("]")
        if not is_known or f"{start}{bracket}" not in others:
            yield result


def _without_record(metrics: Iterable[Metric]) -> dict[Metric, Measurement]:
    nothing: dict[Metric, Measurement] = {}
    for metric in metrics:
        match metric:
            case Probes():
                nothing[metric] = ProbeTally()
            case UpdateHistory() | RowHistory():
                nothing[metric] = WatermarkLog(is_recorded=False)
            case IncidentTimes():
                nothing[metric] = IncidentLog(is_recorded=False)
            case _:
                pass
    return nothing


def _after_life(
    reading: Reading, answers: Mapping[Metric, Measurement]
) -> tuple[Reading, dict[Metric, Measurement]]:
    """Return a reading in which data that is gone by the product's doing is no failure.

    Each table is gone or not by its own failure; who is to blame for the rest stays to blame.
    """
    unread = {
        metric: reading.blames.get(metric.table, reading.blame)
        for metric, state in answers.items()
        if isinstance(metric, TableSchema) and isinstance(state, Unmeasured)
    }
    gone = {metric for metric, blame in unread.items() if blame is Blame.PRODUCT}
    others = {blame for metric, blame in unread.items() if metric not in gone}
    found = {
        metric: TableColumns() if metric in gone else state for metric, state in answers.items()
    }
    blame = next((one for one in Blame if one in others), None)
    error = reading.error if others else ""
    return replace(reading, readable=None, error=error, blame=blame), found


def _server(contract: Contract, name: str) -> Server:
    nowhere = Server(Clause("servers", 0), name, kind="", read=ReadPolicy())
    return next((server for server in contract.servers if server.name == name), nowhere)


def _closed(metrics: Iterable[Metric], server: Server) -> Verdict | None:
    if not server.unsupported or all(isinstance(one, RecordMetric) for one in metrics):
        return None
    return Verdict(Outcome.SKIPPED, reason=f"the server is unsupported: {server.unsupported}")


def _found(
    check: Check,
    metrics: Iterable[Metric],
    answers: Mapping[Metric, Measurement],
    server: Server,
    now: datetime,
) -> tuple[Promise, Verdict]:
    missing = _closed(metrics, server) or _verdict_without_column(check.promise, answers)
    if missing is not None:
        return check.promise, missing
    judged = types.for_server(physical_type.for_server(check, server.read), server.read, answers)
    return judged.promise, judged.judge(answers, now)


def _is_only_shown(check: Check, server: Server) -> bool:
    """Whether a clause promises nothing there: files of text have no types of their own."""
    is_text = server.data_format is not None and server.data_format.is_text
    return (
        is_text
        and check.promise.kind == physical_type.PHYSICAL_TYPE.name
        and not server.unsupported
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    """What was read; `extents` are, by question, the rows that its answer is about."""

    measurements: dict[Metric, Measurement]
    extents: Mapping[Metric, Sequence[AnswerScope]]
    evidence: Mapping[Metric, Evidence]


def _judged(
    check: Check,
    metrics: Sequence[Metric],
    in_force: Mapping[str, CheckResult],
    found: _Answers,
    server: Server,
    now: datetime,
) -> CheckResult:
    """Return what is still in force of a check, else what was found now, and of which rows."""
    known = in_force.get(check.promise.promise_id)
    answers = found.measurements
    if known is not None:
        lacks = _verdict_without_column(check.promise, answers)
        return known if lacks is None else CheckResult(check.promise, lacks)
    extents = _rested_on(metrics, found.extents)
    # beside the answers, which are as many as the checks: none copies them for itself
    rows: dict[Metric, Measurement] = {k: v for one in extents for k, v in one.rows.items()}
    seen = ChainMap(rows, answers) if rows else answers
    promise, verdict = _found(check, metrics, seen, server, now)
    if verdict.outcome in EXECUTED:
        verdict = _with_evidence(with_scope_words(verdict, extents), metrics, found.evidence)
    return CheckResult(promise, verdict)


def _extents_of(extents: Iterable[AnswerScope]) -> Mapping[Metric, Sequence[AnswerScope]]:
    """Return the extents of each question, so that no check looks through all of them."""
    found: dict[Metric, list[AnswerScope]] = {}
    for extent in extents:
        for metric in extent.metrics:
            found.setdefault(metric, []).append(extent)
    return found


def _rested_on(
    metrics: Iterable[Metric], about: Mapping[Metric, Sequence[AnswerScope]]
) -> list[AnswerScope]:
    if not about:
        return []
    found = {id(one): one for asked in metrics for one in about.get(asked, ())}
    return list(found.values())


def _with_evidence(
    verdict: Verdict, metrics: Iterable[Metric], known: Mapping[Metric, Evidence]
) -> Verdict:
    found = evidence_of_check(metrics, known)
    return verdict.with_evidence(found) if found is not None else verdict


def _verdict_without_column(
    promise: Promise, answers: Mapping[Metric, Measurement]
) -> Verdict | None:
    schema = answers.get(TableSchema(promise.table))
    is_presence = promise.kind == PRESENCE.name and not promise.path
    if is_presence or not promise.physical_columns:
        return None
    if isinstance(schema, Unmeasured):
        return Verdict(Outcome.ERROR, reason=schema.reason)
    if not isinstance(schema, TableColumns):
        return None
    named = [schema.find(name) for name in promise.physical_columns]
    found = [column for column in named if column is not None]
    if len(found) < len(named):
        return Verdict(Outcome.SKIPPED, reason=COLUMN_MISSING)
    return unreachable_verdict(promise, found)


def _data_timestamp(
    asked: Iterable[tuple[Check, Iterable[Metric]]], answers: Mapping[Metric, Measurement]
) -> datetime | None:
    of_age = (
        metric
        for check, metrics in asked
        if check.promise.kind == FRESHNESS.name
        for metric in metrics
        if isinstance(metric, TimeSpan)
    )
    spans = (answers.get(metric) for metric in of_age)
    return max((s.newest for s in spans if isinstance(s, TimeRange) and s.newest), default=None)


def _rows(asked: Iterable[Metric], answers: Mapping[Metric, Measurement]) -> int | None:
    """Return the rows of all tables whose rows are asked for; None if one was not counted."""
    counts = {metric for metric in (*asked, *answers) if isinstance(metric, RowCount)}
    known = [state.rows for one in counts if isinstance(state := answers.get(one), Count)]
    return sum(known) if known and len(known) == len(counts) else None
