from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from agent_values import contract_text
from structlog.testing import capture_logs

from contractwatch.agent.clock import Clock
from contractwatch.agent.heart import Heart
from contractwatch.agent.neighbours import Published, Registry
from contractwatch.agent.outage import Outage
from contractwatch.agent.resume import contract_of, departed, resume
from contractwatch.agent.runner import RETRY, Rules, Runner, Surroundings
from contractwatch.agent.workers import Answer, Failed, WorkerLimits, Workers
from contractwatch.alerting.message import Post
from contractwatch.errors import Blame, StoreError
from contractwatch.model.contract import Contract
from contractwatch.model.incident import (
    Notification,
    Phase,
    Transition,
    TransitionKind,
    Urgency,
)
from contractwatch.model.objective import Objective, ObjectiveState
from contractwatch.model.product import RunEntry
from contractwatch.model.receiver import Receiver, ReceiverKind
from contractwatch.model.run import RunOutcome
from contractwatch.odcs.load import parse_contract
from contractwatch.store.store import Store

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LOG = Receiver(name="log", kind=ReceiverKind.LOG)
SECOND = Receiver(name="second", kind=ReceiverKind.LOG)


@dataclass
class Time:
    """A clock that is set by hand."""

    now: datetime = NOW

    def pass_by(self, span: timedelta) -> None:
        self.now += span

    def clock(self) -> Clock:
        return Clock(
            now=lambda: self.now, monotonic=lambda: (self.now - NOW).total_seconds() + 1000
        )


@dataclass
class Counted:
    """What was counted about runs and beats."""

    skips: Counter[str] = field(default_factory=Counter)
    evaluations: list[tuple[RunOutcome, bool]] = field(default_factory=list)
    reads: list[tuple[str, bool]] = field(default_factory=list)
    bytes_read: int = 0
    store_kinds: list[str] = field(default_factory=list)
    transitions: list[TransitionKind] = field(default_factory=list)

    def skipped(self, reason: str) -> None:
        self.skips[reason] += 1

    def took(self, phase: str, seconds: float) -> None: ...

    def read(self, source_kind: str, *, is_read: bool, file_bytes: int) -> None:
        self.reads.append((source_kind, is_read))
        self.bytes_read += file_bytes

    def evaluated(self, outcome: RunOutcome, *, was_late: bool) -> None:
        self.evaluations.append((outcome, was_late))

    def cancelled(self) -> None: ...

    def store_failed(self, kind: str) -> None:
        self.store_kinds.append(kind)

    def told(self, transitions: Iterable[Transition]) -> None:
        self.transitions += [one.kind for one in transitions]

    def beat(self, at: datetime) -> None: ...

    def clock_jumped(self, seconds: float) -> None: ...

    def outbox(
        self, receiver: str, urgency: Urgency, pending: int, oldest: datetime | None
    ) -> None: ...


class FillingStore(Store):
    """A real store whose disk can be full."""

    is_full = False

    def commit(self, entry: RunEntry) -> int:
        if self.is_full:
            raise StoreError("the disk is full", kind="full")
        return super().commit(entry)


class LateWorkers(Workers):
    """A pool in which every job passes its deadline."""

    def run(
        self, job: Callable[[Any], Any], argument: Any, *, deadline_seconds: float
    ) -> Answer[Any]:
        return Failed(f"deadline of {deadline_seconds:g} s passed", deadline_seconds, was_late=True)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers(1, WorkerLimits(memory_mb=1024, threads=1))
    pool.start()
    yield pool
    pool.close()


class Bench:
    """A runner with a store, a worker and data of its own."""

    def __init__(self, folder: Path, workers: Workers) -> None:
        self.time = Time()
        self.counted = Counted()
        self.messages: list[Notification] = []
        self.looks: list[tuple[str, datetime]] = []
        self.folder = folder
        (folder / "contracts").mkdir()
        (folder / "data").mkdir()
        self.publish(has_null=False)
        self.store = FillingStore.open(f"sqlite:///{folder / 'record.db'}")
        clock, ids = self.time.clock(), count(1)
        self.outage = Outage(clock)
        self.heart = Heart(self.store, self.counted, clock=clock, outage=self.outage, limit=86_400)
        around = Surroundings(
            store=self.store,
            workers=workers,
            clock=clock,
            series=self.counted,
            outage=self.outage,
            new_id=lambda: f"incident-{next(ids)}",
            enqueued=self.messages.extend,
            look=lambda product, at: self.looks.append((product, at)),
        )
        rules = Rules(
            environment="prod",
            roots=(folder / "data",),
            deadline_seconds=60,
            deadline_limit_seconds=60,
            default_interval=timedelta(minutes=15),
            reprobe=timedelta(minutes=5),
            post=Post((LOG, SECOND), ("log",)),
        )
        self.runner = Runner(rules, around)

    def contract(self, text: str | None = None) -> Contract:
        shown = "contracts/orders.odcs.yaml"
        return parse_contract((text or contract_text(interval="PT24H")).encode(), shown)[0]

    def publish(self, *, has_null: bool) -> None:
        frame = pl.DataFrame({"id": [1, None if has_null else 2, 3], "city": ["a", "b", "c"]})
        frame.write_parquet(self.folder / "data" / "orders.parquet")

    def run(self, contract: Contract | None = None):
        return self.runner.run(contract or self.contract(), self.folder / "contracts")

    def states(self, product: str = "shop/orders") -> dict[Objective, ObjectiveState]:
        record = self.store.record(product)
        assert record is not None
        return {line.standing.objective: line.standing.state for line in record.lines}


@pytest.fixture
def bench(tmp_path: Path, workers: Workers) -> Iterator[Bench]:
    bench = Bench(tmp_path, workers)
    yield bench
    bench.store.close()


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
    monkeypatch.setattr(bench.store, "memory", lambda *_, **__: 1 / 0)
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
    memory = bench.store.memory("shop/orders", now=bench.time.now)
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

    bench.runner.withdraw(contract_of(card))

    assert [(one.kind, one.receiver) for one in bench.messages] == [
        (TransitionKind.OPENED, "second"),
        (TransitionKind.WITHDRAWN, "second"),
    ]


def test_a_run_under_way_does_not_bring_a_withdrawn_product_back(bench: Bench) -> None:
    bench.run()
    bench.runner.withdraw(bench.contract())

    assert bench.run() is None
    assert bench.store.products() == ()

    bench.runner.welcome("shop/orders")
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

    assert departed(cards, served=[bench.contract()], broken=frozenset()) == ()
    assert departed(cards, served=[], broken=frozenset({"contracts/orders.odcs.yaml"})) == ()
    (card,) = departed(cards, served=[], broken=frozenset())
    assert contract_of(card).product == "shop/orders"


def dated(**dates: datetime) -> str:
    levels = "".join(
        f"  - {{property: {name}, value: '{at.isoformat()}'}}\n" for name, at in dates.items()
    )
    return f"{contract_text(interval='PT24H')}slaProperties:\n{levels}"


def test_a_notice_that_was_not_saved_is_told_by_the_next_run_and_then_never_again(
    bench: Bench,
) -> None:
    ends = bench.contract(dated(endOfSupport=NOW + timedelta(days=31)))
    bench.run(ends)
    bench.time.pass_by(timedelta(days=1))
    bench.store.is_full = True
    bench.run(ends)
    bench.store.is_full = False
    bench.heart.beat()
    for _ in range(3):
        bench.run(ends)
        bench.runner.withdraw(ends)  # it leaves and comes back: what was told stays told
        bench.runner.welcome(ends.product)

    told = [(one.notice.days, one.receiver) for one in bench.messages if one.notice]
    assert told == [(90, "log"), (30, "log")]


def test_the_next_notice_is_looked_at_when_it_is_due(bench: Bench) -> None:
    bench.run(bench.contract(dated(endOfLife=NOW + timedelta(days=7, hours=1))))
    assert bench.looks == [("shop/orders", NOW + timedelta(hours=1, seconds=1))]


def test_after_its_life_nothing_is_checked_and_data_that_are_left_are_a_warning(
    bench: Bench,
) -> None:
    bench.publish(has_null=True)
    ends = bench.contract(dated(endOfLife=NOW + MINUTE))
    bench.run(ends)
    bench.time.pass_by(2 * MINUTE)

    left = bench.run(ends)
    (bench.folder / "data" / "orders.parquet").unlink()
    gone = bench.run(ends)

    assert left is not None
    assert gone is not None
    assert left.outcome is RunOutcome.WARNING
    assert {one.verdict.reason for one in left.results} == {
        "not due any more: the product's life has ended",
        "2 columns can still be read",
    }
    assert (gone.outcome, gone.readable, gone.error) == (RunOutcome.PASSED, None, "")
    assert set(bench.states().values()) == {ObjectiveState.GOOD}


def test_a_breach_is_told_with_the_input_that_is_broken(bench: Bench) -> None:
    source = bench.contract(contract_text("source", interval="PT24H"))
    text = contract_text("orders", interval="PT24H").replace("customProperties:\n", "", 1)
    own = f"{{property: contractwatch.inputs, value: [{{contract: {source.contract_id}}}]}}"
    text = text.replace("53581432-6c55", "53581433-6c55").replace(
        "  - property: contractwatch.schedule\n    value: {interval: PT24H}\n",
        f"customProperties: [{own}]\n",
    )
    made = bench.contract(text)
    registry = Registry([Published(one, bench.folder) for one in (source, made)])
    around = replace(bench.runner._around, registry=lambda: registry)
    bench.runner._around = around
    bench.publish(has_null=True)
    for contract in (source, source, made, made):
        bench.run(contract)
        bench.time.pass_by(MINUTE)

    (_, told) = bench.messages
    assert [(one.product, one.objectives) for one in told.upstream] == [
        ("shop/source", (Objective.COMPLETENESS,))
    ]
