"""Tests of delivery: at least once, retries, dead letters.

The store and the receivers are real; only the clock is ours.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from benchmarks.messages import NOW, entry_of, opened, resolved
from benchmarks.receiver import OK, Answer, Fault, Receiver, Script
from contractwatch.agent.delivery.dispatcher import Dispatcher, DispatchTiming
from contractwatch.channels import ChannelContext
from contractwatch.errors import ChannelError, StoreError
from contractwatch.model.base.receiver import Receiver as ReceiverSetting
from contractwatch.model.base.receiver import ReceiverKind, SecretRef, SecretSource
from contractwatch.model.record.incident import Delivery, Notification, TransitionNote, Urgency
from contractwatch.store.store import Store


@dataclass
class Tape:
    """Counts what the dispatcher counts."""

    events: list[tuple[object, ...]] = field(default_factory=list)

    def enqueued(self, receiver: str, urgency: Urgency) -> None:
        self.events.append(("enqueued", receiver, urgency))

    def attempted(self, receiver: str) -> None:
        self.events.append(("attempted", receiver))

    def failed(self, receiver: str, reason: str) -> None:
        self.events.append(("failed", receiver, reason))

    def delivered(self, receiver: str, urgency: Urgency, seconds: float) -> None:
        self.events.append(("delivered", receiver, urgency, seconds))

    def notified(self, notes: Iterable[TransitionNote], at: datetime) -> None: ...

    def dead(self, receiver: str, reason: str) -> None:
        self.events.append(("dead", receiver, reason))


@dataclass
class Hand:
    """A clock that is moved by hand."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return (self.at - NOW).total_seconds()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened_store = Store.open(f"sqlite:///{tmp_path / 'record.db'}")
    yield opened_store
    opened_store.close()


def webhook(server: Receiver, name: str = "owners", **changes: object) -> ReceiverSetting:
    plain = ReceiverSetting(name, ReceiverKind.WEBHOOK, url=server.url, allow_private=True)
    return replace(plain, **changes)


def dispatcher(
    store: object,
    *receivers: ReceiverSetting,
    hand: Hand | None = None,
    tape: Tape | None = None,
    pace: DispatchTiming | None = None,
) -> Dispatcher:
    hand = hand or Hand()
    context = ChannelContext(_no_secret, None, hand.now)
    pace = replace(pace or DispatchTiming(jitter=lambda: 1.0), monotonic=hand.monotonic)
    return Dispatcher(store, receivers, context, series=tape, pace=pace)


def _no_secret(ref: SecretRef) -> str:
    raise ChannelError("none here", retryable=False, reason="config")


def keys(server: Receiver) -> list[str]:
    return [seen.headers["webhook-id"] for seen in server.seen]


def test_a_message_is_delivered_once_and_counted(store: Store) -> None:
    told, tape, hand = opened(1, receiver="owners", at=NOW), Tape(), Hand()
    store.commit(entry_of(told))
    hand.move(3)
    with Receiver() as server:
        sender = dispatcher(store, webhook(server), tape=tape, hand=hand)
        sender.enqueued([told])
        assert [sender.once(), sender.once()] == [1, 0]
        assert keys(server) == [told.key]
    assert tape.events == [
        ("enqueued", "owners", Urgency.PAGE),
        ("attempted", "owners"),
        ("delivered", "owners", Urgency.PAGE, 3.0),
    ]
    assert store.outbox_counts() == ()


def test_a_failing_receiver_is_tried_again_after_the_wait_of_the_table(store: Store) -> None:
    told, tape, hand = opened(1, receiver="owners", at=NOW), Tape(), Hand()
    store.commit(entry_of(told))
    with Receiver(Script(Answer(500), Answer(503), OK)) as server:
        sender = dispatcher(store, webhook(server), tape=tape, hand=hand)
        tried = []
        for seconds in (0, 4.9, 0.1, 14.9, 0.1):
            hand.move(seconds)
            tried.append(sender.once())
        assert keys(server) == [told.key] * 3
    assert tried == [1, 0, 1, 0, 1]
    assert [event[0] for event in tape.events] == [
        *("attempted", "failed", "attempted", "failed", "attempted", "delivered")
    ]


def test_retry_after_is_waited_for_when_it_is_longer(store: Store) -> None:
    hand = Hand()
    store.commit(entry_of(opened(1, receiver="owners", at=NOW)))
    with Receiver(Script(Answer(429, (("Retry-After", "600"),)), OK)) as server:
        sender = dispatcher(store, webhook(server), hand=hand)
        tried = [sender.once()]
        for seconds in (599, 1):
            hand.move(seconds)
            tried.append(sender.once())
        assert len(server.taken) == 1
    assert tried == [1, 0, 1]


def test_full_jitter_draws_from_the_whole_wait(store: Store) -> None:
    hand = Hand()
    store.commit(entry_of(opened(1, receiver="owners", at=NOW)))
    with Receiver(Script(Answer(500), OK)) as server:
        sender = dispatcher(
            store, webhook(server), hand=hand, pace=DispatchTiming(jitter=lambda: 0.2)
        )
        sender.once()
        hand.move(1)
        assert sender.once() == 1
        assert len(server.taken) == 1


def test_a_permanent_refusal_is_a_dead_letter_at_once_and_can_be_replayed(store: Store) -> None:
    told, tape = opened(1, receiver="owners", at=NOW), Tape()
    store.commit(entry_of(told))
    with Receiver(Script(Answer(401), OK)) as server, capture_logs() as logs:
        sender = dispatcher(store, webhook(server), tape=tape)
        assert [sender.once(), sender.once()] == [1, 0]
        (letter,) = store.dead_letters()
        assert (letter.notification, letter.reason, letter.attempts) == (told, "4xx", 1)
        assert "answered 401" in letter.error
        store.replay(letter.outbox_id, now=NOW)
        assert sender.once() == 1
        assert keys(server) == [told.key] * 2
    assert ("dead", "owners", "4xx") in tape.events
    assert [event["key"] for event in logs if event["event"] == "dead_letter"] == [told.key]


def test_a_page_that_nobody_takes_for_a_day_is_a_dead_letter(store: Store) -> None:
    hand = Hand()
    store.commit(entry_of(opened(1, receiver="owners", at=NOW)))
    with Receiver(Script(Answer(500))) as server:
        sender = dispatcher(store, webhook(server), hand=hand)
        while not store.dead_letters():
            sender.once()
            hand.move(3_600)
            assert hand.at - NOW < timedelta(days=2)
        assert timedelta(hours=24) <= hand.at - NOW < timedelta(hours=26)
        assert len(set(keys(server))) == 1
    assert store.dead_letters()[0].reason == "5xx"


def test_the_end_of_an_incident_never_overtakes_its_beginning(store: Store) -> None:
    begin, end = (make(1, receiver="owners", at=NOW) for make in (opened, resolved))
    other = opened(2, receiver="owners", at=NOW)
    store.commit(entry_of(begin))
    store.commit(entry_of(end))
    store.commit(entry_of(other))
    hand = Hand()
    with Receiver(Script(Answer(500), OK)) as server:
        sender = dispatcher(store, webhook(server), hand=hand)
        for _ in range(3):
            sender.once()
        assert keys(server) == [begin.key, other.key]
        hand.move(5)
        sender.once()
        sender.once()
        taken = [seen.headers["webhook-id"] for seen in server.taken]
    assert taken == [other.key, begin.key, end.key]


def test_what_a_killed_sender_held_is_sent_again_under_the_same_key(store: Store) -> None:
    told, hand = opened(1, receiver="owners", at=NOW), Hand()
    store.commit(entry_of(told))
    held = store.claim("killed", now=NOW, lease_seconds=25.0, limit=1, receivers=["owners"])
    with Receiver() as server:
        sender = dispatcher(store, webhook(server), hand=hand)
        tried = [sender.once()]
        for seconds in (24.9, 0.1):
            hand.move(seconds)
            tried.append(sender.once())
        assert keys(server) == [held[0].notification.key]
    assert tried == [0, 0, 1]


def test_messages_to_a_receiver_that_is_gone_are_buried_and_logged(store: Store) -> None:
    gone = [opened(number, receiver="gone", at=NOW) for number in range(3)]
    kept = opened(9, receiver="owners", at=NOW)
    for told in (*gone, resolved(0, receiver="gone", at=NOW), kept):
        store.commit(entry_of(told))
    held = store.claim("killed", now=NOW, lease_seconds=25.0, limit=1, receivers=["gone"])
    (waiting,) = store.claim("killed", now=NOW, lease_seconds=25.0, limit=1, receivers=["gone"])
    store.retry(waiting, at=NOW + timedelta(hours=20), error="not yet")
    tape = Tape()
    with Receiver() as server, capture_logs() as logs:
        dispatcher(store, webhook(server), tape=tape).once()
        assert keys(server) == [kept.key]
    letters = store.dead_letters()
    expected = sorted([*(told.key for told in gone), "inc-00000-2-resolved"])
    assert sorted(letter.notification.key for letter in letters) == expected
    assert held[0].notification.key in expected
    assert {letter.reason for letter in letters} == {"config"}
    assert all("no receiver gone" in letter.error for letter in letters)
    logged = sorted(event["key"] for event in logs if event["event"] == "dead_letter")
    assert logged == expected
    assert tape.events.count(("dead", "gone", "config")) == 4


def test_an_error_of_our_own_is_logged_with_its_stack_and_retried(store: Store) -> None:
    broken = replace(opened(1, receiver="owners", at=NOW), notes=None)
    with Receiver() as server, capture_logs() as logs:
        sender = dispatcher(_OneMessage(broken), webhook(server))
        assert sender.once() == 1
    failures = [event for event in logs if event["event"] == "dispatcher_step_failed"]
    assert failures
    assert failures[0]["exc_info"]
    assert [event["reason"] for event in logs if event["event"] == "delivery_failed"] == ["config"]


class _OneMessage:
    """An outbox that holds one message, which cannot be written by the real one."""

    def __init__(self, notification: Notification) -> None:
        self._delivery = Delivery(1, notification, 0, "me")

    def claim(self, owner: str, **_: object) -> tuple[Delivery, ...]:
        return (self._delivery,)

    def delivered(self, delivery: Delivery, *, now: datetime) -> bool:
        raise AssertionError("it cannot have been delivered")

    def retry(self, delivery: Delivery, *, at: datetime, error: str) -> bool:
        return True

    def outbox_counts(self) -> tuple[object, ...]:
        return ()

    def reschedule_far_ahead(self, **_: object) -> int:
        return 0

    def retry_unnotified(self, *_: object, **__: object) -> int:
        return 0

    def pauses(self) -> dict[str, datetime]:
        return {}


# ---- the loop, in real time


def until(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


@pytest.fixture
def running() -> Iterator[Callable[[Dispatcher], threading.Event]]:
    begun: list[tuple[threading.Thread, threading.Event]] = []

    def run(sender: Dispatcher) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=sender.run, args=(stop,))
        thread.start()
        begun.append((thread, stop))
        return stop

    yield run
    for _, stop in begun:
        stop.set()
    for thread, _ in begun:
        thread.join(15)
        assert not thread.is_alive()


def test_a_receiver_that_hangs_does_not_delay_another(
    store: Store, running: Callable[[Dispatcher], threading.Event]
) -> None:
    for number in range(5):
        store.commit(entry_of(opened(number, receiver="slow", at=NOW)))
        store.commit(entry_of(opened(number + 50, receiver="quick", at=NOW)))
    with Receiver(Script(Fault.HANG)) as slow, Receiver() as quick:
        settings = (
            webhook(slow, "slow", timeout_seconds=4.0),
            webhook(quick, "quick", timeout_seconds=4.0),
        )
        began = time.monotonic()
        running(dispatcher(store, *settings))
        until(lambda: len(quick.taken) == 5)
        assert time.monotonic() - began < 4.0
        assert len(slow.seen) <= 1


def test_news_wakes_the_sender_before_its_next_look(
    store: Store, running: Callable[[Dispatcher], threading.Event]
) -> None:
    told = opened(1, receiver="owners", at=NOW)
    with Receiver() as server:
        pace = DispatchTiming(poll_seconds=60.0)
        sender = dispatcher(store, webhook(server), pace=pace)
        running(sender)
        store.commit(entry_of(told))
        sender.enqueued([told])
        until(lambda: len(server.taken) == 1)


def test_a_store_that_fails_for_a_while_ends_no_loop(
    store: Store, running: Callable[[Dispatcher], threading.Event]
) -> None:
    store.commit(entry_of(opened(1, receiver="owners", at=NOW)))
    failing = _Failing(store, times=3)
    with Receiver() as server, capture_logs():
        running(dispatcher(failing, webhook(server), pace=DispatchTiming(poll_seconds=0.01)))
        until(lambda: len(server.taken) == 1)
    assert failing.left == 0


class _Failing:
    """A store of which the first claims fail."""

    def __init__(self, store: Store, *, times: int) -> None:
        self._store = store
        self.left = times

    def claim(self, owner: str, **more: object) -> tuple[Delivery, ...]:
        if self.left:
            self.left -= 1
            raise StoreError("the disk is full", kind="full")
        return self._store.claim(owner, **more)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def test_two_senders_on_one_outbox_deliver_each_message_once(
    tmp_path: Path, store: Store, running: Callable[[Dispatcher], threading.Event]
) -> None:
    for number in range(40):
        store.commit(entry_of(opened(number, receiver="owners", at=NOW)))
    second = Store.open(f"sqlite:///{tmp_path / 'record.db'}")
    with Receiver() as server:
        for each in (store, second):
            running(dispatcher(each, webhook(server)))
        until(lambda: not store.outbox_counts())
        assert sorted(keys(server)) == sorted(
            opened(number, receiver="owners", at=NOW).key for number in range(40)
        )
    second.close()


def test_a_secret_that_is_missing_keeps_the_message(store: Store) -> None:
    store.commit(entry_of(opened(1, receiver="owners", at=NOW)))
    with Receiver() as server:
        place = SecretRef(SecretSource.ENVIRONMENT, "NOT_SET")
        sender = dispatcher(store, webhook(server, key_refs=(place,)))
        assert sender.once() == 1
        assert server.connections == 0
    assert store.dead_letters() == ()
    assert store.outbox_counts()[0].pending == 1
