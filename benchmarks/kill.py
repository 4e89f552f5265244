"""Durability: kill the agent at random moments and count what is lost.

A process that commits incidents to a real store and delivers them over real HTTP is ended by
SIGKILL at random points, again and again, beside a receiver that misbehaves. At the end each
incident's beginning and end must have been taken at least once, under one key, in order.

    python -m benchmarks.kill --incidents 500 --kills 30
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import structlog

from benchmarks.messages import card_of
from benchmarks.receiver import Receiver, Seen, misbehaving
from contractwatch.agent.delivery.dispatcher import Dispatcher, DispatchTiming
from contractwatch.alerting.incidents import update_incidents
from contractwatch.alerting.message import AlertingSetup, notifications
from contractwatch.channels import ChannelContext
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.base.receiver import Receiver as ReceiverSetting
from contractwatch.model.base.receiver import ReceiverKind, SecretRef
from contractwatch.model.contract.contract import AlertPolicy, Contract, Status
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.incident import Incident, Phase
from contractwatch.model.record.product import RunEntry
from contractwatch.model.record.run import CheckResult, Observation
from contractwatch.store.store import Store

RECEIVERS = 4
SEND_SECONDS = 0.5
PACE = DispatchTiming(backoff_scale=0.01, poll_seconds=0.2, lease_margin_seconds=0.5)
STAGES = 4  # bad, bad: opened; good, good: resolved
LONGEST_SECONDS = 600.0
POINTS = ("starting", "sending", "recording", "any time")


def _product(number: int) -> str:
    return f"bench/product-{number:05d}"


# ---- the process that is killed


def live(database: Path, url: str, incidents: int) -> None:
    """Commit what is left of the incidents' lives while delivering; end when all is told.

    Nothing but the store says how far the lives before this one came.
    """
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    store = Store.open(f"sqlite:///{database}")
    store.lock()
    receivers = tuple(
        ReceiverSetting(
            f"owners-{number}",
            ReceiverKind.WEBHOOK,
            url=url,
            allow_private=True,
            timeout_seconds=SEND_SECONDS,
        )
        for number in range(RECEIVERS)
    )
    sender = Dispatcher(store, receivers, ChannelContext(_no_secret, None, _now), pace=PACE)
    stop = threading.Event()
    sending = threading.Thread(target=sender.run, args=(stop,))
    sending.start()
    print("ready", flush=True)
    for stage in range(STAGES):
        for number in range(incidents):
            _advance(store, sender, receivers, number, stage)
    while store.outbox_counts():
        time.sleep(0.05)
    stop.set()
    sending.join()
    store.close()


def _advance(
    store: Store,
    sender: Dispatcher,
    receivers: tuple[ReceiverSetting, ...],
    number: int,
    stage: int,
) -> None:
    """Observe the product once more, unless a life before this one got as far."""
    product, now = _product(number), _now()
    known = store.product_state(product, now=now).incidents
    if _stages_done(known) != stage:
        return
    observation = _observation(is_bad=stage < STAGES // 2)
    changed, transitions = update_incidents(
        known,
        [observation],
        product=product,
        now=now,
        policy=AlertPolicy(),
        new_id=lambda: f"inc-{number:05d}",
    )
    receiver = receivers[number % len(receivers)]
    told = notifications(
        transitions,
        contract=_contract(product),
        setup=AlertingSetup(receivers, (receiver.name,)),
        budgets={},
        costs={},
        now=now,
    )
    store.commit(RunEntry(card_of(product), now, None, (), (), changed, transitions, told))
    sender.enqueued(told)


def _stages_done(incidents: tuple[Incident, ...]) -> int:
    if not incidents:
        return 0
    phases = [Phase.PENDING, Phase.OPEN, Phase.RECOVERING, Phase.RESOLVED]
    return 1 + phases.index(incidents[0].phase)


def _observation(*, is_bad: bool) -> Observation:
    if not is_bad:
        return Observation(Objective.UNIQUENESS, ObjectiveState.GOOD)
    promise = Promise(
        promise_id="orders-contract/orders/order_id/unique",
        kind="unique",
        clause=Clause("schema[0].properties[0].unique", 41),
        table="orders",
        column="order_id",
        severity=Severity.ERROR,
        dimension=Dimension.UNIQUENESS,
        objective=Objective.UNIQUENESS,
        expected="at most 0 duplicate rows",
    )
    verdict = Verdict(Outcome.FAILED, observed=17, rows=1_204_331, violations=17)
    failed = (CheckResult(promise, verdict),)
    return Observation(Objective.UNIQUENESS, ObjectiveState.BAD, failed)


def _contract(product: str) -> Contract:
    domain, _, name = product.partition("/")
    return Contract(
        file="contracts/orders.odcs.yaml",
        fingerprint="f" * 64,
        contract_id=f"{name}-contract",
        name=name,
        version="1.4.0",
        status=Status.ACTIVE,
        api_version="v3.1.0",
        domain=domain,
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _no_secret(ref: SecretRef) -> str:
    raise LookupError(ref.name)


# ---- who kills it, and counts


@dataclass
class Result:
    """What came of it. All but `repeated` and `seconds` must be 0 for the promise to hold."""

    incidents: int
    kills: int = 0
    taken: int = 0
    repeated: int = 0
    lost: int = 0
    strangers: int = 0
    keys_changed: int = 0
    out_of_order: int = 0
    left_in_outbox: int = 0
    dead_letters: int = 0
    seconds: float = 0.0
    killed_at: Counter[str] = field(default_factory=Counter)

    @property
    def holds(self) -> bool:
        broken = self.lost + self.keys_changed + self.out_of_order + self.strangers
        return broken + self.left_in_outbox + self.dead_letters == 0


def run(folder: Path, *, incidents: int, kills: int, seed: int = 1) -> Result:
    """Kill the process so often while it works through the incidents, then let it end and count.

    Raises:
        RuntimeError: If the process failed by itself, or had nothing left to be killed at.
    """
    began = time.monotonic()
    result = Result(incidents)
    asked = _Asked()
    with Receiver(misbehaving(seed), on_seen=asked.note) as receiver:
        killer = _Killer(
            command=_command(folder / "record.db", receiver.url, incidents),
            log=folder / "process.log",
            # So few requests a life that there is work left for the last one.
            share=max(2 * incidents // (kills + 1), 1),
            asked=asked,
            chance=random.Random(seed),
        )
        for _ in range(kills):
            result.killed_at[killer.one_life()] += 1
            result.kills += 1
        killer.last_life()
        _count(receiver.taken, result)
    _look_into(folder / "record.db", result)
    result.seconds = time.monotonic() - began
    return result


class _Asked:
    """Counts the requests that the receiver read, and can be waited on."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def note(self, seen: Seen) -> None:
        """Count one; called by the receiver before it answers."""
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait(self, count: int, *, seconds: float) -> bool:
        """Wait until so many were read; False if the time was over first."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, timeout=seconds)


@dataclass
class _Killer:
    """Starts the process and ends it, each time at another point."""

    command: list[str]
    log: Path
    share: int
    asked: _Asked
    chance: random.Random

    def one_life(self) -> str:
        """Start the process, kill it, and return at which point."""
        point = self.chance.choices(POINTS, (1, 4, 3, 3))[0]
        with self._started() as process:
            if point == "starting":
                time.sleep(self.chance.uniform(0.0, 0.6))
            else:
                self._await_ready(process)
                self._await_point(point)
            process.send_signal(signal.SIGKILL)
            if process.wait() != -signal.SIGKILL:
                raise RuntimeError(f"the process ended before it was killed: {self._last_words()}")
        return point

    def last_life(self) -> None:
        """Let the process work until all is told."""
        with self._started() as process:
            self._await_ready(process)
            if process.wait(LONGEST_SECONDS) != 0:
                raise RuntimeError(f"the process failed: {self._last_words()}")

    @contextmanager
    def _started(self) -> Iterator["subprocess.Popen[bytes]"]:
        with self.log.open("ab") as errors:
            process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=errors)
        with process:
            try:
                yield process
            finally:
                process.kill()

    def _await_ready(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the process did not start: {self._last_words()}")

    def _await_point(self, point: str) -> None:
        before = self.asked.count
        if point == "any time":
            self.asked.wait(before + self.share, seconds=self.chance.uniform(0.0, 0.5))
            return
        self.asked.wait(before + self.chance.randint(1, self.share), seconds=60.0)
        if point == "recording":
            time.sleep(self.chance.uniform(0.0, 0.02))

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2_000:]


def _command(database: Path, url: str, incidents: int) -> list[str]:
    words = ["--live", str(database), "--url", url, "--incidents", str(incidents)]
    return [sys.executable, "-m", "benchmarks.kill", *words]


def _count(taken: list[Seen], result: Result) -> None:
    keys: dict[tuple[str, str], set[str]] = {}
    last: dict[str, str] = {}
    for seen in taken:
        event = json.loads(seen.body)
        product, kind = event["subject"], event["type"].rpartition(".")[2]
        result.strangers += event["id"] != seen.headers["webhook-id"]
        result.out_of_order += kind == "opened" and last.get(product) == "resolved"
        keys.setdefault((product, kind), set()).add(event["id"])
        last[product] = kind
    expected = {
        (_product(number), kind)
        for number in range(result.incidents)
        for kind in ("opened", "resolved")
    }
    result.taken = len(taken)
    result.repeated = len(taken) - len(keys)
    result.lost = len(expected - keys.keys())
    result.strangers += len(keys.keys() - expected)
    distinct = set().union(*keys.values())
    # More than one key of one message, or one key of two messages.
    result.keys_changed = sum(len(each) > 1 for each in keys.values())
    result.keys_changed += abs(len(distinct) - len(keys))


def _look_into(database: Path, result: Result) -> None:
    store = Store.open(f"sqlite:///{database}", read_only=True)
    result.left_in_outbox = sum(each.pending for each in store.outbox_counts())
    result.dead_letters = len(store.dead_letters())
    store.close()


def main() -> None:
    """Kill, count, and print what came of it; exit 1 if the promise did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=500)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--live", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.live is not None:
        live(options.live, options.url, options.incidents)
        return
    print(f"seed {options.seed}: killing the sender of {options.incidents} incidents ...")
    with tempfile.TemporaryDirectory() as folder:
        result = run(
            Path(folder), incidents=options.incidents, kills=options.kills, seed=options.seed
        )
    for name, value in vars(result).items():
        shown = dict(value) if isinstance(value, Counter) else value
        print(
            f"{name.replace('_', ' '):>16}  {shown:.1f}"
            if name == "seconds"
            else f"{name.replace('_', ' '):>16}  {shown}"
        )
    print("nothing was lost" if result.holds else "THE PROMISE DID NOT HOLD")
    sys.exit(0 if result.holds else 1)


if __name__ == "__main__":
    main()
