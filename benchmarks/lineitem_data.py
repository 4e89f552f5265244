"""Generate the lineitem table in each condition that the benchmark measures, once.

TPC-H's own generator writes the clean file; the others are the same rows: shuffled, with violations
of every promise, without statistics, as CSV, and the first ten. It runs as a process of its own:
what the kernel counts as the memory of a child begins with that of its parent.

Run: python -m benchmarks.lineitem_data FOLDER VARIANT SCALE
"""

import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import polars as pl

HERE = Path(__file__).parent
CONTRACT = HERE / "lineitem.odcs.yaml"
_TOOL = Path(sys.executable).parent / "tpchgen-cli"
_GROUP = 122_880
_ROWS_AT_ONCE = 2_000_000
_EVERY = 9_985
_DUPLICATES = 459
_BROKEN: Mapping[str, object] = {
    "l_quantity": 60,
    "l_extendedprice": -1,
    "l_discount": 1,
    "l_tax": 1,
    "l_returnflag": "X",
    "l_linestatus": "X",
    "l_shipdate": date(2001, 1, 1),
    "l_shipinstruct": "LATER",
    "l_shipmode": "BOAT",
    "l_comment": "\u00e4" * 50,
}
_NULLS = ("l_partkey", "l_suppkey", "l_commitdate", "l_receiptdate")

Maker: TypeAlias = Callable[[pl.LazyFrame, Path], None]


def made_apart(folder: Path, variant: str, scale: float) -> Path:
    """Return the data file of a variant, made by another process."""
    words = [str(folder), variant, f"{scale:g}"]
    subprocess.run([sys.executable, "-m", "benchmarks.lineitem_data", *words], check=True)
    return next(file for file in (folder / variant / "data").iterdir() if file.is_file())


def make(folder: Path, variant: str, scale: float) -> None:
    """Make the data file of a variant; the contract is put where its path leads to the file."""
    clean = _generated(folder / "clean" / "data" / "lineitem.parquet", scale)
    home = folder / variant
    form = "csv" if variant == "csv" else "parquet"
    made = home / "data" / f"lineitem.{form}"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        unfinished = made.with_suffix(".unfinished")
        _MAKERS[variant](pl.scan_parquet(clean), unfinished)
        unfinished.rename(made)
    text = CONTRACT.read_text(encoding="utf-8")
    text = text.replace("lineitem.parquet", made.name).replace("format: parquet", f"format: {form}")
    (home / CONTRACT.name).write_text(text, encoding="utf-8")


def _generated(made: Path, scale: float) -> Path:
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        command = [str(_TOOL), "parquet", "-s", f"{scale:g}", "--tables=lineitem"]
        subprocess.run([*command, f"--output-dir={made.parent}"], check=True)
    return made


def _shuffled(rows: pl.LazyFrame, path: Path) -> None:
    """Deal the rows out to files that fit into memory, shuffle each, and put them together."""
    count = -(-rows.select(pl.len()).collect().item() // _ROWS_AT_ONCE)
    dealt = rows.with_row_index("row").with_columns(heap=pl.col("row").hash(seed=1) % count)
    with TemporaryDirectory(dir=path.parent) as folder:
        dealt.drop("row").sink_parquet(pl.PartitionBy(folder, key="heap", include_key=False))
        for heap in Path(folder).iterdir():
            mixed = pl.read_parquet(heap, hive_partitioning=False).sample(
                fraction=1, shuffle=True, seed=1
            )
            mixed.write_parquet(heap.with_suffix(".parquet"))
        whole = pl.scan_parquet(sorted(Path(folder).glob("*.parquet")), hive_partitioning=False)
        whole.sink_parquet(path, compression="snappy", row_group_size=_GROUP)


def _dirty(rows: pl.LazyFrame, path: Path) -> None:
    numbered = rows.with_row_index("\x00row")
    broken: list[pl.Expr] = []
    for offset, (name, value) in enumerate(_BROKEN.items()):
        is_hit = pl.col("\x00row") % _EVERY == offset
        broken.append(pl.when(is_hit).then(pl.lit(value)).otherwise(pl.col(name)).alias(name))
    for offset, name in enumerate(_NULLS, start=len(_BROKEN)):
        broken.append(pl.when(pl.col("\x00row") % _EVERY != offset).then(pl.col(name)))
    schema = rows.collect_schema()
    dirty = numbered.with_columns(broken).drop("\x00row").cast(schema)
    repeated = rows.gather_every(10_000).head(_DUPLICATES)
    whole = pl.concat([dirty, repeated]).collect()
    whole.write_parquet(path, compression="snappy", row_group_size=_GROUP)


def _without_statistics(rows: pl.LazyFrame, path: Path) -> None:
    everything = rows.collect()
    everything.write_parquet(path, compression="snappy", row_group_size=_GROUP, statistics=False)


def _csv(rows: pl.LazyFrame, path: Path) -> None:
    rows.sink_csv(path)


def _ten_rows(rows: pl.LazyFrame, path: Path) -> None:
    rows.head(10).collect().write_parquet(path)


_MAKERS: Mapping[str, Maker] = {
    "shuffled": _shuffled,
    "dirty": _dirty,
    "unstated": _without_statistics,
    "csv": _csv,
    "ten": _ten_rows,
}

if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
