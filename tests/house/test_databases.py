"""The database servers of the tests: they start, guard their accounts, and end with their users."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pymysql
import pytest

from tests.databases import Database, DatabaseServer

ROOT = Path(__file__).parents[2]


def test_a_database_of_postgres_is_empty_and_utf8(postgres_database: Database) -> None:
    rows = postgres_database.execute(
        "CREATE TABLE orders (id int, name text)",
        "INSERT INTO orders VALUES (1, 'ä'), (2, NULL)",
        "SELECT count(*), max(length(name)) FROM orders",
    )
    assert rows == [(2, 1)]


def test_a_database_of_mariadb_is_empty_and_utf8(mariadb_database: Database) -> None:
    rows = mariadb_database.execute(
        "CREATE TABLE orders (id int, name varchar(9))",
        "INSERT INTO orders VALUES (1, 'ä'), (2, NULL)",
        "SELECT count(*), max(char_length(name)) FROM orders",
    )
    assert rows == [(2, 1)]


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_the_reader_reads_and_cannot_write(kind: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(f"{kind}_database")
    database.execute("CREATE TABLE orders (id int)", "INSERT INTO orders VALUES (1)")
    login = database.at.login(database.name, database.at.reader)
    cursor = login.cursor()
    cursor.execute("SELECT id FROM orders")
    assert list(cursor.fetchall()) == [(1,)]
    with pytest.raises((psycopg.Error, pymysql.Error)):
        cursor.execute("INSERT INTO orders VALUES (2)")
    login.close()


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_wrong_password_is_refused(kind: str, request: pytest.FixtureRequest) -> None:
    server: DatabaseServer = request.getfixturevalue(kind)
    words = {"host": server.host, "port": server.port, "user": server.reader, "password": "x"}
    with pytest.raises((psycopg.OperationalError, pymysql.OperationalError)):
        psycopg.connect(**words, dbname="postgres") if kind == "postgres" else pymysql.connect(
            **words
        )


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_a_server_ends_even_when_its_tests_are_killed(
    kind: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(kind)  # skips where it is not installed
    code = (
        "import sys, time\n"
        "from tests.databases import _shared_server\n"
        f"with _shared_server({kind!r}) as (port, password):\n"
        "    print(password.parent, flush=True)\n"
        "    time.sleep(100)\n"
    )
    environment = {key: value for key, value in os.environ.items() if "XDIST" not in key}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    assert (folder / "port").exists()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 30
    while folder.exists():
        assert time.monotonic() < until, "the server still runs"
        time.sleep(0.05)
