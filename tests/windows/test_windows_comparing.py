"""Questions of separate passes are asked of the window where its rows are judged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from window_values import DAY, NOW

from contractwatch.model.record.cached_table import CachedTable
from contractwatch.model.record.check import Outcome, Verdict
from contractwatch.odcs.load import parse_contract
from contractwatch.scan.reference_resolver import Published, Registry, Resolver, resolve_references
from contractwatch.scan.scan import ScanJob, scan
from contractwatch.verify import asked_of_data, judge, plan

WINDOW = {"column": "at", "mode": "partition", "lookback": "P3D"}
NOT_IN_PARTS = "SELECT COUNT(*) FROM orders WHERE sku NOT IN (SELECT sku FROM parts)"
CONTRACT: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": "i", "name": "n", "version": "1.0.0",
    "status": "active",
    "servers": [
        {"server": "s", "type": "local", "path": "./{object}.parquet", "format": "parquet"}
    ],
    "schema": [
        {
            "name": name,
            "customProperties": [{"property": "contractwatch.incremental", "value": WINDOW}],
            "properties": [
                {"name": "sku", "logicalType": "integer"},
                {"name": "at", "logicalType": "timestamp"},
            ],
        }
        for name in ("orders", "parts")
    ],
}  # fmt: skip
ORDERS, PARTS = CONTRACT["schema"]
ORDERS["properties"][0]["relationships"] = [{"to": "parts.sku"}]
ORDERS["quality"] = [{"type": "sql", "query": NOT_IN_PARTS, "mustBe": 0}]
PARTS["quality"] = [
    {"type": "custom", "engine": "contractwatch", "implementation": implementation}
    for implementation in (
        {
            "check": "referenceCoverage", "property": "sku", "to": "orders.sku",
            "unit": "percent", "mustBe": 100,
        },
        {
            "check": "reconcile",
            "left": {"aggregate": "count"},
            "right": {"contract": "i", "object": "orders", "aggregate": "count"},
            "tolerance": {"unit": "absolute", "value": 2},
        },
    )
]  # fmt: skip


class Shop:
    """Two tables that refer to each other, each with a window of three days."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contract = parse_contract(yaml.safe_dump(CONTRACT).encode(), "c.yaml")[0]
        self.cached_tables: tuple[CachedTable, ...] = ()

    def write(self, name: str, rows: Sequence[tuple[int, int]]) -> None:
        """Write a table of numbers, each so many days old."""
        told = [(sku, NOW - days * DAY) for sku, days in rows]
        types = {"sku": pl.Int64, "at": pl.Datetime("us", "UTC")}
        pl.DataFrame(told, schema=types, orient="row").write_parquet(
            self.folder / f"{name}.parquet"
        )

    def run(self) -> dict[str, Verdict]:
        planned = plan(self.contract)
        metrics = asked_of_data(planned)
        (server,) = self.contract.servers
        published = Published(self.contract, self.folder)
        job = ScanJob(server, self.contract.tables, metrics, (self.folder,), None, NOW)
        references = resolve_references(metrics, Resolver(published, server), Registry([published]))
        reading = scan(
            replace(job, references=references, uses_cache=True, cached_tables=self.cached_tables)
        )
        self.cached_tables = reading.cached_tables or ()
        results = judge(planned, reading, now=NOW).results
        return {f"{one.promise.table}.{one.promise.kind}": one.verdict for one in results}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    found = Shop(tmp_path)
    found.write("parts", [(number, 20 - number) for number in range(20)])
    found.write("orders", [(number % 10, 20 - number) for number in range(20)])
    return found


def test_new_rows_refer_to_all_rows_of_the_other_table(shop: Shop) -> None:
    shop.run()
    shop.write("orders", [(number % 10, 20 - number) for number in range(20)] + [(1, 0), (77, 12)])
    found = shop.run()
    shown = (NOW - 3 * DAY).date()
    for kind in ("orders.relationship", "orders.sql"):
        verdict = found[kind]
        assert (verdict.outcome, verdict.reason) == (
            Outcome.PASSED, f"in the window since {shown}"
        )  # fmt: skip
    assert found["orders.relationship"].rows == 4
    shop.write("orders", [(number % 10, 20 - number) for number in range(20)] + [(1, 0), (78, 1)])
    broken = shop.run()
    assert broken["orders.relationship"].outcome is Outcome.FAILED
    assert broken["orders.relationship"].reason == (
        f"1 of 5 rows with a key have no match; in the window since {shown}"
    )
    assert broken["orders.sql"].observed == 1


def test_what_covers_or_adds_up_a_whole_table_is_asked_of_all_rows(shop: Shop) -> None:
    shop.run()
    shop.write("parts", [(number, 20 - number) for number in range(20)] + [(20, 0)])
    found = shop.run()
    for kind in ("parts.referenceCoverage", "parts.reconcile"):
        assert (found[kind].outcome, found[kind].reason) == (Outcome.PASSED, "")
