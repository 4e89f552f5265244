"""Tests of the stored per-file cache, which is replaced with the run that computed it."""

import sqlite3
from dataclasses import replace

import pytest
import store_values as make
from sqlalchemy import select
from store_values import NOW

from contractwatch.errors import StoreError
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.store.database import tables
from contractwatch.store.store import Store

PRODUCT = "finance/orders"
ORDERS, LINES = CachedTable("orders", b"\x00one"), CachedTable("lines", b"two")


def kept(store: Store) -> tuple[CachedTable, ...]:
    return store.product_state(PRODUCT, now=NOW).cached_tables


def test_what_is_kept_is_there_for_the_next_run_and_replaced_by_it(store: Store) -> None:
    store.commit(replace(make.entry(), cached_tables=(ORDERS, LINES)))
    assert kept(store) == (LINES, ORDERS)

    newer = replace(ORDERS, content=b"three")
    store.commit(replace(make.entry(), cached_tables=(newer,)))
    assert kept(store) == (newer,)


def test_a_wake_up_or_a_run_that_read_nothing_leaves_it_as_it_is(store: Store) -> None:
    store.commit(replace(make.entry(), cached_tables=(ORDERS,)))
    store.commit(make.entry(run=None))
    assert kept(store) == (ORDERS,)
    store.commit(replace(make.entry(), cached_tables=()))
    assert kept(store) == ()


def test_nothing_is_kept_of_a_product_that_is_withdrawn(store: Store) -> None:
    store.commit(replace(make.entry(), cached_tables=(ORDERS,)))
    store.withdraw(PRODUCT, at=NOW)
    with store._reading("") as connection:
        assert connection.execute(select(tables.file_state)).all() == []


def test_an_entry_that_is_not_saved_keeps_nothing(store: Store) -> None:
    store.commit(replace(make.entry(), cached_tables=(ORDERS,)))
    with sqlite3.connect(store.path) as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON file_state BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    connection.close()
    with pytest.raises(StoreError):
        store.commit(replace(make.entry(), cached_tables=(LINES,)))
    assert kept(store) == (ORDERS,)
    assert len(store.record(PRODUCT).runs) == 1
