"""Tests of migrations from older versions."""

import sqlite3
from datetime import timedelta

import store_values as make
from store_values import NOW

from contractwatch.alerting.audience import informed_receivers
from contractwatch.model.record.incident import DeliveryState, Phase
from contractwatch.store.store import Store


def taken_back(url: str) -> None:
    """Make the store one of revision 0003, which lacks two tables and nothing else."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("DROP TABLE telling")
        connection.execute("DROP TABLE receiver_pause")
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    connection.close()


def noted(key: str, incident: str, receiver: str):
    plain = make.notification(key, receiver=receiver, lane=f"{receiver}/{key}")
    note = plain.notes[0]
    return make.replace(plain, notes=(make.replace(note, incident_id=incident),))


def test_an_old_store_knows_whom_it_told(url: str) -> None:
    old = Store.open(url)
    ids = ("told", "waiting", "dead", "forgotten", "silent")
    old.commit(
        make.entry(
            incidents=tuple(make.incident(each) for each in ids),
            notifications=(
                noted("k1", "told", "ops"),
                noted("k2", "waiting", "chat"),
                noted("k3", "dead", "mail"),
                noted("k4", "forgotten", "ops"),
            ),
        )
    )
    for receiver, end in (("ops", "delivered"), ("ops", "delivered"), ("mail", "dead")):
        (held,) = old.claim("x", now=NOW, lease_seconds=60, limit=1, receivers=[receiver])
        if end == "dead":
            old.mark_dead(held, now=NOW, reason="4xx", error="no")
        else:
            old.delivered(held, now=NOW)
    before = old.record("finance/orders")
    old.close()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("DELETE FROM outbox WHERE idempotency_key = 'k4'")
    connection.close()
    taken_back(url)

    new = Store.open(url)

    after = new.record("finance/orders")
    assert make.replace(after, deliveries=()) == make.replace(before, deliveries=())
    states = {(one.incident_id, one.receiver): one.state for one in after.deliveries}
    assert states == {
        ("told", "ops"): DeliveryState.DELIVERED,
        ("waiting", "chat"): DeliveryState.WAITING,
        ("dead", "mail"): DeliveryState.DEAD,
        ("forgotten", ""): DeliveryState.DELIVERED,
    }
    known = {each: informed_receivers(each, after.deliveries) for each in ids}
    assert known == {
        "told": ("ops",),
        "waiting": ("chat",),
        "dead": (),
        "forgotten": ("",),
        "silent": (),
    }
    assert new.pauses() == {}
    assert [one.notification.key for one in new.dead_letters()] == ["k3"]
    (waiting,) = new.claim("y", now=NOW, lease_seconds=9, limit=9, receivers=["chat"])
    assert waiting.notification == noted("k2", "waiting", "chat")
    new.close()


def test_an_old_store_without_incidents_is_brought_up_to_date(url: str) -> None:
    old = Store.open(url)
    old.commit(make.entry())
    old.close()
    taken_back(url)
    new = Store.open(url)
    assert new.record("finance/orders").deliveries == ()
    new.close()


def test_what_was_told_of_an_incident_goes_with_it(store: Store) -> None:
    over = make.incident("i1", Phase.RESOLVED, resolved_at=NOW)
    store.commit(make.entry(incidents=(over,), notifications=(make.notification("k"),)))
    assert store.record("finance/orders").deliveries
    store.compact(NOW + timedelta(days=500))
    with store._reading("") as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM telling").scalar() == 0
