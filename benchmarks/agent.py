"""Scheduling lateness: two thousand small contracts on a five-minute schedule.

A real `contractwatch run` works on a folder of contracts with a small parquet file each, for at
least one whole interval after every contract was run once. Lateness is started minus due, from the
agent's own log; processor time and memory are those of the agent and of its workers.

    python -m benchmarks.agent
    python -m benchmarks.agent --contracts 200 --interval 30     # the same rate, in a minute
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.live_agent import LiveAgent, Used, at_share, live_agent

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: benchmark-{number:05d}
name: product-{number:05d}
domain: benchmark
version: 1.0.0
status: active
servers:
  - {{server: live, environment: prod, type: local, path: ../data/{number:05d}.parquet,
      format: parquet}}
team: {{name: benchmark}}
schema:
  - name: events
    logicalType: object
    quality:
      - {{metric: rowCount, mustBeGreaterThan: 0}}
    properties:
      - {{name: id, logicalType: integer, required: true, unique: true}}
      - {{name: kind, logicalType: string, required: true, logicalTypeOptions: {{maxLength: 10}}}}
      - {{name: amount, logicalType: number, logicalTypeOptions: {{minimum: 0}}}}
customProperties:
  - property: contractwatch.schedule
    value: {{interval: PT{interval}S}}
"""


def main() -> None:
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="contractwatch-bench-") as name:
        folder = Path(name)
        _lay_out(folder, given)
        with live_agent(folder, workers=given.workers) as agent:
            _watch(agent, given)


def _watch(agent: LiveAgent, given: argparse.Namespace) -> None:
    began = time.monotonic()
    agent.until(agent.is_ready, "ready")
    ready = time.monotonic() - began
    agent.until(lambda: agent.count("run_finished") >= given.contracts, "every contract ran")
    first = time.monotonic() - began
    start_line = agent.lines()
    before = agent.used()
    since = time.monotonic()
    most = Used()
    while time.monotonic() - since < given.minutes * 60:
        time.sleep(1)
        now = agent.used()
        most.agent_mb = max(most.agent_mb, now.agent_mb)
        most.worker_mb = [
            max(pair) for pair in zip(now.worker_mb, most.worker_mb or now.worker_mb, strict=False)
        ]
    seconds = time.monotonic() - since
    after = agent.used()
    print(
        f"{given.contracts} contracts every {given.interval} s, {given.workers} workers, "
        f"{os.cpu_count()} processors, {seconds:.0f} s measured"
    )
    print(f"start:    ready after {ready:.1f} s, every contract run once after {first:.1f} s")
    worst = _print_runs(agent.events(start_line), given, seconds, before=before, after=after)
    print(
        f"memory:   {most.agent_mb:.0f} MB the agent, "
        f"{', '.join(f'{mb:.0f}' for mb in most.worker_mb)} MB its workers"
    )
    print(f"skipped:  {agent.skipped()}")
    if worst > given.interval:
        sys.exit("a run was late by more than its interval")


def _print_runs(
    events: list[dict[str, Any]],
    given: argparse.Namespace,
    seconds: float,
    *,
    before: Used,
    after: Used,
) -> float:
    """Print what the runs cost; return the longest lateness in seconds."""
    lags = sorted(one["lag_seconds"] for one in events if one["event"] == "run_started")
    runs = [one for one in events if one["event"] == "run_finished"]
    scans = sorted(one["seconds"] for one in runs)
    outcomes = {one["outcome"] for one in runs}
    agent_cpu = after.agent_seconds - before.agent_seconds
    worker_cpu = after.worker_seconds - before.worker_seconds
    print(
        f"runs:     {len(runs)} ({len(runs) / seconds:.2f} a second), outcomes {outcomes}, "
        f"due in that time {seconds * given.contracts / given.interval:.0f}"
    )
    print(
        f"lateness: p50 {at_share(lags, 0.5):.3f} s, p99 {at_share(lags, 0.99):.3f} s, "
        f"max {lags[-1]:.3f} s; interval {given.interval} s; "
        f"late by more than it: {sum(lag > given.interval for lag in lags)}"
    )
    print(
        f"a run:    p50 {at_share(scans, 0.5) * 1000:.0f} ms, "
        f"p99 {at_share(scans, 0.99) * 1000:.0f} ms from start to verdict"
    )
    print(
        f"a run:    {1000 * agent_cpu / len(runs):.1f} ms of processor in the agent, "
        f"{1000 * worker_cpu / len(runs):.1f} ms in a worker"
    )
    print(
        f"cpu:      {100 * agent_cpu / seconds:.1f} % of a core in the agent, "
        f"{100 * worker_cpu / seconds:.1f} % in its workers"
    )
    return lags[-1]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contracts", type=int, default=2000)
    parser.add_argument("--interval", type=int, default=300, help="seconds between two runs")
    parser.add_argument("--minutes", type=float, default=None, help="how long is measured")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=int, default=1000, help="rows of each file")
    given = parser.parse_args()
    given.minutes = given.minutes or 1.05 * given.interval / 60
    return given


def _lay_out(folder: Path, given: argparse.Namespace) -> None:
    (folder / "contracts").mkdir()
    (folder / "data").mkdir()
    rows = pl.DataFrame({"id": range(given.rows)}).with_columns(
        kind=pl.lit("order"), amount=pl.col("id") * 0.5
    )
    for number in range(given.contracts):
        text = CONTRACT.format(number=number, interval=given.interval)
        (folder / "contracts" / f"{number:05d}.odcs.yaml").write_text(text, encoding="utf-8")
        rows.write_parquet(folder / "data" / f"{number:05d}.parquet")


if __name__ == "__main__":
    main()
