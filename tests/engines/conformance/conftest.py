"""Each database that the conformance suite runs on."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest
from database_engines import DuckdbDatabase, EngineUnderTest, MysqlDatabase, PostgresDatabase

from contractwatch.model.base.connection import Connection, DatabaseKind
from tests.databases import fresh_database

Engines: TypeAlias = Iterator[EngineUnderTest]


def _duckdb(request: pytest.FixtureRequest) -> Engines:
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("duckdb")
    path = folder / "orders.duckdb"
    connection = Connection("test", DatabaseKind.DUCKDB, database=str(path))
    yield EngineUnderTest(DuckdbDatabase(path, connection))


def _postgres(request: pytest.FixtureRequest) -> Engines:
    for database in fresh_database(request.getfixturevalue("postgres")):
        yield EngineUnderTest(PostgresDatabase(database))


def _mariadb(request: pytest.FixtureRequest) -> Engines:
    for database in fresh_database(request.getfixturevalue("mariadb")):
        yield EngineUnderTest(MysqlDatabase(database))


ENGINES: Mapping[str, Callable[[pytest.FixtureRequest], Engines]] = {
    "duckdb": _duckdb,
    "postgres": _postgres,
    "mariadb": _mariadb,
}


@pytest.fixture(params=list(ENGINES), scope="module")
def engine(request: pytest.FixtureRequest) -> Engines:
    yield from ENGINES[request.param](request)
