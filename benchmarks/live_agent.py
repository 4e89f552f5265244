"""Run a real `contractwatch run` in its own folder; read its output and its resource use.

Processor time and memory are those of the agent's process and of its workers; what it did is read
from its own log (JSON, level debug).
"""

import json
import math
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

SETTINGS = """\
contracts = ["contracts"]
roots = ["data"]
store_url = "sqlite:///record.db"
shortest_interval_seconds = 1
port = {port}
workers = {workers}
log_format = "json"
log_level = "debug"
"""

_WORKER_MB = 40  # multiprocessing's own small helper is no worker


@dataclass
class Used:
    """Processor seconds and memory, of the agent and of its workers."""

    agent_seconds: float = 0.0
    worker_seconds: float = 0.0
    agent_mb: float = 0.0
    worker_mb: list[float] = field(default_factory=list[float])


@dataclass(frozen=True)
class LiveAgent:
    """An agent at work."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def until(self, fact: Callable[[], bool], what: str) -> None:
        """Wait for a fact; the benchmark ends if the agent does before."""
        while not fact():
            if self.process.poll() is not None:
                said = self.log.read_text(encoding="utf-8")[-2000:]
                sys.exit(f"the agent ended before: {what}\n{said}")
            time.sleep(0.2)

    def is_ready(self) -> bool:
        """Whether it says that it is ready."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/readyz", timeout=2
            ) as answer:
                return int(answer.status) == 200
        except OSError:
            return False

    def skipped(self) -> str:
        """Return the ticks that got no run of their own, by reason."""
        found = self._series("contractwatch_scheduler_skipped_runs_total")
        return ", ".join(f"{labels} {value:.0f}" for labels, value in found.items())

    def phases(self) -> dict[str, float]:
        """Return the mean seconds of each phase of a run since its start, waits included."""
        name = "contractwatch_evaluation_duration_seconds"
        sums, counts = self._series(f"{name}_sum"), self._series(f"{name}_count")
        return {
            labels.split('"')[1]: total / max(1.0, counts[labels]) for labels, total in sums.items()
        }

    def _series(self, name: str) -> dict[str, float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        found = (line.removeprefix(name).rsplit(" ", 1) for line in lines if line.startswith(name))
        return {labels: float(value) for labels, value in found}

    def count(self, event: str) -> int:
        """Return how often it logged an event."""
        return self.log.read_bytes().count(f'"event": "{event}"'.encode())

    def lines(self) -> int:
        """Return how many lines it logged."""
        return self.log.read_bytes().count(b"\n")

    def events(self, start_line: int) -> list[dict[str, Any]]:
        """Return what it logged from a line on."""
        lines = self.log.read_text(encoding="utf-8").splitlines()[start_line:]
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def used(self) -> Used:
        """Return what it used up to now."""
        agent = psutil.Process(self.process.pid)
        used = Used(_cpu(agent), 0.0, _mb(agent))
        for child in agent.children(recursive=True):
            try:
                used.worker_seconds += _cpu(child)
                if _mb(child) > _WORKER_MB:
                    used.worker_mb.append(_mb(child))
            except psutil.NoSuchProcess:
                continue
        return used


@contextmanager
def live_agent(folder: Path, *, workers: int) -> Generator[LiveAgent]:
    """Start an agent in a folder that has `contracts` and `data`, and end it at last."""
    port = _free_port()
    settings = SETTINGS.format(port=port, workers=workers)
    (folder / "contractwatch.toml").write_text(settings, encoding="utf-8")
    log = folder / "agent.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "contractwatch", "run"],
            cwd=folder,
            stdout=sink,
            stderr=sink,
            env=os.environ | {"NO_COLOR": "1"},
        )
    try:
        yield LiveAgent(process, log, port)
    finally:
        process.terminate()
        process.wait(30)


def at_share(values: list[float], share: float) -> float:
    """Return the value of that rank among sorted values; 0 of none."""
    return values[min(len(values) - 1, math.ceil(share * len(values)) - 1)] if values else 0.0


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1024 / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
