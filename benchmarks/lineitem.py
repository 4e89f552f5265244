"""What a verdict on six million rows costs beside the hand-written query, in one run.

Both are whole processes, start-up included, that alternate; the ratio of each pair is taken before
the median. `contractwatch test` reads the contract, plans, scans, judges and writes its report.

Run: python -m benchmarks.lineitem [--scale 1] [--pairs 5]
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
DATA = HERE / "data"
CONTRACT = HERE / "lineitem.odcs.yaml"
BY_HAND = HERE / "lineitem_by_hand.py"
SCRIPTS = Path(sys.executable).parent


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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=float, default=1.0, help="1 is 6 million rows")
    arguments.add_argument("--pairs", type=int, default=5)
    asked = arguments.parse_args()
    folder = DATA / f"scale-{asked.scale:g}"
    rows = make_data(folder, asked.scale)
    ours = [str(SCRIPTS / "contractwatch"), "test", str(folder / CONTRACT.name)]
    by_hand = [sys.executable, str(BY_HAND), str(rows)]
    pairs = [(cost_of(by_hand), cost_of(ours)) for _ in range(asked.pairs)]
    report(pairs, f"lineitem, scale {asked.scale:g}, parquet, {asked.pairs} pairs")


def make_data(folder: Path, scale: float) -> Path:
    """Return the parquet file, made once; the contract is put where its path leads to the file."""
    made = folder / "data" / "lineitem.parquet"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        tool = [str(SCRIPTS / "tpchgen-cli"), "parquet", "-s", f"{scale:g}"]
        subprocess.run([*tool, "--tables=lineitem", f"--output-dir={made.parent}"], check=True)
    shutil.copy(CONTRACT, folder)
    return made


def cost_of(command: Sequence[str]) -> Cost:
    """Run a process to its end and return what the kernel counted for it and its children."""
    start = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}:\n{printed.decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def report(pairs: Sequence[tuple[Cost, Cost]], title: str) -> None:
    table = Table(title=title, caption="medians; a ratio is the median of the pairs' ratios")
    for heading in ("", *COLUMNS):
        table.add_column(heading, justify="right" if heading else "left")
    by_hand, ours = zip(*pairs, strict=True)
    for name, costs in (("by hand", by_hand), ("contractwatch test", ours)):
        table.add_row(name, *(f"{median(map(of, costs)):.2f}" for of in COLUMNS.values()))
    ratios = (median(of(our) / of(hand) for hand, our in pairs) for of in COLUMNS.values())
    table.add_row("ratio", *(f"{ratio:.2f}" for ratio in ratios), style="bold")
    Console().print(table)


if __name__ == "__main__":
    main()
