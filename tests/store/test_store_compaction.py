"""Tests of the compaction: bounded steps; open rows and totals stay."""

from datetime import timedelta

import pytest
import store_values as make
from sqlalchemy import func, select
from store_values import HOUR, NOW

from contractwatch.model.base.objective import StateSeconds
from contractwatch.model.measure.state import ProbeTally
from contractwatch.model.record.incident import Phase
from contractwatch.store.database import tables
from contractwatch.store.record import compaction
from contractwatch.store.record.compaction import Compaction
from contractwatch.store.store import Store

DAY = timedelta(days=1)


def count(store: Store, name: str) -> int:
    with store._reading("") as connection:
        return connection.execute(
            select(func.count()).select_from(tables.metadata.tables[name])
        ).scalar_one()


def test_the_last_runs_and_all_of_the_last_days_stay(store: Store) -> None:
    for age in range(20, 0, -1):
        store.commit(make.entry(run=make.run(at=NOW - age * DAY)))
        store.commit(make.entry("hr/people", run=make.run("hr/people", at=NOW - (age + 40) * DAY)))

    removed = store.compact(NOW, keep_runs=3, keep_run_days=7)

    orders, people = store.record("finance/orders"), store.record("hr/people")
    assert orders is not None
    assert people is not None
    assert [run.finished_at for run in orders.runs] == [NOW - age * DAY for age in range(1, 8)]
    assert [run.finished_at for run in people.runs] == [NOW - age * DAY for age in range(41, 44)]
    assert removed.runs == 13 + 17
    assert orders.last_run is not None
    assert people.last_run is not None


def test_a_product_keeps_its_last_run_even_if_none_are_to_be_kept(store: Store) -> None:
    store.commit(make.entry())
    assert store.compact(NOW + 99 * DAY, keep_runs=0, keep_run_days=0).runs == 0
    assert store.records()[0].last_run is not None


def test_plans_without_a_run_go_and_others_stay(store: Store) -> None:
    for version in ("1", "2", "3"):
        store.commit(make.entry(run=make.run(contract_version=version)))
    assert count(store, "plan") == 3

    store.compact(NOW + 10 * DAY, keep_runs=1, keep_run_days=1)

    assert count(store, "plan") == 1
    record = store.record("finance/orders")
    assert record is not None
    assert record.last_run is not None
    assert record.last_run.contract_version == "3"


def test_a_plan_that_went_and_came_back_is_read_with_its_new_words(store: Store) -> None:
    first = make.run(results=(make.check(0, reason="first"),))
    other = make.run(contract_version="2", at=NOW + HOUR)
    again = make.run(results=(make.check(0, reason="again"),), at=NOW + 20 * DAY)
    store.commit(make.entry(run=first))
    store.records()
    store.commit(make.entry(run=other))
    store.compact(NOW + 10 * DAY, keep_runs=1, keep_run_days=1)
    store.commit(make.entry(run=again))
    assert store.records()[0].last_run == again


def test_old_time_goes_and_its_total_stays(store: Store) -> None:
    old = make.span(NOW - 92 * DAY, NOW - 91 * DAY)
    across = make.span(NOW - 90 * DAY - HOUR, NOW - 90 * DAY + HOUR)
    store.commit(make.entry(entries=(old, across)))

    assert store.compact(NOW).intervals == 1

    store.commit(make.entry(run=None))
    line = store.records()[0].lines[0]
    assert line.intervals == (across.interval,)
    assert line.total == StateSeconds(good=86_400.0 + 7200.0)


def test_probes_outlive_their_runs_and_end_with_the_ledger(store: Store) -> None:
    for age in (100, 20, 0):
        store.commit(make.entry(run=make.run(at=NOW - age * DAY)))
    removed = store.compact(NOW, keep_runs=1, keep_run_days=1)
    assert (removed.runs, removed.probe_days) == (2, 1)
    assert store.product_state("finance/orders", now=NOW).probes == ProbeTally(2, 2)


def test_messages_go_when_done_and_never_before(store: Store) -> None:
    keys = ("waits", "delivered", "dead", "leased")
    store.commit(
        make.entry(
            run=None,
            notifications=tuple(make.notification(key, lane=key) for key in keys),
        )
    )
    claimed = store.claim("me", now=NOW, lease_seconds=60, limit=9, receivers=("ops",))
    by_key = {item.notification.key: item for item in claimed}
    store.retry(by_key["waits"], at=NOW, error="")
    store.delivered(by_key["delivered"], now=NOW)
    store.mark_dead(by_key["dead"], now=NOW, reason="4xx", error="")
    totals = store.delivery_totals()

    assert store.compact(NOW + 6 * DAY).removed == 0
    assert store.compact(NOW + 8 * DAY).delivered == 1
    assert store.compact(NOW + 89 * DAY).dead_letters == 0
    assert store.compact(NOW + 91 * DAY).dead_letters == 1

    assert store.outbox_counts()[0].pending == 2
    assert store.delivery_totals() == totals


def test_open_incidents_are_never_touched(store: Store) -> None:
    open_ones = [
        make.incident(phase.value, phase, resolved_at=None)
        for phase in Phase
        if phase is not Phase.RESOLVED
    ]
    old = make.incident("old", Phase.RESOLVED, resolved_at=NOW)
    never = make.incident("never", Phase.RESOLVED, opened_at=None, resolved_at=NOW + 399 * DAY)
    store.commit(
        make.entry(
            incidents=(*open_ones, old, never),
            transitions=tuple(make.transition(item) for item in (*open_ones, old)),
        )
    )

    assert store.compact(NOW + 400 * DAY).incidents == 0
    assert store.compact(NOW + 402 * DAY).incidents == 2

    assert list(store.product_state("finance/orders", now=NOW + 402 * DAY).incidents) == open_ones
    assert count(store, "incident_event") == 3


def test_old_versions_of_the_data_go(store: Store) -> None:
    for age in (91, 89):
        store.commit(make.entry(run=make.run(at=NOW - age * DAY)))
    assert store.compact(NOW).data_versions == 1


def test_one_call_removes_a_bounded_number_and_says_that_there_is_more(store: Store) -> None:
    spans = tuple(
        make.span(NOW + 2 * number * HOUR, NOW + (2 * number + 1) * HOUR)
        for number in range(compaction.CHUNK + 5)
    )
    store.commit(make.entry(entries=spans))
    late = NOW + 1000 * DAY

    assert store.compact(late) == Compaction(
        intervals=compaction.CHUNK, data_versions=1, probe_days=1, more=True
    )
    assert store.compact(late) == Compaction(intervals=5)
    assert store.compact(late) == Compaction()


@pytest.mark.parametrize("name", sorted(tables.metadata.tables))
def test_every_table_is_bounded_or_belongs_to_a_product(name: str) -> None:
    swept = {"run", "plan", "ledger_interval", "incident", "incident_event", "outbox"}
    swept |= {"data_version", "probe_day", "sighting", "incident_time"}
    small = {"meta", "product", "standing", "ledger_total", "delivery_total", "file_state"}
    small |= {"receiver_pause", "telling"}  # of receivers, and gone with their incident
    assert name in swept | small
