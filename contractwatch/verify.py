"""A contract becomes a plan of questions, and their answers become a run: pure, the heart."""

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from contractwatch.checks import CHECKS
from contractwatch.checks.common.nested_paths import COLUMN_MISSING, unreachable_verdict
from contractwatch.checks.common.promise_ids import with_unique_ids
from contractwatch.checks.operations import end_of_life
from contractwatch.checks.schema import physical_type, types
from contractwatch.checks.schema.presence import PRESENCE
from contractwatch.checks.time.freshness import FRESHNESS
from contractwatch.checks.volume.row_count import ROW_COUNT
from contractwatch.errors import Blame
from contractwatch.model.base.clause import Clause, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.server import ReadPolicy, Server
from contractwatch.model.contract.contract import Contract, SkippedClause, Status
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
from contractwatch.model.promises.lifetime import LifecycleStage
from contractwatch.model.record.check import WRONG, Check, Outcome, Promise, Verdict
from contractwatch.model.record.run import CheckResult, Coverage, Reading, RunOutcome, RunResult

_REASONS_SHOWN = 3
_RETIRED = "the contract is retired"
_ENDED = "not due any more: the product's life has ended"
_EXECUTED = frozenset({Outcome.PASSED, Outcome.FAILED})


@dataclass(frozen=True, slots=True)
class Plan:
    """The checks of a contract, and the questions that all of them ask.

    `skipped` are the results that are known without asking: clauses that are not executed.
    `in_force` are results, by promise, of checks that are not due: judged before, and not asked.
    `is_after_life`: all that is asked is whether the data of an ended product is gone.
    """

    contract: Contract
    checks: tuple[Check, ...]
    metrics: frozenset[Metric]
    skipped: tuple[CheckResult, ...] = ()
    is_after_life: bool = False
    in_force: Mapping[str, CheckResult] = field(default_factory=dict[str, CheckResult])


def plan(contract: Contract) -> Plan:
    """Return every check of a contract, in the order of its clauses; none if it is retired."""
    found = [check for generate in CHECKS.values() for check in generate(contract)]
    found = sorted(found, key=lambda check: check.promise.clause.line)
    checks = tuple(with_unique_ids(found, (skipped.promise_id for skipped in contract.skipped)))
    skipped = tuple(_skipped_clause(skipped) for skipped in contract.skipped)
    if contract.status is Status.RETIRED:
        skipped, checks = (*skipped, *_all_skipped(checks, _RETIRED)), ()
    metrics = frozenset(metric for check in checks for metric in check.metrics())
    return Plan(contract, checks, metrics, skipped)


def has_ended(contract: Contract, now: datetime) -> bool:
    """Return whether the life of a product is over, by its contract."""
    is_retired = contract.status is Status.RETIRED
    return not is_retired and contract.lifetime.stage_at(now) is LifecycleStage.ENDED


def as_of(plan: Plan, now: datetime) -> Plan:
    """Return the plan of a whole contract at `now`: after its life, whether data is still there."""
    if not has_ended(plan.contract, now):
        return plan
    checks = tuple(end_of_life.checks(plan.contract))
    skipped = (*plan.skipped, *_all_skipped(plan.checks, _ENDED))
    metrics = frozenset(metric for check in checks for metric in check.metrics())
    return Plan(plan.contract, checks, metrics, skipped, is_after_life=True)


def judge(plan: Plan, reading: Reading, *, now: datetime) -> RunResult:
    """Judge every promise of a plan by what was read; results are in the contract's order.

    A question that the reading does not answer is unmeasured; what only a record knows is still
    warming up without one. A check on a missing column is skipped, and so is every check on a
    server that is not supported.
    """
    contract = plan.contract
    server = _server(contract, reading.server)
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
    ordered = sorted([*judged, *plan.skipped], key=lambda result: result.promise.clause.line)
    results = tuple(ordered)
    outcome = _outcome(results)
    return RunResult(
        contract_id=contract.contract_id,
        product=contract.product,
        contract_version=contract.version,
        fingerprint=contract.fingerprint,
        server=reading.server,
        started_at=reading.started_at,
        finished_at=now,
        outcome=outcome,
        coverage=_coverage(results),
        results=results,
        readable=reading.readable,
        data_version=reading.data_version,
        data_timestamp=_data_timestamp(asked, answers),
        rows=_rows((metric for _, metrics in asked for metric in metrics), answers),
        error=reading.error or (_why_none(results) if outcome is RunOutcome.ERROR else ""),
        blame=reading.blame,
    )


def without(plan: Plan, in_force: Iterable[CheckResult]) -> Plan:
    """Return the plan that does not ask again what these results of its checks answer."""
    known = {result.promise.promise_id: result for result in in_force}
    asked = (check for check in plan.checks if check.promise.promise_id not in known)
    metrics = frozenset(metric for check in asked for metric in check.metrics())
    return replace(plan, metrics=metrics, in_force=known)


def rests_on(check: Check, extent: AnswerScope) -> bool:
    """Return whether a check is about the rows of an extent."""
    return not extent.metrics.isdisjoint(check.metrics())


def forecast(plan: Plan, server: Server) -> tuple[tuple[CheckResult, ...], Coverage]:
    """Return what will be skipped on a server, whatever its data are, and the coverage at best."""
    asked = [check for check in plan.checks if not _is_only_shown(check, server)]
    known = [(check.promise, _closed(check.metrics(), server)) for check in asked]
    skipped = (*plan.skipped, *(CheckResult(promise, why) for promise, why in known if why))
    lost = {result.promise.clause for result in skipped}
    kept = {promise.clause for promise, _ in known} - lost
    ordered = sorted(skipped, key=lambda result: result.promise.clause.line)
    return tuple(ordered), Coverage(len(kept), len(kept) + len(lost))


def promised_objectives(plan: Plan) -> frozenset[Objective]:
    """Return the objectives with at least one check that can be executed; never the composite."""
    promises = (check.promise for check in plan.checks)
    return frozenset(promise.objective for promise in promises if not promise.operations)


def unread(plan: Plan, reason: str) -> dict[Metric, Measurement]:
    """Return the answers of a run that read nothing: all unmeasured but what the record answers.

    Probes, for one, go on counting while data cannot be read.
    """
    return dict.fromkeys(asked_of_data(plan), Unmeasured(reason))


def asked_of_data(plan: Plan) -> frozenset[Metric]:
    """Return the metrics of a plan that the record does not answer."""
    return frozenset(one for one in plan.metrics if not isinstance(one, RecordMetric))


def asked_of_record(plan: Plan) -> frozenset[type[RecordMetric]]:
    """Return the kinds of metrics of a plan that only the record answers."""
    return frozenset(type(one) for one in plan.metrics if isinstance(one, RecordMetric))


def _without_record(metrics: Iterable[Metric]) -> dict[Metric, Measurement]:
    nothing: dict[Metric, Measurement] = {}
    for metric in metrics:
        match metric:
            case Probes():
                nothing[metric] = ProbeTally()
            case UpdateHistory() | RowHistory():
                nothing[metric] = WatermarkLog(is_kept=False)
            case IncidentTimes():
                nothing[metric] = IncidentLog(is_kept=False)
            case _:
                pass
    return nothing


def _all_skipped(checks: Iterable[Check], reason: str) -> tuple[CheckResult, ...]:
    verdict = Verdict(Outcome.SKIPPED, reason=reason)
    return tuple(CheckResult(check.promise, verdict) for check in checks)


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


def _skipped_clause(skipped: SkippedClause) -> CheckResult:
    promise = Promise(
        promise_id=skipped.promise_id,
        kind=skipped.kind,
        clause=skipped.clause,
        table=skipped.table,
        column=skipped.column,
        severity=skipped.severity,
        dimension=skipped.dimension,
        # what counts for no objective lowers the coverage of the run, and of no objective
        objective=skipped.objective or Objective.CONFORMANCE,
        expected=skipped.expected,
    )
    return CheckResult(promise, Verdict(Outcome.SKIPPED, reason=skipped.reason))


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
    if verdict.outcome in _EXECUTED:
        verdict = _with_evidence(_in_words(verdict, extents), metrics, found.evidence)
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


def _in_words(verdict: Verdict, extents: Iterable[AnswerScope]) -> Verdict:
    """Return a verdict that says which rows it is about: nobody may take them for all."""
    words = dict.fromkeys(extent.words for extent in extents if extent.words)
    if not words:
        return verdict
    return replace(verdict, reason="; ".join(filter(None, (verdict.reason, *words))))


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


def _outcome(results: Iterable[CheckResult]) -> RunOutcome:
    found = tuple(results)
    failed = [result for result in found if result.outcome is Outcome.FAILED]
    if any(result.promise.severity is Severity.ERROR for result in failed):
        return RunOutcome.FAILED
    if any(result.outcome is Outcome.ERROR for result in found):
        return RunOutcome.ERROR
    if all(result.outcome is Outcome.SKIPPED for result in found):
        return RunOutcome.ERROR
    if failed or has_wrong_clause(found) or _has_unpromised_emptiness(found):
        return RunOutcome.WARNING
    return RunOutcome.PASSED


def has_wrong_clause(results: Iterable[CheckResult]) -> bool:
    """Whether a clause is not judged because something is wrong in the contract."""
    return any(
        result.outcome is Outcome.SKIPPED and result.verdict.reason.startswith(WRONG)
        for result in results
    )


def _has_unpromised_emptiness(results: Iterable[CheckResult]) -> bool:
    empty: set[str] = set()
    counted: set[str] = set()
    for result in results:
        if result.verdict.vacuous:
            empty.add(result.promise.table)
        elif result.promise.kind == ROW_COUNT.name and result.outcome is Outcome.PASSED:
            counted.add(result.promise.table)
    return bool(empty - counted)


def _coverage(results: Iterable[CheckResult]) -> Coverage:
    executed: dict[Clause, bool] = {}
    for result in results:
        clause = result.promise.clause
        executed[clause] = executed.get(clause, True) and result.outcome in _EXECUTED
    return Coverage(executed=sum(executed.values()), promised=len(executed))


def _why_none(results: tuple[CheckResult, ...]) -> str:
    errors = [result for result in results if result.outcome is Outcome.ERROR]
    if errors:
        what = f"{len(errors)} of {len(results)} checks have no answer"
        return f"{what}: {_first_reasons(errors)}"
    return f"nothing was executed: {_first_reasons(results) or 'nothing is promised'}"


def _first_reasons(results: Iterable[CheckResult]) -> str:
    reasons = tuple(dict.fromkeys(result.verdict.reason for result in results))
    rest = len(reasons) - _REASONS_SHOWN
    more = (f"and {rest} more reasons",) if rest > 0 else ()
    return "; ".join((*reasons[:_REASONS_SHOWN], *more))


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
