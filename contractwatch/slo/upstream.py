"""Find the inputs of a product that are in breach or too old, by their own record."""

from collections.abc import Callable, Iterable
from datetime import datetime

from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState, Standing
from contractwatch.model.promises.upstream import InputProduct, Upstream
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.product import ProductRecord
from contractwatch.model.record.run import CheckResult, RunResult
from contractwatch.slo.status import live_standings

_WHOLE = "-"
"""The table of a promise that is about the whole product."""


def inputs_in_trouble(
    inputs: Iterable[InputProduct],
    record_of: Callable[[str], ProductRecord | None],
    *,
    now: datetime,
) -> tuple[Upstream, ...]:
    """Return the inputs that are in breach now, or whose newest data is older than allowed.

    Args:
        inputs: Of one product.
        record_of: Looks the record of another product up.
        now: The instant of which it is said.
    """
    found: list[Upstream] = []
    for one in inputs:
        record = record_of(one.product) if one.product else None
        trouble = _trouble(one, record, now) if record is not None else None
        if trouble is not None:
            found.append(trouble)
    return tuple(found)


def _trouble(one: InputProduct, record: ProductRecord, now: datetime) -> Upstream | None:
    standings = live_standings((line.standing for line in record.lines), now=now)
    broken = [
        standing
        for objective, standing in standings.items()
        if standing.state is ObjectiveState.BAD
        and objective is not Objective.CONFORMANCE
        and _concerns(one, standing, record.last_run)
    ]
    age = _age(record.last_run, now)
    limit = one.max_lag.total_seconds() if one.max_lag is not None else None
    is_late = age is not None and limit is not None and age > limit
    if not broken and not is_late:
        return None
    return Upstream(
        product=one.product,
        objectives=tuple(standing.objective for standing in broken),
        since=min((standing.since for standing in broken), default=None),
        age_seconds=age if is_late else None,
        max_lag_seconds=limit if is_late else None,
    )


def _concerns(one: InputProduct, standing: Standing, run: RunResult | None) -> bool:
    """Return whether a broken objective affects the tables used as input; true if unknown."""
    if not one.tables or run is None:
        return True
    failing = [result for result in run.results if _breaks(result, standing.objective)]
    return not failing or any(r.promise.table in (*one.tables, _WHOLE) for r in failing)


def _breaks(result: CheckResult, objective: Objective) -> bool:
    promise = result.promise
    is_broken = result.outcome is Outcome.FAILED and promise.severity is Severity.ERROR
    return is_broken and promise.objective is objective


def _age(run: RunResult | None, now: datetime) -> float | None:
    if run is None or run.data_timestamp is None:
        return None
    return (now - run.data_timestamp).total_seconds()
