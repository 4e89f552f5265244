"""Each database that the conformance suite runs on."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from database_engines import DuckdbDatabase, EngineUnderTest, PostgresDatabase

from contractwatch.model.base.connection import Connection, DatabaseKind


def _duckdb(request: pytest.FixtureRequest) -> EngineUnderTest:
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("duckdb")
    path = folder / "orders.duckdb"
    connection = Connection("test", DatabaseKind.DUCKDB, database=str(path))
    return EngineUnderTest(DuckdbDatabase(path, connection))


def _postgres(request: pytest.FixtureRequest) -> EngineUnderTest:
    connection = Connection("test", DatabaseKind.POSTGRES, "127.0.0.1", 55432, "shop", "postgres")
    return EngineUnderTest(PostgresDatabase(connection))


ENGINES: Mapping[str, Callable[[pytest.FixtureRequest], EngineUnderTest]] = {
    "duckdb": _duckdb,
    "postgres": _postgres,
}


@pytest.fixture(params=list(ENGINES), scope="module")
def engine(request: pytest.FixtureRequest) -> EngineUnderTest:
    return ENGINES[request.param](request)
