"""Hand rows of Polars to DuckDB as Arrow, streamed, without a copy of a whole table."""

from dataclasses import dataclass
from typing import TypeAlias, cast

import polars as pl

_NUMBER = pl.Decimal(38, 0)
_PLAIN: dict[type[pl.DataType], pl.DataType] = {
    pl.Null: pl.String(),
    pl.Int128: _NUMBER,
    pl.UInt128: _NUMBER,
    pl.Categorical: pl.String(),
    pl.Enum: pl.String(),
}
"""Types that DuckDB does not take from Arrow, or whose messages would list their values."""

RowsOfTable: TypeAlias = pl.LazyFrame | pl.DataFrame


@dataclass(frozen=True, slots=True)
class RowStream:
    """Rows as a stream of Arrow batches that is opened anew each time.

    DuckDB opens it once for each time that a query names the table; one iterator for all of them
    would give each a part of the rows.
    """

    rows: RowsOfTable

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        if isinstance(self.rows, pl.DataFrame):
            return self.rows.__arrow_c_stream__(requested_schema)
        batches = self.rows.collect_batches(lazy=True, maintain_order=False)
        return batches.__arrow_c_stream__(requested_schema)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportAttributeAccessIssue] - undeclared in Polars


def with_arrow_types(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the rows with each type that DuckDB does not know replaced by one that it does.

    A column whose name, or that of a member, holds a NUL is left out: it cannot be a C string, and
    Polars ends the process over it.
    """
    found = rows.collect_schema()
    schema = {
        name: dtype for name, dtype in found.items() if "\x00" not in name and not _has_nul(dtype)
    }
    rows = rows if len(schema) == len(found) else rows.select(list(schema))
    casts = {name: plain for name, dtype in schema.items() if (plain := _plain(dtype)) != dtype}
    return rows.cast(casts) if casts else rows  # pyright: ignore[reportArgumentType] - names and types


def _plain(dtype: pl.DataType) -> pl.DataType:
    match dtype:
        case pl.List():
            return pl.List(_plain(cast("pl.DataType", dtype.inner)))
        case pl.Array():
            return pl.Array(_plain(cast("pl.DataType", dtype.inner)), dtype.size)
        case pl.Struct():
            return pl.Struct(
                [pl.Field(one.name, _plain(cast("pl.DataType", one.dtype))) for one in dtype.fields]
            )
        case _:
            return _PLAIN.get(type(dtype), dtype)


def _has_nul(dtype: pl.DataType) -> bool:
    match dtype:
        case pl.List() | pl.Array():
            return _has_nul(cast("pl.DataType", dtype.inner))
        case pl.Struct():
            return any(
                "\x00" in one.name or _has_nul(cast("pl.DataType", one.dtype))
                for one in dtype.fields
            )
        case _:
            return False
