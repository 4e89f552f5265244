"""Tests of pauses that receivers ask for, and of a clock that was ahead."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.messages import NOW, entry_of, opened, resolved
from benchmarks.receiver import OK, Answer, Receiver, Script
from contractwatch.agent.delivery.backoff import longest_wait_seconds
from contractwatch.agent.delivery.dispatcher import Dispatcher, DispatchTiming
from contractwatch.channels import ChannelContext
from contractwatch.channels.http import retry_after_seconds
from contractwatch.errors import StoreError
from contractwatch.model.base.receiver import Receiver as ReceiverSetting
from contractwatch.model.base.receiver import ReceiverKind, SecretRef, SecretSource
from contractwatch.model.record.incident import Urgency
from contractwatch.store.database.codec import to_micros
from contractwatch.store.store import Store

DAY = 86_400.0
_PAST = "Thu, 01 Jan 1970 00:00:00 GMT"


@dataclass
class Clocks:
    """The wall clock, which may be set, and the one that only grows."""

    at: datetime = NOW
    ticks: float = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.ticks

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.ticks += seconds

    def set(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    found = Store.open(url)
    yield found
    found.close()


def webhook(server: Receiver, **changes: object) -> ReceiverSetting:
    plain = ReceiverSetting("owners", ReceiverKind.WEBHOOK, url=server.url, allow_private=True)
    return replace(plain, **changes)


def sender_of(store: Store, clocks: Clocks, *receivers: ReceiverSetting) -> Dispatcher:
    context = ChannelContext(lambda ref: "key", None, clocks.now)
    pace = DispatchTiming(jitter=lambda: 1.0, monotonic=clocks.monotonic)
    return Dispatcher(store, receivers, context, pace=pace)


def keys(server: Receiver) -> list[str]:
    return [seen.headers["webhook-id"] for seen in server.seen]


def commit(store: Store, count: int, *, at: datetime = NOW, **changes: object) -> list[str]:
    told = [replace(opened(each, receiver="owners", at=at), **changes) for each in range(count)]
    for one in told:
        store.commit(entry_of(one))
    return [one.key for one in told]


# ---- Retry-After


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_that_asks_for_a_pause_gets_no_request_until_it_is_over(
    store: Store, status: int
) -> None:
    written, clocks = commit(store, 300), Clocks()
    with Receiver(Script(Answer(status, (("Retry-After", "20"),)), OK)) as server:
        sender = sender_of(store, clocks, webhook(server))
        tried = [sender.once()]
        for _ in range(19):
            clocks.pass_(1)
            tried.append(sender.once())
        assert len(server.seen) == 1
        clocks.pass_(1)
        while sender.once():
            pass
        assert [tried[0], sum(tried)] == [1, 1]
        assert keys(server) == [written[0], *written]


def test_the_pause_outlives_the_agent(store: Store, url: str) -> None:
    commit(store, 5)
    clocks = Clocks()
    with Receiver(Script(Answer(429, (("Retry-After", "600"),)), OK)) as server:
        sender_of(store, clocks, webhook(server)).once()
        clocks.pass_(100)
        second = Store.open(url)
        again = sender_of(second, clocks, webhook(server))
        assert again.once() == 0
        clocks.pass_(499)
        assert again.once() == 0
        clocks.pass_(1)
        assert again.once() == 1
        second.close()


def test_too_many_without_a_time_pauses_the_receiver_for_the_wait_of_the_message(
    store: Store,
) -> None:
    written, clocks = commit(store, 3), Clocks()
    with Receiver(Script(Answer(429), OK)) as server:
        sender = sender_of(store, clocks, webhook(server))
        assert [sender.once(), sender.once()] == [1, 0]
        clocks.pass_(5)
        while sender.once():
            pass
        assert keys(server) == [written[0], *written]


def test_a_pause_of_one_receiver_is_none_of_another(store: Store) -> None:
    clocks = Clocks()
    commit(store, 2)
    store.commit(entry_of(opened(9, receiver="other", at=NOW)))
    with Receiver(Script(Answer(429, (("Retry-After", "60"),)))) as busy, Receiver() as free:
        receivers = (webhook(busy), webhook(free, name="other"))
        assert sender_of(store, clocks, *receivers).once() == 2
        assert len(free.taken) == 1


@pytest.mark.parametrize(
    "value",
    [
        "Mon, 01 Jan 99999999999999 00:00:00 GMT",
        "Wed, 99 Foo 2026 99:99:99 GMT",
        "-20",
        "nan",
        "inf",
        "1e9",
        "1e400",
        "20.5",
        "9" * 400,
        "99999999999",
        "",
        "20, 30",
        "soon",
        "\u0662\u0660",
        "0x14",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Sun, 22 Nov 2026 09:30:00 +9999",
        ", , ,",
        "Sun",
        "1 2 3 4 5 6",
    ],
)
def test_a_retry_after_that_cannot_be_read_is_ignored(value: str) -> None:
    assert retry_after_seconds(value, now=NOW) is None


def test_a_retry_after_that_can_be_read_is_kept_to_up_to_fifteen_minutes() -> None:
    found = [
        retry_after_seconds(value, now=NOW)
        for value in ("1", " 20 ", "86400", "Sun, 22 Nov 2026 09:31:00 GMT", "0", _PAST)
    ]
    assert found == [1.0, 20.0, 900.0, 60.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "value", ["Mon, 01 Jan 99999999999999 00:00:00 GMT", "-5", "NaN", "9" * 99]
)
@pytest.mark.parametrize("status", [200, 202, 404, 429, 503])
def test_no_header_makes_a_send_fail_otherwise_than_its_status_says(
    store: Store, status: int, value: str
) -> None:
    commit(store, 1)
    clocks = Clocks()
    with Receiver(Script(Answer(status, (("Retry-After", value),)), OK)) as server:
        sender = sender_of(store, clocks, webhook(server))
        assert sender.once() == 1
        waits = bool(store.outbox_counts())
        assert (waits, len(store.dead_letters())) == (status in (429, 503), int(status == 404))
        clocks.pass_(5)
        assert sender.once() == int(waits)


@pytest.mark.parametrize("status", [200, 408, 500, 502])
def test_the_header_has_no_meaning_beside_another_status(store: Store, status: int) -> None:
    commit(store, 4)
    clocks = Clocks()
    with Receiver(Script(Answer(status, (("Retry-After", "600"),)), OK)) as server:
        sender = sender_of(store, clocks, webhook(server))
        assert [sender.once() for _ in range(4)] == [1] * 4
        assert len(server.seen) == 4


def test_a_receiver_gets_no_more_requests_a_minute_than_the_settings_allow(store: Store) -> None:
    written, clocks = commit(store, 5), Clocks()
    with Receiver() as server:
        sender = sender_of(store, clocks, webhook(server, most_per_minute=30.0))
        tried = []
        for _ in range(10):
            tried.append(sender.once())
            clocks.pass_(1)
        assert keys(server) == written
    assert tried == [1, 0] * 5


def test_pagerduty_is_counted_by_its_requests(store: Store) -> None:
    clocks = Clocks()
    told = opened(1, receiver="owners", at=NOW)
    notes = tuple(replace(told.notes[0], incident_id=f"i{each}") for each in range(3))
    store.commit(entry_of(replace(told, notes=notes)))
    store.commit(entry_of(opened(2, receiver="owners", at=NOW)))
    with Receiver(Script(Answer(202))) as server:
        place = SecretRef(SecretSource.ENVIRONMENT, "KEY")
        duty = webhook(server, kind=ReceiverKind.PAGERDUTY, key_refs=(place,), most_per_minute=60.0)
        sender = sender_of(store, clocks, duty)
        tried = []
        for _ in range(4):
            tried.append(sender.once())
            clocks.pass_(1)
        assert len(server.seen) == 4
    assert tried == [1, 0, 0, 1]


# ---- a clock that was ahead


def due_of(store: Store) -> list[int]:
    with store._reading("") as connection:
        rows = connection.exec_driver_sql("SELECT due_at FROM outbox ORDER BY id")
        return [row.due_at for row in rows]


@pytest.mark.parametrize("ahead", [600.0, 3_600.0, DAY, 400 * DAY])
@pytest.mark.parametrize("urgency", [Urgency.PAGE, Urgency.TICKET])
def test_a_message_that_was_retried_while_the_clock_was_ahead_is_due_after_its_own_wait(
    store: Store, ahead: float, urgency: Urgency
) -> None:
    (begin,), clocks = commit(store, 1, urgency=urgency), Clocks()
    end = replace(resolved(0, receiver="owners", at=NOW), urgency=urgency)
    store.commit(entry_of(end))
    with Receiver(Script(Answer(500), OK)) as server:
        sender = sender_of(store, clocks, webhook(server))
        clocks.set(ahead)
        assert sender.once() == 1
        clocks.set(-ahead)
        clocks.pass_(1)
        assert sender.once() == 0
        clocks.pass_(5)
        assert [sender.once(), sender.once()] == [1, 1]
        assert keys(server) == [begin, begin, end.key]


@pytest.mark.parametrize("ahead", [600.0, DAY, 400 * DAY])
def test_a_start_pulls_back_what_an_agent_that_was_killed_left_in_the_future(
    store: Store, url: str, ahead: float
) -> None:
    (key,), clocks = commit(store, 1), Clocks()
    with Receiver(Script(Answer(503), OK)) as server:
        clocks.set(ahead)
        sender_of(store, clocks, webhook(server)).once()
        clocks.set(-ahead)
        second = Store.open(url)
        sender = sender_of(second, clocks, webhook(server))
        assert sender.once() == 0
        clocks.pass_(5)
        assert sender.once() == 1
        assert keys(server) == [key] * 2
        second.close()


def test_a_lease_that_was_taken_while_the_clock_was_ahead_ends_within_a_lease(store: Store) -> None:
    (key,), clocks = commit(store, 1), Clocks()
    later = NOW + timedelta(days=30)
    store.claim("killed", now=later, lease_seconds=25.0, limit=1, receivers=["owners"])
    with Receiver() as server:
        sender = sender_of(store, clocks, webhook(server))
        assert sender.once() == 0
        clocks.pass_(60 + 15)
        assert sender.once() == 1
        assert keys(server) == [key]


def test_what_was_written_while_the_clock_was_ahead_is_due_now_and_ages_from_now(
    store: Store,
) -> None:
    clocks = Clocks()
    commit(store, 1, at=NOW + timedelta(days=30))
    with Receiver(Script(Answer(500))) as server:
        sender = sender_of(store, clocks, webhook(server))
        assert sender.once() == 1
        while not store.dead_letters():
            clocks.pass_(3_600)
            sender.once()
            assert clocks.at - NOW < timedelta(days=2)
    assert store.dead_letters()[0].notification.created_at == NOW


def test_dead_letters_and_delivered_ones_of_the_future_are_kept_as_long_as_others(
    store: Store,
) -> None:
    ahead = NOW + timedelta(days=3_000)
    commit(store, 2)
    for end in ("dead", "delivered"):
        (held,) = store.claim("x", now=ahead, lease_seconds=60, limit=1, receivers=["owners"])
        if end == "dead":
            store.mark_dead(held, now=ahead, reason="4xx", error="no")
        else:
            store.delivered(held, now=ahead)
    store.pause("owners", until=ahead)
    store.reschedule_far_ahead(now=NOW, longest=lambda urgency, failures: 0.0, lease_seconds=60)
    assert store.dead_letters()[0].died_at == NOW
    assert store.pauses() == {"owners": NOW + timedelta(minutes=15)}
    removed = store.compact(NOW + timedelta(days=91))
    assert (removed.dead_letters, removed.delivered) == (1, 1)


def test_nothing_that_may_lie_ahead_is_pulled_back(store: Store) -> None:
    commit(store, 3)
    held = store.claim("x", now=NOW, lease_seconds=60, limit=3, receivers=["owners"])
    store.retry(held[0], at=NOW + timedelta(seconds=5), error="")
    store.retry(held[1], at=NOW + timedelta(seconds=4.9), error="")
    before = due_of(store)
    pulled = store.reschedule_far_ahead(
        now=NOW,
        longest=lambda urgency, failures: longest_wait_seconds(urgency, failures=failures),
        lease_seconds=60,
    )
    assert (pulled, due_of(store)) == (0, before)
    assert before[2] == to_micros(NOW + timedelta(seconds=60))


@pytest.mark.parametrize("urgency", list(Urgency))
def test_the_longest_wait_is_the_one_that_is_drawn_from(urgency: Urgency) -> None:
    waits = [longest_wait_seconds(urgency, failures=each) for each in range(12)]
    assert waits == sorted(waits)
    assert waits[:2] == [0.0, 5.0]


def test_a_running_agent_notices_that_the_clock_was_set_back(store: Store) -> None:
    clocks, stop = Clocks(), threading.Event()
    commit(store, 1)
    with Receiver(Script(Answer(500), OK)) as server:
        sender = sender_of(store, clocks, webhook(server))
        clocks.set(DAY)
        sender.once()
        clocks.set(-DAY)
        thread = threading.Thread(target=sender.run, args=(stop,))
        thread.start()
        for _ in range(200):
            stop.wait(0.05)
            clocks.pass_(0.5)
            if server.taken:
                break
        stop.set()
        thread.join(20)
        assert len(server.taken) == 1


# ---- leases


@dataclass
class Watched:
    """A store that notes how long each lease was asked for, and cannot bury."""

    store: Store
    buries: bool = True

    def mark_dead(self, *args: object, **more: object) -> bool:
        if not self.buries:
            raise StoreError("killed here", kind="io")
        return self.store.mark_dead(*args, **more)

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


@pytest.mark.parametrize("timeout", [0.5, 7.0, 60.0])
def test_a_lease_outlives_the_longest_send_of_its_receiver(store: Store, timeout: float) -> None:
    commit(store, 1)
    clocks, held = Clocks(), []

    def look(ref: SecretRef) -> str:  # called in the middle of a send
        held.extend(due_of(store))
        return "key"

    place = SecretRef(SecretSource.ENVIRONMENT, "KEY")
    with Receiver() as server:
        hook = webhook(server, timeout_seconds=timeout, key_refs=(place,))
        context = ChannelContext(look, None, clocks.now)
        pace = DispatchTiming(monotonic=clocks.monotonic, lease_margin_seconds=15.0)
        assert Dispatcher(store, [hook], context, pace=pace).once() == 1
    assert held == [to_micros(NOW + timedelta(seconds=timeout + 15.0))]


def test_an_orphan_whose_burial_was_cut_off_is_free_again_after_a_minute(store: Store) -> None:
    commit(store, 1)
    clocks = Clocks()
    with Receiver() as server:
        other = webhook(server, name="other")
        with pytest.raises(StoreError):
            sender_of(Watched(store, buries=False), clocks, other).once()
        assert due_of(store) == [to_micros(NOW + timedelta(seconds=60))]
        clocks.pass_(60)
        sender_of(store, clocks, other).once()
    assert len(store.dead_letters()) == 1
