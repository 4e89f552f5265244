"""A window advances with the run that judged it, and only while its promises are kept."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import polars as pl
import pytest
import yaml
from window_values import DAY, NOW

from contractwatch.agent.clock import Clock
from contractwatch.agent.health.outage import StoreOutage
from contractwatch.agent.run.runner import RunContext, Runner, RunSettings
from contractwatch.alerting.message import AlertingSetup
from contractwatch.model.record.check import Outcome, Verdict
from contractwatch.odcs.load import parse_contract
from tests.in_place import BrittleStore, HereWorkers

CONTRACT: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": "i", "name": "orders", "domain": "shop",
    "version": "1.0.0", "status": "active",
    "servers": [
        {"server": "s", "type": "local", "path": "../data/orders.parquet", "format": "parquet"}
    ],
    "schema": [
        {
            "name": "orders",
            "customProperties": [
                {
                    "property": "contractwatch.incremental",
                    "value": {"column": "at", "mode": "watermark", "fullScan": "0 3 * * 0"},
                }
            ],
            "quality": [{"metric": "rowCount", "mustBeGreaterThan": 1}],
            "properties": [
                {"name": "id", "logicalType": "integer", "unique": True},
                {"name": "at", "logicalType": "timestamp"},
            ],
        }
    ],
}  # fmt: skip


class Agent:
    """A runner with one contract on one growing file, and a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now: datetime = NOW
        self.rows: list[tuple[int, datetime]] = []
        self.contract, _ = parse_contract(yaml.safe_dump(CONTRACT).encode(), "c.yaml")
        (folder / "contracts").mkdir()
        (folder / "data").mkdir()
        now: Callable[[], datetime] = lambda: self.now  # noqa: E731 - it moves
        clock = Clock(now=now, monotonic=lambda: 0.0)
        self.store = BrittleStore.open(f"sqlite:///{folder / 'record.db'}")
        rules = RunSettings("prod", (folder,), 60, 60, DAY, DAY, AlertingSetup((), ()))
        context = RunContext(
            store=self.store,
            workers=HereWorkers(),
            clock=clock,
            series=Mock(),
            outage=StoreOutage(clock),
            new_id=lambda: "1",
            enqueued=Mock(),
            bring_forward=Mock(),
        )
        self.runner = Runner(rules, context)

    def add(self, *rows: tuple[int, datetime]) -> None:
        self.rows += rows
        types = {"id": pl.Int64, "at": pl.Datetime("us", "UTC")}
        frame = pl.DataFrame(self.rows, schema=types, orient="row")
        unfinished = self.folder / "data" / "_unfinished"
        frame.write_parquet(unfinished)
        unfinished.replace(self.folder / "data" / "orders.parquet")

    def run(self) -> dict[str, Verdict]:
        found = self.runner.run(self.contract, self.folder / "contracts")
        results = found.results if found is not None else ()
        return {one.promise.kind: one.verdict for one in results}

    def kept(self) -> object:
        return self.store.product_state("shop/orders", now=self.now).cached_tables


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    agent = Agent(tmp_path)
    agent.add(*((number, NOW - (30 - number) * DAY) for number in range(30)))
    yield agent
    agent.store.close()


def test_a_run_that_was_not_saved_is_made_again_with_the_same_window(agent: Agent) -> None:
    agent.run()
    agent.add((30, NOW), (31, NOW))
    agent.store.fails = True
    assert agent.run() == {}
    agent.store.fails = False
    found = agent.run()
    assert (found["rowCount"].observed, found["unique"].rows) == (32, 3)
    agent.add((32, NOW))
    again = agent.run()
    assert (again["rowCount"].observed, again["unique"].rows) == (33, 3)


def test_a_breach_in_a_window_lasts_until_it_is_mended(agent: Agent) -> None:
    agent.run()
    agent.add((30, NOW), (30, NOW))
    assert agent.run()["unique"].outcome is Outcome.FAILED
    before = agent.kept()
    agent.now += DAY
    agent.add((31, agent.now))
    found = agent.run()["unique"]
    assert (found.outcome, found.rows) == (Outcome.FAILED, 4)
    assert agent.kept() == before
    agent.rows.remove((30, NOW))
    agent.add((32, agent.now))
    mended = agent.run()
    assert (mended["unique"].outcome, mended["rowCount"].observed) == (Outcome.PASSED, 33)
    assert agent.kept() != before


def test_a_breach_that_a_full_scan_finds_lasts_until_it_is_mended(agent: Agent) -> None:
    agent.run()
    agent.add((5, NOW - 9 * DAY), (30, NOW))
    assert agent.run()["unique"].outcome is Outcome.PASSED
    agent.now += 7 * DAY
    for number in (31, 32):
        agent.add((number, agent.now))
        found = agent.run()["unique"]
        assert (found.outcome, found.reason) == (
            Outcome.FAILED, "1 duplicate row, 1 repeated key, 2 affected rows"
        )  # fmt: skip
    agent.rows.remove((5, NOW - 9 * DAY))
    agent.add((33, agent.now))
    assert agent.run()["unique"].outcome is Outcome.PASSED
    agent.add((34, agent.now))
    assert agent.run()["unique"].reason.startswith("in the window since ")


def test_a_breach_that_was_found_below_the_window_lasts_until_it_is_mended(agent: Agent) -> None:
    changed = yaml.safe_load(yaml.safe_dump(CONTRACT))
    policy = changed["schema"][0]["customProperties"][0]["value"]
    policy |= {"mode": "partition", "fullScan": "0 3 1 1 *"}
    agent.contract, _ = parse_contract(yaml.safe_dump(changed).encode(), "c.yaml")
    agent.add((30, NOW))
    agent.run()
    agent.now += DAY
    agent.add((31, NOW))
    assert agent.run()["unique"].outcome is Outcome.PASSED
    agent.add((3, NOW))  # of yesterday, when nothing of today is there: all rows are read
    assert agent.run()["unique"].outcome is Outcome.FAILED
    agent.add((32, agent.now))
    assert agent.run()["unique"].outcome is Outcome.FAILED
    agent.rows.remove((3, NOW))
    agent.add((33, agent.now))
    assert agent.run()["unique"].outcome is Outcome.PASSED


def test_a_breach_of_other_data_lasts_until_it_is_mended(agent: Agent) -> None:
    changed = yaml.safe_load(yaml.safe_dump(CONTRACT))
    changed["servers"][0]["path"] = "../data/{object}.parquet"
    orders = changed["schema"][0]
    orders["properties"][0]["relationships"] = [{"to": "known.id"}]
    known = {"name": "known", "properties": [{"name": "id", "logicalType": "integer"}]}
    changed["schema"].append(known)
    agent.contract, _ = parse_contract(yaml.safe_dump(changed).encode(), "c.yaml")
    place = agent.folder / "data" / "known.parquet"
    pl.DataFrame({"id": range(40)}).write_parquet(place)
    assert agent.run()["relationship"].outcome is Outcome.PASSED
    pl.DataFrame({"id": range(1, 40)}).write_parquet(place)
    assert agent.run()["relationship"].outcome is Outcome.FAILED
    agent.add((30, NOW))
    assert agent.run()["relationship"].outcome is Outcome.FAILED
    pl.DataFrame({"id": range(40)}).write_parquet(place)
    agent.add((31, NOW))
    assert agent.run()["relationship"].outcome is Outcome.PASSED


def test_what_was_kept_of_other_files_is_not_taken_for_these(agent: Agent) -> None:
    agent.run()
    frame = pl.DataFrame({"id": [50, 50], "at": [NOW - 20 * DAY] * 2})
    frame.write_parquet(agent.folder / "data" / "others.parquet")
    changed = yaml.safe_load(yaml.safe_dump(CONTRACT))
    changed["servers"][0]["path"] = "../data/others.parquet"
    agent.contract, _ = parse_contract(yaml.safe_dump(changed).encode(), "c.yaml")
    found = agent.run()
    assert (found["rowCount"].observed, found["unique"].outcome) == (2, Outcome.FAILED)


def test_a_count_that_was_broken_by_an_old_row_is_kept_again_once_that_is_mended(
    agent: Agent,
) -> None:
    changed = yaml.safe_load(yaml.safe_dump(CONTRACT))
    changed["schema"][0]["properties"][0]["logicalTypeOptions"] = {"minimum": 0}
    agent.contract, _ = parse_contract(yaml.safe_dump(changed).encode(), "c.yaml")
    agent.add((-5, NOW - 9 * DAY))
    assert agent.run()["minimum"].outcome is Outcome.FAILED
    agent.rows.remove((-5, NOW - 9 * DAY))
    agent.add((30, NOW))
    assert agent.run()["minimum"].outcome is Outcome.PASSED
    agent.add((31, NOW))
    assert agent.run()["unique"].reason.startswith("in the window since ")
