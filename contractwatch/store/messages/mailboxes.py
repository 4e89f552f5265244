"""Messages for each mailbox of a receiver: their keys, lanes, and whether they still matter."""

import hashlib

from sqlalchemy import Connection, select

from contractwatch.model.record.incident import ENDS, Notification
from contractwatch.store.database import tables
from contractwatch.store.database.codec import load

_OUTBOX = tables.outbox.c
_NOT_TOLD = (None, tables.DEAD, tables.MOOT)


def mailbox_key(whole: str, mailbox: str) -> str:
    """Return the key of the message to one mailbox, from the key of the message to all."""
    return f"{whole}/{hashlib.sha256(mailbox.encode()).hexdigest()[:16]}"


def mailbox_lane(whole: str, mailbox: str) -> str:
    """Return the lane of one mailbox, from the lane of the receiver."""
    return f"{whole}/{mailbox}"


def is_irrelevant(connection: Connection, message: Notification) -> bool:
    """Whether a message ends only incidents that this mailbox was never notified of.

    So it is where the mailbox refused each beginning, or was no recipient then. What is not known,
    because the messages are no longer kept, counts as heard.
    """
    if not message.recipient or message.kind not in ENDS or message.is_test:
        return False
    if message.notice is not None or not message.notes:
        return False
    heard: dict[str, bool] = {}
    for earlier, whole in _before(connection, message):
        mine = mailbox_key(earlier.key, message.recipient)
        state = _state_of(connection, mine) if whole == tables.PARTED else whole
        for note in earlier.notes:
            heard.setdefault(note.incident_id, False)
            if state not in _NOT_TOLD:
                heard[note.incident_id] = note.kind not in ENDS
    return not any(heard.get(note.incident_id, True) for note in message.notes)


def _before(connection: Connection, message: Notification) -> list[tuple[Notification, str | None]]:
    """Return what was written before for the whole receiver about the same product, in order."""
    rows = connection.execute(
        select(_OUTBOX.payload, _OUTBOX.state, _OUTBOX.idempotency_key)
        .where(
            _OUTBOX.receiver == message.receiver,
            _OUTBOX.lane == message.lane.removesuffix(f"/{message.recipient}"),
        )
        .order_by(_OUTBOX.id)
    )
    found: list[tuple[Notification, str | None]] = []
    for row in rows:
        if row.idempotency_key == message.message_key:
            break
        found.append((load(row.payload, Notification), row.state))
    return found


def _state_of(connection: Connection, key: str) -> str | None:
    return connection.execute(select(_OUTBOX.state).where(_OUTBOX.idempotency_key == key)).scalar()
