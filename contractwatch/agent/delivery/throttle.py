"""Pauses and rate limits of receivers.

Pauses are counted on the clock that never jumps; the outbox remembers them for the next start.
"""

import math
import threading
from collections.abc import Callable

from contractwatch.model.base.receiver import Receiver

LONGEST_PAUSE_SECONDS = 900.0
"""No receiver silences the agent for longer; then it is asked again."""

_MINUTE = 60.0


class Throttle:
    """The earliest time of the next request to each receiver. Thread-safe."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}

    def wait_time_seconds(self, receiver: str) -> float:
        """Return how long to wait before the next request; 0 if it may be sent now."""
        with self._lock:
            return max(self._next.get(receiver, -math.inf) - self._monotonic(), 0.0)

    def pause(self, receiver: str, seconds: float) -> None:
        """Send nothing for that long, 15 minutes at most; a longer pause stands."""
        self._not_before(receiver, min(seconds, LONGEST_PAUSE_SECONDS))

    def count_requests(self, receiver: Receiver, requests: int) -> None:
        """Count requests against the receiver's limit per minute."""
        if receiver.most_per_minute > 0:
            self._not_before(receiver.name, _MINUTE / receiver.most_per_minute * max(requests, 1))

    def _not_before(self, receiver: str, seconds: float) -> None:
        with self._lock:
            until = self._monotonic() + seconds
            self._next[receiver] = max(self._next.get(receiver, -math.inf), until)
