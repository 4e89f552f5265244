"""The agent's heartbeat, and its answers to liveness and readiness probes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from contractwatch.agent.clock import Clock, JumpWatch
from contractwatch.agent.health.outage import StoreOutage
from contractwatch.errors import StoreError
from contractwatch.model.record.incident import Urgency

_log = structlog.get_logger(__name__)


class WaitingMessages(Protocol):
    """Messages of one receiver and urgency that are not done."""

    @property
    def receiver(self) -> str: ...

    @property
    def urgency(self) -> Urgency: ...

    @property
    def pending(self) -> int: ...

    @property
    def oldest_created_at(self) -> datetime: ...


class HeartbeatStore(Protocol):
    """Protocol: what a heartbeat needs of the store."""

    def beat(self, now: datetime) -> None: ...

    def outbox_counts(self) -> Iterable[WaitingMessages]: ...


class HeartbeatSeries(Protocol):
    """Protocol: series of the heartbeat and the outbox."""

    def beat(self, at: datetime) -> None: ...

    def clock_jumped(self, seconds: float) -> None: ...

    def store_failed(self, kind: str) -> None: ...

    def outbox(
        self, receiver: str, urgency: Urgency, pending: int, oldest: datetime | None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Health:
    """Liveness and readiness of the agent, and the reasons in words."""

    alive: bool
    ready: bool
    words: str


class Heartbeat:
    """Write heartbeats at the scheduler's call, so that a later start finds the gap."""

    def __init__(
        self,
        store: HeartbeatStore,
        series: HeartbeatSeries,
        *,
        clock: Clock,
        outage: StoreOutage,
        limit: float,
    ) -> None:
        """Prepare; `limit` is the age in seconds from which on the agent is dead."""
        self._store = store
        self._series = series
        self._clock = clock
        self._outage = outage
        self._limit = limit
        self._jumps = JumpWatch(clock)
        self._last_beat = clock.monotonic()
        self._waited: set[tuple[str, Urgency]] = set()
        self.is_loaded = False
        self.polling_status: Callable[[], str] = str

    def beat(self) -> None:
        """Write that the agent is at work; a failure is taken as an outage of the store."""
        now = self._clock.now()
        self._last_beat = self._clock.monotonic()
        self._series.beat(now)
        jump = self._jumps.seconds()
        if jump:
            self._series.clock_jumped(jump)
            _log.warning("clock_jumped", seconds=round(jump, 1))
        try:
            self._store.beat(now)
            self._count_waiting()
        except StoreError as error:
            self._series.store_failed(error.kind)
            self._outage.failed(error, of_run=False)
            return
        self._outage.heartbeat_saved()

    def age_seconds(self) -> float:
        """Return how long ago the last beat was."""
        return self._clock.monotonic() - self._last_beat

    def is_dead(self) -> bool:
        """Whether the scheduler has stopped beating."""
        return self.age_seconds() > self._limit

    def health(self) -> Health:
        """Return the state of the agent, without waiting for anything."""
        age = self.age_seconds()
        if age > self._limit:
            return Health(alive=False, ready=False, words=f"no heartbeat for {age:.0f} s")
        if not self.is_loaded:
            return Health(alive=True, ready=False, words="the contracts are being read")
        kind = self._outage.kind()
        if kind:
            return Health(alive=True, ready=False, words=f"the store cannot be written ({kind})")
        status = self.polling_status()
        return Health(alive=True, ready=True, words=f"ok; {status}" if status else "ok")

    def _count_waiting(self) -> None:
        """Count what waits for each receiver; one that waited at the last heartbeat only gets 0."""
        before, self._waited = self._waited, set()
        for waiting in self._store.outbox_counts():
            self._waited.add((waiting.receiver, waiting.urgency))
            self._series.outbox(
                waiting.receiver, waiting.urgency, waiting.pending, waiting.oldest_created_at
            )
        for receiver, urgency in before - self._waited:
            self._series.outbox(receiver, urgency, 0, None)
