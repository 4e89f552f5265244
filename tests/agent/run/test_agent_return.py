"""Tests of a contract that comes back while its product is withdrawn."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from unittest.mock import Mock

from agent_values import contract_text

from contractwatch.agent.catalog.product_card import card_of
from contractwatch.agent.schedule.timing import timetable_of
from contractwatch.app import Agent
from contractwatch.model.record.product import ProductCard, RunEntry
from contractwatch.settings import load_settings
from contractwatch.store.store import Store

SECONDS = 30.0


class SlowStore(Store):
    """A real store; something may happen while its cards are looked at."""

    meanwhile: Callable[[], None] | None = None

    def cards(self) -> tuple[ProductCard, ...]:
        return cast("tuple[ProductCard, ...]", self._one_by_one(super().cards()))

    def _one_by_one(self, cards: tuple[ProductCard, ...]) -> Iterator[ProductCard]:
        if self.meanwhile is not None:
            self.meanwhile()
        yield from cards


def test_what_comes_back_while_it_is_withdrawn_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    file = folder / "orders.odcs.yaml"
    file.write_text(contract_text())
    environ = {"CONTRACTWATCH_CONTRACTS": json.dumps([str(folder)])}
    settings = load_settings(None, environ)
    store = SlowStore.open(f"sqlite:///{tmp_path / 'record.db'}")
    agent = Agent(settings, store, Mock(spec=socket.socket))
    agent._schedule_change(agent._catalog.rescan(), is_first=True)
    (contract,) = agent._catalog.contracts()
    now = datetime.now(UTC)
    table = timetable_of(contract, default_interval=agent._runner._rules.default_interval)
    card = card_of(contract, frozenset(), table, notices=(), now=now)
    store.commit(RunEntry(card, now, None, (), (), (), (), ()))
    file.unlink()
    agent._schedule_change(agent._catalog.rescan(), is_first=False)

    def take() -> None:
        agent._schedule_change(agent._catalog.rescan(), is_first=False)

    taking = threading.Thread(target=take)

    def come_back() -> None:
        file.write_text(contract_text())
        taking.start()
        taking.join(0.3)  # it may wait for the withdrawal, and then takes longer

    store.meanwhile = come_back
    agent._withdraw()
    taking.join(SECONDS)
    with agent._runner._served.saving(contract.product) as is_served:
        assert is_served
    store.close()
