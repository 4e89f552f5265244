"""Cost of one new file in a folder of 1, 10, 100 and 1,000, beside a full read by hand.

Whole processes: `contractwatch test --state-dir` on a folder whose other files it has read before,
and the hand-written query on the whole folder. In the first set the files hold ranges of orders, so
that no key of one can be in another; in the second each holds orders of every range.

Run: python -m benchmarks.one_new_file [--scale 10] [--files 1,10,100,1000] [--pairs 3]
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import sleep

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.lineitem_data import CONTRACT, HERE
from benchmarks.processes import DATA, Cost, cost_of

BY_HAND = HERE / "lineitem_by_hand.py"
SCRIPTS = Path(sys.executable).parent
SET = 100
GROUP = 122_880


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=float, default=10.0, help="1 is 6 million rows")
    arguments.add_argument("--files", default="1,10,100,1000", help="how many files in the folder")
    arguments.add_argument("--pairs", type=int, default=3)
    arguments.add_argument("--make", default="", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.make:
        _overlapping(Path(asked.make), asked.scale)
        return
    load = os.getloadavg()[0]
    title = f"one new file, scale {asked.scale:g}, {asked.pairs} pairs, load {load:.1f}"
    table = Table(title=title, caption="medians; a ratio is the median of the pairs' CPU ratios")
    for heading in (
        "files",
        "what is new",
        "wall s",
        "CPU s",
        "peak MiB",
        "by hand CPU s",
        "ratio",
    ):
        table.add_column(heading, justify="right")
    for count in map(int, asked.files.split(",")):
        measure(table, count, _ranges(asked.scale, max(count, SET)), "ranges", asked.pairs)
        if 1 < count <= SET:
            measure(table, count, _mixed(asked.scale), "meeting", asked.pairs)
    Console(width=110).print(table)


def measure(table: Table, count: int, files: Sequence[Path], keys: str, pairs: int) -> None:
    """Add a folder of so many of the files, the last of which is the new one."""
    home = DATA / "one-new-file"
    shutil.rmtree(home, ignore_errors=True)
    folder = home / "data"
    folder.mkdir(parents=True)
    text = CONTRACT.read_text(encoding="utf-8").replace("lineitem.parquet", "*.parquet")
    (home / CONTRACT.name).write_text(text, encoding="utf-8")
    *known, new = files[:count]
    for file in known:
        (folder / file.name).symlink_to(file)
    sleep(2.5)  # a file that was just written is read again
    if known:
        cost_of(_ours(home))
        (home / "states").rename(home / "before")
    (folder / new.name).symlink_to(new)
    by_hand = [sys.executable, str(BY_HAND), str(folder)]
    cost_of(by_hand)
    found: dict[str, list[tuple[Cost, Cost]]] = {}
    for _ in range(pairs):
        other = cost_of(by_hand)
        shutil.rmtree(home / "states", ignore_errors=True)
        if known:
            shutil.copytree(home / "before", home / "states")
        found.setdefault(f"one, keys in {keys}", []).append((other, cost_of(_ours(home))))
        found.setdefault("nothing", []).append((other, cost_of(_ours(home))))
    for name, costs in found.items():
        if name != "nothing" or keys == "ranges":
            _add(table, count, name, costs)


def _ours(home: Path) -> list[str]:
    command = [str(SCRIPTS / "contractwatch"), "test", str(home / CONTRACT.name)]
    return [*command, "--state-dir", str(home / "states")]


def _add(table: Table, count: int, name: str, costs: Sequence[tuple[Cost, Cost]]) -> None:
    def middle(of: Callable[[Cost, Cost], float]) -> str:
        return f"{median(of(other, ours) for other, ours in costs):.3f}"

    table.add_row(
        f"{count:,}",
        name,
        middle(lambda _, ours: ours.wall_seconds),
        middle(lambda _, ours: ours.cpu_seconds),
        middle(lambda _, ours: ours.peak_mib),
        middle(lambda other, _: other.cpu_seconds),
        middle(lambda other, ours: ours.cpu_seconds / other.cpu_seconds),
    )


def _ranges(scale: float, count: int) -> list[Path]:
    """Return the table in so many files, each with a range of orders."""
    folder = DATA / f"scale-{scale:g}-parts-{count}"
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        command = [str(SCRIPTS / "tpchgen-cli"), "parquet", "-s", f"{scale:g}"]
        command += ["--tables=lineitem", f"--parts={count}", f"--output-dir={unfinished}"]
        subprocess.run(command, check=True)
        unfinished.rename(folder)
    return sorted((folder / "lineitem").iterdir())


def _mixed(scale: float) -> list[Path]:
    """Return the table in 100 files, each with orders of every range."""
    folder = DATA / f"scale-{scale:g}-mixed-{SET}"
    if not folder.exists():
        _ranges(scale, SET)
        unfinished = folder.with_suffix(".unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        words = ["--scale", f"{scale:g}", "--make", str(unfinished)]
        subprocess.run([sys.executable, "-m", "benchmarks.one_new_file", *words], check=True)
        unfinished.rename(folder)
    return sorted(folder.iterdir())


def _overlapping(folder: Path, scale: float) -> None:
    """Give every file a hundredth of each range; in a process of its own, for its memory."""
    parts = [pl.scan_parquet(file) for file in _ranges(scale, SET)]
    heights = [part.select(pl.len()).collect().item() for part in parts]
    for at in range(SET):
        slices = [
            part.slice(height * at // SET, height * (at + 1) // SET - height * at // SET)
            for part, height in zip(parts, heights, strict=True)
        ]
        pl.concat(slices).sink_parquet(
            folder / f"lineitem.{at}.parquet", compression="snappy", row_group_size=GROUP
        )


if __name__ == "__main__":
    main()
