import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from agent_values import wait_until

from contractwatch.agent.clock import system_clock
from contractwatch.agent.schedule.scheduler import Scheduler
from contractwatch.timetable import Every

HOUR = Every(timedelta(hours=1), timedelta(0))
SOON = 10.0


class Heard:
    """What the scheduler counted."""

    def __init__(self) -> None:
        self.lags: list[float] = []
        self.reasons: Counter[str] = Counter()
        self.skip = threading.Event()

    def started(self, lag_seconds: float) -> None:
        self.lags.append(lag_seconds)

    def skipped(self, reason: str) -> None:
        self.reasons[reason] += 1
        self.skip.set()

    def queued(self, runs: int) -> None: ...


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def schedule(heard: Heard) -> Iterator[Callable[[Callable[[str], None], int], Scheduler]]:
    started: list[Scheduler] = []

    def build(run: Callable[[str], None], run_limit: int) -> Scheduler:
        scheduler = Scheduler(run, run_limit=run_limit, clock=system_clock(), series=heard)
        scheduler.start()
        started.append(scheduler)
        return scheduler

    yield build
    for scheduler in started:
        scheduler.stop()


def in_seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_a_product_runs_first_when_told_and_its_lag_is_heard(schedule, heard: Heard) -> None:
    ran = threading.Event()
    scheduler = schedule(lambda _: ran.set(), 1)

    scheduler.schedule("a/b", HOUR, first=system_clock().now())

    assert ran.wait(SOON)
    assert heard.lags[0] < 5


def test_a_clock_that_is_set_back_holds_up_no_start(schedule) -> None:
    ran = threading.Event()
    scheduler = schedule(lambda _: ran.set(), 1)
    tomorrow = system_clock().now() + timedelta(days=1)
    scheduler.schedule("a/b", Every(in_seconds(1), in_seconds(0)), first=tomorrow)

    scheduler.realign()

    assert ran.wait(SOON)


def test_an_earlier_look_moves_the_next_start_and_a_later_one_does_not(schedule) -> None:
    ran: list[str] = []
    looked = threading.Event()

    def run(product: str) -> None:
        ran.append(product)
        looked.set()

    scheduler = schedule(run, 2)
    now = system_clock().now()
    scheduler.schedule("early", HOUR, first=now + in_seconds(3600))
    scheduler.schedule("late", HOUR, first=now + in_seconds(3600))
    scheduler.bring_forward("late", now + in_seconds(7200))
    scheduler.bring_forward("early", now)

    assert looked.wait(SOON)
    assert ran == ["early"]


def test_a_tick_during_the_run_of_the_same_contract_is_counted_and_not_doubled(
    schedule, heard: Heard
) -> None:
    release, running, most = threading.Event(), [], []

    def run(product: str) -> None:
        running.append(product)
        most.append(len(running))
        release.wait(SOON)
        running.remove(product)

    scheduler = schedule(run, 4)
    scheduler.schedule("a", Every(in_seconds(0.2), in_seconds(0)), first=system_clock().now())
    assert heard.skip.wait(SOON)
    release.set()

    assert heard.reasons["overrun"] >= 1
    assert max(most) == 1


def test_a_tick_of_a_contract_that_still_waits_is_a_lack_of_capacity(
    schedule, heard: Heard
) -> None:
    release = threading.Event()
    scheduler = schedule(lambda _: release.wait(SOON), 1)
    now = system_clock().now()

    scheduler.schedule("long", HOUR, first=now)
    scheduler.schedule(
        "waiting", Every(in_seconds(0.2), in_seconds(0)), first=now + in_seconds(0.1)
    )
    assert heard.skip.wait(SOON)
    release.set()

    assert heard.reasons["capacity"] >= 1
    assert heard.reasons["overrun"] == 0


def test_the_bound_on_what_runs_at_once_is_kept(schedule) -> None:
    lock, done = threading.Lock(), threading.Event()
    running, most, ran = [0], [0], [0]

    def run(_: str) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.05)
        with lock:
            running[0] -= 1
            ran[0] += 1
            if ran[0] == 12:
                done.set()

    scheduler = schedule(run, 3)
    now = system_clock().now()
    for number in range(12):
        scheduler.schedule(str(number), HOUR, first=now)

    assert done.wait(SOON)
    assert most[0] == 3


def test_a_product_that_was_dropped_runs_no_more(schedule) -> None:
    ran = threading.Event()
    other = threading.Event()
    scheduler = schedule(lambda product: (ran if product == "gone" else other).set(), 1)
    now = system_clock().now()

    scheduler.schedule("gone", HOUR, first=now + in_seconds(0.3))
    scheduler.unschedule("gone")
    scheduler.schedule("here", HOUR, first=now + in_seconds(0.4))

    assert other.wait(SOON)
    assert not ran.is_set()
    assert scheduler.products() == frozenset({"here"})


def test_the_heart_beats_while_every_run_is_busy_and_after_one_has_raised(schedule) -> None:
    release, beats, beaten = threading.Event(), [0], threading.Event()

    def run(product: str) -> None:
        if product == "bad":
            raise ValueError(product)
        release.wait(SOON)

    def beat() -> None:
        beats[0] += 1
        if beats[0] == 4:
            beaten.set()

    scheduler = schedule(run, 1)
    now = system_clock().now()
    scheduler.schedule("bad", HOUR, first=now)
    scheduler.schedule("busy", HOUR, first=now)
    scheduler.heartbeat(beat, interval=in_seconds(0.2))

    assert beaten.wait(SOON)
    release.set()


@pytest.mark.parametrize("asks", ["its ticks", "an earlier look", "a changed contract"])
def test_no_product_is_started_again_before_the_shortest_interval(heard: Heard, asks: str) -> None:
    starts: list[float] = []
    scheduler: Scheduler
    every = Every(in_seconds(0.001), in_seconds(0))

    def run(product: str) -> None:
        starts.append(time.monotonic())
        now = system_clock().now()
        if asks == "an earlier look":
            scheduler.bring_forward(product, now)
        if asks == "a changed contract":
            scheduler.schedule(product, HOUR, first=now)

    scheduler = Scheduler(
        run, run_limit=2, clock=system_clock(), series=heard, shortest=in_seconds(0.5)
    )
    scheduler.start()
    try:
        table = every if asks == "its ticks" else HOUR
        scheduler.schedule("a", table, first=system_clock().now())
        wait_until(lambda: len(starts) >= 3, "it has run three times")
    finally:
        scheduler.stop()

    assert starts[2] - starts[0] > 0.9
