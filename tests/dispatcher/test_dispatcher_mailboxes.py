"""Tests of the delivery state of each mailbox of a receiver."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from benchmarks.messages import NOW, entry_of, opened, resolved
from benchmarks.smtp_receiver import Mail, SmtpReceiver
from contractwatch.agent.delivery.dispatcher import Dispatcher, DispatchTiming
from contractwatch.channels import ChannelContext
from contractwatch.model.base.receiver import Receiver, ReceiverKind
from contractwatch.store.store import Store

ANA, BEN, EVE = "ana@example.com", "ben@example.com", "eve@example.com"
FULL = "452 mailbox full"


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOW).total_seconds()

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    found = Store.open(url)
    yield found
    found.close()


def mail(port: int, *recipients: str) -> Receiver:
    return Receiver(
        "mail",
        ReceiverKind.EMAIL,
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_starttls=False,
        sender="watch@example.com",
        recipients=recipients or (ANA, BEN),
        allow_private=True,
    )


def sender_of(store: Store, hand: Hand, receiver: Receiver) -> Dispatcher:
    context = ChannelContext(lambda ref: "", None, hand.now)
    pace = DispatchTiming(jitter=lambda: 1.0, monotonic=hand.monotonic)
    return Dispatcher(store, [receiver], context, pace=pace)


def until_idle(sender: Dispatcher) -> None:
    while sender.once():
        pass


def to(mails: list[Mail]) -> list[str]:
    """Return who got each mail, in order."""
    return [line.partition("<")[2].rstrip(">") for each in mails for line in each.recipients]


def commit(store: Store, *messages: object) -> None:
    for one in messages:
        store.commit(entry_of(one))


def test_a_mailbox_that_is_full_gets_nobody_else_a_second_mail(store: Store) -> None:
    hand = Hand()
    commit(store, opened(1, receiver="mail", at=NOW))
    with SmtpReceiver(answers={BEN: FULL}) as server:
        sender = sender_of(store, hand, mail(server.port, ANA, BEN, EVE))
        for _ in range(8):
            until_idle(sender)
            hand.move(300)
        assert to(server.mails) == [ANA, EVE]
        server.answers.clear()
        hand.move(300)
        until_idle(sender)
        assert to(server.mails) == [ANA, EVE, BEN]
        ids = {message_from_bytes(each.data)["Message-ID"] for each in server.mails}
    assert len(ids) == 1
    assert store.outbox_counts() == ()
    assert store.dead_letters() == ()


def test_a_mailbox_that_is_not_known_is_a_dead_letter_of_its_own(store: Store) -> None:
    commit(store, opened(1, receiver="mail", at=NOW))
    with SmtpReceiver(answers={ANA: "550 no such user"}) as server:
        until_idle(sender_of(store, Hand(), mail(server.port)))
        assert to(server.mails) == [BEN]
    (letter,) = store.dead_letters()
    assert (letter.notification.recipient, letter.reason) == (ANA, "5xx")


def test_one_full_mailbox_does_not_hold_up_what_comes_after_for_the_others(store: Store) -> None:
    hand = Hand()
    begin, end = (make(1, receiver="mail", at=NOW) for make in (opened, resolved))
    commit(store, begin, end)
    with SmtpReceiver(answers={BEN: FULL}) as server:
        sender = sender_of(store, hand, mail(server.port))
        until_idle(sender)
        assert to(server.mails) == [ANA, ANA]
        server.answers.clear()
        hand.move(300)
        until_idle(sender)
        assert to(server.mails) == [ANA, ANA, BEN, BEN]
        seen = [message_from_bytes(each.data)["X-Contractwatch-Key"] for each in server.mails]
    assert seen == [begin.key, end.key] * 2


def test_a_mailbox_that_refused_the_beginning_hears_no_lone_end(store: Store) -> None:
    commit(store, opened(1, receiver="mail", at=NOW))
    with SmtpReceiver(answers={BEN: "550 no such user"}) as server:
        sender = sender_of(store, Hand(), mail(server.port))
        until_idle(sender)
        server.answers.clear()
        commit(store, resolved(1, receiver="mail", at=NOW))
        until_idle(sender)
        assert to(server.mails) == [ANA, ANA]
    assert store.outbox_counts() == ()


def test_a_mailbox_added_meanwhile_hears_no_lone_end_but_the_next_beginning(store: Store) -> None:
    hand = Hand()
    commit(store, opened(1, receiver="mail", at=NOW))
    with SmtpReceiver() as server:
        until_idle(sender_of(store, hand, mail(server.port)))
        sender = sender_of(store, hand, mail(server.port, ANA, EVE, BEN))
        commit(store, resolved(1, receiver="mail", at=NOW))
        until_idle(sender)
        assert to(server.mails) == [ANA, BEN, ANA, BEN]
        commit(store, opened(2, receiver="mail", at=NOW), resolved(2, receiver="mail", at=NOW))
        until_idle(sender)
        assert sorted(to(server.mails)[4:]) == sorted([ANA, EVE, BEN] * 2)


def test_an_end_of_which_no_beginning_is_kept_any_more_is_told_to_every_mailbox(
    store: Store,
) -> None:
    commit(store, resolved(1, receiver="mail", at=NOW))
    with SmtpReceiver() as server:
        until_idle(sender_of(store, Hand(), mail(server.port)))
        assert to(server.mails) == [ANA, BEN]


def test_a_recipient_that_left_the_settings_is_a_dead_letter(store: Store) -> None:
    hand = Hand()
    commit(store, opened(1, receiver="mail", at=NOW))
    with SmtpReceiver(answers={BEN: FULL}) as server:
        until_idle(sender_of(store, hand, mail(server.port)))
        hand.move(300)
        until_idle(sender_of(store, hand, mail(server.port, ANA, EVE)))
        assert to(server.mails) == [ANA]
    assert "no recipient ben@example.com" in store.dead_letters()[0].error


def test_names_and_doubles_are_one_mailbox_each(store: Store) -> None:
    commit(store, opened(1, receiver="mail", at=NOW))
    with SmtpReceiver() as server:
        receiver = mail(server.port, f"Ana <{ANA}>", ANA, "Bün <b@bücher.example>")
        until_idle(sender_of(store, Hand(), receiver))
        assert to(server.mails) == [ANA, "b@xn--bcher-kva.example"]


def test_totals_count_every_mailbox(store: Store) -> None:
    commit(store, opened(1, receiver="mail", at=NOW))
    with SmtpReceiver() as server:
        until_idle(sender_of(store, Hand(), mail(server.port)))
    assert {one.event: one.messages for one in store.delivery_totals()} == {
        "enqueued": 2,
        "delivered": 2,
    }
    assert store.compact(NOW + timedelta(days=8)).delivered == 3


def _serve(url: str, port: int) -> None:
    own = Store.open(url)
    sender = sender_of(own, Hand(), mail(port))
    while True:
        sender.once()
        time.sleep(0.01)


def test_the_state_of_each_mailbox_survives_kill_nine(store: Store, url: str) -> None:
    commit(store, opened(1, receiver="mail", at=NOW))
    with SmtpReceiver(answers={BEN: FULL}) as server:
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_serve, args=(url, server.port))
        process.start()
        end = time.monotonic() + 60
        while not (server.mails and _waits(store)):
            assert time.monotonic() < end
            time.sleep(0.02)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(20)
        server.answers.clear()
        hand = Hand()
        hand.move(600)
        until_idle(sender_of(store, hand, mail(server.port)))
        assert to(server.mails) == [ANA, BEN]


def _waits(store: Store) -> bool:
    """Whether one mailbox has it and the other waits for another attempt."""
    done = {one.event: one.messages for one in store.delivery_totals()}
    with store._reading("") as connection:
        rows = connection.exec_driver_sql("SELECT state, last_error FROM outbox")
        is_put_back = any(row.state == "pending" and row.last_error for row in rows)
    return done.get("delivered") == 1 and is_put_back


def test_one_recipient_alone_is_sent_as_before(store: Store) -> None:
    told = opened(1, receiver="mail", at=NOW)
    commit(store, told)
    with SmtpReceiver(answers={ANA: FULL}) as server:
        until_idle(sender_of(store, Hand(), replace(mail(server.port), recipients=(ANA,))))
    (waiting,) = store.claim(
        "x", now=NOW + timedelta(days=1), lease_seconds=9, limit=9, receivers=["mail"]
    )
    assert waiting.notification == told
