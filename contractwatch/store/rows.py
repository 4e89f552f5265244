"""A row is set, made or added to in the same words on every database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, Table, and_, insert, select, update

from contractwatch.store import tables

REVISION = "revision"
HEARTBEAT = "heartbeat"


def put(
    connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Set the row of that key, made if there is none; only in a writer's transaction."""
    if not connection.execute(update(table).where(_is(table, key)).values(**values)).rowcount:
        connection.execute(insert(table).values(**key, **values))


def add(
    connection: Connection, table: Table, key: Mapping[str, Any], amounts: Mapping[str, int]
) -> None:
    """Add to the numbers of the row of that key, made if there is none."""
    sums = {name: table.c[name] + amount for name, amount in amounts.items()}
    if not connection.execute(update(table).where(_is(table, key)).values(**sums)).rowcount:
        connection.execute(insert(table).values(**key, **amounts))


def insert_one(connection: Connection, statement: Insert) -> int:
    """Insert one row and return its id."""
    key = connection.execute(statement).inserted_primary_key
    assert key is not None
    return int(key[0])


def number(connection: Connection, key: str) -> int | None:
    """Return a number of `meta`, None if it was never set."""
    return connection.execute(select(tables.meta.c.value).where(tables.meta.c.key == key)).scalar()


def bump(connection: Connection) -> int:
    """Count one change of the record and return the new revision."""
    revision = (number(connection, REVISION) or 0) + 1
    put(connection, tables.meta, {"key": REVISION}, {"value": revision})
    return revision


def storable(text: str) -> str:
    """Return text without what a database refuses: lone surrogates and NUL become `?`."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def _is(table: Table, key: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == value for name, value in key.items()))
