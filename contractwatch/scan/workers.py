"""Pool of scan processes, each killed when over its deadline or its memory limit.

Kept by hand: with `pebble` 5.2, when an idle worker is killed its pool is broken for good
("Unexpected error within the Pool"), and all its workers share one pipe and one lock, which a
killed one may hold. Here every worker has a pipe of its own and one thread that speaks to it at a
time, so a death costs that worker only.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkContext, ForkProcess, SpawnContext, SpawnProcess
from pathlib import Path
from queue import Empty, LifoQueue
from time import monotonic
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

from contractwatch.engines.core.job_deadline import JOB_ENDS
from contractwatch.engines.core.memory_budget import KEY_BYTES
from contractwatch.scan.wire import send

_POLL_SECONDS = 0.05
_START_SECONDS = 60.0
_END_SECONDS = 1.0
_RECYCLE_SHARE = 0.6
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MEGABYTE = 1024 * 1024
_OOM_SCORE = "500"

T = TypeVar("T")
_Pipe: TypeAlias = "Connection[Any, Any]"
_Context: TypeAlias = SpawnContext | ForkContext


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Limits of each worker: megabytes of memory, and Polars threads; 0 is one for each core."""

    memory_mb: int
    threads: int = 1


@dataclass(frozen=True, slots=True)
class JobDone(Generic[T]):
    """Result of a job, and the seconds that it took."""

    value: T
    seconds: float


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A job without a result, and the reason; `was_late` marks a passed deadline."""

    reason: str
    seconds: float
    was_late: bool = False


@dataclass(frozen=True, slots=True)
class JobCancelled:
    """A job that was not done before the pool was closed."""


JobOutcome: TypeAlias = JobDone[T] | JobFailed | JobCancelled


class BusyGauge(Protocol):
    """Receives the number of busy workers."""

    def workers_busy(self, busy: int) -> None: ...


class Workers:
    """Pool of a fixed number of warm workers; `run` blocks until one has done the job."""

    def __init__(
        self,
        count: int,
        limits: WorkerLimits,
        *,
        preload: tuple[str, ...] = (),
        gauge: BusyGauge | None = None,
        forks: bool = False,
    ) -> None:
        """Prepare the pool; `start` starts it.

        Args:
            count: Workers.
            limits: What each of them gets.
            preload: Modules that each worker imports before its first job.
            gauge: Receives the number of busy workers.
            forks: Fork workers instead of spawning them, which is faster. The process must have no
                other thread, and must not have imported Polars, which does not survive a fork.
        """
        self._limits = limits
        self._preload = preload
        self._gauge = gauge
        can_fork = forks and "fork" in multiprocessing.get_all_start_methods()
        spawn = multiprocessing.get_context("spawn")
        self._context = multiprocessing.get_context("fork") if can_fork else spawn
        self._slots = [_Slot(self._context, limits, preload) for _ in range(count)]
        self._free: LifoQueue[_Slot] = LifoQueue()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._busy = 0

    def start(self) -> None:
        """Start every worker; they import their modules at the same time."""
        for slot in self._slots:
            slot.start()
            self._free.put(slot)

    def run(
        self, job: Callable[[Any], T], argument: Any, *, deadline_seconds: float
    ) -> JobOutcome[T]:
        """Run `job(argument)` in a worker; the deadline counts from when one is free.

        `job` is a function of a module, `argument` and the result can be pickled.
        """
        slot = self._take()
        if slot is None:
            return JobCancelled()
        self._count(1)
        try:
            answer = slot.run(job, argument, deadline_seconds, self._closed)
        finally:
            self._count(-1)
            self._free.put(slot)
        return cast("JobOutcome[T]", answer)

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers that are alive."""
        return tuple(pid for slot in self._slots if (pid := slot.pid()) is not None)

    def close(self) -> None:
        """Kill every worker, busy or not; jobs under way end as `JobCancelled`."""
        self._closed.set()
        for slot in self._slots:
            slot.kill()

    def _take(self) -> "_Slot | None":
        while not self._closed.is_set():
            with suppress(Empty):
                return self._free.get(timeout=0.2)
        return None

    def _count(self, step: int) -> None:
        with self._lock:
            self._busy += step
            if self._gauge is not None:
                self._gauge.workers_busy(self._busy)


class _Slot:
    """Place of one worker, which is replaced when it died. Used by one thread at a time."""

    def __init__(self, context: _Context, limits: WorkerLimits, preload: tuple[str, ...]) -> None:
        self._context = context
        self._limits = limits
        self._preload = preload
        self._process: SpawnProcess | ForkProcess | None = None
        self._pipe: _Pipe | None = None

    def start(self) -> None:
        """Start a new worker, without waiting for it."""
        ours, theirs = cast("tuple[_Pipe, _Pipe]", self._context.Pipe())
        process = self._context.Process(
            target=_worker_main,
            args=(theirs, self._limits, self._preload),
            name="contractwatch-worker",
        )
        process.daemon = True
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours

    def pid(self) -> int | None:
        """Return the worker's process id; None if it is not alive."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def run(
        self,
        job: Callable[[Any], Any],
        argument: Any,
        deadline_seconds: float,
        closed: threading.Event,
    ) -> JobOutcome[Any]:
        """Do one job; replace the worker before it if it died idle, and after it if it failed.

        Steps: 1 get a worker that responds, 2 send, 3 wait for the result, 4 replace a dead worker.
        """
        failure = self._ensure_responding(closed)
        if failure is not None:
            return failure
        began = monotonic()
        try:
            send(self._open_pipe(), (job, argument, deadline_seconds))
            answer = self._wait_for_result(began, deadline_seconds, closed)
        except (EOFError, OSError):
            answer = JobFailed(self._exit_reason(), monotonic() - began)
        if not closed.is_set() and (
            not isinstance(answer, JobDone) or self._holds_too_much_memory()
        ):
            self._replace()
        return JobCancelled() if closed.is_set() and isinstance(answer, JobFailed) else answer

    def _holds_too_much_memory(self) -> bool:
        """Return whether memory that the allocator retains would limit the next job."""
        return _resident_bytes(self.pid()) > _RECYCLE_SHARE * self._limits.memory_mb * _MEGABYTE

    def kill(self) -> None:
        """End the worker at once."""
        process = self._process
        if process is not None:
            process.kill()
            process.join(_END_SECONDS)

    def _open_pipe(self) -> _Pipe:
        assert self._pipe is not None
        return self._pipe

    def _ensure_responding(self, closed: threading.Event) -> JobFailed | JobCancelled | None:
        """Ping the worker, and replace it if it does not respond, twice."""
        for _ in range(2):
            if self._responds(closed):
                return None
            if closed.is_set():
                return JobCancelled()
            self._replace()
        return None if self._responds(closed) else JobFailed("worker cannot be started", 0.0)

    def _responds(self, closed: threading.Event) -> bool:
        if self.pid() is None:
            return False
        pipe, began = self._open_pipe(), monotonic()
        try:
            pipe.send(None)
            while not closed.is_set() and monotonic() - began < _START_SECONDS:
                if pipe.poll(0.2):
                    return pipe.recv() == _PONG
        except (EOFError, OSError):
            return False
        return False

    def _wait_for_result(
        self, began: float, deadline_seconds: float, closed: threading.Event
    ) -> JobOutcome[Any]:
        pipe = self._open_pipe()
        limit_bytes = self._limits.memory_mb * _MEGABYTE
        while not closed.is_set():
            left = deadline_seconds - (monotonic() - began)
            if pipe.poll(max(0.0, min(_POLL_SECONDS, left))):
                is_done, value = cast("tuple[bool, Any]", pipe.recv())
                seconds = monotonic() - began
                return (
                    JobDone(value, seconds)
                    if is_done
                    else _exception_failure(value, seconds, self._limits)
                )
            if left <= 0:
                reason = f"deadline of {deadline_seconds:g} s passed"
                return JobFailed(reason, monotonic() - began, was_late=True)
            if _resident_bytes(self.pid()) > limit_bytes:
                return JobFailed(_over_memory_reason(self._limits), monotonic() - began)
        return JobCancelled()

    def _exit_reason(self) -> str:
        """Return how the worker ended; Polars itself aborts when over its memory limit."""
        process = self._process
        assert process is not None
        process.join(_END_SECONDS)
        if process.exitcode == -signal.SIGABRT:
            return _over_memory_reason(self._limits)
        if process.exitcode == -signal.SIGKILL:
            return "worker was killed from outside (the system does so when memory runs out)"
        return f"worker ended (exit code {process.exitcode})"

    def _replace(self) -> None:
        if isinstance(self._context, SpawnContext):
            _log_replacement(self._process)
        self.kill()
        if self._pipe is not None:
            self._pipe.close()
        self.start()


def _log_replacement(process: SpawnProcess | ForkProcess | None) -> None:
    # Imported for a death only: the command line, which has a worker and no log, loads this file.
    import structlog  # noqa: PLC0415 - see above

    log = structlog.get_logger(__name__)
    log.warning("worker_replaced", pid=process.pid if process else None)


_PONG = "there"


def _over_memory_reason(limits: WorkerLimits) -> str:
    return f"worker ended (memory limit of {limits.memory_mb} MB)"


def _exception_failure(kind: str, seconds: float, limits: WorkerLimits) -> JobFailed:
    reason = _over_memory_reason(limits) if kind == MemoryError.__name__ else f"scan raised {kind}"
    return JobFailed(reason, seconds)


def _resident_bytes(pid: int | None) -> int:
    """Return the resident memory of a process; 0 where /proc is missing (not Linux)."""
    if pid is None:
        return 0
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * _PAGE_BYTES


def _worker_main(pipe: _Pipe, limits: WorkerLimits, preload: tuple[str, ...]) -> None:
    """Run as a worker process.

    1 set the limits in the environment, before Polars is imported and reads them, 2 end with
    the parent, 3 import modules, 4 run jobs until the pipe is closed.
    """
    # An interrupt of the terminal reaches the whole group: only the agent decides about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if limits.threads:
        os.environ["POLARS_MAX_THREADS"] = str(limits.threads)
    os.environ["POLARS_OOC_MEMORY_BUDGET_MB"] = str(limits.memory_mb // 2)
    KEY_BYTES.set(limits.memory_mb * _MEGABYTE // 2)
    os.environ["POLARS_OOMKILL_THRESHOLD_MB"] = str(limits.memory_mb)
    # Another planner of Iceberg tables would itself open whatever their record names.
    os.environ["POLARS_ICEBERG_PLANNER"] = "pyiceberg"
    with suppress(OSError):  # the kernel, if it must, takes a worker before the agent
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for module in preload:
        import_module(module)
    _silence_stderr()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            asked = cast("tuple[Callable[[Any], Any], Any, float] | None", pipe.recv())
            send(pipe, _PONG if asked is None else _run_job(*asked))


def _silence_stderr() -> None:
    """Redirect stderr to null: a library that panics writes there, and may quote the data."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)


def _run_job(job: Callable[[Any], Any], argument: Any, seconds: float) -> tuple[bool, Any]:
    JOB_ENDS.set(monotonic() + seconds)
    try:
        return True, job(argument)
    except Exception as error:  # the boundary of the worker: told by its class
        return False, type(error).__name__


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
