"""Limit open connections, slow requests and log lines that clients can cause."""

import asyncio
import logging
import resource
import time
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

BACKLOG = 64
"""The number of connections accepted in a row before one of them is served."""

_MOST = 1000
_FEWEST = 16
_LINES_A_MINUTE = 10
_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of open connections and of request and answer times.

    `request_seconds` is from the opening, or from the answer before, to a whole request;
    `answer_seconds` from there until the client has taken the answer.
    """

    connections: int
    request_seconds: float = 10.0
    answer_seconds: float = 30.0


def connection_limit(chosen: int) -> int:
    """Return the limit of connections: as chosen, but at most a third of the open files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    third = _MOST if soft == resource.RLIM_INFINITY else max(_FEWEST, soft // 3)
    return min(chosen or _MOST, third)


class _OpenConnections:
    """The open connections of one server; idle ones, oldest first."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.silent: dict[_LimitedProtocol, None] = {}
        self.busy: set[_LimitedProtocol] = set()

    def make_place(self, newcomer: Any) -> None:
        """Close the connection that has been idle longest if the limit is reached."""
        if len(self.silent) + len(self.busy) < self.limits.connections:
            return
        oldest = next(iter(self.silent), None)
        if oldest is None:
            newcomer.abort()
            return
        del self.silent[oldest]
        oldest.transport.abort()


class _LimitedProtocol(H11Protocol):
    """Uvicorn's HTTP protocol with the connection limits."""

    room: _OpenConnections
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        self.room.make_place(transport)
        super().connection_made(transport)
        self._become_silent()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_answering() and self not in self.room.busy:
            self.room.silent.pop(self, None)
            self.room.busy.add(self)
            self._wait(self.room.limits.answer_seconds)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # a request that was sent in one piece with this one is answered next
        if not self.transport.is_closing() and not self._is_answering():
            self._become_silent()

    def connection_lost(self, exc: Exception | None) -> None:
        self.room.silent.pop(self, None)
        self.room.busy.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _become_silent(self) -> None:
        self.room.busy.discard(self)
        self.room.silent[self] = None
        self._wait(self.room.limits.request_seconds)

    def _is_answering(self) -> bool:
        # uvicorn declares it without the None that it begins with
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)


def limited_protocol(limits: ConnectionLimits) -> type[H11Protocol]:
    """Return uvicorn's HTTP protocol with these limits, for one server."""
    return type("Guarded", (_LimitedProtocol,), {"room": _OpenConnections(limits)})


def limit_log_rate() -> None:
    """Limit the rate of log lines that a client can cause in the server's libraries."""
    for name in ("asyncio", "uvicorn.error"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, LogRateLimit) for one in logger.filters):
            logger.addFilter(LogRateLimit())


class LogRateLimit(logging.Filter):
    """Logging filter: each message ten times a minute, then a count of those dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        key = (record.name, str(record.msg)[:200])
        now = time.monotonic()
        began, lines = self._seen.get(key, (now, 0))
        if now - began >= _MINUTE:
            left_out = max(0, lines - _LINES_A_MINUTE)
            began, lines = now, 0
            if left_out:
                record.msg = f"{record.getMessage()} ({left_out} such lines were left out)"
                record.args = ()
        if len(self._seen) > _MOST:
            self._seen.clear()
        self._seen[key] = (began, lines + 1)
        return lines < _LINES_A_MINUTE
