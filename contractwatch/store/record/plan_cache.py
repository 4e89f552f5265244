"""Cache of decoded plans, by id."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from contractwatch.model.record.run import RunResult
from contractwatch.store.database import tables
from contractwatch.store.record.results import (
    RunIdentity,
    RunPlan,
    digest_of,
    identity_of,
    unpack_plan,
)


class PlanCache:
    """Cache of plans by id; ids are never reused.

    Threads may share one: the worst that can happen is that a plan is decoded twice.
    """

    def __init__(self, *, limit: int = 20_000) -> None:
        self._limit = limit
        self._known: dict[int, RunPlan] = {}
        self._digests: dict[str, tuple[RunIdentity, str]] = {}

    def digest(self, run: RunResult) -> str:
        """Return the digest of a run's plan, made anew only if the product's last was another."""
        identity = identity_of(run)
        known = self._digests.get(run.product)
        if known is None or known[0] != identity:
            known = (identity, digest_of(identity))
            self._digests[run.product] = known
        return known[1]

    def get_all(self, connection: Connection, plan_ids: Iterable[int]) -> Mapping[int, RunPlan]:
        """Return these plans, reading those that are not cached; clear the cache if it is full."""
        wanted = set(plan_ids)
        found = {plan_id: plan for plan_id in wanted if (plan := self._known.get(plan_id))}
        missing = wanted - found.keys()
        if missing:
            table = tables.plan.c
            query = select(table.id, table.content).where(table.id.in_(missing))
            read = {row.id: unpack_plan(row.content) for row in connection.execute(query)}
            if len(self._known) + len(read) > self._limit:
                self._known = {}
            self._known.update(read)
            found.update(read)
        return found

    def forget(self) -> None:
        """Clear the cache."""
        self._known = {}
