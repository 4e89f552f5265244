"""Replay the flights, break one promise after the other and verify what is told."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from contractwatch.demo.agent_process import AgentProcess
from contractwatch.demo.faults import FAULTS, Fault
from contractwatch.demo.inbox import Inbox
from contractwatch.demo.publisher import Publisher
from contractwatch.demo.stage import HOUR
from contractwatch.model.base.objective import Objective
from contractwatch.model.record.incident import TransitionKind

Say = Callable[[str], None]

_PATIENCE_SECONDS = 45.0
_BEAT_SECONDS = 0.05
_DEAD_SECONDS = 3.0


class Story:
    """Publishes, breaks and heals in one thread; listens to what is told meanwhile."""

    def __init__(self, publisher: Publisher, agent: AgentProcess, inbox: Inbox, say: Say) -> None:
        self._publisher = publisher
        self._agent = agent
        self._inbox = inbox
        self._say = say
        self._next_hour = 0.0
        self._heard = 0
        self.failures: list[str] = []

    def begin(self) -> bool:
        """Publish, start the agent, and wait until every promise is kept."""
        self._publisher.start(datetime.now(UTC))
        self._next_hour = time.monotonic() + HOUR.total_seconds()
        self._say(f"live outputs are published in {self._publisher.folder}")
        self._agent.start()
        self._say(f"the agent runs; look at {self._agent.url}")
        if self._go_on(self._all_kept, "every product keeps its promises"):
            self._say("all five products keep their promises")
            return True
        return False

    def chapter(self, fault: Fault) -> None:
        """Break one promise, wait until it is told, heal it, wait until that is told."""
        self._say(f"\n{fault.name}: {fault.words}")
        began = time.monotonic()
        before = len(self._inbox.told)
        fault.inject(self._publisher)
        if fault.kills_agent:
            self._kill_and_restart()
        told = f"{fault.product} {fault.objective} is told as broken"
        if self._go_on(lambda: self._was_told(fault, TransitionKind.OPENED, before), told):
            self._say(f"  told after {time.monotonic() - began:.0f} s")
        healed = time.monotonic()
        self._publisher.heal(fault.table)
        self._say("  healed: the data is published as promised again")
        told = f"{fault.product} {fault.objective} is told as kept again"
        if self._go_on(lambda: self._was_told(fault, TransitionKind.RESOLVED, before), told):
            self._say(f"  resolved after {time.monotonic() - healed:.0f} s")

    def linger(self, seconds: float) -> None:
        """Go on publishing for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._beat()

    def verdict(self) -> bool:
        """Say whether all that should have been told was told, once; and nothing else."""
        self.linger(2 * HOUR.total_seconds())
        expected = Counter(
            (fault.product, fault.objective, kind)
            for fault in FAULTS
            for kind in (TransitionKind.OPENED, TransitionKind.RESOLVED)
        )
        told = Counter(
            (product, objective, kind)
            for product, objective, kind, _ in {
                (one.product, one.objective, one.kind, one.key) for one in self._inbox.told
            }
        )
        self.failures += [f"not told: {_words(one)}" for one in (expected - told).elements()]
        self.failures += [f"told too often: {_words(one)}" for one in (told - expected).elements()]
        for failure in self.failures:
            self._say(f"FAILED: {failure}")
        if not self.failures:
            self._say(
                f"\nall {len(FAULTS)} faults were detected, told once and resolved: "
                f"{sum(told.values())} messages, {len(self._inbox.told)} deliveries"
            )
        return not self.failures

    def _kill_and_restart(self) -> None:
        self._agent.kill()
        self._say("  the agent was killed (kill -9)")
        self.linger(_DEAD_SECONDS)
        self._agent.start()
        self._say("  the agent was started again")

    def _was_told(self, fault: Fault, kind: TransitionKind, before: int) -> bool:
        return any(
            (told.product, told.objective, told.kind) == (fault.product, fault.objective, kind)
            for told in self._inbox.told[before:]
        )

    def _all_kept(self) -> bool:
        products = self._agent.ask("api/v1/products")["products"]
        return len(products) == 5 and all(one["status"]["word"] == "kept" for one in products)  # noqa: PLR2004

    def _go_on(self, is_done: Callable[[], bool], hoped: str) -> bool:
        """Publish hour after hour until it is so; note a failure when patience ends."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            self._beat()
            if is_done():
                self._show_messages()
                return True
        self.failures.append(f"waited {_PATIENCE_SECONDS:.0f} s in vain until {hoped}")
        self._say(f"  {self.failures[-1]}")
        return False

    def _beat(self) -> None:
        if time.monotonic() >= self._next_hour:
            self._publisher.publish_hour(datetime.now(UTC))
            self._next_hour = time.monotonic() + HOUR.total_seconds()
        self._show_messages()
        time.sleep(_BEAT_SECONDS)

    def _show_messages(self) -> None:
        for told in self._inbox.told[self._heard :]:
            self._heard += 1
            self._say(f"  message: {told.title}")


def _words(one: tuple[str, Objective, TransitionKind]) -> str:
    product, objective, kind = one
    return f"{product} {objective} {kind}"


def log_tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of the agent's log, for when something went wrong."""
    return (
        "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""
    )
