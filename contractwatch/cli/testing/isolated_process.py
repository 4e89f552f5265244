"""Run a scan in a child process with a memory limit and a deadline."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from contractwatch.errors import Blame
from contractwatch.model.record.run import Reading
from contractwatch.scan.scan import ScanJob, failed_reading, scan
from contractwatch.scan.workers import JobDone, JobFailed, WorkerLimits, Workers

DEADLINE_SECONDS = 3600
"""The longest that the data of one contract may take, unless a person says otherwise."""

LONGEST_DEADLINE_SECONDS = 31 * 86_400
"""The longest deadline that a person may set."""

LEAST_MB = 256
"""The least memory that reading is given, in megabytes."""

MOST_MB = 2**30
"""The most memory that a person may grant: more than any machine has."""

_MOST_SHARE = 0.8
_MEGABYTE = 1024 * 1024

T = TypeVar("T")


class IsolatedProcess:
    """A child process that runs scans; it is killed at its limits.

    A process that has more threads than one, as with Polars imported, cannot be copied: there the
    jobs are done in place, without a limit.
    """

    def __init__(self, *, memory_mb: int = 0, deadline_seconds: int = DEADLINE_SECONDS) -> None:
        """Prepare; nothing is started before it is needed.

        Args:
            memory_mb: What reading may take; 0 is four fifths of what is free.
            deadline_seconds: How long one job may take.
        """
        self._memory_mb = memory_mb
        self._deadline_seconds = deadline_seconds
        self._workers: Workers | None = None

    def read(self, job: ScanJob) -> Reading:
        """Return the reading of a scan; if the process fails, the reason is in it."""
        answer = self.call(scan, job)
        return (
            failed_reading(job, answer.reason, Blame.AGENT)
            if isinstance(answer, JobFailed)
            else answer
        )

    def call(self, job: Callable[[Any], T], argument: Any) -> T | JobFailed:
        """Call a function in the child process and return its result."""
        if self._workers is None:
            if "polars" in sys.modules or threading.active_count() > 1:
                return job(argument)
            limits = WorkerLimits(self._memory_mb or _free_mb(), threads=0)
            self._workers = Workers(1, limits, forks=True)
            self._workers.start()
        answer = self._workers.run(job, argument, deadline_seconds=self._deadline_seconds)
        if isinstance(answer, JobDone):
            return answer.value
        return answer if isinstance(answer, JobFailed) else JobFailed("stopped", 0.0)

    def close(self) -> None:
        """End the child process, if there is one."""
        if self._workers is not None:
            self._workers.close()


def _free_mb() -> int:
    """Return four fifths of the memory that nobody uses, in megabytes."""
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        told = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
        free = min(free, *(kilobytes * 1024 for kilobytes in told))
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        free = min(free, int(limit)) if limit.isdecimal() else free
    except OSError:  # not Linux, or no group of its own
        pass
    return max(LEAST_MB, int(_MOST_SHARE * free) // _MEGABYTE)
