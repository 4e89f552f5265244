"""Compute ages and limits in calendar steps, in the time zone that the contract names."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from contractwatch.checks.common.promise_builder import Subject
from contractwatch.checks.common.thresholds import number_words
from contractwatch.model.base.path import FieldPath
from contractwatch.model.contract.contract import Contract, LogicalType
from contractwatch.model.measure.metric import TimeSpan
from contractwatch.model.promises.service_level import MaxAge

DateT = TypeVar("DateT", date, datetime)

_LAST_YEAR = 9998
_MONTHS_IN_YEAR = 12
_HOURS_UP_TO = timedelta(hours=48)


def add_months(day: DateT, months: int) -> DateT:
    """Add months to a day; a day that the month lacks becomes the month's last day."""
    years, month = divmod(day.month - 1 + months, _MONTHS_IN_YEAR)
    year = min(day.year + years, _LAST_YEAR)
    last = monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def add_period(instant: datetime, *, months: int, fixed: timedelta, zone: str) -> datetime:
    """Add calendar months, in local time, and then a fixed length to an instant.

    What lies beyond the calendar's last year is that year's first day.
    """
    start = instant
    if months:
        start = add_months(instant.astimezone(ZoneInfo(zone)), months).astimezone(instant.tzinfo)
    never = datetime(_LAST_YEAR, 1, 1, tzinfo=instant.tzinfo)
    return never if fixed > never - start else start + fixed


def end_of_last_fresh_day(instant: datetime, promise: MaxAge, zone: str) -> datetime:
    """Return the midnight after which the data of a day is too old, counted in whole days."""
    local = instant.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    months, days = promise.calendar_months, timedelta(days=promise.fixed.days)
    last = add_period(local, months=months, fixed=days, zone=zone).date()
    midnight = datetime.combine(last + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    return midnight.astimezone(instant.tzinfo)


def age_in_days(instant: datetime, now: datetime, zone: str) -> int:
    """Return the number of midnights between two instants."""
    local = ZoneInfo(zone)
    return (now.astimezone(local).date() - instant.astimezone(local).date()).days


@dataclass(frozen=True, slots=True)
class TimeElement:
    """Time column of a table, or the value inside of one that holds the time."""

    subject: Subject
    physical: str
    logical_type: LogicalType | None = None
    timezone: str = "Etc/UTC"
    path: FieldPath = ()

    @property
    def span(self) -> TimeSpan:
        """Metric for its oldest and newest value."""
        return TimeSpan(self.subject.table, self.physical, self.timezone, self.path)


def time_element(contract: Contract, table_name: str, name: str) -> TimeElement:
    """Return the time element of a service level; a name that no table lists stands for itself."""
    table = contract.table(table_name)
    column = table.find(name) if table else None
    if column is None:
        return TimeElement(Subject(contract.contract_id, table_name, name, (name,)), name)
    physical, path = column.physical_name, column.path
    subject = Subject(contract.contract_id, table_name, name, (physical,), path)
    return TimeElement(subject, physical, column.logical_type, column.default_timezone, path)


def duration_words(fixed: timedelta, months: int = 0) -> str:
    """Format a duration such as `1 y 2 mo`, `4 d`, `26 h` or `1 h 30 min`."""
    years, months = divmod(months, _MONTHS_IN_YEAR)
    days = 0 if abs(fixed) < _HOURS_UP_TO else fixed.days
    hours, rest = divmod((fixed - timedelta(days=days)).total_seconds(), 3600)
    minutes, seconds = divmod(rest, 60)
    amounts = (years, months, days, hours, minutes, round(seconds, 3))
    units = ("y", "mo", "d", "h", "min", "s")
    parts = (f"{number_words(n)} {unit}" for n, unit in zip(amounts, units, strict=True) if n)
    return " ".join(parts) or "0 s"
