"""Delete expired runs, incidents, intervals and messages in bounded steps; open ones stay."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, exists, select

from contractwatch.model.record.incident import Phase
from contractwatch.store.database import tables
from contractwatch.store.database.codec import MICROS_A_DAY, to_micros
from contractwatch.store.database.tables import DEAD, DELIVERED, MOOT, PARTED
from contractwatch.store.messages.delivery_records import delete_delivery_records

CHUNK = 1_000
"""Rows of one table that one call removes at most: some milliseconds of the writer's time."""

DELIVERED_KEPT = timedelta(days=7)
DEAD_KEPT = timedelta(days=90)
INCIDENTS_KEPT = timedelta(days=400)
NEVER_OPENED_KEPT = timedelta(days=2)
SIGHTINGS_KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Compaction:
    """Numbers of deleted rows, and whether there are `more` to delete."""

    runs: int = 0
    plans: int = 0
    intervals: int = 0
    incidents: int = 0
    delivered: int = 0
    dead_letters: int = 0
    data_versions: int = 0
    probe_days: int = 0
    sightings: int = 0
    more: bool = False

    @property
    def removed(self) -> int:
        """Number of deleted rows of any kind."""
        return sum(getattr(self, field.name) for field in fields(self) if field.name != "more")


@dataclass(frozen=True, slots=True)
class KeepLimits:
    """Retention limits; the last `keep_runs` runs of a product are never deleted."""

    keep_runs: int = 50
    keep_run_days: float = 7.0
    keep_intervals_days: float = 90.0


Transactions = Callable[[], AbstractContextManager[Connection]]


def compact(
    now: datetime, retention: KeepLimits, *, reading: Transactions, writing: Transactions
) -> Compaction:
    """Delete expired rows, at most `CHUNK` of each kind.

    Each kind is looked up as a reader, and removed in a short transaction of its own.
    """
    counts: dict[str, int] = {}
    for kind, table, query in _expired(now, retention):
        with reading() as connection:
            ids = [row.id for row in connection.execute(query.limit(CHUNK))]
        if ids:
            with writing() as connection:
                counts[kind] = _remove(connection, table, ids)
    with writing() as connection:
        first_day = (to_micros(now) - _days(retention.keep_intervals_days)) // MICROS_A_DAY
        probe = tables.probe_day
        counts["probe_days"] = connection.execute(
            delete(probe).where(probe.c.day < first_day)
        ).rowcount
    return Compaction(**counts, more=any(count >= CHUNK for count in counts.values()))


def _expired(now: datetime, retention: KeepLimits) -> Iterator[tuple[str, Table, Select[Any]]]:
    at = to_micros(now)
    keep = at - _days(retention.keep_intervals_days)
    yield (
        "runs",
        tables.run,
        _expired_runs(at - _days(retention.keep_run_days), retention.keep_runs),
    )
    plan = tables.plan.c
    yield "plans", tables.plan, select(plan.id).where(_unused_plan())
    interval = tables.ledger_interval.c
    yield "intervals", tables.ledger_interval, select(interval.id).where(interval.end_at < keep)
    yield "incidents", tables.incident, _expired_incidents(now)
    outbox = tables.outbox.c
    for kind, states, kept in (
        ("delivered", (DELIVERED, PARTED, MOOT), DELIVERED_KEPT),
        ("dead_letters", (DEAD,), DEAD_KEPT),
    ):
        old = outbox.state.in_(states) & (outbox.finished_at < to_micros(now - kept))
        yield kind, tables.outbox, select(outbox.id).where(old)
    seen = tables.data_version.c
    looked = tables.sighting.c.last_seen < to_micros(now - SIGHTINGS_KEPT)
    yield "sightings", tables.sighting, select(tables.sighting.c.id).where(looked)
    yield "data_versions", tables.data_version, select(seen.id).where(seen.first_seen_at < keep)


def _expired_runs(before: int, keep_runs: int) -> Select[Any]:
    """Runs that ended before, and have at least `keep_runs` newer ones of the same product."""
    run, newer = tables.run, tables.run.alias("newer")
    nth_newer = (
        select(newer.c.id)
        .where(newer.c.product_id == run.c.product_id, newer.c.id > run.c.id)
        .order_by(newer.c.id)
        .offset(max(keep_runs, 1) - 1)
        .limit(1)
    )
    return select(run.c.id).where(run.c.finished_at < before, exists(nth_newer))


def _unused_plan() -> ColumnElement[bool]:
    return ~exists(select(tables.run.c.id).where(tables.run.c.plan_id == tables.plan.c.id))


def _expired_incidents(now: datetime) -> Select[Any]:
    incident = tables.incident.c
    told = incident.resolved_at < to_micros(now - INCIDENTS_KEPT)
    untold = incident.opened_at.is_(None) & (
        incident.resolved_at < to_micros(now - NEVER_OPENED_KEPT)
    )
    return select(incident.id).where(incident.phase == Phase.RESOLVED.value, told | untold)


def _remove(connection: Connection, table: Table, ids: list[int]) -> int:
    gone = table.c.id.in_(ids)
    if table is tables.incident:
        event = tables.incident_event
        gone &= table.c.phase == Phase.RESOLVED.value
        over = select(table.c.id).where(gone)
        connection.execute(delete(event).where(event.c.incident_ref.in_(over)))
        named = select(table.c.incident_id).where(gone)
        delete_delivery_records(connection, connection.execute(named).scalars())
        timed = tables.incident_time
        connection.execute(delete(timed).where(timed.c.incident_ref.in_(over)))
    if table is tables.plan:
        gone &= _unused_plan()
    if table is tables.outbox:
        gone &= table.c.due_at.is_(None)
    return connection.execute(delete(table).where(gone)).rowcount


def _days(days: float) -> int:
    return int(days * MICROS_A_DAY)
