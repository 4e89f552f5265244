"""A text is parsed to the type that the contract declares, and a bad one is null, never an end."""

import polars as pl

from contractwatch.engines.expressions import in_zone
from contractwatch.model.contract import Column, LogicalType
from contractwatch.model.frozen import frozen

_DAY_LENGTH = len("2026-01-31")
_LOCAL_TIMES = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
_ZONED_TIMES = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")
_CLOCK_TIMES = ("%H:%M:%S%.f", "%H:%M")
_REMEMBERS = False
"""Whether texts are looked up before they are parsed: parsing a date costs half of that."""


@frozen
class Parsed:
    """What a text means; `readable` is false where it is not null and not of the type."""

    value: pl.Expr
    readable: pl.Expr
    dtype: pl.DataType


def parse(raw: pl.Expr, column: Column) -> Parsed | None:
    """Return the text as the column's declared type, or None if it stays a text.

    Integers have a sign and digits; numbers may have a point and an exponent; booleans are true and
    false in any case; dates, times and timestamps are ISO-8601 or of the column's own format.
    Timestamps become UTC: without a zone they are taken in the column's.
    """
    match column.logical_type:
        case LogicalType.INTEGER:
            return _cast(raw, pl.Int128())
        case LogicalType.NUMBER:
            return _cast(raw, pl.Float64())
        case LogicalType.BOOLEAN:
            return _boolean(raw)
        case LogicalType.DATE:
            return _date(raw, column.parse_format)
        case LogicalType.TIMESTAMP:
            return _timestamp(raw, column.parse_format, column.default_timezone)
        case LogicalType.TIME:
            return _time(raw, column.parse_format)
        case _:
            return None


def _known(raw: pl.Expr, value: pl.Expr, dtype: pl.DataType) -> Parsed:
    return Parsed(value, raw.is_null() | value.is_not_null(), dtype)


def _cast(raw: pl.Expr, dtype: pl.DataType) -> Parsed:
    return _known(raw, raw.cast(dtype, strict=False), dtype)


def _boolean(raw: pl.Expr) -> Parsed:
    lower = raw.str.to_lowercase()
    value = pl.when(lower == "true").then(True).when(lower == "false").then(False)  # noqa: FBT003
    return _known(raw, value.otherwise(None), pl.Boolean())


def _date(raw: pl.Expr, written: str) -> Parsed:
    value = raw.str.to_date(written or "%Y-%m-%d", strict=False, cache=_REMEMBERS)
    if not written:  # the library also takes 2026-1-5
        value = pl.when(raw.str.len_bytes() == _DAY_LENGTH).then(value)
    return _known(raw, value, pl.Date())


def _time(raw: pl.Expr, written: str) -> Parsed:
    formats = (written,) if written else _CLOCK_TIMES
    found = [raw.str.to_time(form, strict=False, cache=_REMEMBERS) for form in formats]
    return _known(raw, pl.coalesce(found), pl.Time())


def _timestamp(raw: pl.Expr, written: str, timezone: str) -> Parsed:
    plain = raw.str.replace(" ", "T", literal=True)
    zoned = [
        _instant(raw if written else plain, form, zone="UTC")
        for form in ((written,) if written else _ZONED_TIMES)
        if _has_zone(form)
    ]
    local = [
        _instant(raw if written else plain, form, zone=None)
        for form in ((written,) if written else _LOCAL_TIMES)
        if not _has_zone(form)
    ]
    value = pl.coalesce(*zoned, *(in_zone(naive, timezone) for naive in local))
    # A local time that the zone skips can be read, although it is no instant.
    readable = raw.is_null() | pl.any_horizontal(found.is_not_null() for found in (*zoned, *local))
    return Parsed(value, readable, pl.Datetime("us", "UTC"))


def _has_zone(written: str) -> bool:
    return "z" in written or "%+" in written


def _instant(raw: pl.Expr, written: str, *, zone: str | None) -> pl.Expr:
    return raw.str.to_datetime(
        written, time_unit="us", time_zone=zone, strict=False, cache=_REMEMBERS
    )
