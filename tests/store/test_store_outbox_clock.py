"""Tests of the outbox after the clock was ahead."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import store_values as make
from store_values import HOUR, NOW

from contractwatch.model.record.incident import Notification, Urgency
from contractwatch.store.database.codec import load, to_micros
from contractwatch.store.messages.outbox import LONGEST_PAUSE
from contractwatch.store.store import Store

DAY = 24 * HOUR
TICK = timedelta(microseconds=1)
LEASE = timedelta(seconds=60)


def longest(urgency: Urgency, attempts: int) -> float:
    """A message may wait so many seconds; each urgency and number of attempts has its own."""
    return (100.0 if urgency is Urgency.PAGE else 1_000.0) + attempts


def reschedule_far_ahead(store: Store) -> int:
    return store.reschedule_far_ahead(now=NOW, longest=longest, lease_seconds=LEASE.total_seconds())


def write(store: Store, key: str, **changes: object) -> None:
    message = make.notification(key, lane=key)
    store.commit(make.entry(run=None, notifications=(replace(message, **changes),)))


def rows(store: Store) -> dict[str, Any]:
    with store._reading("") as connection:
        found = connection.exec_driver_sql("SELECT * FROM outbox ORDER BY id").all()
    return {row.idempotency_key: row for row in found}


def set_row(store: Store, key: str, **values: object) -> None:
    """Set what a clock that was ahead would have left."""
    for name, value in values.items():
        with store._writing("") as connection:
            connection.exec_driver_sql(
                f"UPDATE outbox SET {name} = ? WHERE idempotency_key = ?", (value, key)
            )


@pytest.mark.parametrize("attempts", [0, 7])
@pytest.mark.parametrize("urgency", [Urgency.PAGE, Urgency.TICKET])
def test_a_message_waits_no_longer_than_its_own_longest_wait(
    store: Store, urgency: Urgency, attempts: int
) -> None:
    latest = NOW + timedelta(seconds=longest(urgency, attempts))
    for key, due_at in {"far": NOW + DAY, "just": latest + TICK, "kept": latest}.items():
        write(store, key, urgency=urgency)
        set_row(store, key, due_at=to_micros(due_at), attempts=attempts)
    assert reschedule_far_ahead(store) == 2
    assert {row.due_at for row in rows(store).values()} == {to_micros(latest)}
    assert reschedule_far_ahead(store) == 0


def test_a_lease_lasts_no_longer_than_a_lease_does(store: Store) -> None:
    for key in ("far", "kept", "waiting"):
        write(store, key)
    claimed = store.claim("me", now=NOW, lease_seconds=60, limit=2, receivers=("ops",))
    assert len(claimed) == 2
    set_row(store, "far", due_at=to_micros(NOW + DAY))
    set_row(store, "waiting", due_at=to_micros(NOW + 2 * LEASE), attempts=50)
    assert reschedule_far_ahead(store) == 1
    found = rows(store)
    assert found["far"].due_at == found["kept"].due_at == to_micros(NOW + LEASE)
    assert found["waiting"].due_at == to_micros(NOW + 2 * LEASE)
    assert found["far"].state == "leased"


def test_what_is_due_or_done_is_left_as_it_is(store: Store) -> None:
    for key in ("due", "past", "done"):
        write(store, key)
    (done,) = (
        one
        for one in store.claim("me", now=NOW, lease_seconds=1, limit=9, receivers=("ops",))
        if one.notification.key == "done"
    )
    assert store.delivered(done, now=NOW - HOUR)
    set_row(store, "past", due_at=to_micros(NOW - HOUR))
    set_row(store, "due", due_at=to_micros(NOW))
    before = rows(store)
    assert reschedule_far_ahead(store) == 0
    assert rows(store) == before


def test_no_message_was_written_later_than_now(store: Store) -> None:
    for key, at in {"ahead": NOW + DAY, "now": NOW, "before": NOW - DAY}.items():
        write(store, key, created_at=at)
    assert reschedule_far_ahead(store) == 1  # it was due when it was written
    found = rows(store)
    times = {key: row.created_at for key, row in found.items()}
    assert times == {
        "ahead": to_micros(NOW),
        "now": to_micros(NOW),
        "before": to_micros(NOW - DAY),
    }
    messages = {key: load(row.payload, Notification) for key, row in found.items()}
    assert messages["ahead"] == make.notification("ahead", lane="ahead", created_at=NOW)
    assert messages["before"].created_at == NOW - DAY


def test_no_message_was_tried_or_finished_later_than_now(store: Store) -> None:
    for key in ("ahead", "now", "before", "new"):
        write(store, key)
    for key, at in {"ahead": NOW + DAY, "now": NOW, "before": NOW - DAY}.items():
        set_row(store, key, first_attempt_at=to_micros(at), finished_at=to_micros(at))
    reschedule_far_ahead(store)
    found = rows(store)
    for name in ("first_attempt_at", "finished_at"):
        assert {key: getattr(row, name) for key, row in found.items()} == {
            "ahead": to_micros(NOW),
            "now": to_micros(NOW),
            "before": to_micros(NOW - DAY),
            "new": None,
        }


def test_a_pause_is_kept_for_each_receiver_and_the_last_one_counts(store: Store) -> None:
    assert store.pauses() == {}
    store.pause("ops", until=NOW + HOUR)
    store.pause("chat", until=NOW)
    store.pause("ops", until=NOW + 2 * HOUR)
    assert store.pauses() == {"ops": NOW + 2 * HOUR, "chat": NOW}


def test_no_receiver_is_left_alone_for_longer_than_the_longest_pause(store: Store) -> None:
    pauses = {
        "far": NOW + DAY,
        "just": NOW + LONGEST_PAUSE + TICK,
        "kept": NOW + LONGEST_PAUSE - TICK,
        "past": NOW - HOUR,
    }
    for receiver, until in pauses.items():
        store.pause(receiver, until=until)
    assert reschedule_far_ahead(store) == 0
    longest_allowed = NOW + timedelta(minutes=15)
    assert store.pauses() == {
        **pauses,
        "far": longest_allowed,
        "just": longest_allowed,
    }
