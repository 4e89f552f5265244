"""Tests of the size of a run, and of the number of queries of a read."""

import store_values as make
from sqlalchemy import event
from store_values import HOUR, NOW

from benchmarks.store_size import measure
from contractwatch.store.store import Store


def test_a_run_of_40_checks_takes_less_than_a_kilobyte() -> None:
    size = measure(runs=150)
    assert 100 < size.bytes_a_run < 1024
    assert size.bytes_of_a_plan < 4096


def test_all_records_are_read_in_as_many_statements_as_two(store: Store, url: str) -> None:
    def statements(products: int) -> int:
        for number in range(products):
            store.commit(make.entry(f"p/{number}", entries=(make.span(NOW - HOUR, NOW),), run=None))
        for number in range(products):
            store.commit(make.entry(f"p/{number}", run=make.run(f"p/{number}")))
        reader = Store.open(url, read_only=True)
        seen: list[str] = []
        event.listen(reader._engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        assert len(reader.records()) == products
        cold = len(seen)
        assert len(reader.records()) == products
        reader.close()
        assert len(seen) - cold < cold
        return cold

    few = statements(2)
    with store._writing("") as connection:
        connection.exec_driver_sql("DELETE FROM ledger_interval")
    assert statements(30) == few <= 12


def test_unchanged_products_are_not_read_again(store: Store) -> None:
    for number in range(3):
        store.commit(make.entry(f"p/{number}"))
    first = store.records()
    later = make.entry("p/1", at=NOW + HOUR)
    store.commit(later)

    second = store.records()

    assert second[0] is first[0]
    assert second[2] is first[2]
    assert second[1].last_run == later.run
