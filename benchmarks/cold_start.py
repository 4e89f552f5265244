"""Cold start of the command: ratio to the import of the engine that it needs.

Commands run in turn, one after the other, so that a machine that gets slower slows them alike; each
ratio is the median of the ratios of the rounds. CPU seconds are those of a command and of the
processes that it starts. Modules are compiled before, as installers do it.

Run: python -m benchmarks.cold_start
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import as_installed
from contractwatch.slo.gate import EXIT_UNREACHABLE

ROUNDS = 9
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: orders.csv, format: csv}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
      - name: state
        logicalType: string
        quality:
          - {metric: nullValues, mustBe: 0}
"""
ROWS = "id,state\n" + "".join(f"{number},open\n" for number in range(10))

NOBODY = "http://127.0.0.1:1"


def cpu_seconds(words: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        env=as_installed(),
    )
    if done.returncode != (EXIT_UNREACHABLE if NOBODY in words else 0):
        raise SystemExit(f"{' '.join(words)}: exit code {done.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="contractwatch-cold-"))
    (folder / "orders.csv").write_text(ROWS)
    contract = folder / "orders.odcs.yaml"
    contract.write_text(CONTRACT)
    tool = [sys.executable, "-m", "contractwatch"]
    commands = {
        "import polars": [sys.executable, "-c", "import polars"],
        "contractwatch test, ten rows": [*tool, "test", str(contract)],
        "contractwatch test --metadata-only": [*tool, "test", str(contract), "--metadata-only"],
        "contractwatch lint": [*tool, "lint", str(contract)],
        "contractwatch test --help": [*tool, "test", "--help"],
        "contractwatch gate --help": [*tool, "gate", "--help"],
        "contractwatch gate --url, no agent": [*tool, "gate", "a/b", "--url", NOBODY],
        "contractwatch --version": [*tool, "--version"],
    }
    try:
        for words in commands.values():
            cpu_seconds(words)
        seconds = [
            {name: cpu_seconds(words) for name, words in commands.items()} for _ in range(ROUNDS)
        ]
    finally:
        shutil.rmtree(folder)
    print(f"cold start, {ROUNDS} rounds, {os.cpu_count()} cores; median CPU s; ratio to the import")
    for name in commands:
        middle = statistics.median(one[name] for one in seconds)
        ratio = statistics.median(one[name] / one["import polars"] for one in seconds)
        print(f"{name:36} {middle:7.2f} {ratio:7.2f}")


if __name__ == "__main__":
    main()
