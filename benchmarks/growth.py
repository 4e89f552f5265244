"""Growth of a verdict's cost with rows: the clean file at 1, 2, 5 and 10 times the size.

Beside it the hand-written query on the same files. What is linear keeps its cost a million rows;
the start-up, which does not grow, makes small files dear by the row.

Run: python -m benchmarks.growth [--scales 1,2,5,10] [--pairs 3]
"""

import argparse
import os
import sys
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.lineitem_data import CONTRACT, made_apart
from benchmarks.processes import DATA, paired

BY_HAND = Path(__file__).parent / "lineitem_by_hand.py"
MILLIONS = 6.001215
"""Rows at scale 1, in millions."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scales", default="1,2,5,10")
    arguments.add_argument("--pairs", type=int, default=3)
    asked = arguments.parse_args()
    table = Table(title=f"clean lineitem, {asked.pairs} pairs, load {os.getloadavg()[0]:.1f}")
    for heading in (
        "million rows",
        "CPU s",
        "CPU s a million",
        "peak MiB",
        "by hand CPU s",
        "by hand peak MiB",
        "CPU ratio",
    ):
        table.add_column(heading, justify="right")
    for scale in map(float, asked.scales.split(",")):
        rows = made_apart(DATA / f"scale-{scale:g}", "clean", scale)
        ours = [str(Path(sys.executable).parent / "contractwatch"), "test"]
        ours.append(str(rows.parent.parent / CONTRACT.name))
        pairs = paired([sys.executable, str(BY_HAND), str(rows)], ours, asked.pairs)
        seconds = median(our.cpu_seconds for _, our in pairs)
        table.add_row(
            f"{scale * MILLIONS:.1f}",
            f"{seconds:.2f}",
            f"{seconds / (scale * MILLIONS):.3f}",
            f"{median(our.peak_mib for _, our in pairs):.0f}",
            f"{median(other.cpu_seconds for other, _ in pairs):.2f}",
            f"{median(other.peak_mib for other, _ in pairs):.0f}",
            f"{median(our.cpu_seconds / other.cpu_seconds for other, our in pairs):.2f}",
        )
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
