"""Store the per-file cache of each product's tables.

A row is replaced as a whole and has a bounded size; a table that a run no longer speaks of is gone.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, select

from contractwatch.model.record.cached_table import CachedTable
from contractwatch.store.database import tables
from contractwatch.store.database.statements import storable_text, upsert

_STATE = tables.file_state.c
_MINE = _STATE.product_id == bindparam("of_product")
_READ = select(_STATE.table_name, _STATE.content).where(_MINE).order_by(_STATE.table_name)
_FORGET = delete(tables.file_state).where(_MINE)
_FORGET_ONE = _FORGET.where(_STATE.table_name == bindparam("of_table"))


def read_file_states(connection: Connection, product_id: int) -> tuple[CachedTable, ...]:
    """Return the cached file states of a product, by table."""
    rows = connection.execute(_READ, {"of_product": product_id})
    return tuple(CachedTable(row.table_name, row.content) for row in rows)


def write_file_states(
    connection: Connection, product_id: int, kept: Iterable[CachedTable] | None
) -> None:
    """Replace the cached file states of a product; None leaves them unchanged."""
    if kept is None:
        return
    before = {one.table: one.content for one in read_file_states(connection, product_id)}
    after = {storable_text(one.table): one.content for one in kept}
    for table in before.keys() - after.keys():
        connection.execute(_FORGET_ONE, {"of_product": product_id, "of_table": table})
    for table, content in after.items():
        if before.get(table) != content:
            key = {"product_id": product_id, "table_name": table}
            upsert(connection, tables.file_state, key, {"content": content})


def delete_file_states(connection: Connection, product_id: int) -> None:
    """Delete the cached file states of a product."""
    connection.execute(_FORGET, {"of_product": product_id})
