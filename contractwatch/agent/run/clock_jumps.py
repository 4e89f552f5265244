"""Handle jumps of the wall clock: record unwatched time, realign the schedule, run all again."""

import threading
from collections.abc import Callable

import structlog

from contractwatch.agent.clock import Clock, JumpWatch
from contractwatch.agent.run.resume import ResumeStore, resume
from contractwatch.errors import StoreError

_log = structlog.get_logger(__name__)


class ClockJumps:
    """Detect a jump of the wall clock before anything is dated with the new time.

    After a jump forward the agent cannot tell a suspended machine from a clock that is wrong: the
    time since the last heartbeat is unknown, as it is after a stop. After a jump back, what was
    found meanwhile is dated in the future, and so unknown. Both last until the products are run
    again, which is why all of them are run soon.
    """

    def __init__(
        self,
        clock: Clock,
        store: ResumeStore,
        *,
        realign: Callable[[], None],
        run_all_soon: Callable[[], None],
    ) -> None:
        """Watch from now on.

        Args:
            clock: The clock to watch.
            store: The record of the products.
            realign: Brings forward what is scheduled by a time that has not come again.
            run_all_soon: Has every product run soon.
        """
        self._clock = clock
        self._store = store
        self._realign = realign
        self._run_all_soon = run_all_soon
        self._watch = JumpWatch(clock)
        self._lock = threading.Lock()

    def notice(self) -> float:
        """Handle a jump since the last call, and return its seconds; 0 if there was none.

        Callers on other threads wait until a jump is handled.
        """
        with self._lock:
            seconds = self._watch.seconds()
            if not seconds:
                return 0.0
            try:
                if seconds > 0:
                    resume(self._store, self._clock)
            except StoreError as error:
                _log.error("jump_not_recorded", problem=str(error), kind=error.kind)
            self._realign()
            self._run_all_soon()
            return seconds
