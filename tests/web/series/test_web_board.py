"""Tests of the snapshot cache: refreshes, and readers that never wait."""

import time
from collections.abc import Callable
from datetime import timedelta

from contractwatch.slo.status import StatusWord
from contractwatch.web.snapshot_cache import WITHDRAWN_IS_KEPT, SnapshotCache
from tests.web.web_reader import Clock, Memory
from tests.web.web_values import HOUR, breached, fleet, kept


def test_records_are_read_again_only_after_a_commit() -> None:
    memory, clock = Memory((kept(),)), Clock()
    snapshots = SnapshotCache(memory, clock)
    snapshots.refresh()
    snapshots.refresh()
    assert memory.reads == 1
    memory.become(kept(), breached())
    snapshots.refresh()
    assert memory.reads == 2
    assert set(snapshots.snapshot.views) == {"finance/refunds", "finance/orders"}


def test_a_state_turns_without_a_commit_when_its_time_has_come() -> None:
    memory, clock = Memory((kept(),)), Clock()
    snapshots = SnapshotCache(memory, clock)
    snapshots.refresh()
    before = snapshots.snapshot
    clock.pass_by(2 * HOUR)
    snapshots.refresh()
    assert before.views["finance/refunds"].status.word is StatusWord.KEPT
    view = snapshots.snapshot.views["finance/refunds"]
    assert view.status.word is StatusWord.UNKNOWN
    assert view.status.since == before.taken_at + HOUR
    assert memory.reads == 1


def test_a_score_of_an_unchanged_record_is_computed_once_in_a_minute_or_two() -> None:
    memory, clock = Memory((kept(),)), Clock()
    snapshots = SnapshotCache(memory, clock)
    snapshots.refresh()
    first = snapshots.snapshot.views["finance/refunds"].trust
    clock.pass_by(timedelta(seconds=30))
    snapshots.refresh()
    assert snapshots.snapshot.views["finance/refunds"].trust is first
    clock.pass_by(timedelta(seconds=90))
    snapshots.refresh()
    assert snapshots.snapshot.views["finance/refunds"].trust is not first


def test_a_withdrawn_product_is_remembered_for_an_hour() -> None:
    memory, clock = Memory(fleet()), Clock()
    snapshots = SnapshotCache(memory, clock)
    snapshots.refresh()
    memory.become(kept())
    snapshots.refresh()
    assert "finance/orders" in {gone.card.product for gone in snapshots.snapshot.gone}
    clock.pass_by(WITHDRAWN_IS_KEPT)
    snapshots.refresh()
    assert snapshots.snapshot.gone == ()


def test_a_product_that_comes_back_is_no_longer_gone() -> None:
    memory, clock = Memory((kept(), breached())), Clock()
    snapshots = SnapshotCache(memory, clock)
    snapshots.refresh()
    memory.become(kept())
    snapshots.refresh()
    memory.become(kept(), breached())
    snapshots.refresh()
    assert snapshots.snapshot.gone == ()
    assert "finance/orders" in snapshots.snapshot.views


def test_the_thread_takes_up_a_commit_and_lives_through_a_store_that_fails() -> None:
    memory = Memory((kept(),))
    snapshots = SnapshotCache(memory, Clock(), refresh_seconds=0.1)
    snapshots.start()
    try:
        memory.fails = True
        memory.become(kept(), breached())
        wait_until(lambda: memory.failures > 0)
        assert set(snapshots.snapshot.views) == {"finance/refunds"}
        memory.fails = False
        wait_until(lambda: len(snapshots.snapshot.views) > 1)
        assert set(snapshots.snapshot.views) == {"finance/refunds", "finance/orders"}
    finally:
        snapshots.stop()


def wait_until(is_so: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_so()
