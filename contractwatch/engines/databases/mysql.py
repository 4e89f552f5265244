"""MySQL and MariaDB: a read-only session on one snapshot, and what the catalogue enforces."""

import re
import ssl
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pymysql
from pymysql.cursors import SSCursor

from contractwatch.engines.databases.session import QueryError, Row, out_of_time
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import Connection
from contractwatch.model.contract.contract import LogicalType, Table
from contractwatch.model.contract.database import (
    DatabaseColumn,
    SqlTable,
    UniqueColumns,
    ValueFamily,
)

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 5
_SPARE_SECONDS = 30
_SYSTEM_SCHEMAS = frozenset({"mysql", "information_schema", "performance_schema", "sys"})
_INTEGERS = {"tinyint": 8, "smallint": 16, "mediumint": 32, "int": 32, "bigint": 64, "year": 16}
_FAMILIES = {
    "float": ValueFamily.FLOAT,
    "double": ValueFamily.FLOAT,
    "char": ValueFamily.TEXT,
    "varchar": ValueFamily.TEXT,
    "tinytext": ValueFamily.TEXT,
    "text": ValueFamily.TEXT,
    "mediumtext": ValueFamily.TEXT,
    "longtext": ValueFamily.TEXT,
    "enum": ValueFamily.TEXT,
    "uuid": ValueFamily.TEXT,
    "date": ValueFamily.DATE,
    "datetime": ValueFamily.TIMESTAMP,
    "timestamp": ValueFamily.INSTANT,
    "time": ValueFamily.TIME,
    "json": ValueFamily.OBJECT,
    "binary": ValueFamily.BINARY,
    "varbinary": ValueFamily.BINARY,
    "tinyblob": ValueFamily.BINARY,
    "blob": ValueFamily.BINARY,
    "mediumblob": ValueFamily.BINARY,
    "longblob": ValueFamily.BINARY,
}
_DIGITS = re.compile(r"decimal\((\d+),(\d+)\)")
_COLUMNS = """
SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, c.DATA_TYPE, c.IS_NULLABLE,
       t.TABLE_TYPE
FROM information_schema.COLUMNS c
JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
WHERE (c.TABLE_SCHEMA, c.TABLE_NAME) IN ({places})
ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION
"""
_UNIQUE = """
SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME
FROM information_schema.STATISTICS
WHERE NON_UNIQUE = 0 AND (TABLE_SCHEMA, TABLE_NAME) IN ({places})
ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX
"""
_TIMED_OUT = frozenset({1969, 3024, 1317})
_LOCKED = frozenset({1205, 1222})
_DENIED = frozenset({1142, 1143, 1370})
_CHANGED = frozenset({1146, 1054, 1412})
_LOST = frozenset({2006, 2013, 1927, 1053})

_Place = tuple[str, str]


def connect(connection: Connection, password: str, *, application: str) -> "MysqlSession":
    """Open a session that can only read, with the limits of the operator's connection.

    Raises:
        SourceError: If the server cannot be reached, or does not let the user in.
    """
    encryption = _encryption(connection)
    try:
        opened = pymysql.connect(
            host=connection.host,
            port=connection.port,
            user=connection.user or None,
            password=password,
            database=connection.database,
            charset="utf8mb4",
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=round(connection.statement_timeout_seconds) + _SPARE_SECONDS,
            autocommit=False,
            local_infile=False,
            program_name=application,
            **encryption,
        )
    except pymysql.Error as error:
        raise _not_connected(error, connection) from None
    session = MysqlSession(opened, connection)
    session.begin()
    return session


def _encryption(connection: Connection) -> dict[str, Any]:
    """Return how the driver encrypts.

    Raises:
        SourceError: If the file of authorities cannot be read.
    """
    match connection.sslmode:
        case "" | "disable" | "allow" | "prefer":
            return {"ssl_disabled": connection.sslmode == "disable"}
        case "require":
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        case _:
            try:
                context = ssl.create_default_context(cafile=connection.sslrootcert or None)
            except OSError as error:  # one of `ssl` among them
                raise SourceError(
                    f"connection {connection.name!r}: the file of authorities sslrootcert cannot be"
                    " read",
                    retryable=False,
                    blame=Blame.AGENT,
                ) from error
            context.check_hostname = connection.sslmode == "verify-full"
    return {"ssl": context}


class MysqlSession:
    """Transaction REPEATABLE READ, READ ONLY WITH CONSISTENT SNAPSHOT of InnoDB's tables."""

    def __init__(self, opened: "pymysql.Connection[Any]", connection: Connection) -> None:
        self._opened = opened
        self._connection = connection

    def begin(self) -> None:
        """Set the limits, and take the snapshot."""
        seconds = self._connection.statement_timeout_seconds
        try:
            with self._opened.cursor() as cursor:
                cursor.execute("SET SESSION time_zone = '+00:00'")
                cursor.execute("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'")
                cursor.execute("SET SESSION lock_wait_timeout = %s", (_LOCK_SECONDS,))
                cursor.execute("SELECT version()")
                if "mariadb" in str(cursor.fetchone()).lower():
                    cursor.execute("SET SESSION max_statement_time = %s", (seconds,))
                else:
                    cursor.execute("SET SESSION max_execution_time = %s", (round(seconds * 1000),))
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        except pymysql.Error as error:
            self.close()
            raise _failure(error, self._connection) from None

    def find_tables(self, wanted: Sequence[tuple[Table, str]]) -> Sequence[SqlTable | str]:
        places = [self._candidates(table.physical_name, schema) for table, schema in wanted]
        every = sorted({pair for each in places for pair in each})
        columns: dict[_Place, list[tuple[object, ...]]] = {}
        keys: dict[_Place, dict[str, list[str | None]]] = {}
        for row in self._catalogue(_COLUMNS, every):
            columns.setdefault((str(row[0]), str(row[1])), []).append(row)
        for schema, name, index, column in self._catalogue(_UNIQUE, every):
            members = keys.setdefault((str(schema), str(name)), {})
            members.setdefault(str(index), []).append(None if column is None else str(column))
        return [
            self._found(table, candidates, columns, keys)
            for (table, _), candidates in zip(wanted, places, strict=True)
        ]

    def _candidates(self, physical: str, schema: str) -> list[_Place]:
        """Return where a table may be, the first choice first: `schema.table` names its schema."""
        here = (schema or self._connection.database, physical)
        before, _, last = physical.rpartition(".")
        return [here, (before, last)] if before else [here]

    def _found(
        self,
        table: Table,
        candidates: Sequence[_Place],
        columns: Mapping[_Place, Sequence[tuple[object, ...]]],
        keys: Mapping[_Place, Mapping[str, Sequence[str | None]]],
    ) -> SqlTable | str:
        place = next((one for one in candidates if one in columns), None)
        if place is None:
            schema, name = candidates[0]
            return f"the database has no table {schema}.{name}, or does not show it to this user"
        allowed = self._connection.schemas
        if place[0].lower() in _SYSTEM_SCHEMAS:
            return f"schema {place[0]!r} is the system's own and is not read"
        if allowed and place[0] not in allowed:
            return (
                f"schema {place[0]!r} is not among the roots of the connection"
                f" {self._connection.name!r}, which allow {', '.join(allowed)}"
            )
        is_table = columns[place][0][6] == "BASE TABLE"
        booleans = {
            one.physical_name.lower()
            for one in table.columns
            if one.logical_type is LogicalType.BOOLEAN
        }
        unique = [
            UniqueColumns(tuple(member for member in members if member is not None))
            for members in keys.get(place, {}).values()
            if None not in members  # a member that is an expression
        ]
        return SqlTable(
            table=table.name,
            schema=place[0],
            name=place[1],
            columns=table.columns,
            found=tuple(_column(row, booleans, is_table=is_table) for row in columns[place]),
            constraints=tuple(unique) if is_table else (),
            where=table.where,
            incremental=table.incremental,
        )

    def _catalogue(self, query: str, places: Sequence[_Place]) -> Sequence[tuple[object, ...]]:
        if not places:
            return ()
        marks = ", ".join(["(%s, %s)"] * len(places))
        flat = [part for place in places for part in place]
        try:
            with self._opened.cursor() as cursor:
                cursor.execute(query.format(places=marks), flat)
                return list(cursor.fetchall())
        except pymysql.Error as error:
            raise _failure(error, self._connection) from None

    def rows(self, query: str) -> list[Row]:
        try:
            with self._opened.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall())
        except pymysql.Error as error:
            raise _failure(error, self._connection) from None

    @contextmanager
    def batches(self, query: str, size: int) -> Generator[Iterator[list[Row]]]:
        try:
            with closing(self._opened.cursor(SSCursor)) as cursor:
                cursor.execute(query)
                yield iter(lambda: list(cursor.fetchmany(size)), [])
        except pymysql.Error as error:
            raise _failure(error, self._connection) from None

    def close(self) -> None:
        if self._opened.open:
            self._opened.close()


def _column(row: Sequence[object], booleans: set[str], *, is_table: bool) -> DatabaseColumn:
    _schema, _table, name, declared, kind, is_nullable, _type = row
    declared, kind = str(declared).lower(), str(kind).lower()
    family = _FAMILIES.get(kind, ValueFamily.OTHER)
    precision = scale = 0
    digits = _DIGITS.match(declared)
    if kind in _INTEGERS:
        is_boolean = declared == "tinyint(1)" and str(name).lower() in booleans
        family = ValueFamily.BOOLEAN if is_boolean else ValueFamily.INTEGER
    elif digits:
        family, precision, scale = ValueFamily.DECIMAL, int(digits[1]), int(digits[2])
    return DatabaseColumn(
        name=str(name),
        declared=declared,
        family=family,
        bits=_INTEGERS.get(kind) or (32 if kind == "float" else 64),
        is_unsigned="unsigned" in declared or kind == "year",
        precision=precision,
        scale=scale,
        compares_loosely=family is ValueFamily.TEXT,
        is_required=is_table and is_nullable == "NO",
        is_uuid=kind == "uuid",
    )


def _code(error: pymysql.Error) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _not_connected(error: pymysql.Error, connection: Connection) -> SourceError:
    """Return why there is no connection; never in the driver's words, which name the user."""
    known = {
        1045: "the user or the password is refused",
        1044: "the user may not use the database",
        1049: "there is no such database",
        1040: "the server has no connection left",
        1130: "the server lets this user not in from here",
        2003: "nothing answers there",
        2026: "the encryption that sslmode asks for is refused",
    }
    code = _code(error)
    place = f"{connection.host}:{connection.port}/{connection.database}"
    # The driver tells a refused certificate as a server that cannot be reached.
    is_refused = "certificate" in str(error).lower()
    why = known.get(code, "the connection failed")
    why = "the server's certificate is refused" if is_refused else why
    return SourceError(
        f"connection {connection.name!r} ({place}): {why}",
        retryable=code in {1040, 2003} and not is_refused,
        blame=Blame.AGENT,
    )


def _failure(error: pymysql.Error, connection: Connection) -> QueryError | SourceError:
    code = _code(error)
    if code in _TIMED_OUT:
        seconds = connection.statement_timeout_seconds
        return QueryError(out_of_time(seconds))
    if code in _LOCKED:
        why = "the table is locked by a change that is under way"
        return SourceError(why, retryable=True, blame=Blame.PRODUCT)
    if code in _DENIED:
        return SourceError("the user may not read the table", retryable=False, blame=Blame.PRODUCT)
    if code in _CHANGED:
        return SourceError(
            "a table was changed while it was read", retryable=True, blame=Blame.PRODUCT
        )
    if code in _LOST or not code:
        return SourceError(
            "the connection to the database was lost", retryable=True, blame=Blame.AMBIGUOUS
        )
    return QueryError(f"the database refused the question (error {code})")
