"""Whole runs a second that one agent records, on small tables with 20 checks.

A real `contractwatch run` (real SQLite, real workers) serves many contracts, each on a parquet file
of its own with 1,000 rows. A run counts when it is recorded; the file of each contract gets a new
time of modification before every tick, so that every run finds a new version and reads it. Two
agents are measured, one after the other:

  most     more is due than can be done: the runs that were recorded a second are the limit
  steady   runs are due at a fixed rate, spread by the agent: the time from due to recorded

    python -m benchmarks.throughput
    python -m benchmarks.throughput --seconds 10 --only most     # a quick look
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.live_agent import LiveAgent, at_share, live_agent

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: throughput-{number:05d}
name: product-{number:05d}
domain: benchmark
version: 1.0.0
status: active
servers:
  - {{server: live, environment: prod, type: local, path: ../data/{number:05d}.parquet,
      format: parquet}}
team: {{name: benchmark}}
schema:
  - name: orders
    logicalType: object
    quality:
      - {{metric: rowCount, mustBeBetween: [1, 1000000]}}
      - {{metric: duplicateValues, arguments: {{properties: [id, email]}}, mustBe: 0}}
    properties:
      - {{name: id, logicalType: integer, required: true, unique: true}}
      - {{name: kind, logicalType: string, required: true, quality: [
          {{metric: invalidValues, arguments: {{validValues: [order, return]}}, mustBe: 0}}]}}
      - {{name: amount, logicalType: number, required: true, logicalTypeOptions: {{minimum: 0}}}}
      - {{name: email, logicalType: string, logicalTypeOptions: {{pattern: '^[^@]+@[^@]+$'}}}}
      - {{name: ordered_at, logicalType: timestamp}}
slaProperties:
  - {{property: latency, value: 100, unit: y, element: orders.ordered_at}}
customProperties:
  - property: contractwatch.schedule
    value: {{interval: PT{interval}S}}
"""


@dataclass(frozen=True)
class Offer:
    """So many contracts, each due every `interval` seconds."""

    name: str
    contracts: int
    interval: int


def main() -> None:
    given = _arguments()
    offers = (
        Offer("most", given.contracts, max(1, round(given.contracts / given.most))),
        Offer("steady", given.contracts, max(1, round(given.contracts / given.steady))),
    )
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors, load {load:.1f} before, {given.workers} workers")
    for offer in offers:
        if given.only in ("", offer.name):
            _measure(offer, given)


def _measure(offer: Offer, given: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="contractwatch-bench-") as name:
        folder = Path(name)
        _lay_out(folder, offer, given.rows)
        with (
            live_agent(folder, workers=given.workers) as agent,
            _new_data(folder / "data", offer.interval),
        ):
            agent.until(agent.is_ready, "ready")
            agent.until(lambda: agent.count("run_finished") >= 2 * offer.contracts, "warm")
            start_line, before, since = agent.lines(), agent.used(), time.monotonic()
            time.sleep(given.seconds)
            seconds = time.monotonic() - since
            after = agent.used()
            events = agent.events(start_line)
            _print(offer, events, seconds)
            runs = max(1, sum(event["event"] == "run_finished" for event in events))
            of_agent = after.agent_seconds - before.agent_seconds
            of_workers = after.worker_seconds - before.worker_seconds
            print(
                f"  processor: {1000 * of_agent / runs:.1f} ms a run in the agent, "
                f"{1000 * of_workers / runs:.1f} ms in a worker; {of_agent / seconds:.2f} and "
                f"{of_workers / seconds:.2f} processors, load {os.getloadavg()[0]:.1f}"
            )
            _print_end(agent)


def _print(offer: Offer, events: list[dict[str, Any]], seconds: float) -> None:
    runs = [event for event in events if event["event"] == "run_finished"]
    waits = _due_to_recorded(events)
    print(
        f"{offer.name}: {offer.contracts} contracts every {offer.interval} s "
        f"({offer.contracts / offer.interval:.0f} a second are due), {seconds:.0f} s"
    )
    print(
        f"  recorded:  {len(runs)} runs, {len(runs) / seconds:.1f} a second, outcomes "
        f"{sorted({run['outcome'] for run in runs})}, "
        f"coverage {sorted({run['coverage'] for run in runs})}"
    )
    print(
        f"  due to recorded: p50 {at_share(waits, 0.5) * 1000:.0f} ms, "
        f"p99 {at_share(waits, 0.99) * 1000:.0f} ms, longest {at_share(waits, 1) * 1000:.0f} ms"
    )


def _print_end(agent: LiveAgent) -> None:
    used = agent.used()
    workers = ", ".join(f"{mb:.0f}" for mb in used.worker_mb)
    print(f"  memory:    {used.agent_mb:.0f} MB the agent, {workers} MB its workers")
    phases = ", ".join(f"{name} {1000 * mean:.0f}" for name, mean in agent.phases().items())
    print(f"  phases:    mean ms, waits included: {phases}")
    print(f"  without a run of their own: {agent.skipped()}")


def _due_to_recorded(events: list[dict[str, Any]]) -> list[float]:
    """Return the seconds from the tick to the committed run, of each run, sorted."""
    due: dict[str, datetime] = {}
    waits: list[float] = []
    for event in events:
        if event["event"] == "run_started":
            lag = timedelta(seconds=event["lag_seconds"])
            due[event["product"]] = datetime.fromisoformat(event["timestamp"]) - lag
        elif event["event"] == "run_finished" and event["product"] in due:
            recorded = datetime.fromisoformat(event["timestamp"])
            waits.append((recorded - due.pop(event["product"])).total_seconds())
    return sorted(waits)


@contextmanager
def _new_data(folder: Path, interval: int) -> Generator[None]:
    """Give each file a new time of modification before each tick of its contract."""
    stop = threading.Event()
    files = sorted(folder.iterdir())

    def touch() -> None:
        while not stop.wait(interval / 2):
            for file in files:
                os.utime(file)

    thread = threading.Thread(target=touch)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _lay_out(folder: Path, offer: Offer, rows: int) -> None:
    (folder / "contracts").mkdir()
    (folder / "data").mkdir()
    table = pl.DataFrame({"id": range(rows)}).select(
        "id",
        kind=pl.when(pl.col("id") % 7 == 0).then(pl.lit("return")).otherwise(pl.lit("order")),
        amount=pl.col("id") * 0.5,
        email=pl.format("person-{}@example.org", "id"),
        ordered_at=pl.lit(datetime(2026, 1, 1, tzinfo=UTC)) + pl.duration(minutes="id"),
    )
    for number in range(offer.contracts):
        text = CONTRACT.format(number=number, interval=offer.interval)
        (folder / "contracts" / f"{number:05d}.odcs.yaml").write_text(text, encoding="utf-8")
        table.write_parquet(folder / "data" / f"{number:05d}.parquet")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contracts", type=int, default=300)
    parser.add_argument("--rows", type=int, default=1000, help="rows of each file")
    parser.add_argument("--most", type=float, default=150, help="runs due a second, over the limit")
    parser.add_argument("--steady", type=float, default=50, help="runs due a second, steadily")
    parser.add_argument("--seconds", type=float, default=60, help="how long each is measured")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=["most", "steady"], default="", help="one of the two")
    return parser.parse_args()


if __name__ == "__main__":
    main()
