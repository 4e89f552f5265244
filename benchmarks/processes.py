"""Measure whole processes, start-up included, in alternating pairs (A B A B).

The kernel counts; a ratio is taken within its pair, and the median of the pairs is told.
On a shared machine the processor's time is the figure to trust: wall time counts the neighbours.
"""

import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import psutil

DATA = Path(__file__).parent / "data"
KEPT_OR_BROKEN = (0, 1)
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


COLUMNS: dict[str, Callable[[Cost], float]] = {
    "wall s": lambda cost: cost.wall_seconds,
    "CPU s": lambda cost: cost.cpu_seconds,
    "peak MiB": lambda cost: cost.peak_mib,
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A process beyond either is ended."""

    seconds: float
    mib: float


class EndedError(Exception):
    """A process did not end as expected; the text says how."""


def cost_of(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    limit: Limit | None = None,
) -> Cost:
    """Run a process to its end and return what the kernel counted for it and its children.

    Raises:
        EndedError: If it ends with anything but kept (0) or broken (1), or is beyond the limit.
    """
    start = perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**as_installed(), **(environment or {})},
        cwd=cwd,
    )
    stopped: list[str] = []
    if limit is not None:
        threading.Thread(target=_watch, args=(process, limit, stopped), daemon=True).start()
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if stopped:
        raise EndedError(stopped[0])
    if process.returncode not in KEPT_OR_BROKEN:
        raise EndedError(f"{command[0]} ended with {process.returncode}:\n{printed.decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _watch(process: subprocess.Popen[bytes], limit: Limit, stopped: list[str]) -> None:
    started = perf_counter()
    while process.returncode is None:
        sleep(_LOOK_SECONDS)
        try:
            used = psutil.Process(process.pid).memory_info().rss / 2**20
        except psutil.NoSuchProcess:
            return
        if used > limit.mib:
            stopped.append(f"ended beyond {limit.mib:.0f} MiB")
        elif perf_counter() - started > limit.seconds:
            stopped.append(f"ended after {limit.seconds:.0f} s")
        if stopped:
            process.kill()
            return


def as_installed() -> dict[str, str]:
    """Return an environment in which modules are compiled once, as installers do it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(DATA / "bytecode")}


def paired(other: Sequence[str], ours: Sequence[str], count: int) -> list[tuple[Cost, Cost]]:
    """Return the costs of two commands that alternate, after one run of each that is not kept."""
    for command in (other, ours):
        cost_of(command)
    return [(cost_of(other), cost_of(ours)) for _ in range(count)]


def told(pairs: Sequence[tuple[Cost, Cost]]) -> list[str]:
    """Return the medians of the second one's costs, then of the pairs' ratios, for a table."""
    costs = (median(of(ours) for _, ours in pairs) for of in COLUMNS.values())
    ratios = (median(of(ours) / of(other) for other, ours in pairs) for of in COLUMNS.values())
    return [f"{each:.2f}" for each in (*costs, *ratios)]
