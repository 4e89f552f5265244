"""Bound the time and the memory that reading one contract may take."""

import resource
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from contractwatch.errors import ContractError, Problem

DEADLINE_SECONDS = 60.0
"""The longest that one contract may be read: the agent gives each 10 s, on a quiet machine."""

MEMORY_MB = 768
"""How much memory reading one contract may add; the agent gives its reader as much in all."""

_AGAIN_SECONDS = 0.5
"""The alarm rings again: what is raised within a callback of the interpreter is swallowed there."""

_MEGABYTE = 1024 * 1024


class _LateError(BaseException):
    """Raised at the deadline; not an Exception that code on the way would catch."""


@contextmanager
def bounded(
    file: Path | str, *, seconds: float = DEADLINE_SECONDS, memory_mb: int = MEMORY_MB
) -> Generator[None]:
    """Context manager that limits the time and the memory of its block, in this process.

    Only the main thread can be interrupted: in another one there is no bound.

    Raises:
        ContractError: If it takes longer, or more memory; the problem names the file.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _interrupt)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, _lowered(limits, memory_mb))
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        yield
    except _LateError as late:
        signal.setitimer(signal.ITIMER_REAL, 0)
        why = f"reading it takes longer than {seconds:g} s"
        raise _too_large(file, why) from late
    except MemoryError as short:
        raise _too_large(file, f"reading it takes more than {memory_mb} MB of memory") from short
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise _LateError


def _too_large(file: Path | str, why: str) -> ContractError:
    message = f"{why}; expected a smaller contract: split it"
    return ContractError((Problem(str(file), 0, "", message),))


def _lowered(limits: tuple[int, int], memory_mb: int) -> tuple[int, int]:
    """Return the limits with the first one lowered to what is used now, and so much more."""
    soft, hard = limits
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):  # not Linux
        return limits
    least = pages * resource.getpagesize() + memory_mb * _MEGABYTE
    bounds = [bound for bound in (soft, hard) if bound != resource.RLIM_INFINITY]
    return min([least, *bounds]), hard
