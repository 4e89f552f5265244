"""The clock: wall time and monotonic time, injected by the composition root."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

JUMP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock: `now` is aware UTC time, `monotonic` seconds that never go back."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]


def system_clock() -> Clock:
    """Return the machine's clock."""
    return Clock(now=lambda: datetime.now(UTC), monotonic=time.monotonic)


class JumpWatch:
    """Detect jumps of the wall clock against the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = clock.now()
        self._ticks = clock.monotonic()

    def seconds(self) -> float:
        """Return how far the wall clock jumped since the last call; 0 below five seconds."""
        wall, ticks = self._clock.now(), self._clock.monotonic()
        jump = (wall - self._wall).total_seconds() - (ticks - self._ticks)
        self._wall, self._ticks = wall, ticks
        return jump if abs(jump) > JUMP_SECONDS else 0.0
