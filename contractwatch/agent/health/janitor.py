"""Remove expired rows from the record in small steps, so that no run waits."""

import threading
from datetime import datetime
from typing import Protocol

import structlog

from contractwatch.agent.clock import Clock, JumpWatch
from contractwatch.errors import StoreError

_PAUSE_SECONDS = 0.1
_MOST_STEPS = 10_000
_DOUBTFUL_JUMP_SECONDS = 3_600.0

_log = structlog.get_logger(__name__)


class Step(Protocol):
    """Protocol: the result of one step of compaction."""

    @property
    def removed(self) -> int: ...

    @property
    def more(self) -> bool: ...


class Compacting(Protocol):
    """Protocol: what the janitor needs of the store."""

    def compact(
        self, now: datetime, *, keep_runs: int, keep_run_days: float, keep_intervals_days: float
    ) -> Step: ...


class Janitor:
    """Delete expired runs, intervals and messages, at the start and daily."""

    def __init__(
        self,
        store: Compacting,
        *,
        clock: Clock,
        stop: threading.Event,
        keep_runs: int,
        keep_run_days: float,
        keep_intervals_days: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._jumps = JumpWatch(clock)
        self._stop = stop
        self._keep_runs = keep_runs
        self._keep_run_days = keep_run_days
        self._keep_intervals_days = keep_intervals_days

    def tidy(self) -> int:
        """Remove what is too old, step by step, until nothing is or the agent ends.

        Returns the rows removed. A store that fails is left for the next day, and so is everything
        where the clock went forward by more than time passed: what is old may only seem so.
        """
        jump = self._jumps.seconds()
        if jump > _DOUBTFUL_JUMP_SECONDS:
            _log.warning("not_tidied", problem="the clock jumped forward", seconds=round(jump))
            return 0
        removed = 0
        try:
            for _ in range(_MOST_STEPS):
                step = self._store.compact(
                    self._clock.now(),
                    keep_runs=self._keep_runs,
                    keep_run_days=self._keep_run_days,
                    keep_intervals_days=self._keep_intervals_days,
                )
                removed += step.removed
                if not step.more or self._stop.wait(_PAUSE_SECONDS):
                    break
        except StoreError as error:
            _log.warning("not_tidied", problem=str(error), kind=error.kind)
        if removed:
            _log.info("tidied", removed=removed)
        return removed
