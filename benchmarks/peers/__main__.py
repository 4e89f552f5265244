"""Time of other tools on the lineitem promises, beside the hand-written query, in one run.

Each tool has an environment of its own with the versions of `requirements/`, built from the package
index when it is missing. What a tool cannot say is named in its script. A process
beyond ten minutes or 16 GiB is ended, and the table says so.

Run: python -m benchmarks.peers [--scale 1] [--pairs 3] [--variants clean,dirty,csv] [--tools ...]
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.lineitem_data import CONTRACT, made_apart
from benchmarks.processes import COLUMNS, DATA, Cost, EndedError, Limit, cost_of, told

HERE = Path(__file__).parent
BY_HAND = HERE.parent / "lineitem_by_hand.py"
BIN = Path(sys.executable).parent
LIMIT = Limit(seconds=600, mib=16 * 1024)
QUIET = {"SODA_CORE_TELEMETRY_ENABLED": "false", "COLUMNS": "200"}


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool; `script` is its form of the promises, none if it reads the contract itself."""

    name: str
    requirements: str
    script: str = ""


PEERS = (
    Peer("contractwatch", ""),
    Peer("DuckDB by hand", "duckdb", "in_duckdb.py"),
    Peer("dataframely", "dataframely", "in_dataframely.py"),
    Peer("pandera", "pandera", "in_pandera.py"),
    Peer("pointblank", "pointblank", "in_pointblank.py"),
    Peer("soda", "soda", "in_soda.py"),
    Peer("datacontract-cli", "datacontract"),
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--scale", type=float, default=1.0, help="1 is 6 million rows")
    arguments.add_argument("--pairs", type=int, default=3)
    arguments.add_argument("--variants", default="clean,dirty,csv", help="also shuffled, unstated")
    arguments.add_argument("--tools", default=",".join(peer.name for peer in PEERS))
    asked = arguments.parse_args()
    chosen = [peer for peer in PEERS if peer.name in asked.tools.split(",")]
    load = os.getloadavg()[0]
    title = f"scale {asked.scale:g}, {asked.pairs} pairs, load {load:.1f} at the start"
    table = Table(title=title, caption="medians; ratios to the query by hand, within each pair")
    for heading in ("data", "tool", *COLUMNS, *(f"{name} ratio" for name in COLUMNS)):
        table.add_column(heading, justify="left" if heading in ("data", "tool") else "right")
    for variant in asked.variants.split(","):
        rows = made_apart(DATA / f"scale-{asked.scale:g}", variant, asked.scale)
        for peer in chosen:
            table.add_row(variant, peer.name, *_row(peer, rows, asked.pairs))
    Console(width=130).print(table)


def _row(peer: Peer, rows: Path, pairs: int) -> list[str]:
    by_hand = [sys.executable, str(BY_HAND), str(rows)]
    command, home = _command(peer, rows)
    try:
        _cost(command, home)
        found: list[tuple[Cost, Cost]] = []
        for _ in range(pairs):
            other = cost_of(by_hand)
            found.append((other, _cost(command, home)))
    except EndedError as error:
        print(f"{peer.name}: {error}", file=sys.stderr)
        return [str(error).splitlines()[0]]
    return told(found)


def _cost(command: Sequence[str], home: Path) -> Cost:
    return cost_of(command, cwd=home, environment=QUIET, limit=LIMIT)


def _command(peer: Peer, rows: Path) -> tuple[list[str], Path]:
    """Return what runs the tool, and where: contracts name their data from where they stand."""
    home = rows.parent.parent
    if not peer.requirements:
        return [str(BIN / "contractwatch"), "test", CONTRACT.name], home
    bin_ = _environment(peer.requirements) / "bin"
    if not peer.script:
        return [str(bin_ / "datacontract"), "test", CONTRACT.name], home
    return [str(bin_ / "python"), str(HERE / peer.script), str(rows)], home


def _environment(name: str) -> Path:
    """Return the environment of a tool; it is made anew when its requirements change."""
    wanted = HERE / "requirements" / f"{name}.txt"
    made, stamp = DATA / "peers" / name, DATA / "peers" / name / "requirements.txt"
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        uv = str(BIN / "uv")
        place: Mapping[str, str] = {**os.environ, "VIRTUAL_ENV": str(made)}
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, made], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-r", str(wanted)], check=True, env=place)
        shutil.copyfile(wanted, stamp)
    return made


if __name__ == "__main__":
    main()
