"""Tests of opening a store, and of the messages when it cannot be opened."""

import os
import re
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
import store_values as make
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from store_values import HOUR, NOW

import contractwatch.store
from contractwatch.errors import StoreError
from contractwatch.store.database import tables
from contractwatch.store.store import Store

MIGRATIONS = Path(contractwatch.store.__file__).parent / "migrations"


def change_revision(url: str, revision: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    with store._reading("") as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_the_list_of_revisions_is_that_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == tables.REVISIONS


def test_connections_are_durable_patient_and_checked(store: Store) -> None:
    pragmas = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
    with store._reading("") as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert found == ["wal", 2, 5000, 1]


def test_a_writer_takes_the_lock_as_it_begins_and_a_reader_never(store: Store) -> None:
    begins: list[str] = []

    def note(connection, cursor, statement, *rest: object) -> None:
        if statement.startswith("BEGIN"):
            begins.append(statement)

    event.listen(store._engine, "before_cursor_execute", note)
    store.revision()
    store.beat(NOW)
    assert begins == ["BEGIN", "BEGIN IMMEDIATE"]


def test_what_was_committed_is_there_when_the_store_is_opened_again(url: str) -> None:
    first = Store.open(url)
    first.commit(make.entry())
    records = first.records()
    first.close()
    second = Store.open(url)
    assert second.records() == records
    second.close()


def test_the_folder_of_a_new_store_is_made(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/a folder/with # and % in it/record.db").close()
    assert (tmp_path / "a folder" / "with # and % in it" / "record.db").is_file()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/record\.db cannot be made .*\(store_url in"):
        Store.open(f"sqlite:///{tmp_path}/file/record.db")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://host/base", "SQLite file in this version, not 'postgresql'"),
        ("sqlite://", "must be an SQLite file"),
        ("sqlite:///:memory:", "must be an SQLite file"),
        ("record.db", "cannot be read; write it as sqlite:///path/record.db"),
    ],
)
def test_an_address_that_is_no_file_is_refused(address: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        Store.open(address)


def test_a_store_of_a_newer_version_is_refused(url: str) -> None:
    Store.open(url).close()
    change_revision(url, "9999")
    for read_only in (False, True):
        with pytest.raises(StoreError, match=r"newer contractwatch .*9999.* install") as caught:
            Store.open(url, read_only=read_only)
        assert caught.value.kind == "version"


def test_readers_refuse_an_empty_file_and_never_fill_it(url: str) -> None:
    sqlite3.connect(url.removeprefix("sqlite:///")).close()
    path = Path(url.removeprefix("sqlite:///"))
    path.touch()
    with pytest.raises(StoreError, match=r"is empty; start the agent once") as caught:
        Store.open(url, read_only=True)
    assert caught.value.kind == "version"
    assert path.stat().st_size == 0


def test_a_database_of_something_else_is_refused_and_left_alone(url: str) -> None:
    path = Path(url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreError, match="not a contractwatch store") as caught:
        Store.open(url)
    assert caught.value.kind == "version"
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    connection.close()


def test_a_file_that_is_no_database_is_refused(url: str) -> None:
    Path(url.removeprefix("sqlite:///")).write_text("hello, I am a text file\n" * 100)
    with pytest.raises(StoreError, match=r"damaged or no SQLite database .SQLITE_NOTADB") as caught:
        Store.open(url)
    assert caught.value.kind == "io"


def test_readers_are_told_where_the_store_should_be(url: str) -> None:
    with pytest.raises(StoreError, match=r"no store at .*record\.db; .*CONTRACTWATCH_STORE_URL"):
        Store.open(url, read_only=True)


def test_readers_work_while_a_writer_holds_the_lock_and_see_only_what_is_committed(
    store: Store, url: str
) -> None:
    store.commit(make.entry())
    reader = Store.open(url, read_only=True)
    with store._writing("") as connection:
        connection.execute(tables.product.delete().where(tables.product.c.id == 99))
        connection.execute(tables.meta.update().values(value=4711))
        assert reader.revision() == 1
        assert reader.records() == store.records()
    assert reader.revision() == 4711
    reader.close()


def test_readers_cannot_write(store: Store, url: str) -> None:
    reader = Store.open(url, read_only=True)
    with pytest.raises(StoreError, match="opened to be read only") as caught:
        reader.commit(make.entry())
    assert caught.value.kind == "readonly"
    reader.close()


def test_a_store_that_another_process_keeps_locked_is_told(store: Store, url: str) -> None:
    def hurry(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    event.listen(store._engine, "checkout", hurry)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(
        StoreError, match=r"run of finance/orders was not saved: .*locked"
    ) as caught:
        store.commit(make.entry())
    assert caught.value.kind == "locked"
    other.execute("ROLLBACK")
    other.close()
    assert store.commit(make.entry()) == 1


def test_threads_take_turns(store: Store) -> None:
    def work(product: str) -> None:
        for hour in range(10):
            start = NOW + hour * HOUR
            store.commit(make.entry(product, at=start, entries=(make.span(start, start + HOUR),)))

    threads = [threading.Thread(target=work, args=(f"p/{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    records = store.records()
    assert store.revision() == 60
    assert [record.lines[0].total.good for record in records] == [36_000.0] * 6


OPEN = """
import sys
from contractwatch.store.store import Store
Store.open(sys.argv[1]).close()
"""


def test_processes_that_open_a_new_store_at_once_all_get_it(url: str, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, url], stderr=subprocess.PIPE, text=True, cwd=tmp_path
        )
        for _ in range(3)
    ]
    errors = [process.communicate(timeout=100)[1] for process in processes]
    assert errors == ["", "", ""]
    store = Store.open(url)
    assert store.commit(make.entry()) == 1
    store.close()


HOLD = """
import sys
from contractwatch.store.store import Store
store = Store.open(sys.argv[1])
store.lock()
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_second_agent_is_refused_until_the_first_is_killed(
    store: Store, url: str, tmp_path: Path
) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert first.stdout.readline() == "locked\n"

    with pytest.raises(StoreError) as caught:
        store.lock()
    assert caught.value.kind == "locked"
    assert re.search(
        rf"another agent \(process {first.pid}\) holds .*record\.db\.lock; stop it, or give this "
        r"one a store of its own \(store_url in",
        str(caught.value),
    )
    assert store.commit(make.entry()) == 1

    first.kill()
    first.communicate(timeout=60)
    store.lock()
    store.lock()
    assert Path(f"{store.path}.lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_is_free_again_after_close(url: str) -> None:
    first, second = Store.open(url), Store.open(url)
    first.lock()
    with pytest.raises(StoreError, match=f"process {os.getpid()}"):
        second.lock()
    first.close()
    second.lock()
    second.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_file_without_the_right_to_write_is_told(url: str) -> None:
    Store.open(url).close()
    path = Path(url.removeprefix("sqlite:///"))
    path.chmod(0o400)
    with pytest.raises(StoreError) as caught:
        Store.open(url).commit(make.entry())
    assert caught.value.kind in {"readonly", "io"}


def test_a_new_store_and_what_sqlite_puts_beside_it_are_the_users_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with closing(Store.open(f"sqlite:///{tmp_path}/new.db")):
            made = {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert {"new.db", "new.db-wal"} <= made.keys()
    assert set(made.values()) == {0o600}


def test_a_store_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    Store.open(f"sqlite:///{path}").close()
    path.chmod(0o640)
    Store.open(f"sqlite:///{path}").close()
    assert path.stat().st_mode & 0o777 == 0o640
