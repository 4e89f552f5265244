"""PostgreSQL: a read-only session on one snapshot, and what its catalogue enforces."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

from contractwatch.engines.databases.session import QueryError, Row, out_of_time
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import Connection
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.database import (
    Constraint,
    DatabaseColumn,
    RowCondition,
    SqlTable,
    UniqueColumns,
    ValueFamily,
)

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 5
_NO_AUTHORITIES = "the file of authorities that sslmode needs is not there; set sslrootcert"
_SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast"})
_DEFAULT_SCHEMA = "public"
_UNLIMITED = 0
_VARHDRSZ = 4

_INTEGERS = {"int2": 16, "int4": 32, "int8": 64, "oid": 32}
_FLOATS = {"float4": 32, "float8": 64}
_FAMILIES = {
    "bool": ValueFamily.BOOLEAN,
    "text": ValueFamily.TEXT,
    "varchar": ValueFamily.TEXT,
    "bpchar": ValueFamily.TEXT,
    "name": ValueFamily.TEXT,
    "citext": ValueFamily.TEXT,
    "uuid": ValueFamily.TEXT,
    "date": ValueFamily.DATE,
    "timestamp": ValueFamily.TIMESTAMP,
    "timestamptz": ValueFamily.INSTANT,
    "time": ValueFamily.TIME,
    "bytea": ValueFamily.BINARY,
    "json": ValueFamily.OBJECT,
    "jsonb": ValueFamily.OBJECT,
    "hstore": ValueFamily.OBJECT,
}

_TABLES = """
SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, c.relispartition,
       has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'),
       EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY (%s) AND c.relname = ANY (%s)
"""
_COLUMNS = """
SELECT a.attrelid::int8, a.attnum::int, a.attname::text,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       CASE WHEN t.typtype = 'd' THEN b.typname ELSE t.typname END::text,
       CASE WHEN t.typtype = 'd' THEN b.typtype ELSE t.typtype END::text,
       CASE WHEN t.typtype = 'd' AND t.typtypmod >= 0 THEN t.typtypmod ELSE a.atttypmod END::int,
       a.attnotnull OR t.typnotnull,
       CASE WHEN t.typtype = 'd' THEN b.typcategory ELSE t.typcategory END::text,
       COALESCE(co.collisdeterministic, true),
       ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e
             WHERE e.enumtypid = COALESCE(b.oid, t.oid) ORDER BY e.enumsortorder),
       EXISTS (SELECT FROM pg_catalog.pg_index x
               JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid
               JOIN pg_catalog.pg_am m ON m.oid = ic.relam
               WHERE x.indrelid = a.attrelid AND x.indkey[0] = a.attnum AND x.indisvalid
                 AND x.indisready AND x.indpred IS NULL AND m.amname = 'btree')
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
WHERE a.attrelid = ANY (%s::int8[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
_UNIQUE = """
SELECT x.indrelid::int8, ARRAY(
         SELECT k.attnum::int FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, at)
         WHERE k.at <= x.indnkeyatts ORDER BY k.at)
FROM pg_catalog.pg_index x
WHERE x.indrelid = ANY (%s::int8[]::oid[]) AND x.indisunique AND x.indisvalid AND x.indisready
  AND x.indislive AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL
"""
_CHECKS = """
SELECT k.conrelid::int8, pg_catalog.pg_get_expr(k.conbin, k.conrelid)
FROM pg_catalog.pg_constraint k
WHERE k.conrelid = ANY (%s::int8[]::oid[]) AND k.contype = 'c' AND k.convalidated
  AND NOT k.connoinherit
"""
_UNPROVED_NOT_NULL = """
SELECT k.conrelid::int8, k.conkey[1]::int FROM pg_catalog.pg_constraint k
WHERE k.conrelid = ANY (%s::int8[]::oid[]) AND k.contype = 'n' AND NOT k.convalidated
"""


def connect(connection: Connection, password: str, *, application: str) -> "PostgresSession":
    """Open a session that can only read, with the limits of the operator's connection.

    Raises:
        SourceError: If the server cannot be reached, or does not let the user in.
    """
    milliseconds = max(1, round(connection.statement_timeout_seconds * 1000))
    settings = {
        "statement_timeout": str(milliseconds),
        "lock_timeout": str(_LOCK_SECONDS * 1000),
        "idle_in_transaction_session_timeout": str(milliseconds + 60_000),
        "default_transaction_read_only": "on",
        "standard_conforming_strings": "on",
        "search_path": "pg_catalog",
        "TimeZone": "UTC",
        "client_connection_check_interval": "5000",
    }
    try:
        opened = psycopg.connect(
            host=connection.host,
            port=connection.port or None,
            dbname=connection.database,
            user=connection.user or None,
            password=password or None,
            connect_timeout=_CONNECT_SECONDS,
            application_name=application[:63],
            client_encoding="UTF8",
            autocommit=True,
            sslmode=connection.sslmode or "prefer",
            sslrootcert=connection.sslrootcert or None,
        )
    except psycopg.OperationalError as error:
        raise _not_connected(error, connection) from None
    session = PostgresSession(opened, connection)
    session.begin(settings)
    return session


class PostgresSession:
    """Transaction REPEATABLE READ READ ONLY: all queries of a run see one moment."""

    def __init__(
        self, opened: "psycopg.Connection[tuple[object, ...]]", connection: Connection
    ) -> None:
        self._opened = opened
        self._connection = connection

    def begin(self, settings: dict[str, str]) -> None:
        """Set the limits, and take the snapshot."""
        try:
            for name, value in settings.items():
                try:
                    self._opened.execute(
                        "SELECT pg_catalog.set_config(%s, %s, false)", (name, value)
                    )
                except errors.UndefinedObject:  # a setting of newer versions
                    continue
            self._opened.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        except psycopg.Error as error:
            self.close()
            raise _lost(error) from None

    def find_tables(self, wanted: Sequence[tuple[Table, str]]) -> Sequence[SqlTable | str]:
        names = [_candidates(table.physical_name, schema) for table, schema in wanted]
        every = {pair for each in names for pair in each}
        schemas, tables = ([list(part) for part in zip(*every, strict=True)]) if every else ([], [])
        found = {(row[1], row[2]): row for row in self.read_catalogue(_TABLES, (schemas, tables))}
        described = _Catalogue(self, [row[0] for row in found.values()])
        results: list[SqlTable | str] = []
        for (table, _), candidates in zip(wanted, names, strict=True):
            row = next((found[pair] for pair in candidates if pair in found), None)
            results.append(self._found(table, candidates, row, described))
        return results

    def _found(
        self,
        table: Table,
        candidates: Sequence[tuple[str, str]],
        row: "tuple[object, ...] | None",
        described: "_Catalogue",
    ) -> SqlTable | str:
        schema, name = candidates[0]
        if row is None:
            return f"the database has no table {schema}.{name}, or does not show it to this user"
        oid, schema, name, kind, _, is_readable, has_children = row
        allowed = self._connection.schemas
        if schema in _SYSTEM_SCHEMAS or str(schema).startswith("pg_"):
            return f"schema {schema!r} is the system's own and is not read"
        if allowed and schema not in allowed:
            names = ", ".join(allowed)
            return (
                f"schema {schema!r} is not among the roots of the connection"
                f" {self._connection.name!r}, which allow {names}"
            )
        if not is_readable:
            return f"the user may not read table {schema}.{name}"
        proves = kind == "p" or (kind == "r" and not has_children)
        return described.table(int(str(oid)), table, (str(schema), str(name)), proves=proves)

    def read_catalogue(self, query: str, parameters: Sequence[object]) -> list[tuple[object, ...]]:
        """Return the rows of a query of this module on the system's own tables.

        Raises:
            SourceError: If it cannot be read.
        """
        try:
            return self._opened.execute(sql.SQL(query), parameters).fetchall()  # pyright: ignore[reportArgumentType] - constants of this file
        except psycopg.Error as error:
            raise _lost(error) from None

    def rows(self, query: str) -> list[Row]:
        with self._guarded():
            found = self._opened.execute(query.encode()).fetchall()
        return list(found)

    @contextmanager
    def batches(self, query: str, size: int) -> Generator[Iterator[list[Row]]]:
        with self._guarded(), self._opened.cursor() as cursor:
            yield (
                list(rows)
                for rows in _grouped(cursor.stream(query.encode(), size=min(size, 1000)), size)
            )

    @contextmanager
    def _guarded(self) -> Generator[None]:
        """Undo a failed query alone; the snapshot stays."""
        try:
            self._opened.execute("SAVEPOINT question")
            yield
            self._opened.execute("RELEASE SAVEPOINT question")
        except psycopg.Error as error:
            if self._opened.closed or self._opened.info.transaction_status not in {
                TransactionStatus.INERROR,
                TransactionStatus.INTRANS,
            }:
                raise _lost(error) from None
            try:
                self._opened.execute("ROLLBACK TO SAVEPOINT question")
            except psycopg.Error as second:
                raise _lost(second) from None
            raise _failure(error, self._connection) from None

    def close(self) -> None:
        if (
            not self._opened.closed
            and self._opened.info.transaction_status is TransactionStatus.ACTIVE
        ):
            self._opened.cancel_safe(timeout=2.0)
        self._opened.close()


class _Catalogue:
    """Columns and constraints of the tables that were found, read at once."""

    def __init__(self, session: PostgresSession, oids: Sequence[object]) -> None:
        read = session.read_catalogue
        self.columns: dict[int, dict[int, DatabaseColumn]] = {}
        self.unique: dict[int, list[list[int]]] = {}
        self.checks: dict[int, list[str]] = {}
        if not oids:
            return
        unproved = {(row[0], row[1]) for row in read(_UNPROVED_NOT_NULL, (oids,))}
        for row in read(_COLUMNS, (oids,)):
            column = _column(row, is_proved=(row[0], row[1]) not in unproved)
            self.columns.setdefault(_int(row[0]), {})[_int(row[1])] = column
        for oid, positions in read(_UNIQUE, (oids,)):
            self.unique.setdefault(_int(oid), []).append([_int(one) for one in _list(positions)])
        for oid, written in read(_CHECKS, (oids,)):
            self.checks.setdefault(_int(oid), []).append(str(written))

    def table(self, oid: int, table: Table, place: tuple[str, str], *, proves: bool) -> SqlTable:
        columns = self.columns.get(oid, {})
        keys = [
            UniqueColumns(tuple(columns[position].name for position in positions))
            for positions in self.unique.get(oid, [])
            if all(position in columns for position in positions)
        ]
        conditions = [RowCondition(written) for written in self.checks.get(oid, [])]
        constraints: tuple[Constraint, ...] = (*keys, *conditions) if proves else ()
        return SqlTable(
            table=table.name,
            schema=place[0],
            name=place[1],
            columns=table.columns,
            found=tuple(columns.values()) if proves else tuple(map(_unproved, columns.values())),
            constraints=constraints,
            where=table.where,
            incremental=table.incremental,
        )


def _int(value: object) -> int:
    return int(str(value))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - an array


def _unproved(column: DatabaseColumn) -> DatabaseColumn:
    """Return a column of a view, or of a table whose children have rules of their own."""
    return replace(column, is_required=False, is_indexed=False)


def _column(row: tuple[object, ...], *, is_proved: bool) -> DatabaseColumn:
    (
        _oid,
        _position,
        name,
        declared,
        base,
        kind,
        modifier,
        is_required,
        category,
        is_deterministic,
        labels,
        is_indexed,
    ) = row
    base, modifier = str(base), _int(modifier)
    family = _FAMILIES.get(base, ValueFamily.OTHER)
    precision = scale = 0
    if base in _INTEGERS:
        family = ValueFamily.INTEGER
    elif base in _FLOATS:
        family = ValueFamily.FLOAT
    elif base == "numeric":
        family = ValueFamily.DECIMAL
        if modifier >= _VARHDRSZ:
            packed = modifier - _VARHDRSZ
            precision, scale = (packed >> 16) & 0xFFFF, ((packed & 0x7FF) ^ 1024) - 1024
            if not 0 <= scale <= precision:
                precision, scale = 0, 0  # a scale beyond the digits is compared, not held
    elif kind == "e":
        family = ValueFamily.TEXT
    elif category == "A":
        family = ValueFamily.ARRAY
    is_text = base in {"varchar", "bpchar"}
    return DatabaseColumn(
        name=str(name),
        declared=str(declared),
        family=family,
        bits=_INTEGERS.get(base) or _FLOATS.get(base) or 64,
        is_unsigned=base == "oid",
        precision=precision,
        scale=scale,
        max_length=modifier - _VARHDRSZ if is_text and modifier > _VARHDRSZ else _UNLIMITED,
        labels=tuple(str(one) for one in _list(labels)),
        compares_loosely=base in {"bpchar", "citext"} or not is_deterministic,
        is_required=bool(is_required) and is_proved,
        is_indexed=bool(is_indexed),
        is_uuid=base == "uuid",
    )


def _candidates(physical: str, schema: str) -> list[tuple[str, str]]:
    """Return where a table may be, the first choice first: `schema.table` names its schema."""
    here = (schema or _DEFAULT_SCHEMA, physical)
    before, _, last = physical.rpartition(".")
    return [here, (before, last)] if before else [here]


def _grouped(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _not_connected(error: psycopg.OperationalError, connection: Connection) -> SourceError:
    """Return why there is no connection; the driver's words name the host, never the password."""
    said = str(error).lower()
    place = f"{connection.host}:{connection.port}/{connection.database}"
    known = (
        ("password authentication failed", "the user or the password is refused"),
        ("no password supplied", "a password is needed; set password of the connection"),
        ("root certificate file", _NO_AUTHORITIES),
        ("certificate", "the server's certificate is refused"),
        ("does not exist", "the user or the database does not exist"),
        ("no pg_hba.conf entry", "the server lets this user not in from here"),
        ("timeout", "the server did not answer in time"),
        ("refused", "nothing listens there"),
        ("translate host name", "the host has no address"),
        ("name or service", "the host has no address"),
        ("ssl", "the encryption that sslmode asks for is refused"),
        ("too many", "the server has no connection left"),
    )
    why = next((words for part, words in known if part in said), "the connection failed")
    named = f"connection {connection.name!r} ({place}): {why}"
    return SourceError(named, retryable="timeout" in said or "too many" in said, blame=Blame.AGENT)


def _lost(error: psycopg.Error) -> SourceError:
    if isinstance(error, errors.InsufficientPrivilege):
        return SourceError(
            "the user may not read what the contract promises", retryable=False, blame=Blame.PRODUCT
        )
    return SourceError(
        "the connection to the database was lost", retryable=True, blame=Blame.AMBIGUOUS
    )


def _failure(error: psycopg.Error, connection: Connection) -> QueryError | SourceError:
    match error:
        case errors.QueryCanceled():
            seconds = connection.statement_timeout_seconds
            return QueryError(out_of_time(seconds))
        case errors.LockNotAvailable():
            return SourceError(
                "the table is locked by a change that is under way",
                retryable=True,
                blame=Blame.PRODUCT,
            )
        case errors.InsufficientPrivilege():
            return SourceError(
                "the user may not read the table", retryable=False, blame=Blame.PRODUCT
            )
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return SourceError(
                "a table was changed while it was read", retryable=True, blame=Blame.PRODUCT
            )
        case _:
            return QueryError(f"the database refused the question (SQLSTATE {error.sqlstate})")
