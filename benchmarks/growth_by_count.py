"""Growth of a verdict's cost with columns, members, checks, tables and files, one by one.

Every row doubles one count and keeps the others. The figure is the processor's time of
a whole `contractwatch test`, beside one Polars query over the same files that counts by hand what
the contract promises. What is linear keeps its cost for each one that was added.

Run: python -m benchmarks.growth_by_count [--pairs 3] [--kinds columns,members]
Kinds: columns, members, json, checks, tables, files.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks.processes import DATA, paired

ROWS = 2_000
COUNTS: Mapping[str, tuple[int, ...]] = {
    "columns": (400, 800, 1_600, 3_200),
    "members": (400, 800, 1_600, 3_200),
    "json": (200, 400, 800, 1_600),
    "checks": (400, 800, 1_600, 3_200),
    "tables": (25, 50, 100, 200),
    "files": (100, 200, 400, 800),
}
BY_HAND = (
    "import sys, polars as pl\n"
    "for folder in sys.argv[1:]:\n"
    "    rows = {rows}\n"
    "    names = rows.collect_schema().names()\n"
    "    rows.select(\n"
    "        *(pl.col(name).null_count().alias(f'{name}-null') for name in names),\n"
    "        *(((pl.col(name) < 0) | (pl.col(name) > 1000)).sum() for name in names),\n"
    "    ).collect(engine='streaming')\n"
)
ROWS_OF = {
    "members": "pl.scan_parquet(folder + '/*.parquet').unnest('o')",
    "json": "pl.scan_ndjson(folder + '/*.json')",
}
PARQUET = "pl.scan_parquet(folder + '/*.parquet')"
HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: growth
name: growth
version: 1.0.0
status: active
servers: [{server: live, type: local, path: "{object}/*.FORMAT", format: FORMAT}]
schema:
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, default=3)
    arguments.add_argument("--kinds", default=",".join(COUNTS))
    asked = arguments.parse_args()
    table = Table(title=f"growth, {asked.pairs} pairs, load {os.getloadavg()[0]:.1f}")
    for heading in ("what grows", "count", "CPU s", "ms for each", "by hand CPU s", "CPU ratio"):
        table.add_column(heading, justify="right")
    for kind in asked.kinds.split(","):
        for count in COUNTS[kind]:
            home = made(kind, count)
            folders = sorted(str(path) for path in home.iterdir() if path.is_dir())
            by_hand = [
                sys.executable,
                "-c",
                BY_HAND.replace("{rows}", ROWS_OF.get(kind, PARQUET)),
                *folders,
            ]
            ours = [str(Path(sys.executable).parent / "contractwatch"), "test"]
            pairs = paired(by_hand, [*ours, str(home / "growth.odcs.yaml")], asked.pairs)
            seconds = median(our.cpu_seconds for _, our in pairs)
            table.add_row(
                kind,
                f"{count:,}",
                f"{seconds:.2f}",
                f"{1000 * seconds / count:.2f}",
                f"{median(other.cpu_seconds for other, _ in pairs):.2f}",
                f"{median(our.cpu_seconds / other.cpu_seconds for other, our in pairs):.1f}",
            )
    Console(width=100).print(table)


def made(kind: str, count: int) -> Path:
    """Return a folder with the data and the contract of one row; it is made once."""
    home = DATA / "growth" / f"{kind}-{count}"
    contract = home / "growth.odcs.yaml"
    if not contract.exists():
        home.mkdir(parents=True, exist_ok=True)
        head = HEAD.replace("FORMAT", "json" if kind == "json" else "parquet")
        contract.write_text(head + _MAKERS[kind](home, count), encoding="utf-8")
    return home


def _columns(home: Path, count: int) -> str:
    _write(home / "wide", count)
    return _table("wide", count)


def _members(home: Path, count: int) -> str:
    folder = home / "nested"
    folder.mkdir(parents=True, exist_ok=True)
    _frame(count).select(pl.struct(pl.all()).alias("o")).write_parquet(folder / "0.parquet")
    listed = "".join(f"    {line}\n" for line in _table("nested", count).splitlines()[2:])
    return (
        "  - name: nested\n    properties:\n"
        f"      - name: o\n        logicalType: object\n        properties:\n{listed}"
    )


def _json(home: Path, count: int) -> str:
    folder = home / "lines"
    folder.mkdir(parents=True, exist_ok=True)
    _frame(count).write_ndjson(folder / "0.json")
    return _table("lines", count)


def _checks(home: Path, count: int) -> str:
    _write(home / "few", 10)
    rules = "".join(
        f"      - {{id: r{at}, metric: rowCount, mustBeGreaterThan: {at % ROWS}}}\n"
        for at in range(count)
    )
    return f"{_table('few', 10)}    quality:\n{rules}"


def _tables(home: Path, count: int) -> str:
    names = [f"t{at}" for at in range(count)]
    for name in names:
        _write(home / name, 10)
    return "".join(_table(name, 10) for name in names)


def _files(home: Path, count: int) -> str:
    _write(home / "many", 10, files=count)
    return _table("many", 10)


_MAKERS: Mapping[str, Callable[[Path, int], str]] = {
    "columns": _columns,
    "members": _members,
    "json": _json,
    "checks": _checks,
    "tables": _tables,
    "files": _files,
}


def _write(folder: Path, columns: int, *, files: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(files):
        _frame(columns, at).write_parquet(folder / f"{at}.parquet")


def _frame(columns: int, seed: int = 0) -> pl.DataFrame:
    row = pl.int_range(ROWS, eager=True)
    return pl.DataFrame({f"c{n}": row.hash(seed=n + seed) % 100_000 / 100 for n in range(columns)})


def _table(name: str, columns: int) -> str:
    limits = "logicalTypeOptions: {minimum: 0, maximum: 1000}"
    listed = (
        f"      - {{name: c{n}, logicalType: number, required: true, {limits}}}\n"
        for n in range(columns)
    )
    return f"  - name: {name}\n    properties:\n{''.join(listed)}"


if __name__ == "__main__":
    main()
