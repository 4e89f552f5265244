"""Tests of the watermark history and of the times of incidents."""

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import store_values as make
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from store_values import HOUR, MINUTE, NOW

import contractwatch.store
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.measure.metric import UpdateHistory
from contractwatch.model.measure.state import (
    IncidentLog,
    IncidentTime,
    ProbeTally,
    Watermark,
    WatermarkPeriod,
)
from contractwatch.model.record.incident import (
    Cause,
    DeliveryRecord,
    DeliveryState,
    Phase,
    TransitionKind,
)
from contractwatch.model.record.product import ObservedWatermark, ProductState, WatermarkHistory
from contractwatch.store.database.codec import dump, to_micros
from contractwatch.store.record import watermark_history
from contractwatch.store.store import Store

DAY = timedelta(days=1)
PRODUCT = "finance/orders"
FIRST = Watermark(NOW, 10, "v1")
SECOND = Watermark(NOW + HOUR, 11, "v2")


def look(mark: Watermark, *, at: datetime, store: Store, table: str = "orders") -> None:
    store.commit(make.entry(at=at, watermarks=(ObservedWatermark(table, "at", mark),)))


def memory(store: Store, at: datetime = NOW) -> ProductState:
    return store.product_state(PRODUCT, now=at)


def test_runs_that_see_the_same_are_one_stretch_and_a_change_begins_another(store: Store) -> None:
    for hours, mark in enumerate((FIRST, FIRST, SECOND, FIRST)):
        look(mark, at=NOW + hours * HOUR, store=store)
    look(Watermark(None), at=NOW + 4 * HOUR, store=store, table="refunds")

    assert memory(store).watched == (
        WatermarkHistory(
            "orders",
            "at",
            (
                WatermarkPeriod(FIRST, NOW, NOW + HOUR, runs=2),
                WatermarkPeriod(SECOND, NOW + 2 * HOUR, NOW + 2 * HOUR),
                WatermarkPeriod(FIRST, NOW + 3 * HOUR, NOW + 3 * HOUR),
            ),
        ),
        WatermarkHistory(
            "refunds", "at", (WatermarkPeriod(Watermark(None), *([NOW + 4 * HOUR] * 2)),)
        ),
    )
    assert store.product_state("finance/other", now=NOW).watched == ()


def test_of_each_table_the_newest_sightings_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    oldest = watermark_history._FORGET.compile().params
    assert watermark_history.SIGHTINGS_KEPT - 1 in oldest.values()
    for number in range(4):
        look(Watermark(None, number), at=NOW + number * HOUR, store=store)
    assert store.compact(NOW + 400 * DAY + HOUR + MINUTE).sightings == 2
    (left,) = memory(store).watched
    assert [one.watermark.rows for one in left.seen] == [2, 3]


def test_an_incident_keeps_when_it_was_found_told_and_repaired(store: Store) -> None:
    good = make.standing(Objective.COMPLETENESS)
    store.commit(make.entry(standings=(good,)))
    at = NOW + 10 * MINUTE
    bad = make.standing(Objective.COMPLETENESS, at=at, state=ObjectiveState.BAD)
    pending = make.incident(phase=Phase.PENDING, opened_at=None)
    store.commit(make.entry(at=at, standings=(bad,), incidents=(pending,)))
    assert memory(store, at).incident_log == IncidentLog()

    opened = make.incident(opened_at=at + MINUTE)
    store.commit(
        make.entry(at=at + MINUTE, incidents=(opened,), notifications=(make.notification(),))
    )
    assert memory(store).incident_log == IncidentLog((IncidentTime(at, NOW),))

    (delivery,) = store.claim("a", now=at, lease_seconds=9, limit=1, receivers=("ops",))
    assert store.delivered(delivery, now=at + 2 * MINUTE)
    repaired = at + 2 * HOUR
    over = make.incident(phase=Phase.RESOLVED, opened_at=at + MINUTE, resolved_at=repaired)
    store.commit(make.entry(at=repaired, incidents=(over,)))

    found = IncidentTime(at, NOW, at + 2 * MINUTE, repaired)
    assert memory(store, repaired + 28 * DAY).incident_log == IncidentLog((found,))
    assert memory(store, repaired + 28 * DAY + MINUTE).incident_log == IncidentLog()


def test_of_what_was_not_good_before_nobody_knows_when_it_broke(store: Store) -> None:
    unknown = make.standing(Objective.COMPLETENESS, state=ObjectiveState.UNKNOWN)
    store.commit(make.entry(standings=(unknown,)))
    blind = make.incident("i2", cause=Cause.UNKNOWN, objective=Objective.CONFORMANCE)
    store.commit(make.entry(at=NOW + HOUR, incidents=(make.incident(), blind)))
    assert memory(store).incident_log == IncidentLog((IncidentTime(NOW + HOUR),))


def test_a_test_message_tells_of_no_incident(store: Store) -> None:
    message = make.notification(is_test=True)
    store.commit(make.entry(incidents=(make.incident(),), notifications=(message,)))
    (delivery,) = store.claim("a", now=NOW, lease_seconds=9, limit=1, receivers=("ops",))
    assert store.delivered(delivery, now=NOW + MINUTE)
    assert memory(store).incident_log == IncidentLog((IncidentTime(NOW),))


def test_a_store_of_the_first_schema_is_brought_up_to_date_and_keeps_its_incidents(
    url: str,
) -> None:
    opened = make.incident()
    _first_schema(url)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        card = dump(make.card(), type(make.card()))
        connection.execute(
            "INSERT INTO product (id, name, contract_id, contract_version, card, revision)"
            " VALUES (1, ?, 'orders', '1.2.0', ?, 1)",
            (PRODUCT, card),
        )
        connection.execute(
            "INSERT INTO incident (incident_id, product_id, objective, phase, opened_at, content)"
            " VALUES ('i1', 1, 'completeness', 'open', ?, ?)",
            (to_micros(NOW), dump(opened, type(opened))),
        )
    connection.close()

    store = Store.open(url)
    log = IncidentLog((IncidentTime(opened.since, is_timed=False),))
    told = (DeliveryRecord("i1", "", 0, TransitionKind.OPENED, DeliveryState.DELIVERED, NOW),)
    assert memory(store) == ProductState(incidents=(opened,), incident_log=log, deliveries=told)
    look(FIRST, at=NOW, store=store)
    assert memory(store).watched == (
        WatermarkHistory("orders", "at", (WatermarkPeriod(FIRST, NOW, NOW),)),
    )
    assert store.compact(NOW + 500 * DAY).sightings == 1
    store.close()


def _first_schema(url: str) -> None:
    config = Config()
    folder = Path(contractwatch.store.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


def test_what_only_the_record_answers_is_read_if_it_is_asked(store: Store) -> None:
    look(FIRST, at=NOW, store=store)
    whole = store.product_state(PRODUCT, now=NOW)
    seen = store.product_state(PRODUCT, now=NOW, asked=frozenset({UpdateHistory}))
    nothing = store.product_state(PRODUCT, now=NOW, asked=frozenset())
    assert (seen.watched, seen.probes) == (whole.watched, ProbeTally())
    assert (nothing.watched, nothing.standings) == ((), whole.standings)
