"""Ages are compared in real calendar steps, in the zone that the contract names."""

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from contractwatch.model.contract import Contract, MaxAge, Retention
from contractwatch.model.metric import TimeSpan

DateT = TypeVar("DateT", date, datetime)

_MONTHS_IN_YEAR = 12


def months_later(day: DateT, months: int) -> DateT:
    """Return the same day of a later month, or its last day if it is shorter."""
    years, month = divmod(day.month - 1 + months, _MONTHS_IN_YEAR)
    year = day.year + years
    last = monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def later(instant: datetime, *, months: int, fixed: timedelta, zone: str) -> datetime:
    """Return the instant (UTC) that lies calendar months and then a fixed length after another."""
    utc = instant.tzinfo
    if not months:
        return instant + fixed
    return months_later(instant.astimezone(ZoneInfo(zone)), months).astimezone(utc) + fixed


def end_of_last_fresh_day(instant: datetime, promise: MaxAge, zone: str) -> datetime:
    """Return the midnight after which data of that day is too old, counted in whole days."""
    day = instant.astimezone(ZoneInfo(zone)).date()
    last = months_later(day, promise.calendar_months) + timedelta(days=promise.fixed.days)
    midnight = datetime.combine(last + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    return midnight.astimezone(instant.tzinfo)


def age_in_days(instant: datetime, now: datetime, zone: str) -> int:
    """Return how many midnights lie between two instants."""
    local = ZoneInfo(zone)
    return (now.astimezone(local).date() - instant.astimezone(local).date()).days


def time_span(contract: Contract, promise: MaxAge | Retention) -> TimeSpan:
    """Return the question for oldest and newest value of the promise's column."""
    table = contract.table(promise.table)
    column = table.column(promise.column) if table else None
    if column is None:
        return TimeSpan(promise.table, promise.column)
    return TimeSpan(promise.table, column.physical_name, column.default_timezone)
