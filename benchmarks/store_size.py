"""Size and read time of the record: `python -m benchmarks.store_size`.

Bytes come from the size of a real file before and after many runs of 40 checks, of which some fail,
with numbers that change from run to run. Times are shown beside the bare SQLite transaction that
they cannot be faster than.
"""

import random
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Interval, Objective, ObjectiveState, Standing, Target
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.product import LedgerEntry, ProductCard, RunEntry
from contractwatch.model.record.run import CheckResult, Coverage, RunOutcome, RunResult
from contractwatch.store.store import Store

START = datetime(2026, 10, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
CHECKS = 40
OBJECTIVES = tuple(Objective)


@dataclass(frozen=True)
class Size:
    """What was measured. Bytes are of the database file, after its log was written back."""

    bytes_a_run: float
    bytes_of_results: float
    bytes_of_a_plan: float


def measure(runs: int = 1_000, *, checks: int = CHECKS) -> Size:
    """Commit that many runs of one product to a real file and return what each of them takes."""
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.db"
        store = Store.open(f"sqlite:///{path}")
        for number in range(50):
            store.commit(entry("finance/orders", number, dice, checks=checks))
        before = _size(path)
        for number in range(50, 50 + runs):
            store.commit(entry("finance/orders", number, dice, checks=checks))
        after = _size(path)
        store.close()
        with sqlite3.connect(path) as connection:
            query = "SELECT (SELECT avg(length(results)) FROM run), avg(length(content)) FROM plan"
            results, plan = connection.execute(query).fetchone()
        connection.close()
    return Size((after - before) / runs, results, plan)


def entry(product: str, number: int, dice: random.Random, *, checks: int = CHECKS) -> RunEntry:
    at = START + number * STEP
    rows = 300_000 + dice.randrange(50_000)
    results = tuple(_result(place, dice, rows) for place in range(checks))
    failed = any(result.outcome is Outcome.FAILED for result in results)
    run = RunResult(
        contract_id=f"id-of-{product}",
        product=product,
        contract_version="1.0.0",
        fingerprint=f"{hash(product) & (2**64 - 1):064x}",
        server="production",
        started_at=at,
        finished_at=at + timedelta(seconds=1, microseconds=dice.randrange(900_000)),
        outcome=RunOutcome.FAILED if failed else RunOutcome.PASSED,
        coverage=Coverage(checks - 2, checks),
        results=results,
        readable=True,
        data_version=f"{dice.getrandbits(256):064x}",
        data_timestamp=at - timedelta(seconds=dice.randrange(600)),
        rows=rows,
    )
    card = ProductCard(
        product=product,
        contract_id=run.contract_id,
        version="1.0.0",
        status="active",
        domain=product.split("/", maxsplit=1)[0],
        team="orders",
        owners=("ann",),
        purpose="orders",
        file="contracts/orders.odcs.yaml",
        fingerprint=run.fingerprint,
        targets=tuple(Target(objective) for objective in OBJECTIVES),
        interval_seconds=STEP.total_seconds(),
    )
    state = ObjectiveState.BAD if failed else ObjectiveState.GOOD
    span = Interval(at, at + STEP, state)
    standing = Standing(Objective.SCHEMA, state, at, at, at + STEP, at + 2 * STEP)
    return RunEntry(
        card=card,
        at=at,
        run=run,
        entries=tuple(LedgerEntry(objective, span) for objective in OBJECTIVES),
        standings=tuple(replace(standing, objective=objective) for objective in OBJECTIVES),
        incidents=(),
        transitions=(),
        notifications=(),
    )


def _result(place: int, dice: random.Random, rows: int) -> CheckResult:
    skipped = place >= CHECKS - 2
    promise = Promise(
        promise_id=f"0f2d7b1c-orders/orders/column_{place}/nullValues/{place * 7919:08x}",
        kind="nullValues",
        clause=Clause(f"schema[0].properties[{place}].quality[0]", 40 + 6 * place),
        table="orders",
        column=f"column_{place}",
        severity=Severity.ERROR,
        dimension=Dimension.COMPLETENESS,
        objective=Objective.COMPLETENESS,
        expected="at most 100 null rows",
        physical_columns=(f"column_{place}",),
    )
    if skipped:
        reason = "unsupported: rules in SQL are not executed in this version"
        return CheckResult(promise, Verdict(Outcome.SKIPPED, reason=reason))
    violations = dice.choice((0, 0, dice.randrange(100), dice.randrange(101)))
    outcome = Outcome.FAILED if dice.random() < 0.002 else Outcome.PASSED
    return CheckResult(promise, Verdict(outcome, violations, "<= 100 rows", rows, violations))


def _size(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.stat().st_size


def _speed(products: int) -> None:
    dice = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.db"
        store = Store.open(f"sqlite:///{path}")
        entries = [entry(f"d{n % 20}/p{n}", run, dice) for run in range(2) for n in range(products)]
        begun = time.perf_counter()
        for each in entries:
            store.commit(each)
        commit = (time.perf_counter() - begun) / len(entries)
        bare = _bare_commit(Path(folder) / "bare.db")
        store.close()

        reader = Store.open(f"sqlite:///{path}", read_only=True)
        times = []
        for _ in range(2):
            begun = time.perf_counter()
            assert len(reader.records()) == products
            times.append(time.perf_counter() - begun)
        reader.close()
    print(f"one commit: {commit * 1e3:.2f} ms, {commit / bare:.1f} x a bare durable transaction")
    print(
        f"records of {products} products: {times[0]:.2f} s at first, {times[1] * 1e3:.1f} ms again"
    )


def _bare_commit(path: Path) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE t (x BLOB)")
    begun = time.perf_counter()
    for _ in range(500):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?)", (b"x" * 800,))
        connection.execute("COMMIT")
    seconds = (time.perf_counter() - begun) / 500
    connection.close()
    return seconds


def main() -> None:
    size = measure()
    print(
        f"one run of {CHECKS} checks: {size.bytes_a_run:.0f} bytes in the file "
        f"(of them results {size.bytes_of_results:.0f}); one plan, once: {size.bytes_of_a_plan:.0f}"
    )
    _speed(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)


if __name__ == "__main__":
    main()
