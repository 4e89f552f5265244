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

from contractwatch.engines.core.memory_budget import KEY_BYTES
from contractwatch.scan.wire import send

_POLL_SECONDS = 0.05
_START_SECONDS = 60.0
_END_SECONDS = 1.0
_KEPT_SHARE = 0.6
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MEGABYTE = 1024 * 1024
_OOM_SCORE = "500"

T = TypeVar("T")
_Pipe: TypeAlias = "Connection[Any, Any]"
_Context: TypeAlias = SpawnContext | ForkContext


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What each worker gets: megabytes of memory, and threads of its own; 0: one for each core."""

    memory_mb: int
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """The job's own result, and the seconds it took."""

    value: T
    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The job has no result; `reason` says why. `was_late` marks a passed deadline."""

    reason: str
    seconds: float
    was_late: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The pool was closed before the job was done."""


Answer: TypeAlias = Answered[T] | Failed | Cancelled


class PoolGauge(Protocol):
    """Hears how many workers are busy."""

    def workers_busy(self, busy: int) -> None: ...


class Workers:
    """A fixed number of warm workers; `run` blocks the caller until one has done its job."""

    def __init__(
        self,
        count: int,
        limits: WorkerLimits,
        *,
        warm: tuple[str, ...] = (),
        gauge: PoolGauge | None = None,
        forks: bool = False,
    ) -> None:
        """Prepare the pool; `start` starts it.

        Args:
            count: Workers.
            limits: What each of them gets.
            warm: Modules that each worker imports before its first job.
            gauge: Hears the number of busy workers.
            forks: Workers begin as copies of this process, at once. It is for a process that has
                no other thread, and has not imported Polars, which would not survive it.
        """
        self._limits = limits
        self._warm = warm
        self._gauge = gauge
        can_fork = forks and "fork" in multiprocessing.get_all_start_methods()
        spawn = multiprocessing.get_context("spawn")
        self._context = multiprocessing.get_context("fork") if can_fork else spawn
        self._slots = [_Slot(self._context, limits, warm) for _ in range(count)]
        self._free: LifoQueue[_Slot] = LifoQueue()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._busy = 0

    def start(self) -> None:
        """Start every worker; they warm up side by side."""
        for slot in self._slots:
            slot.start()
            self._free.put(slot)

    def run(self, job: Callable[[Any], T], argument: Any, *, deadline_seconds: float) -> Answer[T]:
        """Run `job(argument)` in a worker; the deadline counts from when one is free.

        `job` is a function of a module, `argument` and the result can be pickled.
        """
        slot = self._take()
        if slot is None:
            return Cancelled()
        self._count(1)
        try:
            answer = slot.run(job, argument, deadline_seconds, self._closed)
        finally:
            self._count(-1)
            self._free.put(slot)
        return cast("Answer[T]", answer)

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers that are alive."""
        return tuple(pid for slot in self._slots if (pid := slot.pid()) is not None)

    def close(self) -> None:
        """Kill every worker, busy or not; jobs under way end as `Cancelled`."""
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
    """One worker's place: whoever is in it is replaced when dead. Used by one thread at a time."""

    def __init__(self, context: _Context, limits: WorkerLimits, warm: tuple[str, ...]) -> None:
        self._context = context
        self._limits = limits
        self._warm = warm
        self._process: SpawnProcess | ForkProcess | None = None
        self._pipe: _Pipe | None = None

    def start(self) -> None:
        """Put a new worker into the place, and do not wait for it."""
        ours, theirs = cast("tuple[_Pipe, _Pipe]", self._context.Pipe())
        process = self._context.Process(
            target=_work, args=(theirs, self._limits, self._warm), name="contractwatch-worker"
        )
        process.daemon = True
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours

    def pid(self) -> int | None:
        """Return the worker's process id; None when nobody is alive here."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def run(
        self,
        job: Callable[[Any], Any],
        argument: Any,
        deadline_seconds: float,
        closed: threading.Event,
    ) -> Answer[Any]:
        """Do one job, replacing the worker before it if it died idle and after it if it had to go.

        Steps: 1 a worker that answers, 2 send, 3 wait for the answer, 4 replace who is gone.
        """
        failure = self._ready(closed)
        if failure is not None:
            return failure
        began = monotonic()
        try:
            send(self._pipe_now(), (job, argument))
            answer = self._answer(began, deadline_seconds, closed)
        except (EOFError, OSError):
            answer = Failed(self._death(), monotonic() - began)
        if not closed.is_set() and (not isinstance(answer, Answered) or self._is_fat()):
            self._replace()
        return Cancelled() if closed.is_set() and isinstance(answer, Failed) else answer

    def _is_fat(self) -> bool:
        """Whether what an allocator kept would count against the next job."""
        return _resident_bytes(self.pid()) > _KEPT_SHARE * self._limits.memory_mb * _MEGABYTE

    def kill(self) -> None:
        """End the worker at once."""
        process = self._process
        if process is not None:
            process.kill()
            process.join(_END_SECONDS)

    def _pipe_now(self) -> _Pipe:
        assert self._pipe is not None
        return self._pipe

    def _ready(self, closed: threading.Event) -> Failed | Cancelled | None:
        """Ask whether somebody is there, and replace who does not answer, twice."""
        for _ in range(2):
            if self._is_there(closed):
                return None
            if closed.is_set():
                return Cancelled()
            self._replace()
        return None if self._is_there(closed) else Failed("worker cannot be started", 0.0)

    def _is_there(self, closed: threading.Event) -> bool:
        if self.pid() is None:
            return False
        pipe, began = self._pipe_now(), monotonic()
        try:
            pipe.send(None)
            while not closed.is_set() and monotonic() - began < _START_SECONDS:
                if pipe.poll(0.2):
                    return pipe.recv() == _THERE
        except (EOFError, OSError):
            return False
        return False

    def _answer(
        self, began: float, deadline_seconds: float, closed: threading.Event
    ) -> Answer[Any]:
        pipe = self._pipe_now()
        limit_bytes = self._limits.memory_mb * _MEGABYTE
        while not closed.is_set():
            left = deadline_seconds - (monotonic() - began)
            if pipe.poll(max(0.0, min(_POLL_SECONDS, left))):
                is_done, value = cast("tuple[bool, Any]", pipe.recv())
                seconds = monotonic() - began
                return (
                    Answered(value, seconds) if is_done else _raised(value, seconds, self._limits)
                )
            if left <= 0:
                reason = f"deadline of {deadline_seconds:g} s passed"
                return Failed(reason, monotonic() - began, was_late=True)
            if _resident_bytes(self.pid()) > limit_bytes:
                return Failed(_over_memory(self._limits), monotonic() - began)
        return Cancelled()

    def _death(self) -> str:
        """Say how the worker ended; polars aborts by itself when over the limit it was given."""
        process = self._process
        assert process is not None
        process.join(_END_SECONDS)
        if process.exitcode == -signal.SIGABRT:
            return _over_memory(self._limits)
        if process.exitcode == -signal.SIGKILL:
            return "worker was killed from outside (the system does so when memory runs out)"
        return f"worker ended (exit code {process.exitcode})"

    def _replace(self) -> None:
        if isinstance(self._context, SpawnContext):
            _log_death(self._process)
        self.kill()
        if self._pipe is not None:
            self._pipe.close()
        self.start()


def _log_death(process: SpawnProcess | ForkProcess | None) -> None:
    # Imported for a death only: the command line, which has a worker and no log, loads this file.
    import structlog  # noqa: PLC0415 - see above

    log = structlog.get_logger(__name__)
    log.warning("worker_replaced", pid=process.pid if process else None)


_THERE = "there"


def _over_memory(limits: WorkerLimits) -> str:
    return f"worker ended (memory limit of {limits.memory_mb} MB)"


def _raised(kind: str, seconds: float, limits: WorkerLimits) -> Failed:
    reason = _over_memory(limits) if kind == MemoryError.__name__ else f"scan raised {kind}"
    return Failed(reason, seconds)


def _resident_bytes(pid: int | None) -> int:
    """Return the memory a process holds; 0 where the system does not tell (not Linux)."""
    if pid is None:
        return 0
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * _PAGE_BYTES


def _work(pipe: _Pipe, limits: WorkerLimits, warm: tuple[str, ...]) -> None:
    """Live as a worker.

    1 take the limits into the environment, before polars is imported and reads them, 2 end with
    the parent, 3 warm up, 4 answer jobs until the pipe is closed.
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
    for module in warm:
        import_module(module)
    _say_nothing_more()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            asked = cast("tuple[Callable[[Any], Any], Any] | None", pipe.recv())
            send(pipe, _THERE if asked is None else _outcome(*asked))


def _say_nothing_more() -> None:
    """Close the error stream: a library that panics writes there, and may quote what it read."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)


def _outcome(job: Callable[[Any], Any], argument: Any) -> tuple[bool, Any]:
    try:
        return True, job(argument)
    except Exception as error:  # the boundary of the worker: told by its class
        return False, type(error).__name__


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
