"""What a session may not do on a server, and what ends when the agent is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb as duckdb_library
import pytest

from contractwatch.engines.databases import duckdb, mysql, postgres
from contractwatch.engines.databases.session import QueryError, Session
from contractwatch.errors import SourceError
from contractwatch.model.base.connection import Connection, DatabaseKind
from tests.databases import Database

LIMIT = "longer than 0.3 s"


@pytest.fixture(params=["postgres", "mariadb", "duckdb"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def session(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Session:
    if kind == "duckdb":
        path = str(tmp_path / "x.duckdb")
        with duckdb_library.connect(path) as opened:
            opened.execute("CREATE TABLE orders (id int)")
        known = Connection("x", DatabaseKind.DUCKDB, database=path, statement_timeout_seconds=0.3)
        return duckdb.connect(known, "", application="contractwatch/x")
    database: Database = request.getfixturevalue(f"{kind}_database")
    database.execute("CREATE TABLE orders (id int)")
    known = database.connection(statement_timeout_seconds=0.3, user=database.at.admin)
    connect = postgres.connect if kind == "postgres" else mysql.connect
    return connect(known, database.at.password, application="contractwatch/x")


TABLES = {"postgres": "public.orders", "mariadb": "orders", "duckdb": "orders"}
ENDLESS = {
    "postgres": "SELECT pg_sleep(60)",
    "mariadb": "SELECT count(*) FROM seq_1_to_10000000 a, seq_1_to_10000000 b",
    "duckdb": "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b",
}


def test_a_query_that_never_ends_is_ended_by_the_database(kind: str, session: Session) -> None:
    started = time.monotonic()
    with pytest.raises(QueryError) as caught:
        session.rows(ENDLESS[kind])
    assert time.monotonic() - started < 5
    assert LIMIT in str(caught.value)
    assert session.rows(f"SELECT count(*) FROM {TABLES[kind]}") == [(0,)]
    session.close()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {table} VALUES (1)",
        "UPDATE {table} SET id = 1",
        "DELETE FROM {table}",
        "CREATE TABLE other (id int)",
        "DROP TABLE {table}",
    ],
)
def test_a_session_cannot_write(session: Session, kind: str, statement: str) -> None:
    if kind == "mariadb" and statement.startswith(("CREATE", "DROP")):
        pytest.skip("MariaDB lets DDL through a read-only transaction: the user's rights stop it")
    with pytest.raises((QueryError, SourceError)):
        session.rows(statement.format(table=TABLES[kind]))
    assert session.rows(f"SELECT count(*) FROM {TABLES[kind]}") == [(0,)]
    session.close()


def test_a_database_file_shows_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\nhunter2\n")
    path = str(tmp_path / "x.duckdb")
    duckdb_library.connect(path).close()
    session = duckdb.connect(
        Connection("x", DatabaseKind.DUCKDB, database=path), "", application="contractwatch/x"
    )
    for query in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"SELECT * FROM '{tmp_path}/secret.csv'",
        f"SELECT content FROM read_text('{tmp_path}/secret.csv')",
        f"SELECT * FROM glob('{tmp_path}/*')",
        f"COPY (SELECT 1) TO '{tmp_path}/written'",
        f"ATTACH '{tmp_path}/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
    ):
        with pytest.raises(QueryError) as caught:
            session.rows(query)
        assert "hunter2" not in str(caught.value)
    session.close()
    assert not (tmp_path / "written").exists()


AGENT = """
import sys
from contractwatch.engines.databases import postgres
from contractwatch.model.base.connection import Connection, DatabaseKind
host, port, name, user, password = sys.argv[1:]
known = Connection("x", DatabaseKind.POSTGRES, host, int(port), name, user)
session = postgres.connect(known, password, application="contractwatch/killed")
print("ready", flush=True)
session.rows("SELECT pg_sleep(60)")
"""


@pytest.mark.slow
def test_a_killed_agent_leaves_no_query_behind(postgres_database: Database) -> None:
    at = postgres_database.at
    words = [at.host, str(at.port), postgres_database.name, at.admin, at.password]
    running = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'contractwatch/killed' AND state = 'active'"
    )
    with subprocess.Popen([sys.executable, "-c", AGENT, *words], stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == b"ready\n"
        _until(lambda: postgres_database.execute(running) == [(1,)])
        os.kill(agent.pid, signal.SIGKILL)
    _until(lambda: postgres_database.execute(running) == [(0,)])


def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.1)
