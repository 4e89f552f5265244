"""What a verdict on six million rows costs beside the hand-written query, in one run.

Both are whole processes, start-up included, that alternate; the ratio of each pair is taken before
the median. `contractwatch test` reads the contract, plans, scans, judges and writes its report.
Modules are compiled before, as they are when a package is installed.

Run: python -m benchmarks.lineitem [--scale 1] [--pairs 5] [--variants clean,shuffled,...]
"""

import argparse
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

from benchmarks.lineitem_data import CONTRACT, HERE, made_apart

DATA = HERE / "data"
BY_HAND = HERE / "lineitem_by_hand.py"
IN_DUCKDB = HERE / "lineitem_in_duckdb.py"
SCRIPTS = Path(sys.executable).parent
KEPT_OR_BROKEN = (0, 1)


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
    if importlib.util.find_spec("duckdb"):
        rows = made_apart(folder, "clean", asked.scale)
        by_hand, in_duckdb = (
            [sys.executable, str(script), str(rows)] for script in (BY_HAND, IN_DUCKDB)
        )
        pairs = paired(by_hand, in_duckdb, asked.pairs)
        add(table, Variant("DuckDB by hand, clean", "clean"), pairs)
    Console(width=130).print(table)
    if not importlib.util.find_spec("duckdb"):
        print("DuckDB by hand: skipped, for duckdb is not installed here (it is no dependency)")


def beside(variant: Variant, rows: Path) -> list[str]:
    """Return the command that is measured beside ours: the query by hand, or the import."""
    if variant.data == "ten":
        return [sys.executable, "-c", "import polars"]
    return [sys.executable, str(BY_HAND), str(rows)]


def cost_of(command: Sequence[str]) -> Cost:
    """Run a process to its end and return what the kernel counted for it and its children."""
    start = perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=as_installed()
    )
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode not in KEPT_OR_BROKEN:
        raise SystemExit(f"{command[0]} ended with {process.returncode}:\n{printed.decode()}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def as_installed() -> dict[str, str]:
    """Return an environment in which modules are compiled once, as installers do it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(DATA / "bytecode")}


def paired(other: Sequence[str], ours: Sequence[str], count: int) -> list[tuple[Cost, Cost]]:
    """Return the costs of two commands that alternate, after one run of each that is not kept."""
    for command in (other, ours):
        cost_of(command)
    return [(cost_of(other), cost_of(ours)) for _ in range(count)]


def add(table: Table, variant: Variant, pairs: Sequence[tuple[Cost, Cost]]) -> None:
    """Add the medians of our costs and of the pairs' ratios to the table."""
    costs = (median(of(ours) for _, ours in pairs) for of in COLUMNS.values())
    ratios = (median(of(ours) / of(other) for other, ours in pairs) for of in COLUMNS.values())
    other = "import polars" if variant.data == "ten" else "by hand"
    table.add_row(variant.name, other, *(f"{each:.2f}" for each in (*costs, *ratios)))


if __name__ == "__main__":
    main()
