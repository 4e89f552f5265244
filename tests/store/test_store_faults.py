"""Tests of crashes and disk faults: an entry is there whole or not at all."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import store_values as make
from sqlalchemy import func, select
from store_values import HOUR, NOW

from contractwatch.errors import StoreError
from contractwatch.store.database import tables
from contractwatch.store.store import Store

HERE = Path(__file__).parent

WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
import store_values as make
from contractwatch.store.store import Store
store = Store.open(sys.argv[1])
start = store.revision()
for number in range(start, start + 100_000):
    store.commit(make.whole_entry(number))
    print(number, flush=True)
"""


def rows(store: Store, *names: str) -> list[int]:
    with store._reading("") as connection:
        return [
            connection.execute(
                select(func.count()).select_from(tables.metadata.tables[name])
            ).scalar_one()
            for name in names
        ]


def whole_entries(store: Store) -> int:
    """Return how many entries there are, having seen that each is there in all of its parts."""
    runs, incidents, events, messages, intervals = rows(
        store, "run", "incident", "incident_event", "outbox", "ledger_interval"
    )
    assert (incidents, events, messages, intervals) == (runs, runs, 2 * runs, min(runs, 1))
    assert store.revision() == runs
    if runs:
        (record,) = store.records()
        assert record.last_run is not None
        assert record.last_run.finished_at == NOW + (runs - 1) * HOUR
        assert record.lines[0].standing.observed_at == record.last_run.finished_at
        assert record.lines[0].total.good == runs * 3600.0
    return runs


def test_kill_9_leaves_whole_entries_and_loses_none_that_was_acknowledged(
    url: str, tmp_path: Path
) -> None:
    dice = random.Random(20261001)
    acknowledged = 0
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(HERE)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        for _ in range(dice.randrange(2, 25)):
            acknowledged = int(writer.stdout.readline()) + 1
        writer.kill()
        rest = writer.stdout.read()
        writer.wait(timeout=60)
        writer.stdout.close()
        acknowledged = max([acknowledged, *(int(line) + 1 for line in rest.split())])

        store = Store.open(url)
        assert acknowledged <= whole_entries(store) <= acknowledged + 1
        store.close()


def test_a_full_database_saves_nothing_and_says_so_and_goes_on_when_there_is_room(
    store: Store,
) -> None:
    def limit(pages: int) -> None:
        with store._reading("") as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    at = NOW
    for number in range(3):
        at = NOW + number * HOUR
        store.commit(make.entry(at=at, entries=(make.span(at, at + HOUR),)))
    before, revision = store.records(), store.revision()
    limit(1)
    error = "x" * 100_000

    with pytest.raises(StoreError) as caught:
        store.commit(
            make.entry(
                at=at + HOUR,
                run=make.run(at=at + HOUR, error=error),
                entries=(make.span(at + HOUR, at + 2 * HOUR),),
                notifications=(make.notification(),),
            )
        )

    assert caught.value.kind == "full"
    assert str(caught.value) == (
        f"the run of finance/orders was not saved: store {store.path}: the disk is full; free some "
        "space there, or move the store (store_url in contractwatch.toml or "
        "CONTRACTWATCH_STORE_URL)"
    )
    assert (store.records(), store.revision(), store.outbox_counts()) == (before, revision, ())
    limit(1_000_000)
    assert store.commit(make.entry(at=at + HOUR, run=make.run(error=error))) == 4


LIMITED = """
import resource, sys
sys.path.insert(0, sys.argv[2])
import store_values as make
from contractwatch.errors import StoreError
from contractwatch.store.store import Store
store = Store.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
number = 0
try:
    while True:
        store.commit(make.whole_entry(number))
        number += 1
except StoreError as error:
    print(number, error.kind, error)
"""


def test_a_write_that_the_system_refuses_is_told_and_leaves_whole_entries(
    url: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, url, str(HERE)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=100,
        check=True,
    )
    number, kind, sentence = done.stdout.strip().split(" ", 2)
    assert kind == "io"
    assert sentence.startswith("the run of finance/orders was not saved: store ")
    assert "SQLITE_IOERR" in sentence
    assert "Traceback" not in done.stderr
    store = Store.open(url)
    assert whole_entries(store) == int(number) > 0
    store.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    options = ["-t", "tmpfs", "-o", "size=768k", "contractwatch-test", str(disk)]
    done = subprocess.run([mount, *options], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run([str(shutil.which("umount")), str(disk)], check=True)


def test_a_disk_that_fills_up_loses_nothing_and_goes_on_when_there_is_room(tiny_disk: Path) -> None:
    filler = tiny_disk / "filler"
    filler.write_bytes(b"x" * 150_000)
    store = Store.open(f"sqlite:///{tiny_disk}/record.db")

    saved = 0

    def fill() -> None:
        nonlocal saved
        while True:
            store.commit(make.whole_entry(saved))
            saved += 1

    with pytest.raises(StoreError, match="was not saved") as caught:
        fill()

    assert caught.value.kind == "full"
    assert whole_entries(store) == saved > 0
    filler.unlink()
    store.commit(make.whole_entry(saved))
    assert whole_entries(store) == saved + 1
    store.close()
