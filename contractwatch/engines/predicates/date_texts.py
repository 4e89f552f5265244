"""Parse texts by a compiled date format, as expressions of Polars.

A text counts only if the whole of it matches the format's regular expression. What matched is read
by chrono if it can read exactly that, which is fast, and is put together from its groups otherwise.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR
from itertools import pairwise
from typing import TypeAlias

import polars as pl

from contractwatch.model.contract.date_format import DateField, DateFormat, PatternGroup

_DAY_SECONDS = 86_400
_FEBRUARY = 2
_Fields: TypeAlias = Mapping[DateField, pl.Expr]


@dataclass(frozen=True, slots=True)
class ParsedTimestamp:
    """Parsed timestamp of a text, null where it does not parse.

    `is_utc` says that `value` is an instant and not a local time: all texts have an offset.
    """

    value: pl.Expr
    is_utc: bool = False


def parse_dates(raw: pl.Expr, written: DateFormat) -> pl.Expr:
    """Parse texts as dates; null where one does not parse."""
    if written.directives and not written.has(DateField.OFFSET_SIGN):
        return _matching(raw, written).str.to_date(written.directives, strict=False, cache=False)
    return _combine_fields(raw, written, lambda fields: _days(fields, _hours(fields)).cast(pl.Date))


def parse_times(raw: pl.Expr, written: DateFormat) -> pl.Expr:
    """Parse texts as times of day; null where one does not parse."""
    if written.directives and written.has(DateField.HOUR, DateField.MINUTE):
        return _matching(raw, written).str.to_time(written.directives, strict=False, cache=False)

    def clock(fields: _Fields) -> pl.Expr:
        nanos = fields.get(DateField.NANOSECOND, pl.lit(0)).fill_null(0)
        total = _seconds(fields, _hours(fields)) * 1_000_000_000 + nanos
        day = _days(fields, _hours(fields)) if DateField.YEAR in fields else pl.lit(0)
        hours = [
            fields[field] for field in (DateField.HOUR, DateField.HALF_DAY_HOUR) if field in fields
        ]
        has_hour = pl.any_horizontal(hour.is_not_null() for hour in hours)
        return pl.when(has_hour & day.is_not_null()).then(total).cast(pl.Time)

    return _combine_fields(raw, written, clock)


def parse_timestamps(raw: pl.Expr, written: DateFormat) -> tuple[ParsedTimestamp, ...]:
    """Parse texts as timestamps: local times, or instants if they have an offset."""
    has_offset = written.has(DateField.OFFSET_SIGN)
    if written.directives and written.has(DateField.HOUR, DateField.MINUTE):
        value = _matching(raw, written).str.to_datetime(
            written.directives,
            time_unit="us",
            time_zone="UTC" if has_offset else None,
            strict=False,
            cache=False,
        )
        return (ParsedTimestamp(value, has_offset),)
    local = _combine_fields(raw, written, lambda fields: _local(fields, with_offset=False))
    if not has_offset:
        return (ParsedTimestamp(local),)
    zoned = _combine_fields(raw, written, lambda fields: _local(fields, with_offset=True))
    return (ParsedTimestamp(zoned.dt.replace_time_zone("UTC"), is_utc=True), ParsedTimestamp(local))


def _matching(raw: pl.Expr, written: DateFormat) -> pl.Expr:
    return pl.when(raw.str.contains(written.expression)).then(raw)


def _combine_fields(
    raw: pl.Expr, written: DateFormat, make: Callable[[_Fields], pl.Expr]
) -> pl.Expr:
    """Combine the fields of each text into a value; null where two of them contradict."""
    groups = raw.str.extract_groups(written.expression)
    fields: dict[DateField, pl.Expr] = {}
    agree: list[pl.Expr] = []
    for position, group in enumerate(written.groups, 1):
        number = _number(group, pl.field(str(position)))
        before = fields.get(group.field)
        if before is not None:
            agree.append((before == number).fill_null(value=True))
        fields[group.field] = number if before is None else pl.coalesce(before, number)
    made = make(fields)
    sound = pl.all_horizontal(agree) if agree else pl.lit(value=True)
    name = "\x00made"
    return groups.struct.with_fields(pl.when(sound).then(made).alias(name)).struct.field(name)


def _number(group: PatternGroup, part: pl.Expr) -> pl.Expr:
    if group.names:
        known = {name: at + group.plus for at, name in enumerate(group.names) if name}
        return part.replace_strict(known, default=None, return_dtype=pl.Int64)
    number = part.cast(pl.Int64, strict=False)
    number = number % group.modulo if group.modulo else number
    return number * group.times + group.plus


def _days(fields: _Fields, hours: pl.Expr | None) -> pl.Expr:
    """Return the days since 1970 of the date; null if it does not exist."""
    year = fields[DateField.YEAR]
    found: list[pl.Expr] = []
    if DateField.MONTH in fields and DateField.DAY in fields:
        month, day = fields[DateField.MONTH], fields[DateField.DAY]
        exists = (day >= 1) & (day <= _days_in_month(year, month))
        found.append(pl.when(exists).then(_first_of_month(year, month) + day - 1))
    if DateField.DAY_OF_YEAR in fields:
        day = fields[DateField.DAY_OF_YEAR]
        exists = (day >= 1) & (day <= 365 + _is_leap(year).cast(pl.Int64))
        found.append(pl.when(exists).then(_first_of_month(year, pl.lit(1)) + day - 1))
    days = pl.coalesce(found) if found else pl.lit(None, dtype=pl.Int64)
    sound = (year >= 1) & (year <= MAXYEAR)
    if len(found) > 1:
        sound &= _incomplete(fields) | (found[0] == found[1]).fill_null(value=False)
    if DateField.WEEKDAY in fields:
        weekday = fields[DateField.WEEKDAY]
        sound &= (weekday == (days + 3) % 7 + 1).fill_null(value=True)
    if hours is not None:
        sound &= hours.is_not_null()
    return pl.when(sound).then(days)


def _incomplete(fields: _Fields) -> pl.Expr:
    """Return whether a row has its date in one form only."""
    by_month = fields[DateField.MONTH].is_not_null() & fields[DateField.DAY].is_not_null()
    return ~(by_month & fields[DateField.DAY_OF_YEAR].is_not_null())


def _is_leap(year: pl.Expr) -> pl.Expr:
    return (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))


def _days_in_month(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    short = pl.when(month.is_in([4, 6, 9, 11])).then(30).otherwise(31)
    return pl.when(month == _FEBRUARY).then(28 + _is_leap(year).cast(pl.Int64)).otherwise(short)


def _first_of_month(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    """Return the days from 1970-01-01 to the first day of a month.

    Years are counted from March, so that a leap day is the last one of its year.
    """
    since = year - (month <= _FEBRUARY).cast(pl.Int64)
    of_year = ((month + 9) % 12 * 153 + 2) // 5
    return since * 365 + since // 4 - since // 100 + since // 400 + of_year - 719_468


def _hours(fields: _Fields) -> pl.Expr | None:
    """Return the hour of the day; 0 where there is none, null where its parts contradict."""
    hour = fields.get(DateField.HOUR)
    half, of_half = fields.get(DateField.HALF_DAY), fields.get(DateField.HALF_DAY_HOUR)
    if half is not None and of_half is not None:
        whole = half * 12 + of_half
        hour = whole if hour is None else pl.coalesce(hour, whole)
    if hour is None:
        return None
    return pl.when(pl.all_horizontal(_consistency_conditions(fields, hour))).then(hour.fill_null(0))


def _consistency_conditions(fields: _Fields, hour: pl.Expr) -> Iterator[pl.Expr]:
    """Yield the conditions under which the parts make a time of day."""
    half, of_half = fields.get(DateField.HALF_DAY), fields.get(DateField.HALF_DAY_HOUR)
    if half is not None:
        yield (hour // 12 == half).fill_null(value=True)
    if of_half is not None:
        yield (hour % 12 == of_half).fill_null(value=True)
    finer = (DateField.NANOSECOND, DateField.SECOND, DateField.MINUTE, DateField.HALF_DAY_HOUR)
    yield from (hour.is_not_null() | fields[field].is_null() for field in finer if field in fields)
    for low, high in pairwise(finer[:3]):
        if low in fields and high in fields:
            yield fields[high].is_not_null() | fields[low].is_null()
    yield pl.lit(value=True)


def _seconds(fields: _Fields, hours: pl.Expr | None) -> pl.Expr:
    minute = fields.get(DateField.MINUTE, pl.lit(0)).fill_null(0)
    second = fields.get(DateField.SECOND, pl.lit(0)).fill_null(0)
    return (pl.lit(0) if hours is None else hours) * 3600 + minute * 60 + second


def _local(fields: _Fields, *, with_offset: bool) -> pl.Expr:
    """Return the timestamp: the local one of texts without an offset, else the one of UTC."""
    hours = _hours(fields)
    days, offset = _days(fields, hours), _offset(fields)
    seconds = days * _DAY_SECONDS + _seconds(fields, hours)
    micros = fields.get(DateField.NANOSECOND, pl.lit(0)).fill_null(0) // 1000
    if offset is None:
        return (seconds * 1_000_000 + micros).cast(pl.Datetime("us"))
    of_text = ((seconds - offset) if with_offset else seconds) * 1_000_000 + micros
    chosen = offset.is_not_null() if with_offset else offset.is_null()
    return pl.when(chosen).then(of_text).cast(pl.Datetime("us"))


def _offset(fields: _Fields) -> pl.Expr | None:
    """Return the seconds that a text is ahead of UTC; null where it has no offset."""
    if DateField.OFFSET_SIGN not in fields:
        return None
    seconds = fields[DateField.OFFSET_HOUR] * 3600
    for field, length in ((DateField.OFFSET_MINUTE, 60), (DateField.OFFSET_SECOND, 1)):
        if field in fields:
            seconds += fields[field].fill_null(0) * length
    offset = fields[DateField.OFFSET_SIGN] * seconds
    if DateField.UTC not in fields:
        return offset
    return (
        pl.when(fields[DateField.OFFSET_SIGN].is_null())
        .then(fields[DateField.UTC])
        .otherwise(offset)
    )
