"""The transactional outbox: enqueue messages with their run, lease them, record their end.

At least once, and in order within a lane of a receiver: of each lane only the oldest message that
is not done may be claimed. A claim is a lease: whoever holds it sends outside any transaction and
then records the end; when the holder dies, the lease runs out and the message is claimed again
under the same key. A message that is dead (given up) no longer holds up its lane.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select, update

from contractwatch.model.record.incident import Delivery, Notification, Urgency
from contractwatch.store.database import tables
from contractwatch.store.database.codec import dump, from_micros, load, to_micros
from contractwatch.store.database.statements import add_amounts, insert_all, storable_text, upsert
from contractwatch.store.database.tables import DEAD, DELIVERED, LEASED, MOOT, PARTED, PENDING
from contractwatch.store.messages.delivery_records import (
    ends_only_unheard,
    opens_unnotified,
    record_dead,
    record_delivered,
    record_waiting,
)
from contractwatch.store.messages.incident_times import record_first_delivery
from contractwatch.store.messages.mailboxes import is_irrelevant, mailbox_key, mailbox_lane

ENQUEUED = "enqueued"

LONGEST_PAUSE = timedelta(minutes=15)
"""No receiver is left alone for longer than that, whatever it asked for."""

_outbox = tables.outbox.c
_KNOWN = select(_outbox.id).where(_outbox.idempotency_key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class OutboxCount:
    """Number of pending messages of a receiver and urgency, and the age of the oldest."""

    receiver: str
    urgency: Urgency
    pending: int
    oldest_created_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryTotal:
    """Number of messages ever `enqueued`, `delivered` or `dead`; `reason` for the dead ones."""

    receiver: str
    urgency: Urgency
    event: str
    reason: str
    messages: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up; it can be replayed."""

    outbox_id: int
    notification: Notification
    attempts: int
    reason: str
    error: str
    died_at: datetime


def enqueue(connection: Connection, notifications: Sequence[Notification]) -> None:
    """Write messages, due at once. A key that is there already is left as it is."""
    for notification in notifications:
        if connection.execute(_KNOWN, {"key": notification.key}).first() is not None:
            continue
        due_at = to_micros(notification.created_at)
        insert_all(connection, tables.outbox, [_row_of(notification, due_at)])
        record_waiting(connection, notification, notification.created_at)
        _count(connection, notification.receiver, notification.urgency, event=ENQUEUED)


def _row_of(notification: Notification, due_at: int) -> dict[str, Any]:
    return {
        "idempotency_key": notification.key,
        "receiver": notification.receiver,
        "lane": notification.lane,
        "urgency": notification.urgency.value,
        "payload": dump(notification, Notification),
        "state": PENDING,
        "attempts": 0,
        "due_at": due_at,
        "created_at": to_micros(notification.created_at),
        "reason": "",
        "last_error": "",
    }


def claim(
    connection: Connection,
    *,
    owner: str,
    now: datetime,
    lease_seconds: float,
    limit: int,
    receivers: Iterable[str],
) -> tuple[Delivery, ...]:
    """Lease up to `limit` messages of these receivers that are due, at most one of each lane.

    One that would end what its receiver, or its mailbox, never heard of is done without being sent.
    """
    due = _due(now, limit, receivers)
    while True:
        deliveries = tuple(
            Delivery(row.id, load(row.payload, Notification), row.attempts, owner)
            for row in connection.execute(due)
        )
        moot = [one for one in deliveries if _is_moot(connection, one.notification)]
        if not moot:
            break
        for one in moot:
            _drop(connection, one, now)
    if deliveries:
        connection.execute(
            update(tables.outbox)
            .where(_outbox.id.in_([delivery.outbox_id for delivery in deliveries]))
            .values(
                state=LEASED,
                lease_owner=owner,
                due_at=to_micros(now + timedelta(seconds=lease_seconds)),
                attempts=_outbox.attempts + 1,
                first_attempt_at=func.coalesce(_outbox.first_attempt_at, to_micros(now)),
            )
        )
    return deliveries


def _due(now: datetime, limit: int, receivers: Iterable[str]) -> Select[Any, Any, Any]:
    """Select what may be claimed: of each lane only the oldest that is not done."""
    earlier = tables.outbox.alias("earlier")
    overtaken = (
        select(earlier.c.id)
        .where(
            earlier.c.receiver == _outbox.receiver,
            earlier.c.lane == _outbox.lane,
            earlier.c.id < _outbox.id,
            earlier.c.due_at.is_not(None),
        )
        .exists()
    )
    return (
        select(_outbox.id, _outbox.payload, _outbox.attempts)
        .where(_outbox.receiver.in_(list(receivers)), _outbox.due_at <= to_micros(now), ~overtaken)
        .order_by(_outbox.id)
        .limit(limit)
    )


def _is_moot(connection: Connection, message: Notification) -> bool:
    return ends_only_unheard(connection, message) or is_irrelevant(connection, message)


def _drop(connection: Connection, delivery: Delivery, now: datetime) -> None:
    values = {"state": MOOT, "due_at": None, "lease_owner": None, "finished_at": to_micros(now)}
    connection.execute(
        update(tables.outbox).where(_outbox.id == delivery.outbox_id).values(**values)
    )
    record_dead(connection, delivery.notification, now)


def mark_delivered(connection: Connection, delivery: Delivery, *, now: datetime) -> bool:
    """Mark a message as delivered; return False if the lease is no longer ours."""
    values = {"state": DELIVERED, "due_at": None, "finished_at": to_micros(now), "last_error": ""}
    ours = _update_leased(connection, delivery, values)
    if ours:
        notification = delivery.notification
        _count(connection, notification.receiver, notification.urgency, event=DELIVERED)
        record_first_delivery(connection, delivery, now)
        record_delivered(connection, notification, now)
    return ours


def schedule_retry(connection: Connection, delivery: Delivery, *, at: datetime, error: str) -> bool:
    """Schedule another attempt at `at`; return False if the lease is no longer ours."""
    values = {"state": PENDING, "due_at": to_micros(at), "last_error": storable_text(error)}
    return _update_leased(connection, delivery, values)


def split_by_recipient(
    connection: Connection, delivery: Delivery, recipients: Iterable[str], *, now: datetime
) -> bool:
    """Replace a message by one for each recipient; return False if it is not ours.

    Each has a lane of its own, in which the order of the receiver's lane goes on.
    """
    values = {"state": PARTED, "due_at": None, "finished_at": to_micros(now), "last_error": ""}
    ours = _update_leased(connection, delivery, values)
    if ours:
        whole = delivery.notification
        parts = [
            replace(
                whole,
                key=mailbox_key(whole.key, each),
                lane=mailbox_lane(whole.lane, each),
                recipient=each,
            )
            for each in recipients
        ]
        rows = [_row_of(each, to_micros(now)) for each in parts]
        insert_all(connection, tables.outbox, rows)
        for _ in parts[1:]:
            _count(connection, whole.receiver, whole.urgency, event=ENQUEUED)
    return ours


def mark_dead(
    connection: Connection, delivery: Delivery, *, now: datetime, reason: str, error: str
) -> bool:
    """Move a message to the dead letters; return False if the lease is no longer ours."""
    values = {
        "state": DEAD,
        "due_at": None,
        "finished_at": to_micros(now),
        "reason": storable_text(reason),
        "last_error": storable_text(error),
    }
    ours = _update_leased(connection, delivery, values)
    if ours:
        notification = delivery.notification
        _count(
            connection,
            notification.receiver,
            notification.urgency,
            event=DEAD,
            reason=storable_text(reason),
        )
        record_dead(connection, notification, now)
    return ours


def retry_dead_letter(connection: Connection, outbox_id: int, *, now: datetime) -> bool:
    """Retry a dead letter under its old key; return False if none is dead."""
    is_dead = (_outbox.id == outbox_id) & (_outbox.state == DEAD)
    row = connection.execute(select(_outbox.payload).where(is_dead)).first()
    if row is None:
        return False
    connection.execute(
        update(tables.outbox)
        .where(is_dead)
        .values(state=PENDING, due_at=to_micros(now), attempts=0, finished_at=None, reason="")
    )
    record_waiting(connection, load(row.payload, Notification), now)
    return True


def retry_unnotified(connection: Connection, receivers: Iterable[str], *, now: datetime) -> int:
    """Retry dead letters to these receivers about open incidents nobody was notified of."""
    rows = connection.execute(
        select(_outbox.id, _outbox.payload)
        .where(_outbox.state == DEAD, _outbox.receiver.in_(list(receivers)))
        .order_by(_outbox.id)
    ).all()
    found = [
        row.id for row in rows if opens_unnotified(connection, load(row.payload, Notification))
    ]
    return sum(retry_dead_letter(connection, each, now=now) for each in found)


def reschedule_far_ahead(
    connection: Connection,
    *,
    now: datetime,
    longest: Callable[[Urgency, int], float],
    lease_seconds: float,
) -> int:
    """Reschedule messages written while the clock was ahead; return how many.

    A due time or the end of a lease never lies further ahead than its own longest wait, and nothing
    was written, tried, finished or asked for later than now.
    """
    at = to_micros(now)
    ahead = select(_outbox.id, _outbox.state, _outbox.urgency, _outbox.attempts, _outbox.due_at)
    pulled = 0
    for row in connection.execute(ahead.where(_outbox.due_at > at)).all():
        seconds = lease_seconds
        if row.state == PENDING:
            seconds = longest(Urgency(row.urgency), row.attempts)
        latest = to_micros(now + timedelta(seconds=seconds))
        if row.due_at > latest:
            pulled += 1
            connection.execute(
                update(tables.outbox).where(_outbox.id == row.id).values(due_at=latest)
            )
    _date_back(connection, now)
    return pulled


def _date_back(connection: Connection, now: datetime) -> None:
    at = to_micros(now)
    future = select(_outbox.id, _outbox.payload).where(_outbox.created_at > at)
    for row in connection.execute(future).all():  # a message is given up by its age, too
        notification = replace(load(row.payload, Notification), created_at=now)
        values = {"created_at": at, "payload": dump(notification, Notification)}
        connection.execute(update(tables.outbox).where(_outbox.id == row.id).values(**values))
    for column in (_outbox.first_attempt_at, _outbox.finished_at):
        connection.execute(update(tables.outbox).where(column > at).values({column: at}))
    pause = tables.receiver_pause.c
    latest = to_micros(now + LONGEST_PAUSE)
    connection.execute(
        update(tables.receiver_pause).where(pause.until > latest).values(until=latest)
    )


def put_pause(connection: Connection, receiver: str, until: datetime) -> None:
    """Record until when a receiver asked for a pause."""
    upsert(connection, tables.receiver_pause, {"receiver": receiver}, {"until": to_micros(until)})


def pauses(connection: Connection) -> Mapping[str, datetime]:
    """Return until when each receiver asked for a pause; it may have passed."""
    rows = connection.execute(select(tables.receiver_pause))
    return {row.receiver: from_micros(row.until) for row in rows}


def counts(connection: Connection) -> tuple[OutboxCount, ...]:
    """Return what waits, by receiver and urgency; those without a message are left out."""
    rows = connection.execute(
        select(
            _outbox.receiver,
            _outbox.urgency,
            func.count().label("pending"),
            func.min(_outbox.created_at).label("oldest"),
        )
        .where(_outbox.state.in_([PENDING, LEASED]))
        .group_by(_outbox.receiver, _outbox.urgency)
        .order_by(_outbox.receiver, _outbox.urgency)
    )
    return tuple(
        OutboxCount(row.receiver, Urgency(row.urgency), row.pending, from_micros(row.oldest))
        for row in rows
    )


def totals(connection: Connection) -> tuple[DeliveryTotal, ...]:
    """Return all that was ever enqueued, delivered or given up, from the first start on."""
    table = tables.delivery_total
    rows = connection.execute(
        select(table).order_by(table.c.receiver, table.c.urgency, table.c.event, table.c.reason)
    )
    return tuple(
        DeliveryTotal(row.receiver, Urgency(row.urgency), row.event, row.reason, row.messages)
        for row in rows
    )


def dead(connection: Connection, *, limit: int) -> tuple[DeadLetter, ...]:
    """Return the messages that were given up, the latest first."""
    rows = connection.execute(
        select(tables.outbox)
        .where(_outbox.state == DEAD)
        .order_by(_outbox.finished_at.desc(), _outbox.id.desc())
        .limit(limit)
    )
    return tuple(_dead_letter(row) for row in rows)


def _dead_letter(row: "Row[Any]") -> DeadLetter:
    return DeadLetter(
        outbox_id=row.id,
        notification=load(row.payload, Notification),
        attempts=row.attempts,
        reason=row.reason,
        error=row.last_error,
        died_at=from_micros(row.finished_at),
    )


def _update_leased(connection: Connection, delivery: Delivery, values: dict[str, Any]) -> bool:
    """Change a leased row, if this very claim still holds it."""
    changed = connection.execute(
        update(tables.outbox).where(_held_by(delivery)).values(lease_owner=None, **values)
    )
    return changed.rowcount == 1


def _held_by(delivery: Delivery) -> ColumnElement[bool]:
    """Nobody claimed it since: the same state and owner, and still the same attempt."""
    return (
        (_outbox.id == delivery.outbox_id)
        & (_outbox.state == LEASED)
        & (_outbox.lease_owner == delivery.lease_owner)
        & (_outbox.attempts == delivery.attempts + 1)
    )


def _count(
    connection: Connection, receiver: str, urgency: Urgency, *, event: str, reason: str = ""
) -> None:
    key = {"receiver": receiver, "urgency": urgency.value, "event": event, "reason": reason}
    add_amounts(connection, tables.delivery_total, key, {"messages": 1})
