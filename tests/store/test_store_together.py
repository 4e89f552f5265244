"""Tests of the group commit."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import store_values as make
from sqlalchemy import event
from store_values import NOW

from contractwatch.errors import StoreError
from contractwatch.model.record.product import RunEntry
from contractwatch.store.group_commit import GroupCommit
from contractwatch.store.store import Store

SECONDS = 30.0
HERE = Path(__file__).parent

WRITER = """
import sys, threading
sys.path.insert(0, sys.argv[2])
import store_values as make
from contractwatch.store.store import Store
store = Store.open(sys.argv[1])
def write(product):
    for number in range(100_000):
        at = make.NOW + number * make.HOUR
        store.commit(make.entry(product, at=at, entries=(make.span(at, at + make.HOUR),)))
        sys.stdout.write(f"{product} {number + 1}\\n")
        sys.stdout.flush()
for number in range(6):
    threading.Thread(target=write, args=(f"finance/{number}",)).start()
"""


class Gate:
    """A write that waits until it is let through, and remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, ...]] = []
        self.begun = threading.Event()
        self.open = threading.Event()

    def write(self, entries: Sequence[RunEntry]) -> list[int]:
        products = tuple(entry.card.product for entry in entries)
        self.batches.append(products)
        self.begun.set()
        assert self.open.wait(SECONDS)
        if "full" in products:
            raise StoreError("the disk is full", kind="full")
        if "wrong" in products:
            raise StoreError("it contradicts", kind="constraint")
        return [int(product) for product in products]


@contextmanager
def committed(gate: Gate, first: str, *others: str) -> Iterator[dict[str, Future[int]]]:
    """Commit the others while the first is being written."""
    together = GroupCommit(gate.write)
    with ThreadPoolExecutor(1 + len(others)) as threads:
        begun = {first: threads.submit(together.commit, entry_of(first))}
        assert gate.begun.wait(SECONDS)
        begun |= {name: threads.submit(together.commit, entry_of(name)) for name in others}
        while len(together._waiting) < 1 + len(others):
            threading.Event().wait(0.001)
        gate.open.set()
        yield begun


def entry_of(product: str) -> RunEntry:
    return make.entry(product=product)


def test_what_comes_while_one_entry_is_written_is_written_at_once_and_each_gets_its_own_id() -> (
    None
):
    gate = Gate()
    with committed(gate, "1", "2", "3") as done:
        assert {name: future.result(SECONDS) for name, future in done.items()} == {
            "1": 1,
            "2": 2,
            "3": 3,
        }
    assert [sorted(batch) for batch in gate.batches] == [["1"], ["2", "3"]]


def test_an_entry_that_contradicts_the_record_fails_alone() -> None:
    gate = Gate()
    with committed(gate, "1", "2", "wrong") as done:
        assert done["2"].result(SECONDS) == 2
        with pytest.raises(StoreError, match="it contradicts"):
            done["wrong"].result(SECONDS)
    assert sorted(gate.batches[2:]) == [("2",), ("wrong",)]


def test_an_outage_is_everyones_and_is_not_tried_again_for_each() -> None:
    gate = Gate()
    with committed(gate, "1", "2", "full") as done:
        errors = [done[name].exception(SECONDS) for name in ("2", "full")]
    assert [str(error) for error in errors] == ["the disk is full"] * 2
    assert errors[0] is not errors[1]
    assert len(gate.batches) == 2


def test_a_group_is_one_transaction_and_a_wrong_entry_of_it_leaves_nothing(store: Store) -> None:
    opened = make.incident()
    told = make.entry(incidents=(opened,), transitions=(make.transition(opened),))
    store.commit(told)
    good = make.entry(product="finance/good", entries=(make.span(NOW, NOW + make.HOUR),))
    commits: list[object] = []
    event.listen(store._engine, "commit", commits.append)
    with pytest.raises(StoreError) as failed:
        store._write([good, told])
    assert (failed.value.kind, commits) == ("constraint", [])
    assert store.record("finance/good") is None
    revision = store.revision()
    assert len(store._write([good, make.entry()])) == 2
    assert (len(commits), store.revision()) == (1, revision + 2)


def test_kill_9_leaves_whole_entries_of_a_group_and_loses_none_that_was_acknowledged(
    url: str, tmp_path: Path
) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, url, str(HERE)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert writer.stdout is not None
    said = [writer.stdout.readline() for _ in range(40)]
    writer.kill()
    said += [line for line in writer.stdout.read().splitlines(keepends=True) if line[-1] == "\n"]
    writer.wait(timeout=60)
    writer.stdout.close()
    acknowledged = {product: int(number) for product, number in map(str.split, said)}

    store = Store.open(url)
    entries: dict[str, int] = {}
    for record in store.records():
        (line,) = record.lines
        entries[record.card.product] = round(line.total.good / 3600)
        assert record.last_run is not None
        assert record.last_run.finished_at == line.standing.observed_at
        found = store.record(record.card.product, runs=100_000)
        assert found is not None
        assert len(found.runs) == entries[record.card.product]
    assert sum(entries.values()) == store.revision()
    for product, number in acknowledged.items():
        assert number <= entries[product] <= number + 1
    store.close()


def test_no_plan_of_a_transaction_that_failed_is_taken_for_one_that_is_saved(
    tmp_path: Path,
) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'record.db'}")
    first = make.entry("finance/first")
    twin = replace(first, card=make.card("finance/twin"))  # on the plan of the first
    twice = (make.span(NOW, NOW + make.HOUR), make.span(NOW, NOW + make.HOUR))
    with pytest.raises(StoreError):
        store._write([first, twin, make.entry("finance/wrong", entries=twice)])
    store.commit(make.entry("finance/other"))
    record = store.record("finance/other")
    assert record is not None
    assert record.last_run is not None
    assert record.last_run.contract_id == "id-of-finance/other"
    store.close()
