"""The lineitem promises in PostgreSQL and DuckDB, beside the queries that a person would write.

The times of the hand-written queries and of the command are taken in turns on the same table:
without constraints, with NOT NULL and the primary key, and with CHECKs, too. PostgreSQL is started
here.

Run: python -m benchmarks.places [--scale N] [--pairs N]
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from benchmarks.lineitem_data import CONTRACT, made_apart
from tests.databases import Database, fresh_database, serve_postgres

_MONEY = ("l_quantity", "l_extendedprice", "l_discount", "l_tax")
_TYPES = {
    **dict.fromkeys(("l_orderkey", "l_partkey", "l_suppkey"), "bigint"),
    "l_linenumber": "int",
    **dict.fromkeys(_MONEY, "numeric(15, 2)"),
    **dict.fromkeys(("l_returnflag", "l_linestatus"), "text"),
    **dict.fromkeys(("l_shipdate", "l_commitdate", "l_receiptdate"), "date"),
    **dict.fromkeys(("l_shipinstruct", "l_shipmode", "l_comment"), "text"),
}
_RANGES = {
    "l_quantity": ("1", "50"),
    "l_extendedprice": ("0.01", "200000"),
    "l_discount": ("0", "0.1"),
    "l_tax": ("0", "0.08"),
    "l_shipdate": ("DATE '1992-01-01'", "DATE '1998-12-31'"),
}
_VALUES = {
    "l_returnflag": "'A', 'N', 'R'",
    "l_linestatus": "'O', 'F'",
    "l_shipmode": "'AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK'",
    "l_shipinstruct": "'COLLECT COD', 'DELIVER IN PERSON', 'NONE', 'TAKE BACK RETURN'",
}
_KEYS = (
    "SELECT count(*), sum(n) FROM (SELECT count(*) AS n FROM lineitem"
    " GROUP BY l_orderkey, l_linenumber HAVING count(*) > 1) AS repeated"
)


def _by_hand(pattern: str) -> str:
    counted = [
        "count(*)",
        "max(l_shipdate)",
        "count(*) FILTER (WHERE length(l_comment) > 43)",
        f"count(*) FILTER (WHERE NOT {pattern})",
        *(f"count(*) FILTER (WHERE {name} IS NULL)" for name in _TYPES),
        *(
            f"count(*) FILTER (WHERE {name} < {low} OR {name} > {high})"
            for name, (low, high) in _RANGES.items()
        ),
        *(f"count(*) FILTER (WHERE {name} NOT IN ({all_}))" for name, all_ in _VALUES.items()),
    ]
    return f"SELECT {', '.join(counted)} FROM lineitem"


_WORDS = "'^[A-Za-z0-9 ,.;:!?''-]+$'"
_NOT_NULL = [
    "ALTER TABLE lineitem ADD PRIMARY KEY (l_orderkey, l_linenumber)",
    *(f"ALTER TABLE lineitem ALTER {name} SET NOT NULL" for name in _TYPES),
]
_CHECKS = [
    *(
        f"ALTER TABLE lineitem ADD CHECK ({name} BETWEEN {low} AND {high})"
        for name, (low, high) in _RANGES.items()
    ),
    *(f"ALTER TABLE lineitem ADD CHECK ({name} IN ({all_}))" for name, all_ in _VALUES.items()),
    "ALTER TABLE lineitem ADD CHECK (char_length(l_comment) <= 43)",
]


def main() -> None:
    """Print the medians of the pairs, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--pairs", type=int, default=3)
    wish = parser.parse_args()
    with TemporaryDirectory() as folder:
        home = Path(folder)
        rows = made_apart(home, "clean", wish.scale)
        print(f"lineitem, scale {wish.scale:g}: by hand, the command, seconds, and the ratio")
        _measure_duckdb(home / "duckdb", rows, wish.pairs)
        for server in serve_postgres():
            for database in fresh_database(server):
                _measure_postgres(home / "postgres", database, rows, wish.pairs)


def _measure_duckdb(home: Path, rows: Path, pairs: int) -> None:
    home.mkdir()
    path = home / "lineitem.duckdb"
    with duckdb.connect(str(path)) as opened:
        opened.execute(f"CREATE TABLE lineitem AS SELECT * FROM read_parquet('{rows}')")
    settings = '[connections.bench]\ntype = "duckdb"\ndatabase = "lineitem.duckdb"\n'
    _publish(home, "{server: bench, type: duckdb, database: lineitem.duckdb}", settings)
    query = _by_hand(f"regexp_matches(l_comment, {_WORDS})")

    def by_hand() -> None:
        with duckdb.connect(str(path), read_only=True) as opened:
            opened.execute(query).fetchall()
            opened.execute(_KEYS).fetchall()

    _pairs("duckdb, no constraints", by_hand, home, pairs)


def _measure_postgres(home: Path, database: Database, rows: Path, pairs: int) -> None:
    home.mkdir()
    columns = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
    database.execute(f"CREATE TABLE lineitem ({columns})")
    with (
        database.at.login(database.name) as opened,
        opened.cursor().copy("COPY lineitem FROM STDIN (FORMAT csv)") as copied,
    ):
        for batch in _batches(rows):
            copied.write(batch)
    database.execute("VACUUM ANALYZE lineitem")
    at = database.at
    settings = (
        f'[connections.bench]\ntype = "postgres"\nhost = "{at.host}"\nport = {at.port}\n'
        f'database = "{database.name}"\nuser = "{at.admin}"\n'
        f'password = {{file = "{at.password_file}"}}\n'
    )
    place = f"host: {at.host}, port: {at.port}, database: {database.name}, schema: public"
    _publish(home, f"{{server: bench, type: postgres, {place}}}", settings)
    query = _by_hand(f"l_comment ~ {_WORDS}")

    def by_hand() -> None:
        database.execute(query)
        database.execute(_KEYS)

    _pairs("postgres, no constraints", by_hand, home, pairs)
    database.execute(*_NOT_NULL)
    _pairs("postgres, NOT NULL and key", by_hand, home, pairs)
    database.execute(*_CHECKS)
    _pairs("postgres, CHECKs, too", by_hand, home, pairs)


def _batches(rows: Path) -> Iterator[str]:
    for batch in pl.scan_parquet(rows).collect_batches(maintain_order=False):
        yield batch.write_csv(include_header=False)


def _publish(home: Path, server: str, settings: str) -> None:
    """Write the contract of the benchmark for another server, with its settings."""
    head, _, tail = CONTRACT.read_text(encoding="utf-8").partition("servers:\n")
    rest = tail[tail.index("schema:\n") :]
    text = f"{head}servers:\n  - {server}\n{rest}"
    (home / "lineitem.odcs.yaml").write_text(text, encoding="utf-8")
    (home / "contractwatch.toml").write_text(settings, encoding="utf-8")


def _pairs(name: str, by_hand: Callable[[], None], home: Path, pairs: int) -> None:
    command = [sys.executable, "-m", "contractwatch", "test", "lineitem.odcs.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}

    def verdict() -> None:
        subprocess.run(command, cwd=home, env=environment, check=True, stdout=subprocess.DEVNULL)

    taken = [(_seconds(by_hand), _seconds(verdict)) for _ in range(pairs)]
    hand, ours = (median(each) for each in zip(*taken, strict=True))
    ratio = median(b / a for a, b in taken)
    print(f"{name:28} {hand:7.2f} {ours:7.2f} {ratio:6.2f}", flush=True)


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
