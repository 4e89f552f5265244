"""Times of each incident: when it was found, first notified and repaired."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, update

from contractwatch.model.base.objective import ObjectiveState
from contractwatch.model.measure.state import IncidentLog, IncidentTime
from contractwatch.model.record.incident import Cause, Delivery, Incident
from contractwatch.model.record.product import LastPass
from contractwatch.store.database import tables
from contractwatch.store.database.codec import from_micros, instant_or_none, load, to_micros
from contractwatch.store.database.statements import insert_all

LOG_WINDOW = timedelta(days=28)
"""Incidents that ended longer ago are in no log."""

_INCIDENT = tables.incident.c
_TIME = tables.incident_time.c
_STANDING = tables.standing.c


def last_good_times(
    connection: Connection,
    product_id: int,
    incidents: Iterable[Incident],
    passes: Iterable[LastPass],
) -> dict[str, int | None]:
    """Return when each new incident's objective was last good; call before standings change.

    None is an objective that was never good, or is not known to have been. What is judged at times
    of its own was good when it was last judged so, which may be runs ago.
    """
    passed = {one.promise_id: to_micros(one.at) for one in passes}
    found: dict[str, int | None] = {}
    for incident in incidents:
        known = select(_INCIDENT.id).where(_INCIDENT.incident_id == incident.incident_id)
        if connection.execute(known).first() is None:
            until = _good_until(connection, product_id, incident)
            ids = (broken.promise_id for broken in incident.broken)
            earlier = [passed[promise] for promise in ids if promise in passed]
            found[incident.incident_id] = None if until is None else min([until, *earlier])
    return found


def record_found(connection: Connection, good: dict[str, int | None], at: datetime) -> None:
    """Record when new incidents were found, and when their objectives were last good."""
    for incident_id, last_good_at in good.items():
        row = {
            "incident_ref": connection.execute(_ref(incident_id)).scalar_one(),
            "found_at": to_micros(at),
            "last_good_at": last_good_at,
            "told_at": None,
        }
        insert_all(connection, tables.incident_time, [row])


def record_first_delivery(connection: Connection, delivery: Delivery, at: datetime) -> None:
    """Record when the first message about an incident was delivered."""
    for note in () if delivery.notification.is_test else delivery.notification.notes:
        connection.execute(
            update(tables.incident_time)
            .where(
                _TIME.incident_ref == _ref(note.incident_id).scalar_subquery(),
                _TIME.told_at.is_(None),
            )
            .values(told_at=to_micros(at))
        )


def incident_log(connection: Connection, product_id: int, now: datetime) -> IncidentLog:
    """Return the breaches that were opened and are open, or ended within the last 28 days."""
    rows = connection.execute(
        select(_INCIDENT.content, _INCIDENT.resolved_at, tables.incident_time)
        .join_from(tables.incident, tables.incident_time, isouter=True)
        .where(
            _INCIDENT.product_id == product_id,
            _INCIDENT.opened_at.is_not(None),
            or_(
                _INCIDENT.resolved_at.is_(None),
                _INCIDENT.resolved_at >= to_micros(now - LOG_WINDOW),
            ),
        )
        .order_by(_INCIDENT.id)
    )
    pairs = ((load(row.content, Incident), row) for row in rows)
    return IncidentLog(
        tuple(_time(incident, row) for incident, row in pairs if incident.cause is Cause.BREACH)
    )


def _time(incident: Incident, row: Any) -> IncidentTime:
    if row.found_at is None:  # it is older than these times are kept
        return IncidentTime(incident.since, resolved_at=incident.resolved_at, is_timed=False)
    return IncidentTime(
        from_micros(row.found_at),
        instant_or_none(row.last_good_at),
        instant_or_none(row.told_at),
        incident.resolved_at,
    )


def _good_until(connection: Connection, product_id: int, incident: Incident) -> int | None:
    """Return the last observation that was good, None if the one before this was not."""
    row = connection.execute(
        select(_STANDING.state, _STANDING.observed_at).where(
            _STANDING.product_id == product_id, _STANDING.objective == incident.objective.value
        )
    ).first()
    is_good = row is not None and row.state == ObjectiveState.GOOD.value
    return row.observed_at if row is not None and is_good else None


def _ref(incident_id: str) -> Any:
    return select(_INCIDENT.id).where(_INCIDENT.incident_id == incident_id)
