"""Plan: the checks of a contract, and the questions that all of them ask."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from contractwatch.checks import CHECKS
from contractwatch.checks.common.promise_ids import with_unique_ids
from contractwatch.checks.operations import end_of_life
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import Contract, SkippedClause, Status
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.metric import (
    Metric,
    RecordMetric,
)
from contractwatch.model.measure.state import (
    Measurement,
    Unmeasured,
)
from contractwatch.model.promises.lifetime import LifecycleStage
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict
from contractwatch.model.record.run import CheckResult

_RETIRED = "the contract is retired"
_ENDED = "not due any more: the product's life has ended"


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


def without(plan: Plan, in_force: Iterable[CheckResult]) -> Plan:
    """Return the plan that does not ask again what these results of its checks answer."""
    known = {result.promise.promise_id: result for result in in_force}
    asked = (check for check in plan.checks if check.promise.promise_id not in known)
    metrics = frozenset(metric for check in asked for metric in check.metrics())
    return replace(plan, metrics=metrics, in_force=known)


def rests_on(check: Check, extent: AnswerScope) -> bool:
    """Return whether a check is about the rows of an extent."""
    return not extent.metrics.isdisjoint(check.metrics())


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


def _all_skipped(checks: Iterable[Check], reason: str) -> tuple[CheckResult, ...]:
    verdict = Verdict(Outcome.SKIPPED, reason=reason)
    return tuple(CheckResult(check.promise, verdict) for check in checks)


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
