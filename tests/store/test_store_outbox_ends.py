"""Tests of the ends of a message: delivered, dead, split among mailboxes, or dropped."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import store_values as make
from store_values import HOUR, NOW

from contractwatch.model.record.incident import (
    Delivery,
    DeliveryRecord,
    DeliveryState,
    Notification,
    Phase,
    TransitionKind,
    Urgency,
)
from contractwatch.store.database.codec import load, to_micros
from contractwatch.store.messages.delivery_records import delivery_records
from contractwatch.store.messages.outbox import DeliveryTotal, OutboxCount
from contractwatch.store.store import Store

LATER = NOW + HOUR
SECOND = timedelta(seconds=1)


def about(key: str, kind: TransitionKind, number: int, **changes: object) -> Notification:
    """Return a message that tells what became of the incident `i1`, as its number so many."""
    first = make.notification(key)
    note = replace(first.notes[0], kind=kind, sequence=number)
    return replace(first, kind=kind, notes=(note,), **changes)


OPENED = about("opened", TransitionKind.OPENED, 1)
RESOLVED = about("resolved", TransitionKind.RESOLVED, 2)


def send(store: Store, *messages: Notification, phase: Phase = Phase.OPEN) -> None:
    store.commit(make.entry(run=None, incidents=(make.incident(phase=phase),)))
    store.commit(make.entry(run=None, notifications=messages))


def claim(store: Store, *, at: datetime = NOW, owner: str = "me") -> tuple[Delivery, ...]:
    receivers = ("ops", "chat")
    return store.claim(owner, now=at, lease_seconds=60, limit=10, receivers=iter(receivers))


def rows(store: Store) -> Iterator[Any]:
    with store._reading("") as connection:
        yield from connection.exec_driver_sql("SELECT * FROM outbox ORDER BY id").all()


def row(store: Store, number: int = 1) -> Any:
    return list(rows(store))[number - 1]


def told(store: Store) -> tuple[DeliveryRecord, ...]:
    with store._reading("") as connection:
        return delivery_records(connection, ["i1"])


def keys(deliveries: tuple[Delivery, ...]) -> list[str]:
    return [delivery.notification.key for delivery in deliveries]


def telling(
    number: int, state: DeliveryState, at: datetime, receiver: str = "ops"
) -> DeliveryRecord:
    kind = TransitionKind.OPENED if number == 1 else TransitionKind.RESOLVED
    return DeliveryRecord("i1", receiver, number, kind, state, at)


def test_a_new_message_has_no_reason_and_no_error(store: Store) -> None:
    send(store, OPENED)
    found = row(store)
    assert (found.reason, found.last_error, found.attempts, found.state) == ("", "", 0, "pending")
    assert (found.due_at, found.created_at) == (to_micros(NOW), to_micros(NOW))
    assert told(store) == (telling(1, DeliveryState.WAITING, NOW),)


def test_what_was_taken_is_held_by_nobody_and_has_no_error(store: Store) -> None:
    send(store, OPENED)
    (first,) = claim(store)
    assert store.retry(first, at=LATER, error="503\0")
    found = row(store)
    assert (found.state, found.last_error, found.lease_owner) == ("pending", "503?", None)
    assert found.due_at == to_micros(LATER)
    (again,) = claim(store, at=LATER)
    assert store.delivered(again, now=LATER)
    found = row(store)
    assert (found.state, found.last_error, found.lease_owner) == ("delivered", "", None)
    assert (found.due_at, found.finished_at) == (None, to_micros(LATER))
    assert told(store) == (telling(1, DeliveryState.DELIVERED, LATER),)


def test_a_message_that_is_replayed_is_as_if_never_tried(store: Store) -> None:
    send(store, OPENED)
    (first,) = claim(store)
    assert store.mark_dead(first, now=NOW, reason="4xx", error="404")
    dead = row(store)
    assert (dead.state, dead.reason, dead.last_error) == ("dead", "4xx", "404")
    assert (dead.finished_at, dead.due_at, dead.lease_owner) == (to_micros(NOW), None, None)
    assert told(store) == (telling(1, DeliveryState.DEAD, NOW),)
    assert store.replay(1, now=LATER)
    found = row(store)
    assert (found.state, found.reason, found.finished_at) == ("pending", "", None)
    assert (found.due_at, found.attempts) == (to_micros(LATER), 0)
    assert told(store) == (telling(1, DeliveryState.WAITING, LATER),)


def test_an_end_is_not_told_to_who_never_heard_of_the_beginning(store: Store) -> None:
    send(store, OPENED)
    (first,) = claim(store)
    assert store.mark_dead(first, now=NOW, reason="4xx", error="")
    send(store, RESOLVED, make.notification("next", notes=()), phase=Phase.RESOLVED)

    assert keys(claim(store, at=LATER)) == ["next"]

    found = row(store, 2)
    assert (found.state, found.due_at, found.lease_owner) == ("moot", None, None)
    assert (found.finished_at, found.attempts) == (to_micros(LATER), 0)
    assert told(store) == (
        telling(1, DeliveryState.DEAD, NOW),
        telling(2, DeliveryState.DEAD, LATER),
    )
    assert store.dead_letters()[0].notification.key == "opened"
    assert len(store.dead_letters()) == 1


def test_an_end_is_told_to_who_heard_of_the_beginning(store: Store) -> None:
    send(store, OPENED)
    (first,) = claim(store)
    assert store.delivered(first, now=NOW)
    send(store, RESOLVED, phase=Phase.RESOLVED)
    assert keys(claim(store, at=LATER)) == ["resolved"]


def test_an_end_that_was_leased_before_its_beginning_died_is_held_by_nobody(store: Store) -> None:
    send(store, OPENED, replace(RESOLVED, lane="other"), phase=Phase.RESOLVED)
    first, _ = claim(store, owner="slow")
    assert store.mark_dead(first, now=NOW, reason="4xx", error="")
    assert row(store, 2).lease_owner == "slow"
    assert claim(store, at=LATER, owner="quick") == ()
    found = row(store, 2)
    assert (found.state, found.lease_owner) == ("moot", None)


def test_all_that_is_about_nothing_is_dropped_at_once(store: Store) -> None:
    send(store, OPENED)
    (first,) = claim(store)
    assert store.mark_dead(first, now=NOW, reason="4xx", error="")
    ends = [replace(RESOLVED, key=f"r{at}", lane=f"lane {at}") for at in range(3)]
    send(store, *ends, phase=Phase.RESOLVED)
    assert claim(store, at=LATER) == ()
    assert [one.state for one in rows(store)] == ["dead", "moot", "moot", "moot"]


def test_a_message_is_parted_into_one_for_each_mailbox(store: Store) -> None:
    send(store, OPENED, make.notification("next", lane="lane"))
    (whole,) = claim(store)

    assert store.split_by_recipient(whole, iter(("a@example.org", "b@example.org")), now=LATER)

    parted, following, *parts = rows(store)
    assert (parted.state, parted.due_at, parted.last_error) == ("parted", None, "")
    assert (parted.finished_at, parted.lease_owner) == (to_micros(LATER), None)
    assert following.state == "pending"
    assert [one.lane for one in parts] == ["lane/a@example.org", "lane/b@example.org"]
    assert [one.due_at for one in parts] == [to_micros(LATER)] * 2
    assert [one.created_at for one in parts] == [to_micros(NOW)] * 2
    assert len({one.idempotency_key for one in parts}) == 2
    assert all(one.idempotency_key.startswith("opened/") for one in parts)
    for one, mailbox in zip(parts, ("a@example.org", "b@example.org"), strict=True):
        message = load(one.payload, Notification)
        assert (message.key, message.lane) == (one.idempotency_key, one.lane)
        assert (message.recipient, message.message_key) == (mailbox, "opened")
        as_before = replace(message, key="opened", lane="lane", recipient="")
        assert as_before == whole.notification
    # two mailboxes are two messages, of which one was counted when it was written
    enqueued = DeliveryTotal("ops", Urgency.PAGE, "enqueued", "", 3)
    assert store.delivery_totals() == (enqueued,)


def test_each_part_is_delivered_by_itself_and_the_lane_of_the_receiver_goes_on(
    store: Store,
) -> None:
    send(store, OPENED, make.notification("next", lane="lane"))
    (whole,) = claim(store)
    assert store.split_by_recipient(whole, ("a@example.org", "b@example.org"), now=NOW)
    following, first, second = claim(store)
    assert following.notification.key == "next"
    assert store.delivered(second, now=NOW)
    assert store.retry(first, at=LATER, error="452")
    assert told(store) == (telling(1, DeliveryState.DELIVERED, NOW),)
    (again,) = (one for one in claim(store, at=LATER) if one.notification.recipient)
    assert (again.notification.recipient, again.attempts) == ("a@example.org", 1)


def test_a_lease_that_is_no_longer_ours_parts_nothing(store: Store) -> None:
    send(store, OPENED)
    (late,) = claim(store, owner="slow")
    (again,) = claim(store, at=LATER, owner="quick")
    assert not store.split_by_recipient(late, ("a@example.org", "b@example.org"), now=LATER)
    assert [one.idempotency_key for one in rows(store)] == ["opened"]
    assert store.delivery_totals()[0].messages == 1
    assert store.split_by_recipient(again, ("a@example.org",), now=LATER)
    assert len(list(rows(store))) == 2
    assert store.delivery_totals()[0].messages == 1


def test_a_mailbox_that_refused_the_beginning_does_not_get_the_end(store: Store) -> None:
    mailboxes = ("a@example.org", "b@example.org")
    send(store, OPENED)
    (whole,) = claim(store)
    assert store.split_by_recipient(whole, mailboxes, now=NOW)
    first, second = claim(store)
    assert store.mark_dead(first, now=NOW, reason="5xx", error="")
    assert store.delivered(second, now=NOW)
    send(store, RESOLVED, phase=Phase.RESOLVED)
    (end,) = claim(store)
    assert store.split_by_recipient(end, mailboxes, now=NOW)
    (only,) = claim(store)
    assert only.notification.recipient == "b@example.org"
    assert [one.state for one in rows(store)][-2:] == ["moot", "leased"]


def test_a_dead_message_about_what_is_open_and_untold_is_tried_again(store: Store) -> None:
    send(
        store,
        OPENED,
        replace(OPENED, key="of a stranger", receiver="chat"),
        replace(RESOLVED, key="an end", lane="other"),
        make.notification("a test", is_test=True, lane="third"),
    )
    for each in claim(store):
        assert store.mark_dead(each, now=NOW, reason="5xx", error="500")

    assert store.retry_unnotified(iter(("ops",)), now=LATER) == 1

    found = row(store)
    assert (found.state, found.due_at, found.attempts) == ("pending", to_micros(LATER), 0)
    assert [one.state for one in rows(store)] == ["pending", "dead", "dead", "dead"]
    assert telling(1, DeliveryState.WAITING, LATER) in told(store)
    assert store.retry_unnotified(("ops",), now=LATER) == 0
    assert keys(claim(store, at=LATER)) == ["opened"]


def test_several_are_tried_again_the_oldest_first(store: Store) -> None:
    reopened = about("reopened", TransitionKind.REOPENED, 3, lane="other")
    send(store, OPENED, reopened)
    for each in claim(store):
        assert store.mark_dead(each, now=NOW, reason="5xx", error="")
    assert store.retry_unnotified(("chat", "ops"), now=LATER) == 2
    assert keys(claim(store, at=LATER)) == ["opened", "reopened"]


@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.RESOLVED])
def test_what_is_over_or_was_told_to_another_is_left_dead(store: Store, phase: Phase) -> None:
    send(store, OPENED, replace(OPENED, key="of chat", receiver="chat"), phase=phase)
    ours, theirs = claim(store)
    assert store.mark_dead(ours, now=NOW, reason="5xx", error="")
    if phase is Phase.OPEN:
        assert store.delivered(theirs, now=NOW)
    assert store.retry_unnotified(("ops",), now=LATER) == 0
    assert row(store).state == "dead"


def test_what_waits_is_counted_by_receiver_and_urgency_in_their_order(store: Store) -> None:
    sent = [
        make.notification(f"{receiver} {urgency} {at}", lane=f"{receiver} {urgency} {at}")
        for receiver, urgency, at in (
            ("ops", Urgency.TICKET, 0),
            ("ops", Urgency.PAGE, 0),
            ("ops", Urgency.PAGE, 1),
            ("chat", Urgency.TICKET, 0),
            ("chat", Urgency.PAGE, 0),
        )
    ]
    placed = [
        replace(one, receiver=one.key.split()[0], urgency=Urgency(one.key.split()[1]))
        for one in sent
    ]
    store.commit(make.entry(run=None, notifications=tuple(placed)))
    assert store.outbox_counts() == (
        OutboxCount("chat", Urgency.PAGE, 1, NOW),
        OutboxCount("chat", Urgency.TICKET, 1, NOW),
        OutboxCount("ops", Urgency.PAGE, 2, NOW),
        OutboxCount("ops", Urgency.TICKET, 1, NOW),
    )


def test_the_latest_dead_letters_come_first_and_no_more_than_asked_for(store: Store) -> None:
    messages = [make.notification(f"k{at}", lane=f"lane {at}") for at in range(1, 5)]
    store.commit(make.entry(run=None, notifications=tuple(messages)))
    times = (NOW + SECOND, NOW, NOW + SECOND, NOW)
    for each, at in zip(claim(store), times, strict=True):
        assert store.mark_dead(each, now=at, reason=f"reason {each.outbox_id}", error="")
    assert [one.outbox_id for one in store.dead_letters()] == [3, 1, 4, 2]
    assert [one.outbox_id for one in store.dead_letters(limit=2)] == [3, 1]
    dead = [one for one in store.delivery_totals() if one.event == "dead"]
    assert [one.reason for one in dead] == ["reason 1", "reason 2", "reason 3", "reason 4"]
