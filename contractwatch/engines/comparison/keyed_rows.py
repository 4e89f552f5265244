"""Find the keys of a table: one in each row, or in each element of an array."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import polars as pl

from contractwatch.engines.predicates.expressions import ColumnView, cells_at
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.predicates.nested import any_violates, as_list, member
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.base.path import (
    ArrayItem,
    FieldPath,
    StructField,
    format_path,
    struct_fields,
    up_to_last_item,
)
from contractwatch.model.contract.database import SqlTable
from contractwatch.model.contract.dataset import TableFiles

_NUMBER, _ELEMENT = "\x00number", "\x00element"


class NotComparedError(Exception):
    """Two tables cannot be compared; the message says why and holds no value of the data."""


@dataclass(frozen=True, slots=True)
class Side:
    """Columns of a table by their physical names; `shown` is the table's name in messages.

    `paths` lead into each column, or there are none.
    """

    files: TableFiles | SqlTable
    columns: tuple[str, ...]
    shown: str
    paths: tuple[FieldPath, ...] = ()

    @property
    def members(self) -> tuple[tuple[str, FieldPath], ...]:
        """The columns with the paths into them."""
        paths = self.paths or ((),) * len(self.columns)
        return tuple(zip(self.columns, paths, strict=True))


@dataclass(frozen=True, slots=True)
class KeyedRows:
    """Rows, or elements of arrays, with the members of their keys.

    `number` is the column that says of an element which row it is of, empty for rows; and `has_key`
    whether any element of a row has a whole key.
    """

    rows: pl.LazyFrame
    members: Sequence[ColumnView]
    has_key: pl.Expr
    number: str = ""


def keyed_rows(frame: Frame, side: Side) -> KeyedRows:
    """Return the rows that have keys: those of the table, or the items of an array with keys."""
    arrays = [one for one in side.members if ArrayItem() in one[1]]
    if not arrays:
        return KeyedRows(frame.rows, member_views(frame, side), pl.lit(value=True))
    column, path = arrays[0]
    outwards = up_to_last_item(path)
    within = {at: one[1] for at, one in enumerate(side.members) if one in arrays}
    try:
        outer = column_view(frame, side, column)
        plain = {
            at: cells_at(column_view(frame, side, name), struct_fields(path))
            for at, (name, path) in enumerate(side.members)
            if at not in within
        }
        rows, element, dtype = _exploded(frame, outer, outwards, plain)
        inner = {
            at: cells_at(ColumnView(element, element, dtype), _below_last_item(w))
            for at, w in within.items()
        }

        def is_whole(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
            each = (
                cells_at(ColumnView(value, value, dtype), _below_last_item(path))
                for path in within.values()
            )
            return pl.all_horizontal(one.value.is_not_null() for one in each)

        has_key = any_violates(outwards, outer.value, outer.dtype, is_whole)
    except UncastableError as error:
        where = format_path(column, path)
        raise NotComparedError(f"column {where!r} of {side.shown}: {error}") from error
    for cells in plain.values():
        has_key &= cells.value.is_not_null()
    plain_members = {at: replace(one, value=pl.col(f"\x00plain{at}")) for at, one in plain.items()}
    members = {**inner, **plain_members}
    return KeyedRows(rows, [members[at] for at in sorted(members)], has_key, _NUMBER)


def _exploded(
    frame: Frame, outer: ColumnView, path: FieldPath, plain: Mapping[int, ColumnView]
) -> tuple[pl.LazyFrame, pl.Expr, pl.DataType]:
    """Return a row for each element at the end of a path, the element and its type."""
    plain_members = (cells.value.alias(f"\x00plain{at}") for at, cells in plain.items())
    rows = frame.rows.with_row_index(_NUMBER)
    rows = rows.select(_NUMBER, outer.value.alias(_ELEMENT), *plain_members)
    element, dtype = pl.col(_ELEMENT), outer.dtype
    for step in path:
        match step:
            case StructField():
                value, dtype = member(step, element, dtype)
                rows = rows.with_columns(value.alias(_ELEMENT))
            case ArrayItem():
                value, dtype = as_list(element, dtype)
                rows = rows.with_columns(value.alias(_ELEMENT)).explode(_ELEMENT)
            case _:
                assert_never(step)
    return rows, element, dtype


def _below_last_item(path: FieldPath) -> tuple[StructField, ...]:
    return struct_fields(path[len(up_to_last_item(path)) :])


def member_views(frame: Frame, side: Side) -> list[ColumnView]:
    """Return what is compared of each member of a key.

    Raises:
        NotComparedError: If a column is missing, or no path leads into it.
    """
    found: list[ColumnView] = []
    for column, path in side.members:
        try:
            found.append(cells_at(column_view(frame, side, column), struct_fields(path)))
        except UncastableError as error:
            where = format_path(column, path)
            raise NotComparedError(f"column {where!r} of {side.shown}: {error}") from error
    return found


def column_view(frame: Frame, side: Side, column: str) -> ColumnView:
    """Return a column of the table, as it is compared.

    Raises:
        NotComparedError: If it is missing, or of different types in the files.
    """
    known = frame.columns.find(column)
    cells = frame.cells.get(column if known is None else known.name)
    if cells is None:
        why = "is missing" if known is None else "is of different types in the files"
        if known is not None and known.kind != "other":
            why = f"is of type {known.physical}, which is not read"
        raise NotComparedError(f"column {column!r} of {side.shown} {why}")
    return cells
