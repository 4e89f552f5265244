"""DuckDB: a database file that is opened read-only, locked down to its own tables."""

import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import duckdb

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

_DEFAULT_SCHEMA = "main"
_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog"})
_INTEGERS = {
    "TINYINT": (8, False),
    "SMALLINT": (16, False),
    "INTEGER": (32, False),
    "BIGINT": (64, False),
    "HUGEINT": (128, False),
    "UTINYINT": (8, True),
    "USMALLINT": (16, True),
    "UINTEGER": (32, True),
    "UBIGINT": (64, True),
    "UHUGEINT": (128, True),
}
_FAMILIES = {
    "BOOLEAN": ValueFamily.BOOLEAN,
    "FLOAT": ValueFamily.FLOAT,
    "DOUBLE": ValueFamily.FLOAT,
    "VARCHAR": ValueFamily.TEXT,
    "UUID": ValueFamily.TEXT,
    "DATE": ValueFamily.DATE,
    "TIMESTAMP": ValueFamily.TIMESTAMP,
    "TIMESTAMP_S": ValueFamily.TIMESTAMP,
    "TIMESTAMP_MS": ValueFamily.TIMESTAMP,
    "TIMESTAMP_NS": ValueFamily.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": ValueFamily.INSTANT,
    "TIME": ValueFamily.TIME,
    "BLOB": ValueFamily.BINARY,
    "JSON": ValueFamily.OBJECT,
}
_COLUMNS = """
SELECT schema_name, table_name, column_name, data_type, is_nullable, numeric_precision,
       numeric_scale
FROM duckdb_columns()
WHERE database_name = current_database() AND NOT internal
  AND list_contains(?, schema_name) AND list_contains(?, table_name)
ORDER BY schema_name, table_name, column_index
"""
_CONSTRAINTS = """
SELECT schema_name, table_name, constraint_type, expression, constraint_column_names
FROM duckdb_constraints()
WHERE database_name = current_database()
  AND constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'CHECK')
  AND list_contains(?, schema_name) AND list_contains(?, table_name)
"""
_LABELS = "SELECT unnest(enum_range(NULL::{type}))::VARCHAR"
_LOCKS = (
    "SET temp_directory = ''",
    "SET enable_external_access = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET TimeZone = 'UTC'",
    "SET lock_configuration = true",
)
"""The order counts: a folder for temporary files could be read and written by a query."""


def connect(connection: Connection, password: str, *, application: str) -> "DuckdbSession":
    """Open the database file for reading only.

    Raises:
        SourceError: If it is not there, is no database, or is being written by another process.
    """
    _ = password, application  # a file has neither
    try:
        opened = duckdb.connect(connection.database, read_only=True)
    except duckdb.Error as error:
        raise _not_opened(error, connection) from None
    try:
        for statement in _LOCKS:
            opened.execute(statement)
    except duckdb.Error:
        opened.close()
        why = f"connection {connection.name!r}: the database cannot be locked down"
        raise SourceError(why, retryable=False, blame=Blame.AGENT) from None
    return DuckdbSession(opened, connection)


class DuckdbSession:
    """Database file that is open for reading, so that no process can write it meanwhile.

    A query over its time is interrupted.
    """

    def __init__(self, opened: duckdb.DuckDBPyConnection, connection: Connection) -> None:
        self._opened = opened
        self._connection = connection

    def find_tables(self, wanted: Sequence[tuple[Table, str]]) -> Sequence[SqlTable | str]:
        places = [_candidates(table.physical_name, schema) for table, schema in wanted]
        every = sorted({pair for each in places for pair in each})
        parameters = [[one[part] for one in every] for part in (0, 1)]
        columns: dict[tuple[str, str], list[DatabaseColumn]] = {}
        constraints: dict[tuple[str, str], list[Constraint]] = {}
        with self._bounded():
            for row in self._opened.execute(_COLUMNS, parameters).fetchall():
                columns.setdefault((row[0], row[1]), []).append(_column(row))
            for schema, name, kind, expression, members in self._opened.execute(
                _CONSTRAINTS, parameters
            ).fetchall():
                constraints.setdefault((schema, name), []).append(
                    RowCondition(expression) if kind == "CHECK" else UniqueColumns(tuple(members))
                )
        return [
            self._found(table, candidates, columns, constraints)
            for (table, _), candidates in zip(wanted, places, strict=True)
        ]

    def _found(
        self,
        table: Table,
        candidates: Sequence[tuple[str, str]],
        columns: dict[tuple[str, str], list[DatabaseColumn]],
        constraints: dict[tuple[str, str], list[Constraint]],
    ) -> SqlTable | str:
        place = next((one for one in candidates if one in columns), None)
        if place is None:
            schema, name = candidates[0]
            return f"the database has no table {schema}.{name}"
        allowed = self._connection.schemas
        if place[0] in _SYSTEM_SCHEMAS:
            return f"schema {place[0]!r} is the system's own and is not read"
        if allowed and place[0] not in allowed:
            return (
                f"schema {place[0]!r} is not among the roots of the connection"
                f" {self._connection.name!r}, which allow {', '.join(allowed)}"
            )
        return SqlTable(
            table=table.name,
            schema=place[0],
            name=place[1],
            columns=table.columns,
            found=tuple(map(self._with_labels, columns[place])),
            constraints=tuple(constraints.get(place, ())),
            where=table.where,
            incremental=table.incremental,
        )

    def _with_labels(self, column: DatabaseColumn) -> DatabaseColumn:
        if not column.declared.startswith("ENUM("):
            return column
        found = self.rows(_LABELS.format(type=column.declared))
        return replace(column, labels=tuple(str(row[0]) for row in found))

    def rows(self, query: str) -> list[Row]:
        with self._bounded():
            return list(self._opened.execute(query).fetchall())

    @contextmanager
    def batches(self, query: str, size: int) -> Generator[Iterator[list[Row]]]:
        with self._bounded():
            found = self._opened.execute(query)
            yield iter(lambda: list(found.fetchmany(size)), [])

    @contextmanager
    def _bounded(self) -> Generator[None]:
        """Interrupt a query that takes longer than the connection allows."""
        seconds = self._connection.statement_timeout_seconds
        timer = threading.Timer(seconds, self._opened.interrupt)
        timer.start()
        try:
            yield
        except duckdb.InterruptException:
            raise QueryError(out_of_time(seconds)) from None
        except duckdb.OutOfMemoryException:
            raise QueryError("the query needs more memory than there is") from None
        except duckdb.FatalException:
            raise SourceError(
                "the database file is damaged", retryable=False, blame=Blame.PRODUCT
            ) from None
        except duckdb.Error as error:
            kind = type(error).__name__.removesuffix("Exception").lower()
            raise QueryError(f"the database refused the question ({kind} error)") from None
        finally:
            timer.cancel()

    def close(self) -> None:
        self._opened.close()


def _candidates(physical: str, schema: str) -> list[tuple[str, str]]:
    """Return where a table may be, the first choice first: `schema.table` names its schema."""
    here = (schema or _DEFAULT_SCHEMA, physical)
    before, _, last = physical.rpartition(".")
    return [here, (before, last)] if before else [here]


def _column(row: Sequence[object]) -> DatabaseColumn:
    _schema, _table, name, declared, is_nullable, precision, scale = row
    declared = str(declared)
    is_decimal = declared.startswith("DECIMAL(")
    bits, is_unsigned = _INTEGERS.get(declared, (32 if declared == "FLOAT" else 64, False))
    family = _FAMILIES.get(declared, ValueFamily.OTHER)
    if declared in _INTEGERS:
        family = ValueFamily.INTEGER
    elif is_decimal:
        family = ValueFamily.DECIMAL
    elif declared.startswith("ENUM("):
        family = ValueFamily.TEXT
    elif declared.endswith("]"):
        family = ValueFamily.ARRAY
    elif declared.startswith(("STRUCT(", "MAP(")):
        family = ValueFamily.OBJECT
    return DatabaseColumn(
        name=str(name),
        declared=declared,
        family=family,
        bits=bits,
        is_unsigned=is_unsigned,
        precision=int(str(precision)) if is_decimal else 0,
        scale=int(str(scale)) if is_decimal else 0,
        compares_loosely=family is ValueFamily.TEXT,  # the catalogue does not tell collations
        is_required=not is_nullable,
        is_uuid=declared == "UUID",
    )


def _not_opened(error: duckdb.Error, connection: Connection) -> SourceError:
    said = str(error).lower()
    if "lock" in said:
        why, retryable, blame = "another process is writing it", True, Blame.AMBIGUOUS
    elif "does not exist" in said or "cannot open" in said:
        why, retryable, blame = "there is no such file, or it may not be read", False, Blame.AGENT
    elif "not a valid" in said or "serializ" in said or "version" in said:
        why, retryable, blame = "it is no database that this version reads", False, Blame.PRODUCT
    else:
        why, retryable, blame = "it cannot be opened", False, Blame.AMBIGUOUS
    place = f"connection {connection.name!r} ({connection.database})"
    return SourceError(f"{place}: {why}", retryable=retryable, blame=blame)
