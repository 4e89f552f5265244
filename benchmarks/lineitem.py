"""Cost of a verdict on six million rows beside a hand-written query, in one run.

Both are whole processes, start-up included, that alternate; the ratio of each pair is taken before
the median. `contractwatch test` reads the contract, plans, scans, judges and writes its report.
Modules are compiled before, as they are when a package is installed.

Run: python -m benchmarks.lineitem [--scale 1] [--pairs 5] [--variants clean,shuffled,...]
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.lineitem_data import CONTRACT, HERE, made_apart
from benchmarks.processes import COLUMNS, DATA, Cost, paired, told

BY_HAND = HERE / "lineitem_by_hand.py"
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of the table: which data, beside what, and with which words."""

    name: str
    data: str
    words: tuple[str, ...] = ()


VARIANTS = (
    Variant("clean", "clean"),
    Variant("shuffled", "shuffled"),
    Variant("dirty", "dirty"),
    Variant("no statistics", "unstated"),
    Variant("--evidence scan", "clean", ("--evidence", "scan")),
    Variant("csv", "csv"),
    Variant("ten rows", "ten"),
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=float, default=1.0, help="1 is 6 million rows")
    arguments.add_argument("--pairs", type=int, default=5)
    names = ",".join(variant.name for variant in VARIANTS)
    arguments.add_argument("--variants", default=names, help=f"some of: {names}")
    asked = arguments.parse_args()
    chosen = [variant for variant in VARIANTS if variant.name in asked.variants.split(",")]
    folder = DATA / f"scale-{asked.scale:g}"
    load = os.getloadavg()[0]
    title = f"lineitem, scale {asked.scale:g}, {asked.pairs} pairs, load {load:.1f} at the start"
    table = Table(title=title, caption="medians; a ratio is the median of the pairs' ratios")
    for heading in ("", "beside", *COLUMNS, *(f"{name} ratio" for name in COLUMNS)):
        table.add_column(heading, justify="right" if heading in COLUMNS else "left")
    for variant in chosen:
        rows = made_apart(folder, variant.data, asked.scale)
        contract = str(rows.parent.parent / CONTRACT.name)
        ours = [str(SCRIPTS / "contractwatch"), "test", contract, *variant.words]
        add(table, variant, paired(beside(variant, rows), ours, asked.pairs))
    Console(width=130).print(table)


def beside(variant: Variant, rows: Path) -> list[str]:
    """Return the command that is measured beside ours: the query by hand, or the import."""
    if variant.data == "ten":
        return [sys.executable, "-c", "import polars"]
    return [sys.executable, str(BY_HAND), str(rows)]


def add(table: Table, variant: Variant, pairs: Sequence[tuple[Cost, Cost]]) -> None:
    """Add the medians of our costs and of the pairs' ratios to the table."""
    other = "import polars" if variant.data == "ten" else "by hand"
    table.add_row(variant.name, other, *told(pairs))


if __name__ == "__main__":
    main()
