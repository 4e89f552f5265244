"""Write the entry of one run or wake-up within a transaction."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from contractwatch.model.record.incident import Incident, Transition
from contractwatch.model.record.product import ProductCard, RunEntry
from contractwatch.model.record.run import RunOutcome, RunResult
from contractwatch.store.database import tables
from contractwatch.store.database.codec import MICROS_A_DAY, dump, micros_or_none, to_micros
from contractwatch.store.database.statements import (
    add_amounts,
    insert_all,
    insert_one,
    next_revision,
    storable_text,
    upsert,
)
from contractwatch.store.messages.incident_times import last_good_times, record_found
from contractwatch.store.messages.outbox import enqueue
from contractwatch.store.record.file_states import delete_file_states, write_file_states
from contractwatch.store.record.ledger import append_intervals, replace_standings
from contractwatch.store.record.plan_cache import PlanCache
from contractwatch.store.record.results import RunPlan, pack_plan, pack_results, plan_of
from contractwatch.store.record.watermark_history import write_watermarks

DATA_VERSIONS_KEPT = 400
"""Of one product, the newest. The score caps its evidence at 200 versions, and the newest 400 of
its 56 days weigh more than that: older ones cannot change it."""

_PRODUCT_ID = select(tables.product.c.id).where(tables.product.c.name == bindparam("of_name"))
_PLAN_ID = select(tables.plan.c.id).where(tables.plan.c.digest == bindparam("of_digest"))
_INCIDENT_REF = select(tables.incident.c.id).where(
    tables.incident.c.incident_id == bindparam("of_incident")
)
_VERSIONS = tables.data_version.c
_MINE = _VERSIONS.product_id == bindparam("of_product")
_SEE = insert(tables.data_version).from_select(
    ["product_id", "version", "first_seen_at"],
    select(
        bindparam("of_product", type_=_VERSIONS.product_id.type),
        bindparam("of_version", type_=_VERSIONS.version.type),
        bindparam("seen_at", type_=_VERSIONS.first_seen_at.type),
    ).where(
        ~exists(select(_VERSIONS.id).where(_MINE, _VERSIONS.version == bindparam("of_version")))
    ),
)
_FORGET_SEEN = delete(tables.data_version).where(
    _MINE,
    _VERSIONS.id
    < select(_VERSIONS.id)
    .where(_MINE)
    .order_by(_VERSIONS.id.desc())
    .offset(DATA_VERSIONS_KEPT - 1)
    .limit(1)
    .scalar_subquery(),
)


def write_entry(connection: Connection, entry: RunEntry, plans: PlanCache, revision: int) -> int:
    """Write the whole entry of a run or wake-up; return the run's id, 0 without a run.

    1. the run with its results, the probe, the version of the data, how far it has come and what
       its files answered
    2. the card with that run and the record's new revision; it brings a withdrawn product back
    3. closed time, and the standings from which the next run goes on
    4. incidents, what happened to them, and the messages that say so

    Raises:
        StoreError: If it contradicts the ledger. A transition that was already told fails in the
            database.
    """
    product_id = _product_id(connection, entry.card)
    run_id = 0
    if entry.run is not None:
        run_id = _write_run(connection, product_id, entry.run, plans)
        _write_probe(connection, product_id, entry.run)
        _write_data_version(connection, product_id, entry.run)
    _write_card(connection, product_id, entry.card, revision=revision, run_id=run_id)
    write_watermarks(connection, product_id, entry.watermarks, entry.at)
    write_file_states(connection, product_id, entry.cached_tables)
    good = last_good_times(connection, product_id, entry.incidents, entry.last_passes)
    append_intervals(connection, product_id, entry.entries)
    replace_standings(connection, product_id, entry.standings)
    for incident in entry.incidents:
        _write_incident(connection, product_id, incident)
    record_found(connection, good, entry.at)
    _write_events(connection, entry.transitions)
    enqueue(connection, entry.notifications)
    return run_id


def withdraw_product(connection: Connection, name: str, at: int) -> bool:
    """Mark a product as withdrawn at `at` (microseconds); return False if it was not active.

    What is known of it holds no longer than that: its standings end at `at`.
    """
    product, standing = tables.product, tables.standing
    served = select(product.c.id).where(product.c.name == name, product.c.withdrawn_at.is_(None))
    product_id = connection.execute(served).scalar()
    if product_id is None:
        return False
    connection.execute(
        update(product)
        .where(product.c.id == product_id)
        .values(withdrawn_at=at, revision=next_revision(connection))
    )
    delete_file_states(connection, product_id)
    mine = standing.c.product_id == product_id
    connection.execute(update(standing).where(mine, standing.c.horizon > at).values(horizon=at))
    connection.execute(update(standing).where(mine, standing.c.stale_at > at).values(stale_at=None))
    return True


def _product_id(connection: Connection, card: ProductCard) -> int:
    """Return the id of the card's product, which gets a row if it has none."""
    known = connection.execute(_PRODUCT_ID, {"of_name": card.product}).scalar()
    if known is not None:
        return known
    row = {"name": card.product, "revision": 0, **_card_columns(card)}
    return insert_one(connection, tables.product, row)


def _write_card(
    connection: Connection, product_id: int, card: ProductCard, *, revision: int, run_id: int
) -> None:
    values = {**_card_columns(card), "revision": revision, "withdrawn_at": None}
    if run_id:
        values["last_run_id"] = run_id
    upsert(connection, tables.product, {"id": product_id}, values)


def _card_columns(card: ProductCard) -> dict[str, Any]:
    return {
        "contract_id": card.contract_id,
        "contract_version": card.version,
        "card": dump(card, ProductCard),
    }


def _write_run(connection: Connection, product_id: int, run: RunResult, plans: PlanCache) -> int:
    plan_id, plan = _find_plan(connection, run, plans)
    row = {
        "product_id": product_id,
        "plan_id": plan_id,
        "started_at": to_micros(run.started_at),
        "finished_at": to_micros(run.finished_at),
        "outcome": run.outcome.value,
        "executed": run.coverage.executed,
        "promised": run.coverage.promised,
        "readable": run.readable,
        "rows": run.rows,
        "data_version": storable_text(run.data_version),
        "data_timestamp": micros_or_none(run.data_timestamp),
        "error": storable_text(run.error),
        "blame": run.blame.value if run.blame else None,
        "results": pack_results(run.results, plan),
    }
    return insert_one(connection, tables.run, row)


def _find_plan(connection: Connection, run: RunResult, plans: PlanCache) -> tuple[int, RunPlan]:
    digest = plans.digest(run)
    plan_id = connection.execute(_PLAN_ID, {"of_digest": digest}).scalar()
    if plan_id is not None:
        return plan_id, plans.get_all(connection, [plan_id])[plan_id]
    plan = plan_of(run)
    row = {"digest": digest, "content": pack_plan(plan)}
    return insert_one(connection, tables.plan, row), plan


def _write_probe(connection: Connection, product_id: int, run: RunResult) -> None:
    if run.readable is not None:
        key = {"product_id": product_id, "day": to_micros(run.finished_at) // MICROS_A_DAY}
        add_amounts(connection, tables.probe_day, key, {"good": int(run.readable), "total": 1})


def _write_data_version(connection: Connection, product_id: int, run: RunResult) -> None:
    """Note when a version that was judged is first seen, and forget what no score can need."""
    if not run.data_version or run.outcome is RunOutcome.ERROR:
        return
    seen = {
        "of_product": product_id,
        "of_version": storable_text(run.data_version),
        "seen_at": to_micros(run.finished_at),
    }
    if connection.execute(_SEE, seen).rowcount:
        connection.execute(_FORGET_SEEN, {"of_product": product_id})


def _write_incident(connection: Connection, product_id: int, incident: Incident) -> None:
    values = {
        "product_id": product_id,
        "objective": incident.objective.value,
        "phase": incident.phase.value,
        "opened_at": micros_or_none(incident.opened_at),
        "resolved_at": micros_or_none(incident.resolved_at),
        "content": dump(incident, Incident),
    }
    upsert(connection, tables.incident, {"incident_id": incident.incident_id}, values)


def _write_events(connection: Connection, transitions: Iterable[Transition]) -> None:
    rows = [
        {
            "incident_ref": connection.execute(
                _INCIDENT_REF, {"of_incident": transition.incident.incident_id}
            ).scalar(),
            "sequence": transition.sequence,
            "kind": transition.kind.value,
            "at": to_micros(transition.at),
            "content": dump(transition.incident, Incident),
        }
        for transition in transitions
    ]
    insert_all(connection, tables.incident_event, rows)
