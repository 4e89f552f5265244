"""Tests that the schema and the statements compile for PostgreSQL."""

import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import store_values as make
from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from store_values import NOW

import contractwatch.store
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.store.store import Store

MIGRATIONS = Path(contractwatch.store.__file__).parent / "migrations"


def postgres_schema() -> str:
    written = io.StringIO()
    config = Config(output_buffer=written)
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["dialect"] = "postgresql"
    command.upgrade(config, "head", sql=True)
    return written.getvalue()


def every_statement(store: Store) -> list[str]:
    """Use everything that a store does, and return each statement as PostgreSQL would get it."""
    found: dict[str, None] = {}

    dialect = postgresql.dialect(paramstyle="numeric_dollar")

    def note(_connection: object, statement: Any, *_: object) -> None:
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        found[str(compiled)] = None

    event.listen(store._engine, "before_execute", note)
    opened = make.incident()
    store.commit(
        make.entry(
            entries=(make.span(NOW - make.HOUR, NOW),),
            incidents=(opened,),
            transitions=(make.transition(opened),),
            notifications=(make.notification("a"), make.notification("b", lane="b")),
        )
    )
    kept = (CachedTable("orders", b"1"), CachedTable("lines", b"2"))
    store.commit(replace(make.entry(run=None), cached_tables=kept))
    store.commit(replace(make.entry(run=None), cached_tables=kept[:1]))
    store.commit(make.entry(run=None, entries=(make.span(NOW, NOW + make.HOUR),)))
    first, second = store.claim("me", now=NOW, lease_seconds=9, limit=9, receivers=("ops",))
    store.retry(first, at=NOW, error="")
    store.mark_dead(second, now=NOW, reason="4xx", error="")
    store.replay(second.outbox_id, now=NOW)
    (again, _) = store.claim("me", now=NOW, lease_seconds=9, limit=9, receivers=("ops",))
    store.delivered(again, now=NOW)
    store.beat(NOW)
    for read in (store.records, store.standings, store.cards, store.products, store.last_beat):
        read()
    store.record("finance/orders")
    store.product_state("finance/orders", now=NOW)
    for read in (store.outbox_counts, store.delivery_totals, store.dead_letters, store.revision):
        read()
    store.withdraw("finance/orders", at=NOW)
    store.compact(NOW + 999 * make.HOUR)
    return list(found)


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a folder with a short name, because a socket's path may not be long."""
    folder = Path(tempfile.mkdtemp(prefix="cw-pg-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def database(home: Path) -> Iterator[list[str]]:
    """Return the words that run psql on an empty PostgreSQL of our own."""
    tools = {name: shutil.which(name) for name in ("initdb", "pg_ctl", "psql")}
    if missing := [name for name, path in tools.items() if path is None]:
        pytest.skip(f"not found here: {', '.join(missing)}")
    become: list[str] = []
    if os.geteuid() == 0:
        become = ["runuser", "-u", "postgres", "--"]
        try:
            shutil.chown(home, "postgres")
        except LookupError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")

    def do(*words: str) -> None:
        with (home / "said").open("w") as said:
            subprocess.run([*become, *words], check=True, stdout=said, stderr=said, cwd=home)

    data = str(home / "data")
    do(str(tools["initdb"]), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "-N")
    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off"
    control = (str(tools["pg_ctl"]), "-D", data, "-w")
    do(*control, "-o", options, "-l", str(home / "data" / "log"), "start")
    yield [str(tools["psql"]), "-h", str(home), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-q"]
    do(*control, "-m", "immediate", "stop")


def test_a_real_postgresql_takes_the_schema_and_every_statement(
    store: Store, database: list[str]
) -> None:
    statements = every_statement(store)
    prepared = [f"PREPARE s{place} AS {text}" for place, text in enumerate(statements)]
    script = ";\n".join([postgres_schema(), *prepared, ""])

    done = subprocess.run(database, input=script, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.returncode == 0
    assert len(statements) > 60


def test_no_statement_is_of_sqlite_only(store: Store) -> None:
    for statement in every_statement(store):
        assert statement.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}
