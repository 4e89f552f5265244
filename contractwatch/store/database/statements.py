"""Portable insert, update and upsert statements.

Statements are built once: to build one takes longer than to run it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Table,
    Update,
    bindparam,
    insert,
    select,
    update,
)

from contractwatch.store.database import tables

REVISION: Final = "revision"
HEARTBEAT: Final = "heartbeat"

_META = tables.meta.c
_NUMBER = select(_META.value).where(_META.key == bindparam("name"))


def upsert(
    connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> None:
    """Update the row of that key, or insert it; only in a writer's transaction."""
    row = {**key, **values}
    statement = _set(table, tuple(key), tuple(row))
    if not connection.execute(statement, _bound_values(row)).rowcount:
        connection.execute(_insert(table), [row])


def add_amounts(
    connection: Connection, table: Table, key: Mapping[str, Any], amounts: Mapping[str, int]
) -> None:
    """Add amounts to the row of that key, or insert it."""
    row = {**key, **amounts}
    statement = _add(table, tuple(key), tuple(row))
    if not connection.execute(statement, _bound_values(row)).rowcount:
        connection.execute(_insert(table), [row])


def insert_one(connection: Connection, table: Table, row: Mapping[str, Any]) -> int:
    """Insert one row and return its id."""
    key = connection.execute(_insert(table), dict(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def insert_all(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows of equal columns."""
    if rows:
        connection.execute(_insert(table), rows)


def meta_number(connection: Connection, key: str) -> int | None:
    """Return a number of the `meta` table; None if it was never set."""
    return connection.execute(_NUMBER, {"name": key}).scalar()


def next_revision(connection: Connection, *, by: int = 1) -> int:
    """Increase the record's revision and return it."""
    revision = (meta_number(connection, REVISION) or 0) + by
    upsert(connection, tables.meta, {"key": REVISION}, {"value": revision})
    return revision


def storable_text(text: str) -> str:
    """Replace what a database refuses, lone surrogates and NUL, by `?`."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")


def _bound_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return values under names that cannot be taken for columns."""
    return {f"the_{name}": value for name, value in row.items()}


@cache
def _insert(table: Table) -> Insert:
    return insert(table)


@cache
def _set(table: Table, key: tuple[str, ...], names: tuple[str, ...]) -> Update:
    values: dict[str, BindParameter[Any]] = {
        name: bindparam(f"the_{name}") for name in names if name not in key
    }
    return _update_by_key(table, key).values(**values)


@cache
def _add(table: Table, key: tuple[str, ...], names: tuple[str, ...]) -> Update:
    values = {name: table.c[name] + bindparam(f"the_{name}") for name in names if name not in key}
    return _update_by_key(table, key).values(**values)


def _update_by_key(table: Table, key: tuple[str, ...]) -> Update:
    return update(table).where(*(table.c[name] == bindparam(f"the_{name}") for name in key))
