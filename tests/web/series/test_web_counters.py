"""Tests of product counters, which never fall over a restart."""

from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import web_values as values
from hypothesis import given, settings
from hypothesis import strategies as st
from web_values import NOW

from contractwatch.model.base.objective import Objective, ObjectiveState, Standing
from contractwatch.model.record.product import LedgerEntry, RunEntry
from contractwatch.model.record.run import Observation
from contractwatch.slo.ledger import apply_observations, interrupt_all
from contractwatch.store.store import Store
from contractwatch.web.series.monotonic_counters import MonotonicCounters, ProductCounters

PRODUCT = "finance/orders"
PROMISED = frozenset({Objective.SCHEMA, Objective.VOLUME})
STATES = st.sampled_from([ObjectiveState.GOOD, ObjectiveState.BAD, ObjectiveState.UNKNOWN])


class Ledger:
    """The record of one product, written as the agent writes it."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(f"sqlite:///{folder / 'record.db'}")
        self.standings: tuple[Standing, ...] = ()
        self.now = NOW

    def run(self, schema: ObjectiveState, volume: ObjectiveState, *, after: float) -> None:
        self.now += timedelta(seconds=after)
        found = [Observation(Objective.SCHEMA, schema), Observation(Objective.VOLUME, volume)]
        horizon = self.now + timedelta(seconds=60)
        self._save(
            *apply_observations(
                self.standings, found, promised=PROMISED, at=self.now, horizon=horizon
            )
        )

    def restart(self, *, beaten: datetime, after: float) -> None:
        self.now += timedelta(seconds=after)
        self._save(*interrupt_all(self.standings, since=beaten, to=self.now))

    def counters(self, counters: MonotonicCounters, until: datetime) -> ProductCounters:
        record = self.store.record(PRODUCT)
        assert record is not None
        return counters.read(record, until=until)

    def _save(self, standings: tuple[Standing, ...], entries: tuple[LedgerEntry, ...]) -> None:
        self.standings = standings
        card = values.card(PRODUCT)
        self.store.commit(RunEntry(card, self.now, None, entries, standings, (), (), ()))


def shown(counters: ProductCounters) -> list[float]:
    lines = [(one.measured, one.bad) for one in counters.lines.values()]
    return [counters.unknown, *(number for pair in lines for number in pair)]


def test_objectives_that_were_unknown_one_after_the_other_count_in_full_after_a_restart(
    tmp_path: Path,
) -> None:
    good, unknown = ObjectiveState.GOOD, ObjectiveState.UNKNOWN
    ledger, counters = Ledger(tmp_path), MonotonicCounters()
    ledger.run(unknown, good, after=0)
    ledger.run(good, unknown, after=17)
    ledger.run(good, good, after=15)
    before = ledger.counters(counters, ledger.now)
    assert before.unknown == pytest.approx(32)
    assert ledger.counters(MonotonicCounters(), ledger.now) == before
    ledger.store.close()


def test_unknown_time_of_several_objectives_at_once_is_kept_once(tmp_path: Path) -> None:
    unknown = ObjectiveState.UNKNOWN
    ledger = Ledger(tmp_path)
    ledger.run(unknown, unknown, after=0)
    ledger.run(unknown, unknown, after=20)
    assert ledger.counters(MonotonicCounters(), ledger.now).unknown == pytest.approx(20)
    ledger.store.close()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(("run", "restart", "beat")), st.integers(0, 150), STATES, STATES),
        min_size=1,
        max_size=10,
    )
)
def test_no_counter_falls_over_any_number_of_runs_and_restarts(
    steps: list[tuple[str, int, ObjectiveState, ObjectiveState]],
) -> None:
    with TemporaryDirectory() as folder:
        ledger, counters = Ledger(Path(folder)), MonotonicCounters()
        ledger.run(ObjectiveState.GOOD, ObjectiveState.UNKNOWN, after=0)
        beaten = ledger.now
        last = shown(ledger.counters(counters, beaten))
        for act, after, schema, volume in steps:
            if act == "run":
                ledger.run(schema, volume, after=after)
            elif act == "beat":
                ledger.now += timedelta(seconds=after)
                beaten = ledger.now
            else:
                counters = MonotonicCounters()
                ledger.restart(beaten=beaten, after=after)
                beaten = ledger.now
            now = shown(ledger.counters(counters, beaten))
            assert all(new >= old - 1e-6 for new, old in zip(now, last, strict=True)), (now, last)
            assert shown(ledger.counters(MonotonicCounters(), beaten)) == pytest.approx(now)
            last = now
        ledger.store.close()
