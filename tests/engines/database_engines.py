"""Databases as engines under test: a table is filled with rows, and metrics are asked of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import ClassVar, Protocol

import duckdb
from engine_values import NOW, TABLE, column
from naive_oracle import Row

from contractwatch.engines.databases import duckdb as duckdb_session
from contractwatch.engines.databases import mysql as mysql_session
from contractwatch.engines.databases import postgres as postgres_session
from contractwatch.engines.databases.session import Session
from contractwatch.engines.query.engine import answer_frame
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.engines.sql.dialects.duckdb import DuckdbDialect
from contractwatch.engines.sql.dialects.mysql import MysqlDialect
from contractwatch.engines.sql.dialects.postgres import PostgresDialect
from contractwatch.engines.sql.engine import SqlEngine
from contractwatch.engines.sql.pull import PullFailure
from contractwatch.model.base.clause import Clause
from contractwatch.model.base.connection import Connection
from contractwatch.model.contract.contract import LogicalType, Table
from contractwatch.model.contract.database import DatabaseTables, SqlTable
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement
from tests.databases import Database

CONTRACT_TABLE = Table(Clause("schema[0]", 1), TABLE, TABLE, (column("flag", LogicalType.BOOLEAN),))


class FilledDatabase(Protocol):
    """A real database: how it is filled, and how it is read."""

    dialect: Dialect
    types: Mapping[str, str]

    def run(self, *statements: str) -> None: ...

    def fill(self, rows: Sequence[Row]) -> None: ...

    def session(self) -> Session: ...


@dataclass
class EngineUnderTest:
    """A database with the table `orders`, which each question finds filled anew."""

    database: FilledDatabase

    def fitting(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows without values that the database's types do not have."""
        fit = getattr(self.database, "fitting", None)
        return rows if fit is None else fit(rows)

    def answers(self, rows: Sequence[Row], asked: Sequence[Metric]) -> dict[Metric, Measurement]:
        self.database.fill(rows)
        with self.opened() as (engine, table):
            found = engine.survey(DatabaseTables("live", "test", (table,)), asked)
        assert not found.failures
        return dict(found.measurements)

    def answers_of_pulled_rows(
        self, rows: Sequence[Row], asked: Sequence[Metric]
    ) -> dict[Metric, Measurement]:
        self.database.fill(rows)
        failure = PullFailure()
        with self.opened() as (engine, table):
            found = answer_frame(engine.frame(table, failure), asked, now=NOW)
        assert failure.error is None
        return found

    @contextmanager
    def opened(self) -> Iterator[tuple[SqlEngine, SqlTable]]:
        session = self.database.session()
        try:
            (table,) = session.find_tables([(CONTRACT_TABLE, "")])
            assert isinstance(table, SqlTable)
            yield SqlEngine(session, self.database.dialect, NOW, pull_max_rows=1000), table
        finally:
            session.close()


class DuckdbDatabase:
    """A DuckDB file in a folder."""

    dialect = DuckdbDialect()
    types: ClassVar = {
        "whole": "BIGINT",
        "small": "TINYINT",
        "real": "DOUBLE",
        "money": "DECIMAL(12, 2)",
        "word": "VARCHAR",
        "flag": "BOOLEAN",
        "day": "DATE",
        "local": "TIMESTAMP",
        "zoned": "TIMESTAMPTZ",
    }

    def __init__(self, path: Path, connection: Connection) -> None:
        self.path = path
        self.connection = connection
        self.run(f"CREATE TABLE {TABLE} ({_columns(self.types)})")

    def run(self, *statements: str) -> None:
        with duckdb.connect(str(self.path)) as opened:
            for statement in statements:
                opened.execute(statement)

    def fill(self, rows: Sequence[Row]) -> None:
        with duckdb.connect(str(self.path)) as opened:
            opened.execute("SET TimeZone = 'UTC'")
            opened.execute(f"DELETE FROM {TABLE}")
            for row in rows:
                cells = [_as_text(row[name]) for name in self.types]
                opened.execute(_insert(self.types, "?"), cells)

    def session(self) -> Session:
        return duckdb_session.connect(self.connection, "", application="contractwatch/test")


class PostgresDatabase:
    """A database of a PostgreSQL server."""

    dialect = PostgresDialect()
    types: ClassVar = {
        "whole": "bigint",
        "small": "smallint",
        "real": "double precision",
        "money": "numeric(12, 2)",
        "word": "text",
        "flag": "boolean",
        "day": "date",
        "local": "timestamp",
        "zoned": "timestamptz",
    }

    def __init__(self, database: Database) -> None:
        self.database = database
        self.run(
            f"DROP TABLE IF EXISTS {TABLE} CASCADE",
            f"CREATE TABLE {TABLE} ({_columns(self.types)})",
        )

    def run(self, *statements: str) -> None:
        self.database.execute(*statements)

    def fill(self, rows: Sequence[Row]) -> None:
        with self.database.at.login(self.database.name) as opened:
            opened.execute(f"TRUNCATE {TABLE}")
            opened.execute("SET timezone = 'UTC'")
            text = _insert(self.types, "%s")
            cells = [[_as_text(row[name]) for name in self.types] for row in rows]
            opened.cursor().executemany(text, cells)

    def session(self) -> Session:
        of = self.database
        admin = of.connection(user=of.at.admin)
        return postgres_session.connect(admin, of.at.password, application="contractwatch/test")


class MysqlDatabase:
    """A database of a MariaDB server."""

    dialect = MysqlDialect()
    types: ClassVar = {
        "whole": "bigint",
        "small": "tinyint",
        "real": "double",
        "money": "decimal(12, 2)",
        "word": "varchar(20)",
        "flag": "tinyint(1)",
        "day": "date",
        "local": "datetime(6)",
        "zoned": "timestamp(6) NULL",
    }

    def __init__(self, database: Database) -> None:
        self.database = database
        self.run(
            f"DROP TABLE IF EXISTS {TABLE} CASCADE",
            f"CREATE TABLE {TABLE} ({_columns(self.types).replace(chr(34), '`')})"
            " DEFAULT CHARACTER SET utf8mb4",
        )

    def run(self, *statements: str) -> None:
        self.database.execute(*statements)

    def fitting(self, rows: Sequence[Row]) -> Sequence[Row]:
        return [{name: _in_mysql(name, cell) for name, cell in row.items()} for row in rows]

    def fill(self, rows: Sequence[Row]) -> None:
        marks = ", ".join(["%s"] * len(self.types))
        with self.database.at.login(self.database.name) as opened:
            cursor = opened.cursor()
            cursor.execute(f"TRUNCATE {TABLE}")
            cursor.execute("SET time_zone = '+00:00'")
            cells = [[_as_mysql(row[name]) for name in self.types] for row in rows]
            cursor.executemany(f"INSERT INTO {TABLE} VALUES ({marks})", cells)

    def session(self) -> Session:
        of = self.database
        admin = of.connection(user=of.at.admin)
        return mysql_session.connect(admin, of.at.password, application="contractwatch/test")


def _as_mysql(cell: object) -> object:
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return cell.replace(tzinfo=None)
    return repr(cell) if isinstance(cell, float) else cell  # the driver rounds floats


def _in_mysql(name: str, cell: object) -> object:
    """Return a cell, or none where the type has no such value: NaN, instants before 1970."""
    if isinstance(cell, float) and not isfinite(cell):
        return None
    if name == "zoned" and isinstance(cell, datetime) and not 1970 < cell.year < 2038:
        return None
    return cell


def _columns(types: Mapping[str, str]) -> str:
    return ", ".join(f'"{name}" {kind}' for name, kind in types.items())


def _insert(types: Mapping[str, str], mark: str) -> str:
    cells = ", ".join(f"CAST({mark} AS {kind})" for kind in types.values())
    return f"INSERT INTO {TABLE} VALUES ({cells})"


def _as_text(cell: object) -> str | None:
    """Return a cell as a text that each database casts to its type."""
    if cell is None:
        return None
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return str(cell)


def asked_of_table(
    database: FilledDatabase, metric: Metric, *, trusts: bool = True
) -> tuple[Measurement, Evidence | None]:
    """Return the answer of the table as it is, and what it rests on."""
    session = database.session()
    try:
        (table,) = session.find_tables([(CONTRACT_TABLE, "")])
        assert isinstance(table, SqlTable), table
        engine = SqlEngine(session, database.dialect, NOW, 1000, trusts_constraints=trusts)
        found = engine.survey(DatabaseTables("live", "test", (table,)), [metric])
    finally:
        session.close()
    assert not found.failures
    return found.measurements[metric], found.evidence.get(metric)
