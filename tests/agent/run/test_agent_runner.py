"""Tests of the runner."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from agent_values import contract_text
from runner_bench import MINUTE, NOW, Bench, LateWorkers
from structlog.testing import capture_logs

from contractwatch.agent.clock import Clock
from contractwatch.agent.run.clock_jumps import ClockJumps
from contractwatch.agent.run.resume import contract_from_card, orphaned_cards, resume
from contractwatch.agent.run.runner import RETRY
from contractwatch.errors import Blame
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.incident import Phase, TransitionKind
from contractwatch.model.record.run import RunOutcome
from contractwatch.scan.workers import WorkerLimits
from contractwatch.slo.gate import Policy, decide
from contractwatch.slo.status import StatusWord
from contractwatch.web.snapshot_cache import view_of


def test_a_run_leaves_its_verdict_and_its_ledger_in_one_commit(bench: Bench) -> None:
    result = bench.run()

    assert result is not None
    assert (result.outcome, result.readable) == (RunOutcome.PASSED, True)
    assert bench.states()[Objective.CONFORMANCE] is ObjectiveState.GOOD
    record = bench.store.record("shop/orders")
    assert record is not None
    assert record.card.interval_seconds == 86_400
    assert record.last_run is not None
    assert record.last_run.outcome is RunOutcome.PASSED
    assert bench.counted.evaluations == [(RunOutcome.PASSED, False)]


def test_a_run_without_an_error_is_logged_without_one(bench: Bench) -> None:
    with capture_logs() as events:
        bench.run()
    (finished,) = [one for one in events if one["event"] == "run_finished"]
    assert finished["outcome"] == "passed"
    assert "error" not in finished


def test_the_bytes_of_the_files_are_counted(bench: Bench) -> None:
    bench.run()
    size = (bench.folder / "data" / "orders.parquet").stat().st_size
    assert bench.counted.bytes_read == size


def test_a_run_that_fails_by_our_own_fault_is_counted_and_not_hidden(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.store, "product_state", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bench.run()
    assert bench.counted.evaluations == [(RunOutcome.ERROR, False)]


def test_a_first_bad_run_asks_for_evidence_soon_and_the_second_is_told(bench: Bench) -> None:
    bench.run()
    bench.publish(has_null=True)
    bench.time.pass_by(MINUTE)

    bench.run()
    looked, told = list(bench.looks), list(bench.messages)
    bench.time.pass_by(MINUTE)
    bench.run()

    assert told == []
    assert [product for product, _ in looked] == ["shop/orders"]
    assert NOW + MINUTE < looked[0][1] <= NOW + 6 * MINUTE
    assert [(one.kind, one.receiver) for one in bench.messages] == [(TransitionKind.OPENED, "log")]
    assert bench.counted.transitions == [TransitionKind.OPENED]


def test_a_run_that_cannot_be_saved_changes_nothing_and_is_told_by_the_next(bench: Bench) -> None:
    bench.run()
    bench.publish(has_null=True)
    bench.time.pass_by(MINUTE)
    bench.run()
    bench.time.pass_by(MINUTE)
    bench.store.is_full = True

    assert bench.run() is None
    assert bench.run() is None  # until a heartbeat is saved nothing is even tried
    told_while_full = list(bench.messages)
    bench.heart.is_loaded = True
    while_full = bench.heart.health()
    bench.store.is_full = False
    bench.heart.beat()
    result = bench.run()

    assert told_while_full == []
    assert not while_full.ready
    assert while_full.words == "the store cannot be written (full)"
    assert bench.counted.store_kinds == ["full"]
    assert bench.counted.skips["paused"] == 1
    assert ("shop/orders", NOW + 2 * MINUTE + RETRY) in bench.looks
    assert result is not None
    assert [one.kind for one in bench.messages] == [TransitionKind.OPENED]
    assert bench.outage.lasted_seconds() == 0
    assert bench.heart.health().ready


def test_an_outage_lasts_until_a_run_is_saved_not_until_a_beat_is(bench: Bench) -> None:
    bench.store.is_full = True
    bench.run()
    bench.time.pass_by(3 * MINUTE)
    bench.heart.beat()
    bench.run()
    bench.time.pass_by(3 * MINUTE)
    bench.heart.beat()

    assert bench.outage.lasted_seconds() == 360
    bench.store.is_full = False
    bench.run()
    assert bench.outage.lasted_seconds() == 0


def test_a_scan_over_its_deadline_is_the_agents_fault_and_unknown(tmp_path: Path) -> None:
    bench = Bench(tmp_path, LateWorkers(1, WorkerLimits(memory_mb=256)))

    result = bench.run()

    assert result is not None
    assert (result.outcome, result.readable, result.blame) == (
        RunOutcome.ERROR,
        None,
        Blame.AGENT,
    )
    assert result.error == "deadline of 60 s passed"
    assert set(bench.states().values()) == {ObjectiveState.UNKNOWN}
    assert bench.counted.evaluations == [(RunOutcome.ERROR, True)]
    assert bench.counted.reads == [("local", False)]
    bench.store.close()


def test_a_server_that_is_not_opened_skips_everything_and_reads_nothing(bench: Bench) -> None:
    contract = bench.contract()
    server = replace(contract.servers[0], unsupported="unsupported: servers of type kafka")

    result = bench.run(replace(contract, servers=(server,)))

    assert result is not None
    assert result.outcome is RunOutcome.ERROR
    assert result.coverage.executed == 0
    assert bench.counted.reads == []
    assert ObjectiveState.GOOD not in bench.states().values()


def test_a_withdrawn_product_is_told_and_served_no_more(bench: Bench) -> None:
    bench.publish(has_null=True)
    bench.run()
    bench.time.pass_by(MINUTE)
    bench.run()
    bench.time.pass_by(MINUTE)

    bench.runner.withdraw(bench.contract())

    assert [one.kind for one in bench.messages] == [
        TransitionKind.OPENED,
        TransitionKind.WITHDRAWN,
    ]
    assert bench.store.products() == ()
    memory = bench.store.product_state("shop/orders", now=bench.time.now)
    assert {one.phase for one in memory.incidents} == {Phase.RESOLVED}


def test_who_was_told_is_told_of_the_end_though_the_file_is_gone(bench: Bench) -> None:
    named = "support: [{id: second, channel: '#second', scope: notifications}]\n"
    routed = contract_text(interval="PT24H") + named
    bench.publish(has_null=True)
    bench.run(bench.contract(routed))
    bench.time.pass_by(MINUTE)
    bench.run(bench.contract(routed))
    bench.time.pass_by(MINUTE)
    (card,) = bench.store.cards()

    bench.runner.withdraw(contract_from_card(card))

    assert [(one.kind, one.receiver) for one in bench.messages] == [
        (TransitionKind.OPENED, "second"),
        (TransitionKind.WITHDRAWN, "second"),
    ]


def test_a_run_under_way_does_not_bring_a_withdrawn_product_back(bench: Bench) -> None:
    bench.run()
    bench.runner.withdraw(bench.contract())

    assert bench.run() is None
    assert bench.store.products() == ()

    bench.runner.add("shop/orders")
    assert bench.run() is not None
    assert bench.store.products() == ("shop/orders",)


def test_time_in_which_the_agent_was_down_is_unknown(bench: Bench) -> None:
    bench.run()
    bench.store.beat(NOW + MINUTE)
    bench.time.pass_by(60 * MINUTE)

    interrupted = resume(bench.store, bench.time.clock())

    record = bench.store.record("shop/orders")
    assert interrupted == 1
    assert record is not None
    for line in record.lines:
        assert [(one.start, one.end, one.state) for one in line.intervals] == [
            (NOW, NOW + MINUTE, ObjectiveState.GOOD),
            (NOW + MINUTE, NOW + 60 * MINUTE, ObjectiveState.UNKNOWN),
        ]


def test_a_first_start_interrupts_nothing(bench: Bench) -> None:
    assert resume(bench.store, bench.time.clock()) == 0


def test_a_product_left_when_its_file_is_gone_and_not_when_it_is_broken(bench: Bench) -> None:
    bench.run()
    cards = bench.store.cards()

    assert orphaned_cards(cards, served=[bench.contract()], broken=frozenset()) == ()
    assert orphaned_cards(cards, served=[], broken=frozenset({"contracts/orders.odcs.yaml"})) == ()
    (card,) = orphaned_cards(cards, served=[], broken=frozenset())
    assert contract_from_card(card).product == "shop/orders"


def test_after_the_clock_was_ahead_nothing_is_known_to_any_reader_until_the_next_run(
    bench: Bench,
) -> None:
    """The agent was killed, so that nobody mends the record."""
    bench.run()
    bench.time.pass_by(timedelta(days=1))
    bench.run()
    bench.time.now = NOW + timedelta(seconds=8)

    record = bench.store.record("shop/orders")
    assert record is not None
    now = bench.time.now
    decision = decide(record, Policy(max_evaluation_age=timedelta(days=2)), now=now)
    view = view_of(record, now=now)
    assert (decision.exit_code, view.status.word) == (2, StatusWord.UNKNOWN)
    assert {line.standing.state for line in view.budgets} == {ObjectiveState.UNKNOWN}
    assert "not known now" in " ".join(cap.reason for cap in view.trust.caps)
    assert any("still to come" in reason for reason in decision.reasons)

    bench.run()
    again = bench.store.record("shop/orders")
    assert again is not None
    assert decide(again, Policy(), now=now).exit_code == 0
    later = now + timedelta(hours=49)  # the run holds for two intervals of a day, and no longer
    assert decide(again, Policy(), now=later).exit_code == 2


def test_a_start_after_a_heartbeat_of_the_future_knows_nothing_until_the_next_run(
    bench: Bench,
) -> None:
    bench.run()
    bench.store.beat(NOW + timedelta(days=1))
    bench.time.pass_by(MINUTE)

    assert resume(bench.store, bench.time.clock()) == 1

    record = bench.store.record("shop/orders")
    assert record is not None
    assert decide(record, Policy(), now=bench.time.now).exit_code == 2


@dataclass
class Wall:
    """A wall clock that can be set, beside seconds that only grow."""

    now: datetime = NOW
    seconds: float = 0.0

    def pass_by(self, span: timedelta, *, jump: timedelta = timedelta(0)) -> None:
        self.now += span + jump
        self.seconds += span.total_seconds()

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, monotonic=lambda: self.seconds)


def test_a_jump_forward_is_unwatched_time_and_any_jump_has_all_products_run_soon(
    bench: Bench,
) -> None:
    bench.run()
    bench.heart.beat()
    wall, done = Wall(), list[str]()
    jumps = ClockJumps(
        wall.clock(),
        bench.store,
        realign=lambda: done.append("realign"),
        run_all_soon=lambda: done.append("look"),
    )
    wall.pass_by(MINUTE)
    assert jumps.notice() == 0
    wall.pass_by(timedelta(seconds=2), jump=timedelta(days=1))
    assert jumps.notice() == 86_400
    assert jumps.notice() == 0
    record = bench.store.record("shop/orders")
    assert record is not None
    for line in record.lines:
        assert [(one.start, one.end, one.state) for one in line.intervals] == [
            (NOW, wall.now, ObjectiveState.UNKNOWN)
        ]
    wall.pass_by(timedelta(seconds=8), jump=-timedelta(days=1))
    assert jumps.notice() == -86_400
    assert done == ["realign", "look"] * 2
