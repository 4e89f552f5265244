"""Cost of a run on one Parquet file that grows by a day, beside a full read by hand.

Whole processes: `contractwatch test --state-dir` on lineitem in the order of its ship dates, whose
contract says `contractwatch.incremental` (a watermark and three days before it), after a run that
knew all but the last day; and the hand-written query on the whole file. The first run, which reads
everything, and one that finds nothing new stand beside it.

Run: python -m benchmarks.growing_file [--scale 1] [--pairs 3]
"""

import argparse
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from statistics import median
from time import sleep

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.lineitem_data import CONTRACT, HERE, made_apart
from benchmarks.processes import DATA, Cost, cost_of

BY_HAND = HERE / "lineitem_by_hand.py"
SCRIPTS = Path(sys.executable).parent
GROUP = 122_880
LAST_DAY = date(1998, 7, 1)
"""Later days have fewer and fewer rows: the generator ships the last orders there."""

WINDOW = """\
    physicalType: table
    customProperties:
      - property: contractwatch.incremental
        value: {column: l_shipdate, mode: watermark, lookback: P3D, fullScan: "0 3 * * 0"}
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=float, default=1.0, help="1 is 6 million rows")
    arguments.add_argument("--pairs", type=int, default=3)
    arguments.add_argument("--make", default="", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.make:
        _make(Path(asked.make))
        return
    load = os.getloadavg()[0]
    before, after = _files(asked.scale)
    title = f"one growing file, scale {asked.scale:g}, {asked.pairs} pairs, load {load:.1f}"
    table = Table(title=title, caption="medians; a ratio is the median of the pairs' CPU ratios")
    for heading in ("what is new", "wall s", "CPU s", "peak MiB", "by hand CPU s", "ratio"):
        table.add_column(heading, justify="right")
    for name, costs in measure(before, after, asked.pairs).items():
        ratios = [ours.cpu_seconds / by_hand.cpu_seconds for by_hand, ours in costs]
        mine = [ours for _, ours in costs]
        table.add_row(
            name,
            f"{median(one.wall_seconds for one in mine):.2f}",
            f"{median(one.cpu_seconds for one in mine):.2f}",
            f"{median(one.peak_mib for one in mine):.0f}",
            f"{median(by_hand.cpu_seconds for by_hand, _ in costs):.2f}",
            f"{median(ratios):.3f}",
        )
    Console(width=110).print(table)


def measure(before: Path, after: Path, pairs: int) -> dict[str, list[tuple[Cost, Cost]]]:
    """Return the cost by hand and of ours, for each state of what is known."""
    home = DATA / "growing-file"
    shutil.rmtree(home, ignore_errors=True)
    data = home / "data" / "lineitem.parquet"
    data.parent.mkdir(parents=True)
    text = CONTRACT.read_text(encoding="utf-8").replace("    physicalType: table\n", WINDOW)
    (home / CONTRACT.name).write_text(text, encoding="utf-8")
    known, states = home / "known", home / "states"
    ours = [str(SCRIPTS / "contractwatch"), "test", str(home / CONTRACT.name)]
    ours += ["--state-dir", str(states)]
    by_hand = [sys.executable, str(BY_HAND), str(data)]
    _put(before, data)
    cost_of(ours)
    states.rename(known)
    _put(after, data)
    cost_of(by_hand)
    found: dict[str, list[tuple[Cost, Cost]]] = {}
    for _ in range(pairs):
        hand = cost_of(by_hand)
        shutil.rmtree(states, ignore_errors=True)
        shutil.copytree(known, states)
        found.setdefault("a day", []).append((hand, cost_of(ours)))
        found.setdefault("nothing", []).append((hand, cost_of(ours)))
        shutil.rmtree(states)
        found.setdefault("all: the first run", []).append((hand, cost_of(ours)))
    return found


def _put(file: Path, data: Path) -> None:
    """Publish a file, and wait until a run trusts it: it must not be younger than two seconds."""
    shutil.copy(file, data)
    sleep(2.5)


def _files(scale: float) -> tuple[Path, Path]:
    """Return the table without its last day and with it, in the order of days."""
    folder = DATA / f"scale-{scale:g}"
    made = folder / "growing"
    if not made.exists():
        made_apart(folder, "ten", scale)  # and the clean file with it
        words = ["--make", str(folder)]
        subprocess.run([sys.executable, "-m", "benchmarks.growing_file", *words], check=True)
    return made / "before.parquet", made / "after.parquet"


def _make(folder: Path) -> None:
    """Sort the clean file, in a process of its own, for its memory."""
    rows = pl.scan_parquet(folder / "clean" / "data" / "lineitem.parquet")
    days = rows.filter(pl.col("l_shipdate") <= LAST_DAY).sort("l_shipdate").collect()
    unfinished = folder / "growing.unfinished"
    unfinished.mkdir(exist_ok=True)
    old = days.filter(pl.col("l_shipdate") < LAST_DAY)
    for name, some in (("before", old), ("after", days)):
        some.write_parquet(
            unfinished / f"{name}.parquet", compression="snappy", row_group_size=GROUP
        )
    unfinished.rename(folder / "growing")


if __name__ == "__main__":
    main()
