"""Bounded watermark history: one row per distinct watermark."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from contractwatch.model.measure.state import Watermark, WatermarkPeriod
from contractwatch.model.record.product import ObservedWatermark, WatermarkHistory
from contractwatch.store.database import tables
from contractwatch.store.database.codec import (
    from_micros,
    instant_or_none,
    micros_or_none,
    to_micros,
)
from contractwatch.store.database.statements import insert_all, storable_text

SIGHTINGS_KEPT = 1_000
"""Of one table, the newest: more updates than this within a period are not promised by anyone."""

_SIGHTING = tables.sighting.c
_MINE: tuple[ColumnElement[bool], ...] = (
    _SIGHTING.product_id == bindparam("of_product"),
    _SIGHTING.table_name == bindparam("of_table"),
    _SIGHTING.column_name == bindparam("of_column"),
)
_LAST = select(tables.sighting).where(*_MINE).order_by(_SIGHTING.id.desc()).limit(1)
_LENGTHEN = (
    update(tables.sighting)
    .where(_SIGHTING.id == bindparam("of_id"))
    .values(last_seen=bindparam("seen"), looks=_SIGHTING.looks + 1)
)
_FORGET = delete(tables.sighting).where(
    *_MINE,
    _SIGHTING.id
    < select(_SIGHTING.id)
    .where(*_MINE)
    .order_by(_SIGHTING.id.desc())
    .offset(SIGHTINGS_KEPT - 1)
    .limit(1)
    .scalar_subquery(),
)


def write_watermarks(
    connection: Connection, product_id: int, watermarks: Iterable[ObservedWatermark], at: datetime
) -> None:
    """Extend the last row of each table, or insert another one if its watermark has changed."""
    seen = to_micros(at)
    for observed in watermarks:
        which = _which(product_id, observed)
        last = connection.execute(_LAST, which).first()
        if last is not None and _sighting(last).watermark == _stored(observed.watermark):
            connection.execute(_LENGTHEN, {"of_id": last.id, "seen": seen})
            continue
        row = {
            "product_id": product_id,
            "table_name": which["of_table"],
            "column_name": which["of_column"],
            "newest": micros_or_none(observed.watermark.newest),
            "rows": observed.watermark.rows,
            "version": storable_text(observed.watermark.version),
            "first_seen": seen,
            "last_seen": seen,
            "looks": 1,
        }
        insert_all(connection, tables.sighting, [row])
        connection.execute(_FORGET, which)


def watermark_history(connection: Connection, product_id: int) -> tuple[WatermarkHistory, ...]:
    """Return the watermark history of a product, each table's oldest first."""
    rows = connection.execute(
        select(tables.sighting).where(_SIGHTING.product_id == product_id).order_by(_SIGHTING.id)
    )
    found: dict[tuple[str, str], list[WatermarkPeriod]] = {}
    for row in rows:
        found.setdefault((row.table_name, row.column_name), []).append(_sighting(row))
    return tuple(WatermarkHistory(*names, tuple(seen)) for names, seen in found.items())


def _which(product_id: int, look: ObservedWatermark) -> dict[str, Any]:
    return {
        "of_product": product_id,
        "of_table": storable_text(look.table),
        "of_column": storable_text(look.column),
    }


def _stored(watermark: Watermark) -> Watermark:
    return Watermark(watermark.newest, watermark.rows, storable_text(watermark.version))


def _sighting(row: Any) -> WatermarkPeriod:
    return WatermarkPeriod(
        Watermark(instant_or_none(row.newest), row.rows, row.version),
        from_micros(row.first_seen),
        from_micros(row.last_seen),
        row.looks,
    )
