"""Parse text cells to the type that the contract declares; a cell that does not parse is null."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from contractwatch.engines.predicates import date_texts
from contractwatch.engines.predicates.date_texts import ParsedTimestamp
from contractwatch.engines.predicates.expressions import local_to_utc
from contractwatch.model.base.server import ReadPolicy
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.contract.date_format import DateFormat, DateFormatError, compile_format

_DAY_LENGTH = len("2026-01-31")
_ISO_CLOCK = r"[0-9]{2}:[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,9})?)?"
_ISO_TIME = rf"^{_ISO_CLOCK}$"
_ISO_TIMESTAMP = (
    rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{_ISO_CLOCK}(?:[Zz]|[+-][0-9]{{2}}(?::?[0-9]{{2}})?)?$"
)
"""The library also takes parts of one digit, and a second 60 at any time."""
_LOCAL_TIMES = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
_ZONED_TIMES = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")
_CLOCK_TIMES = ("%H:%M:%S%.f", "%H:%M")
_NUMERIC = frozenset({LogicalType.INTEGER, LogicalType.NUMBER})
_DEFAULT_POLICY = ReadPolicy()
_BLANKS = "[ \\x{a0}\\x{2009}\\x{202f}]"
"""A blank, and those that no line is broken at: to who writes them they are one mark."""
_MARKS = dict.fromkeys(" \xa0\u2009\u202f", _BLANKS) | dict.fromkeys("'\u2019", "['\u2019]")
_REMEMBERS = False
"""Whether texts are looked up before they are parsed: parsing a date costs half of that."""


@dataclass(frozen=True, slots=True)
class ParsedText:
    """What a text means; `readable` is false where it is not null and not of the type.

    `refused` says why nobody can tell what texts of this column mean; it is empty otherwise.
    """

    value: pl.Expr
    readable: pl.Expr
    dtype: pl.DataType
    refused: str = ""


def parse(raw: pl.Expr, column: Column, read: ReadPolicy = _DEFAULT_POLICY) -> ParsedText | None:
    """Parse a text as the column's declared type; None if it stays a text.

    Integers have a sign and digits; numbers are finite and may have a point and an exponent;
    booleans are true and false in any case; dates, times and timestamps are ISO-8601 or of the
    column's own format. Timestamps become UTC: without a zone they are taken in the column's.
    `read` says how numbers are written, if not with a point and without marks between thousands.
    """
    if column.logical_type in _NUMERIC and (read.decimal != "." or read.thousands):
        plain = _without_separators(raw, read)
        found = parse(plain, column)
        return found and replace(found, readable=raw.is_null() | found.value.is_not_null())
    match column.logical_type:
        case LogicalType.INTEGER:
            return _cast(raw, pl.Int128())
        case LogicalType.NUMBER:
            return _number(raw)
        case LogicalType.BOOLEAN:
            return _boolean(raw)
        case LogicalType.DATE | LogicalType.TIMESTAMP | LogicalType.TIME:
            return _temporal(raw, column, column.logical_type)
        case _:
            return None


def _temporal(raw: pl.Expr, column: Column, logical_type: LogicalType) -> ParsedText:
    try:
        written = compile_format(column.parse_format, logical_type) if column.parse_format else None
    except DateFormatError as wrong:
        return ParsedText(raw, raw.is_null(), pl.String(), str(wrong))
    if logical_type is LogicalType.DATE:
        return _date(raw, written)
    if logical_type is LogicalType.TIME:
        return _time(raw, written)
    if written is None:
        return _timestamp(raw, column.default_timezone)
    found = date_texts.parse_timestamps(raw, written)
    return _instants(raw, found, column.default_timezone)


def _parsed(raw: pl.Expr, value: pl.Expr, dtype: pl.DataType) -> ParsedText:
    return ParsedText(value, raw.is_null() | value.is_not_null(), dtype)


def _cast(raw: pl.Expr, dtype: pl.DataType) -> ParsedText:
    return _parsed(raw, raw.cast(dtype, strict=False), dtype)


def _without_separators(raw: pl.Expr, read: ReadPolicy) -> pl.Expr:
    """Return a number with a point and without marks; null if the marks are not where they belong.

    Marks part groups of three digits before the decimal mark: `1.5` is no 15. Commas may also part
    groups of two digits before the last three, as in India.
    """
    decimal, mark = re.escape(read.decimal), _MARKS.get(read.thousands, re.escape(read.thousands))
    grouped = [rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+"] if mark else []
    if read.thousands == ",":
        grouped.append("[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}")
    whole = f"(?:{'|'.join([*grouped, '[0-9]+'])})"
    fraction = rf"{decimal}[0-9]+"
    exact = rf"^[+-]?(?:{whole}(?:{fraction})?|{fraction})(?:[eE][+-]?[0-9]+)?$"
    unmarked = raw.str.replace_all(mark, "") if mark else raw
    plain = unmarked.str.replace(read.decimal, ".", literal=True)
    return pl.when(raw.str.contains(exact)).then(plain)


def _number(raw: pl.Expr) -> ParsedText:
    """Return a finite number: neither `NaN` nor `inf`, nor one that is too large for a double."""
    value = raw.cast(pl.Float64(), strict=False)
    return _parsed(raw, pl.when(value.is_finite()).then(value), pl.Float64())


def _boolean(raw: pl.Expr) -> ParsedText:
    lower = raw.str.to_lowercase()
    value = pl.when(lower == "true").then(True).when(lower == "false").then(False)  # noqa: FBT003
    return _parsed(raw, value.otherwise(None), pl.Boolean())


def _date(raw: pl.Expr, written: DateFormat | None) -> ParsedText:
    if written is not None:
        return _parsed(raw, date_texts.parse_dates(raw, written), pl.Date())
    value = raw.str.to_date("%Y-%m-%d", strict=False, cache=_REMEMBERS)
    # the library also takes 2026-1-5
    value = pl.when(raw.str.len_bytes() == _DAY_LENGTH).then(value)
    return _parsed(raw, value, pl.Date())


def _time(raw: pl.Expr, written: DateFormat | None) -> ParsedText:
    if written is not None:
        return _parsed(raw, date_texts.parse_times(raw, written), pl.Time())
    exact = pl.when(raw.str.contains(_ISO_TIME)).then(raw)
    found = [exact.str.to_time(form, strict=False, cache=_REMEMBERS) for form in _CLOCK_TIMES]
    return _parsed(raw, pl.coalesce(found), pl.Time())


def _timestamp(raw: pl.Expr, timezone: str) -> ParsedText:
    """Parse ISO-8601 with a T or a blank; seconds, fraction and offset are optional."""
    exact = pl.when(raw.str.contains(_ISO_TIMESTAMP)).then(raw.str.replace(" ", "T", literal=True))
    zoned = (
        ParsedTimestamp(_instant(exact, form, zone="UTC"), is_utc=True) for form in _ZONED_TIMES
    )
    local = (ParsedTimestamp(_instant(exact, form, zone=None)) for form in _LOCAL_TIMES)
    return _instants(raw, (*zoned, *local), timezone)


def _instants(raw: pl.Expr, found: Sequence[ParsedTimestamp], timezone: str) -> ParsedText:
    value = pl.coalesce(
        one.value if one.is_utc else local_to_utc(one.value, timezone) for one in found
    )
    # A local time that the zone skips can be read, although it is no instant.
    readable = raw.is_null() | pl.any_horizontal(one.value.is_not_null() for one in found)
    return ParsedText(value, readable, pl.Datetime("us", "UTC"))


def _instant(raw: pl.Expr, written: str, *, zone: str | None) -> pl.Expr:
    return raw.str.to_datetime(
        written, time_unit="us", time_zone=zone, strict=False, cache=_REMEMBERS
    )
