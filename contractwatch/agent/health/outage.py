"""Pause evaluation while the store is not writable."""

import threading

import structlog

from contractwatch.agent.clock import Clock
from contractwatch.errors import StoreError

_REMIND_SECONDS = 60.0
_OUTAGES = frozenset({"locked", "readonly", "full", "io"})

_log = structlog.get_logger(__name__)


class StoreOutage:
    """Track whether the store fails, since when, and whether runs may be tried.

    After a failure nothing runs until a heartbeat was written again; then runs are tried, and the
    outage is over with the first of them that is saved.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None
        self._is_run = False
        self._may_run = True
        self._reminded: float | None = None
        self._reason = ""
        self._kind = ""

    def failed(self, error: StoreError, *, of_run: bool) -> bool:
        """Take a failure; return whether it is an outage (a contradiction is not)."""
        if error.kind not in _OUTAGES:
            return False
        now = self._clock.monotonic()
        with self._lock:
            self._since = self._since if self._since is not None else now
            self._is_run = self._is_run or of_run
            self._may_run = False
            self._reason, self._kind = str(error), error.kind
            is_due = self._reminded is None or now - self._reminded >= _REMIND_SECONDS
            lasted = now - self._since
            if is_due:
                self._reminded = now
        if is_due:
            _log.critical(
                "store_not_writable",
                problem=str(error),
                kind=error.kind,
                seconds=round(lasted),
                consequence="nothing is evaluated until it is writable again; nothing is lost",
            )
        return True

    def heartbeat_saved(self) -> None:
        """Take a heartbeat that was saved: runs may be tried again."""
        with self._lock:
            self._may_run = True
            is_over = self._since is not None and not self._is_run
        if is_over:
            self._end()

    def saved(self) -> None:
        """Take a run that was saved: the outage, if there was one, is over."""
        if self._since is not None:
            self._end()

    def may_run(self) -> bool:
        """Whether a run may be tried now."""
        return self._may_run

    def lasted_seconds(self) -> float:
        """Return how long the outage lasts by now; 0 when there is none."""
        since = self._since
        return 0.0 if since is None else self._clock.monotonic() - since

    def reason(self) -> str:
        """Return what is wrong, in a sentence; empty when nothing is."""
        return self._reason

    def kind(self) -> str:
        """Return what is wrong in one word, without the place; empty when nothing is."""
        return self._kind

    def _end(self) -> None:
        with self._lock:
            self._since, self._is_run, self._may_run = None, False, True
            self._reminded, self._reason, self._kind = None, "", ""
        _log.warning("store_writable_again")
