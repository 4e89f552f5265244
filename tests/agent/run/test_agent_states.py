"""Tests that the per-file cache is saved with the run that read the files, and only with it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import polars as pl
import pytest
from agent_values import contract_text

from contractwatch.agent.clock import Clock
from contractwatch.agent.health.outage import StoreOutage
from contractwatch.agent.run.runner import RunContext, Runner, RunSettings
from contractwatch.alerting.message import AlertingSetup
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.record.check import Outcome
from contractwatch.odcs.load import parse_contract
from tests.in_place import BrittleStore, HereWorkers

PRODUCT = "shop/orders"


class Agent:
    """A runner that runs one contract; its clock is an hour ahead of the files."""

    def __init__(self, folder: Path, *full_scans: str) -> None:
        self.folder = folder
        now = datetime.now(UTC) + timedelta(hours=1)
        clock = Clock(now=lambda: now, monotonic=lambda: 0.0)
        self.store = BrittleStore.open(f"sqlite:///{folder / 'record.db'}")
        day = timedelta(days=1)
        rules = RunSettings(
            environment="prod",
            roots=(folder.parent,),
            deadline_seconds=60,
            deadline_limit_seconds=60,
            default_interval=day,
            reprobe=day,
            alerting=AlertingSetup((), ()),
            full_scans=frozenset(full_scans),
        )
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

    def evidence(self) -> set[Evidence | None]:
        """Run once and return what the checks that pass rest on."""
        contract, _ = parse_contract(contract_text().encode(), "contracts/orders.odcs.yaml")
        run = self.runner.run(contract, self.folder)
        results = run.results if run is not None else ()
        return {one.verdict.evidence for one in results if one.outcome is Outcome.PASSED}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "data").mkdir()
    frame = pl.DataFrame({"id": [1, 2, 3], "city": ["a", "b", "c"]})
    frame.write_parquet(tmp_path / "data" / "orders.parquet")
    return tmp_path / "contracts"


@pytest.fixture
def agent(folder: Path) -> Iterator[Agent]:
    agent = Agent(folder)
    yield agent
    agent.store.close()


def test_the_next_run_of_another_process_rests_on_what_was_kept(agent: Agent, folder: Path) -> None:
    assert Evidence.STATE not in agent.evidence()
    agent.store.close()
    again = Agent(folder)
    assert again.evidence() == {Evidence.STATE}
    again.store.close()


def test_a_run_that_is_not_saved_keeps_nothing(agent: Agent) -> None:
    agent.store.fails = True
    assert agent.evidence() == set()
    agent.store.fails = False
    found = agent.evidence()
    assert found
    assert Evidence.STATE not in found


@pytest.mark.parametrize("product", [PRODUCT, "*"])
def test_a_product_of_full_scans_is_read_whole_every_time(folder: Path, product: str) -> None:
    agent = Agent(folder, product)
    agent.evidence()
    assert Evidence.STATE not in agent.evidence()
    agent.store.close()
