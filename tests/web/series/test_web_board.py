"""Tests of the snapshot cache: refreshes, and readers that never wait."""

import time
from collections.abc import Callable
from datetime import timedelta

from contractwatch.slo.status import StatusWord
from contractwatch.web.snapshot_cache import GONE_IS_KEPT, Board
from tests.web.web_reader import Clock, Memory
from tests.web.web_values import HOUR, breached, fleet, kept


def test_records_are_read_again_only_after_a_commit() -> None:
    memory, clock = Memory((kept(),)), Clock()
    board = Board(memory, clock)
    board.refresh()
    board.refresh()
    assert memory.reads == 1
    memory.become(kept(), breached())
    board.refresh()
    assert memory.reads == 2
    assert set(board.snapshot.views) == {"finance/refunds", "finance/orders"}


def test_a_state_turns_without_a_commit_when_its_time_has_come() -> None:
    memory, clock = Memory((kept(),)), Clock()
    board = Board(memory, clock)
    board.refresh()
    before = board.snapshot
    clock.pass_by(2 * HOUR)
    board.refresh()
    assert before.views["finance/refunds"].status.word is StatusWord.KEPT
    view = board.snapshot.views["finance/refunds"]
    assert view.status.word is StatusWord.UNKNOWN
    assert view.status.since == before.taken_at + HOUR
    assert memory.reads == 1


def test_a_score_of_an_unchanged_record_is_computed_once_in_a_minute_or_two() -> None:
    memory, clock = Memory((kept(),)), Clock()
    board = Board(memory, clock)
    board.refresh()
    first = board.snapshot.views["finance/refunds"].trust
    clock.pass_by(timedelta(seconds=30))
    board.refresh()
    assert board.snapshot.views["finance/refunds"].trust is first
    clock.pass_by(timedelta(seconds=90))
    board.refresh()
    assert board.snapshot.views["finance/refunds"].trust is not first


def test_a_withdrawn_product_is_remembered_for_an_hour() -> None:
    memory, clock = Memory(fleet()), Clock()
    board = Board(memory, clock)
    board.refresh()
    memory.become(kept())
    board.refresh()
    assert "finance/orders" in {gone.card.product for gone in board.snapshot.gone}
    clock.pass_by(GONE_IS_KEPT)
    board.refresh()
    assert board.snapshot.gone == ()


def test_a_product_that_comes_back_is_no_longer_gone() -> None:
    memory, clock = Memory((kept(), breached())), Clock()
    board = Board(memory, clock)
    board.refresh()
    memory.become(kept())
    board.refresh()
    memory.become(kept(), breached())
    board.refresh()
    assert board.snapshot.gone == ()
    assert "finance/orders" in board.snapshot.views


def test_the_thread_takes_up_a_commit_and_lives_through_a_store_that_fails() -> None:
    memory = Memory((kept(),))
    board = Board(memory, Clock(), refresh_seconds=0.1)
    board.start()
    try:
        memory.fails = True
        memory.become(kept(), breached())
        wait_until(lambda: memory.failures > 0)
        assert set(board.snapshot.views) == {"finance/refunds"}
        memory.fails = False
        wait_until(lambda: len(board.snapshot.views) > 1)
        assert set(board.snapshot.views) == {"finance/refunds", "finance/orders"}
    finally:
        board.stop()


def wait_until(is_so: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_so()
