"""Load the state of a product that a run needs, in few queries."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, bindparam, func, or_, select

from contractwatch.model.measure.metric import IncidentTimes, Probes, RowHistory, UpdateHistory
from contractwatch.model.measure.state import IncidentLog, ProbeTally
from contractwatch.model.promises.lifetime import Notice
from contractwatch.model.record.incident import Incident, Phase
from contractwatch.model.record.product import ProductCard, ProductState
from contractwatch.store.database import tables
from contractwatch.store.database.codec import MICROS_A_DAY, load, to_micros
from contractwatch.store.messages.delivery_records import delivery_records
from contractwatch.store.messages.incident_times import incident_log
from contractwatch.store.record.file_states import read_file_states
from contractwatch.store.record.ledger import sorted_standings, standing_of
from contractwatch.store.record.plan_cache import PlanCache
from contractwatch.store.record.read import last_run_of
from contractwatch.store.record.watermark_history import watermark_history

Recorded: TypeAlias = type[Probes] | type[UpdateHistory] | type[RowHistory] | type[IncidentTimes]
"""A kind of question that the record answers."""

RECORDED: Final[frozenset[Recorded]] = frozenset({Probes, UpdateHistory, RowHistory, IncidentTimes})

_FROM_WATERMARKS: Final[frozenset[Recorded]] = frozenset({UpdateHistory, RowHistory})

PROBE_DAYS = 28
RESOLVED_INCIDENTS_KEPT = timedelta(days=1)

_CARDS_KEPT = 10_000

_PRODUCT = tables.product.c
_STANDING = tables.standing.c
_INCIDENT = tables.incident.c
_PROBE = tables.probe_day.c
_ROW = select(_PRODUCT.id, _PRODUCT.withdrawn_at, _PRODUCT.card).where(
    _PRODUCT.name == bindparam("of_name")
)
_STANDINGS = select(tables.standing).where(_STANDING.product_id == bindparam("of_product"))
_INCIDENTS = (
    select(_INCIDENT.content)
    .where(
        _INCIDENT.product_id == bindparam("of_product"),
        or_(
            _INCIDENT.phase != Phase.RESOLVED.value,
            _INCIDENT.resolved_at >= bindparam("resolved_since"),
        ),
    )
    .order_by(_INCIDENT.id)
)
_PROBES = select(func.sum(_PROBE.good).label("good"), func.sum(_PROBE.total).label("total")).where(
    _PROBE.product_id == bindparam("of_product"), _PROBE.day > bindparam("first_day")
)


def product_state(
    connection: Connection,
    name: str,
    now: datetime,
    *,
    asked: frozenset[Recorded],
    plans: PlanCache | None = None,
) -> ProductState:
    """Return the state of a product that a run needs; a new or withdrawn one starts empty.

    A withdrawn one still has its incidents and its probes, but no standings: the time in which it
    was not served is in no ledger. What only the record answers is read if it is asked, and the
    last run if there are `plans` to read it with.
    """
    row = connection.execute(_ROW, {"of_name": name}).first()
    if row is None:
        return ProductState()
    mine = {"of_product": row.id}
    standings: Iterable[Any] = ()
    if row.withdrawn_at is None:
        standings = connection.execute(_STANDINGS, mine)
    resolved_since = to_micros(now - RESOLVED_INCIDENTS_KEPT)
    rows = connection.execute(_INCIDENTS, {**mine, "resolved_since": resolved_since})
    incidents = tuple(load(found.content, Incident) for found in rows)
    return ProductState(
        sorted_standings([standing_of(found) for found in standings]),
        incidents,
        _probes(connection, row.id, now) if Probes in asked else ProbeTally(),
        watermark_history(connection, row.id) if asked & _FROM_WATERMARKS else (),
        incident_log(connection, row.id, now) if IncidentTimes in asked else IncidentLog(),
        _notices(row.card),
        read_file_states(connection, row.id),
        last_run_of(connection, row.id, plans) if plans and row.withdrawn_at is None else None,
        delivery_records(connection, (one.incident_id for one in incidents)),
    )


def _probes(connection: Connection, product_id: int, now: datetime) -> ProbeTally:
    first_day = to_micros(now) // MICROS_A_DAY - PROBE_DAYS
    row = connection.execute(_PROBES, {"of_product": product_id, "first_day": first_day}).one()
    return ProbeTally(int(row.good or 0), int(row.total or 0))


@lru_cache(maxsize=_CARDS_KEPT)
def _notices(card: str) -> tuple[Notice, ...]:
    """Return the notices of a card, which is nearly always the one of the last run."""
    return load(card, ProductCard).notices
