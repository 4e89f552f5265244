"""Test bench of a runner, with a store, a worker, data, and a clock set by hand."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from agent_values import contract_text

from contractwatch.agent.clock import Clock
from contractwatch.agent.health.heartbeat import Heartbeat
from contractwatch.agent.health.outage import StoreOutage
from contractwatch.agent.run.runner import RunContext, Runner, RunSettings
from contractwatch.alerting.message import AlertingSetup
from contractwatch.errors import StoreError
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.base.receiver import Receiver, ReceiverKind
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.incident import Notification, Transition, TransitionKind, Urgency
from contractwatch.model.record.product import RunEntry
from contractwatch.model.record.run import RunOutcome
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.workers import JobFailed, JobOutcome, WorkerLimits, Workers
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

    def phase_took(self, phase: str, seconds: float) -> None: ...

    def read(self, source_kind: str, *, is_read: bool, file_bytes: int) -> None:
        self.reads.append((source_kind, is_read))
        self.bytes_read += file_bytes

    def evaluated(self, outcome: RunOutcome, *, was_late: bool) -> None:
        self.evaluations.append((outcome, was_late))

    def cancelled(self) -> None: ...

    def store_failed(self, kind: str) -> None:
        self.store_kinds.append(kind)

    def count_transitions(self, transitions: Iterable[Transition]) -> None:
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
    ) -> JobOutcome[Any]:
        return JobFailed(
            f"deadline of {deadline_seconds:g} s passed", deadline_seconds, was_late=True
        )


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
        self.outage = StoreOutage(clock)
        self.heart = Heartbeat(
            self.store, self.counted, clock=clock, outage=self.outage, limit=86_400
        )
        context = RunContext(
            store=self.store,
            workers=workers,
            clock=clock,
            series=self.counted,
            outage=self.outage,
            new_id=lambda: f"incident-{next(ids)}",
            enqueued=self.messages.extend,
            bring_forward=lambda product, at: self.looks.append((product, at)),
        )
        rules = RunSettings(
            environment="prod",
            roots=(folder / "data",),
            deadline_seconds=60,
            deadline_limit_seconds=60,
            default_interval=timedelta(minutes=15),
            reprobe=timedelta(minutes=5),
            alerting=AlertingSetup((LOG, SECOND), ("log",)),
        )
        self.rules, self.context = rules, context
        self.runner = Runner(rules, context)

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
