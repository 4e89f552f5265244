"""Tests of the outbox: leases, order within a lane, ends."""

import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

import store_values as make
from store_values import HOUR, NOW

from contractwatch.model.record.incident import Delivery, Urgency
from contractwatch.store.database.codec import to_micros
from contractwatch.store.messages.outbox import DeadLetter, DeliveryTotal, OutboxCount
from contractwatch.store.store import Store

SECOND = timedelta(seconds=1)


def send(store: Store, *keys: str, **changes: object) -> None:
    messages = tuple(make.notification(key, **changes) for key in keys)
    store.commit(make.entry(run=None, notifications=messages))


def claim(
    store: Store, *, at: datetime = NOW, owner: str = "me", limit: int = 10
) -> tuple[Delivery, ...]:
    return store.claim(
        owner, now=at, lease_seconds=60, limit=limit, receivers=("ops", "chat", "mail")
    )


def keys(deliveries: tuple[Delivery, ...]) -> list[str]:
    return [delivery.notification.key for delivery in deliveries]


def test_a_claimed_message_is_the_one_that_was_written(store: Store) -> None:
    send(store, "a")
    assert claim(store) == (Delivery(1, make.notification("a"), 0, "me"),)


def test_a_key_that_is_there_already_is_left_alone(store: Store) -> None:
    send(store, "a", title="first")
    send(store, "a", "b", title="second")
    (first,) = claim(store)
    assert first.notification.title == "first"
    assert store.delivered(first, now=NOW)
    send(store, "a", title="third")
    assert keys(claim(store)) == ["b"]
    assert store.outbox_counts()[0].pending == 1


def test_a_lane_is_delivered_in_order_and_others_do_not_wait_for_it(store: Store) -> None:
    send(store, "a1", "a2", lane="a")
    send(store, "b1", lane="b")
    send(store, "other receiver", lane="a", receiver="chat")

    first = claim(store)
    assert keys(first) == ["a1", "b1", "other receiver"]
    assert claim(store) == ()

    assert store.retry(first[0], at=NOW + HOUR, error="503")
    assert claim(store, at=NOW + HOUR - SECOND, owner="early")[0].notification.key != "a2"
    (again,) = (
        item for item in claim(store, at=NOW + HOUR) if item.notification.key.startswith("a")
    )
    assert (again.notification.key, again.attempts) == ("a1", 1)
    assert store.delivered(again, now=NOW + HOUR)
    assert "a2" in keys(claim(store, at=NOW + HOUR))


def test_a_dead_letter_lets_its_lane_go_on_and_can_be_replayed(store: Store) -> None:
    send(store, "a1", "a2")
    (first,) = claim(store)

    assert store.mark_dead(first, now=NOW, reason="4xx", error="404 not found")

    dead = DeadLetter(1, first.notification, 1, "4xx", "404 not found", NOW)
    assert store.dead_letters() == (dead,)
    (second,) = claim(store)
    assert second.notification.key == "a2"
    assert store.delivered(second, now=NOW)
    assert store.replay(1, now=NOW + HOUR)
    assert not store.replay(1, now=NOW + HOUR)
    assert not store.replay(2, now=NOW + HOUR)
    assert store.dead_letters() == ()
    assert claim(store, at=NOW + HOUR) == (Delivery(1, first.notification, 0, "me"),)


def test_a_lease_that_ran_out_is_claimed_again_and_the_late_holder_is_told(store: Store) -> None:
    send(store, "a")
    (late,) = claim(store, owner="slow")
    assert claim(store, at=NOW + 59 * SECOND, owner="quick") == ()

    (again,) = claim(store, at=NOW + 60 * SECOND, owner="quick")

    assert again.attempts == 1
    assert not store.delivered(late, now=NOW + HOUR)
    assert not store.retry(late, at=NOW + HOUR, error="x")
    assert not store.mark_dead(late, now=NOW + HOUR, reason="5xx", error="x")
    assert store.delivered(again, now=NOW + HOUR)
    assert not store.delivered(again, now=NOW + HOUR)


def test_the_same_owner_cannot_end_an_earlier_claim_of_its_own(store: Store) -> None:
    send(store, "a")
    (late,) = claim(store)
    (again,) = claim(store, at=NOW + HOUR)
    assert not store.delivered(late, now=NOW + HOUR)
    assert store.delivered(again, now=NOW + HOUR)


def test_a_late_holder_whose_message_nobody_claimed_may_still_end_it(store: Store) -> None:
    send(store, "a")
    (late,) = claim(store)
    assert store.delivered(late, now=NOW + HOUR)


def test_only_named_receivers_and_no_more_than_asked_for(store: Store) -> None:
    for number in range(5):
        send(store, f"ops {number}", lane=str(number))
    send(store, "nobody", receiver="stranger")
    assert keys(claim(store, limit=2)) == ["ops 0", "ops 1"]
    assert keys(claim(store)) == ["ops 2", "ops 3", "ops 4"]


def test_a_message_is_not_due_before_it_was_written(store: Store) -> None:
    send(store, "a", created_at=NOW + SECOND)
    assert claim(store) == ()
    assert keys(claim(store, at=NOW + SECOND)) == ["a"]


def test_what_waits_and_what_ever_was_is_counted(store: Store) -> None:
    send(store, "a", lane="a")
    send(store, "b", lane="b", created_at=NOW - HOUR)
    send(store, "c", lane="c", urgency=Urgency.TICKET)
    send(store, "d", lane="d", receiver="chat")
    by_key = {item.notification.key: item for item in claim(store)}
    store.delivered(by_key["c"], now=NOW)
    store.mark_dead(by_key["d"], now=NOW, reason="4xx", error="")

    assert store.outbox_counts() == (OutboxCount("ops", Urgency.PAGE, 2, NOW - HOUR),)
    assert store.delivery_totals() == (
        DeliveryTotal("chat", Urgency.PAGE, "dead", "4xx", 1),
        DeliveryTotal("chat", Urgency.PAGE, "enqueued", "", 1),
        DeliveryTotal("ops", Urgency.PAGE, "enqueued", "", 2),
        DeliveryTotal("ops", Urgency.TICKET, "delivered", "", 1),
        DeliveryTotal("ops", Urgency.TICKET, "enqueued", "", 1),
    )


CLAIMER = """
import sys
from datetime import timedelta
from contractwatch.store.database.codec import from_micros
from contractwatch.store.store import Store
store = Store.open(sys.argv[1])
now = from_micros(int(sys.argv[2]))
while found := store.claim(sys.argv[3], now=now, lease_seconds=60, limit=2, receivers=("ops",)):
    for delivery in found:
        print(delivery.outbox_id, flush=True)
store.close()
"""


def test_two_processes_and_four_threads_never_hold_the_same_message(
    store: Store, url: str, tmp_path: Path
) -> None:
    count = 120
    messages = tuple(make.notification(f"k{n}", lane=f"lane {n}") for n in range(count))
    store.commit(make.entry(run=None, notifications=messages))
    held: list[int] = []

    def take(owner: str) -> None:
        while found := claim(store, owner=owner, limit=2):
            held.extend(delivery.outbox_id for delivery in found)

    command = [sys.executable, "-c", CLAIMER, url, str(to_micros(NOW))]
    processes = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
        for name in ("one", "two")
    ]
    first_line = processes[0].stdout.readline()
    threads = [threading.Thread(target=take, args=(f"thread {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        held.extend(int(line) for line in process.stdout.read().split())
        process.stdout.close()
        assert process.wait(timeout=60) == 0
    held.extend(int(line) for line in first_line.split())

    assert sorted(held) == list(range(1, count + 1))


def test_a_lease_is_as_long_as_it_was_asked_for_and_counts_the_attempt(store: Store) -> None:
    send(store, "a")
    (first,) = claim(store)
    with store._reading("") as connection:
        row = connection.exec_driver_sql("SELECT * FROM outbox").one()
    assert row.due_at == to_micros(NOW + 60 * SECOND)
    assert (row.attempts, row.state, row.first_attempt_at) == (1, "leased", to_micros(NOW))
    assert claim(store, at=NOW + 60 * SECOND - timedelta(microseconds=1)) == ()
    (second,) = claim(store, at=NOW + 60 * SECOND)
    with store._reading("") as connection:
        row = connection.exec_driver_sql("SELECT * FROM outbox").one()
    assert (first.attempts, second.attempts, row.attempts) == (0, 1, 2)
    assert row.first_attempt_at == to_micros(NOW)
