"""Delivery state of each incident's notifications, by receiver."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Connection, and_, delete, exists, select, update

from contractwatch.alerting.audience import informed_receivers, is_delivered
from contractwatch.model.record.incident import (
    ENDS,
    DeliveryRecord,
    DeliveryState,
    Notification,
    Phase,
    TransitionKind,
    TransitionNote,
)
from contractwatch.store.database import tables
from contractwatch.store.database.codec import from_micros, to_micros
from contractwatch.store.database.statements import next_revision, upsert

_TELLING = tables.telling.c
_OUTBOX = tables.outbox.c
_INCIDENT = tables.incident.c
_PRODUCT = tables.product.c
_CHUNK = 500


def delivery_records(
    connection: Connection, incidents: Iterable[str]
) -> tuple[DeliveryRecord, ...]:
    """Return the delivery records of these incidents."""
    ids = list(incidents)
    found: list[DeliveryRecord] = []
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            select(tables.telling)
            .where(_TELLING.incident_id.in_(ids[start : start + _CHUNK]))
            .order_by(_TELLING.incident_id, _TELLING.sequence, _TELLING.receiver)
        )
        found += [
            DeliveryRecord(
                row.incident_id,
                row.receiver,
                row.sequence,
                TransitionKind(row.kind),
                DeliveryState(row.state),
                from_micros(row.at),
            )
            for row in rows
        ]
    return tuple(found)


def record_waiting(connection: Connection, message: Notification, at: datetime) -> None:
    """Record that a message waits for delivery."""
    _record_state(connection, message, DeliveryState.WAITING, at)


def record_delivered(connection: Connection, message: Notification, at: datetime) -> None:
    """Record a delivery; of several mailboxes the first one counts."""
    _record_state(connection, message, DeliveryState.DELIVERED, at)
    _bump_revision(connection, message)


def record_dead(connection: Connection, message: Notification, at: datetime) -> None:
    """Record that a message is a dead letter, unless another mailbox got it or still may."""
    if message.recipient and _has_pending_sibling(connection, message):
        return
    _record_state(connection, message, DeliveryState.DEAD, at)
    _bump_revision(connection, message)


def ends_only_unheard(connection: Connection, message: Notification) -> bool:
    """Whether a message ends only incidents whose beginnings its receiver never got."""
    if message.kind not in ENDS or not _transition_notes(message):
        return False
    return all(_is_unnotified(connection, message.receiver, note) for note in message.notes)


def opens_unnotified(connection: Connection, message: Notification) -> bool:
    """Whether a message opens an incident that is still open and nobody was notified of."""
    if message.kind in ENDS:
        return False
    for note in _transition_notes(message):
        is_open = select(_INCIDENT.id).where(
            _INCIDENT.incident_id == note.incident_id,
            _INCIDENT.phase.in_([Phase.OPEN.value, Phase.RECOVERING.value]),
        )
        if connection.execute(is_open).first() is not None:
            told = delivery_records(connection, [note.incident_id])
            if not is_delivered(note.incident_id, told):
                return True
    return False


def delete_delivery_records(connection: Connection, incidents: Iterable[str]) -> None:
    """Delete the delivery records of incidents that are no longer kept."""
    connection.execute(delete(tables.telling).where(_TELLING.incident_id.in_(list(incidents))))


def _record_state(
    connection: Connection, message: Notification, state: DeliveryState, at: datetime
) -> None:
    for note in _transition_notes(message):
        key = {
            "incident_id": note.incident_id,
            "receiver": message.receiver,
            "sequence": note.sequence,
        }
        mine = and_(*(tables.telling.c[name] == value for name, value in key.items()))
        told = _TELLING.state == DeliveryState.DELIVERED.value
        if state is not DeliveryState.WAITING or not message.recipient:
            is_delivered = connection.execute(select(tables.telling).where(mine, told)).first()
            if is_delivered is not None:
                continue
        values = {"kind": note.kind.value, "state": state.value, "at": to_micros(at)}
        upsert(connection, tables.telling, key, values)


def _transition_notes(message: Notification) -> Iterator[TransitionNote]:
    yield from () if message.is_test or message.notice is not None else message.notes


def _has_pending_sibling(connection: Connection, message: Notification) -> bool:
    prefix = f"{message.message_key}/"
    siblings = select(_OUTBOX.id).where(
        _OUTBOX.idempotency_key > prefix,
        _OUTBOX.idempotency_key < f"{message.message_key}0",  # the character after the slash
        _OUTBOX.idempotency_key != message.key,
        _OUTBOX.due_at.is_not(None),
    )
    return connection.execute(siblings).first() is not None


def _is_unnotified(connection: Connection, receiver: str, note: TransitionNote) -> bool:
    known = select(_INCIDENT.id).where(_INCIDENT.incident_id == note.incident_id)
    if connection.execute(known).first() is None:
        return False
    before = [
        one
        for one in delivery_records(connection, [note.incident_id])
        if one.receiver == receiver and one.sequence < note.sequence
    ]
    return bool(before) and not informed_receivers(note.incident_id, before)


def _bump_revision(connection: Connection, message: Notification) -> None:
    """Increment the product's revision, so that readers reload it."""
    known = select(_PRODUCT.id).where(_PRODUCT.name == message.product)
    if connection.execute(select(exists(known))).scalar():
        connection.execute(
            update(tables.product)
            .where(_PRODUCT.name == message.product)
            .values(revision=next_revision(connection))
        )
