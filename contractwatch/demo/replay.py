"""Replay the flights, break one promise after the other, and verify the alerts."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from contractwatch.demo.agent_process import AgentProcess
from contractwatch.demo.demo_folder import HOUR
from contractwatch.demo.faults import FAULTS, Fault
from contractwatch.demo.inbox import Inbox
from contractwatch.demo.publisher import Publisher
from contractwatch.model.base.objective import Objective
from contractwatch.model.record.incident import TransitionKind

Say = Callable[[str], None]

_TIMEOUT_SECONDS = 45.0
_TICK_SECONDS = 0.05
_DOWNTIME_SECONDS = 3.0


class Replay:
    """Replay in one thread: publish data, break it, restore it, and check the messages."""

    def __init__(self, publisher: Publisher, agent: AgentProcess, inbox: Inbox, say: Say) -> None:
        self._publisher = publisher
        self._agent = agent
        self._inbox = inbox
        self._say = say
        self._next_hour = 0.0
        self._shown = 0
        self.failures: list[str] = []

    def start(self) -> bool:
        """Publish, start the agent, and wait until every promise is kept."""
        self._publisher.start(datetime.now(UTC))
        self._next_hour = time.monotonic() + HOUR.total_seconds()
        self._say(f"live outputs are published in {self._publisher.folder}")
        self._agent.start()
        self._say(f"the agent runs; look at {self._agent.url}")
        if self._wait_until(self._all_kept, "every product to keep its promises"):
            self._say("all five products keep their promises")
            return True
        return False

    def replay_fault(self, fault: Fault) -> None:
        """Break one promise, wait for the alert, restore the data, wait for the resolution."""
        self._say(f"\n{fault.name}: {fault.words}")
        began = time.monotonic()
        before = len(self._inbox.messages)
        fault.inject(self._publisher)
        if fault.kills_agent:
            self._kill_and_restart()
        expected = f"an alert that {fault.product} {fault.objective} is broken"
        opened = TransitionKind.OPENED
        if self._wait_until(lambda: self._has_message(fault, opened, before), expected):
            self._say(f"  alerted after {time.monotonic() - began:.0f} s")
        restored = time.monotonic()
        self._publisher.restore(fault.table)
        self._say("  restored: the data is published as promised again")
        expected = f"a message that {fault.product} {fault.objective} is kept again"
        resolved = TransitionKind.RESOLVED
        if self._wait_until(lambda: self._has_message(fault, resolved, before), expected):
            self._say(f"  resolved after {time.monotonic() - restored:.0f} s")

    def keep_publishing(self, seconds: float) -> None:
        """Go on publishing for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._tick()

    def report(self) -> bool:
        """Print whether every fault was alerted and resolved, once, and nothing else was."""
        self.keep_publishing(2 * HOUR.total_seconds())
        expected = Counter(
            (fault.product, fault.objective, kind)
            for fault in FAULTS
            for kind in (TransitionKind.OPENED, TransitionKind.RESOLVED)
        )
        received = Counter(
            (product, objective, kind)
            for product, objective, kind, _ in {
                (one.product, one.objective, one.kind, one.key) for one in self._inbox.messages
            }
        )
        self.failures += [f"not alerted: {_words(one)}" for one in (expected - received).elements()]
        repeated = (received - expected).elements()
        self.failures += [f"alerted too often: {_words(one)}" for one in repeated]
        for failure in self.failures:
            self._say(f"FAILED: {failure}")
        if not self.failures:
            self._say(
                f"\nall {len(FAULTS)} faults were detected, alerted once and resolved: "
                f"{sum(received.values())} messages, {len(self._inbox.messages)} deliveries"
            )
        return not self.failures

    def _kill_and_restart(self) -> None:
        self._agent.kill()
        self._say("  the agent was killed (kill -9)")
        self.keep_publishing(_DOWNTIME_SECONDS)
        self._agent.start()
        self._say("  the agent was started again")

    def _has_message(self, fault: Fault, kind: TransitionKind, before: int) -> bool:
        wanted = (fault.product, fault.objective, kind)
        return any(
            (message.product, message.objective, message.kind) == wanted
            for message in self._inbox.messages[before:]
        )

    def _all_kept(self) -> bool:
        products = self._agent.get_json("api/v1/products")["products"]
        return len(products) == 5 and all(one["status"]["word"] == "kept" for one in products)  # noqa: PLR2004

    def _wait_until(self, is_done: Callable[[], bool], expected: str) -> bool:
        """Publish hour after hour until the condition holds; note a failure at the timeout."""
        end = time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < end:
            self._tick()
            if is_done():
                self._show_messages()
                return True
        self.failures.append(f"waited {_TIMEOUT_SECONDS:.0f} s in vain for {expected}")
        self._say(f"  {self.failures[-1]}")
        return False

    def _tick(self) -> None:
        if time.monotonic() >= self._next_hour:
            self._publisher.publish_hour(datetime.now(UTC))
            self._next_hour = time.monotonic() + HOUR.total_seconds()
        self._show_messages()
        time.sleep(_TICK_SECONDS)

    def _show_messages(self) -> None:
        for message in self._inbox.messages[self._shown :]:
            self._shown += 1
            self._say(f"  message: {message.title}")


def _words(one: tuple[str, Objective, TransitionKind]) -> str:
    product, objective, kind = one
    return f"{product} {objective} {kind}"


def log_tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of the agent's log; empty if there is none."""
    return (
        "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""
    )
