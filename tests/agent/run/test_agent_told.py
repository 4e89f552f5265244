"""Tests of who is notified of an incident's end: whoever was delivered its beginning."""

from dataclasses import replace
from datetime import timedelta

import pytest
from runner_bench import MINUTE, Bench

from benchmarks.receiver import OK, Answer, Receiver, Script
from contractwatch.agent.delivery.dispatcher import Dispatcher, DispatchTiming
from contractwatch.agent.run.runner import Runner
from contractwatch.alerting.message import AlertingSetup
from contractwatch.channels import ChannelContext
from contractwatch.model.base.receiver import Receiver as ReceiverSetting
from contractwatch.model.base.receiver import ReceiverKind
from contractwatch.model.record.incident import DeliveryState, TransitionKind

OPENED, RESOLVED = TransitionKind.OPENED, TransitionKind.RESOLVED


class Desk:
    """The operator: changes the receivers, which takes a new start."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.sender = self.start()

    def start(self, *receivers: ReceiverSetting) -> Dispatcher:
        bench = self._bench
        setup = AlertingSetup(receivers, tuple(one.name for one in receivers))
        bench.runner = Runner(replace(bench.rules, alerting=setup), bench.context)
        clock = bench.time.clock()
        pace = DispatchTiming(jitter=lambda: 1.0, monotonic=clock.monotonic)
        context = ChannelContext(lambda ref: "", None, clock.now)
        self.sender = Dispatcher(bench.store, receivers, context, pace=pace)
        return self.sender

    def send(self) -> None:
        while self.sender.once():
            pass

    def runs(self, count: int, *, has_null: bool) -> None:
        self._bench.publish(has_null=has_null)
        for _ in range(count):
            self._bench.time.pass_by(MINUTE)
            self._bench.run()
            self.send()


@pytest.fixture
def desk(bench: Bench) -> Desk:
    return Desk(bench)


def at(server: Receiver, name: str = "owners") -> ReceiverSetting:
    return ReceiverSetting(name, ReceiverKind.WEBHOOK, url=server.url, allow_private=True)


def kinds(server: Receiver) -> list[str]:
    return [one.json()["data"]["kind"] for one in server.taken]


def told(bench: Bench) -> dict[str, DeliveryState]:
    record = bench.store.record("shop/orders")
    assert record is not None
    return {one.receiver: one.state for one in record.deliveries if one.kind is not RESOLVED}


def test_no_receiver_at_the_beginning_none_at_the_end(bench: Bench, desk: Desk) -> None:
    desk.runs(3, has_null=True)
    assert told(bench) == {}
    with Receiver() as server:
        desk.start(at(server))
        desk.runs(3, has_null=False)
        assert kinds(server) == []


def test_a_receiver_that_comes_while_it_is_open_is_told_and_hears_the_end(
    bench: Bench, desk: Desk
) -> None:
    desk.runs(3, has_null=True)
    with Receiver() as server:
        desk.start(at(server))
        desk.runs(4, has_null=True)
        assert kinds(server) == ["opened"]
        assert told(bench) == {"owners": DeliveryState.DELIVERED}
        desk.runs(3, has_null=False)
        assert kinds(server) == ["opened", "resolved"]


def test_a_receiver_that_comes_after_another_was_told_hears_nothing_of_it(desk: Desk) -> None:
    with Receiver() as first, Receiver() as second:
        desk.start(at(first))
        desk.runs(3, has_null=True)
        desk.start(at(first), at(second, "new"))
        desk.runs(2, has_null=True)
        desk.runs(3, has_null=False)
        assert (kinds(first), kinds(second)) == (["opened", "resolved"], [])


def test_a_receiver_that_comes_while_the_only_one_is_down_is_told_once_and_hears_the_end(
    desk: Desk,
) -> None:
    down = Answer(500)
    answers = [down] * 4
    with Receiver(lambda: answers.pop() if answers else OK) as first, Receiver() as second:
        desk.start(at(first))
        desk.runs(3, has_null=True)
        desk.start(at(first), at(second, "new"))
        desk.runs(1, has_null=True)
        assert (kinds(first), kinds(second)) == ([], ["opened"])
        desk.runs(8, has_null=True)
        assert (kinds(first), kinds(second)) == (["opened"], ["opened"])
        desk.runs(3, has_null=False)
        assert kinds(first) == kinds(second) == ["opened", "resolved"]


def test_a_receiver_that_comes_while_the_only_one_is_down_hears_of_a_second_episode(
    desk: Desk,
) -> None:
    answers = [OK, OK]
    with Receiver(lambda: answers.pop() if answers else Answer(503)) as first, Receiver() as second:
        desk.start(at(first))
        desk.runs(3, has_null=True)
        desk.runs(3, has_null=False)
        desk.runs(3, has_null=True)
        assert (kinds(first), kinds(second)) == (["opened", "resolved"], [])
        desk.start(at(first), at(second, "new"))
        desk.runs(2, has_null=True)
        assert kinds(second) == ["reopened"]


def test_a_receiver_that_left_the_settings_hears_no_end_and_the_one_that_stayed_does(
    bench: Bench, desk: Desk
) -> None:
    with Receiver() as first, Receiver() as second:
        desk.start(at(first), at(second, "other"))
        desk.runs(3, has_null=True)
        desk.start(at(first))
        desk.runs(3, has_null=False)
        assert (kinds(first), kinds(second)) == (["opened", "resolved"], ["opened"])
    assert bench.store.dead_letters() == ()


def test_a_beginning_that_was_refused_has_no_end(bench: Bench, desk: Desk) -> None:
    with Receiver(Script(Answer(401), Answer(200))) as server:
        desk.start(at(server))
        desk.runs(3, has_null=True)
        assert told(bench) == {"owners": DeliveryState.DEAD}
        desk.runs(3, has_null=False)
        assert kinds(server) == []
        assert len(server.seen) == 1
    assert bench.store.outbox_counts() == ()


def test_a_beginning_that_was_refused_is_told_after_the_next_start_and_then_its_end(
    bench: Bench, desk: Desk
) -> None:
    with Receiver(Script(Answer(401), Answer(200))) as server:
        desk.start(at(server))
        desk.runs(3, has_null=True)
        desk.runs(3, has_null=True)
        assert len(server.seen) == 1
        desk.start(at(server))
        desk.send()
        assert kinds(server) == ["opened"]
        desk.runs(3, has_null=False)
        assert kinds(server) == ["opened", "resolved"]
    assert told(bench) == {"owners": DeliveryState.DELIVERED}


def test_a_beginning_still_on_its_way_is_followed_by_its_end_in_order(
    bench: Bench, desk: Desk
) -> None:
    with Receiver(Script(Answer(500), Answer(500), Answer(200))) as server:
        desk.start(at(server))
        desk.runs(2, has_null=True)
        bench.publish(has_null=False)
        for _ in range(3):
            bench.run()
        bench.time.pass_by(timedelta(hours=1))
        desk.send()
        bench.time.pass_by(timedelta(hours=1))
        desk.send()
        assert kinds(server) == ["opened", "resolved"]


def test_a_receiver_whose_message_died_with_its_settings_is_told_when_it_comes_back(
    desk: Desk,
) -> None:
    with Receiver(Script(Answer(500), Answer(200))) as server:
        desk.start(at(server))
        desk.runs(2, has_null=True)
        desk.start()
        desk.send()
        desk.start(at(server))
        desk.runs(1, has_null=True)
        assert kinds(server) == ["opened"]


def test_a_withdrawn_product_of_which_nobody_was_told_is_withdrawn_in_silence(
    bench: Bench, desk: Desk
) -> None:
    desk.runs(3, has_null=True)
    with Receiver() as server:
        desk.start(at(server))
        bench.runner.withdraw(bench.contract())
        desk.send()
        assert kinds(server) == []


def test_a_second_episode_is_told_and_ended_like_the_first(desk: Desk) -> None:
    with Receiver() as server:
        desk.start(at(server))
        for _ in range(2):
            desk.runs(3, has_null=True)
            desk.runs(3, has_null=False)
        assert kinds(server) == ["opened", "resolved", "reopened", "resolved"]


def test_one_told_mailbox_of_two_is_told(bench: Bench) -> None:
    message = replace(_message(bench), recipient="ana@x.org", key="k/a")
    other = replace(message, recipient="ben@x.org", key="k/b")
    store = bench.store
    entry = bench.context.store.product_state("shop/orders", now=bench.time.now)
    assert entry.deliveries
    with store._writing("") as connection:
        from contractwatch.store.messages.delivery_records import record_dead, record_delivered  # noqa: PLC0415

        record_delivered(connection, message, bench.time.now)
        record_dead(connection, other, bench.time.now)
    assert told(bench)["log"] is DeliveryState.DELIVERED


def _message(bench: Bench):
    bench.publish(has_null=True)
    for _ in range(2):
        bench.run()
        bench.time.pass_by(MINUTE)
    return bench.messages[0]
