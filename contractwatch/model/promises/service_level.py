"""Service levels of a contract (`slaProperties`): time, volume, access and operations."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias

from contractwatch.model.base.clause import Clause, Severity


@dataclass(frozen=True, slots=True)
class MaxAge:
    """`latency` or `freshness`: the newest value of the column is at most this old.

    `calendar_months` is the calendar part (years and months), `fixed` the rest. `whole_days` says
    that a date column is compared in whole days (unit of a day or longer).
    """

    table: str
    column: str
    fixed: timedelta
    calendar_months: int = 0
    whole_days: bool = False


class RetentionMode(StrEnum):
    """Whether data must be gone after, or kept for, the duration."""

    AT_MOST = "atMost"
    AT_LEAST = "atLeast"


@dataclass(frozen=True, slots=True)
class Retention:
    """The oldest value of the column is at most (or at least) this old."""

    table: str
    column: str
    fixed: timedelta
    calendar_months: int = 0
    mode: RetentionMode = RetentionMode.AT_MOST
    existing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """At least this share of probes finds the data readable; percent, 0-100."""

    percent: float


@dataclass(frozen=True, slots=True)
class MaxDelay:
    """`latency` between two columns: so late at most is the `quantile` (0-1) of the rows."""

    table: str
    event_column: str
    available_column: str
    limit: timedelta
    quantile: float = 1.0

    @property
    def column(self) -> str:
        """The column that a row's promise is about."""
        return self.available_column


@dataclass(frozen=True, slots=True)
class Frequency:
    """So many updates within every period; the length is as in `MaxAge`."""

    table: str
    column: str
    fixed: timedelta
    calendar_months: int = 0
    updates: int = 1
    whole_days: bool = False


@dataclass(frozen=True, slots=True)
class DueTime:
    """`timeOfAvailability`: by that time of each day the data of a business date is there.

    `utc_offset` wins over `timezone`. The business date lies `lag_days` before the day of the
    deadline, counted in weekdays if only `weekdays` have a deadline.
    """

    table: str
    column: str
    at: time
    timezone: str = "Etc/UTC"
    utc_offset: timedelta | None = None
    lag_days: int = 0
    weekdays: bool = False


@dataclass(frozen=True, slots=True)
class Throughput:
    """At least so many rows within each period, by the column's time."""

    table: str
    column: str
    rows: float
    period: timedelta


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """At most this share of rows breaks a row rule; percent, 0-100. No tables: all of them."""

    percent: float
    tables: tuple[str, ...] = ()


class IncidentStep(StrEnum):
    """What is timed of an incident."""

    DETECT = "timeToDetect"
    NOTIFY = "timeToNotify"
    REPAIR = "timeToRepair"


@dataclass(frozen=True, slots=True)
class MaxIncidentTime:
    """Every incident is found, told or repaired within this time."""

    reaction: IncidentStep
    fixed: timedelta
    calendar_months: int = 0


LevelPromise: TypeAlias = (
    MaxAge
    | MaxDelay
    | Frequency
    | DueTime
    | Throughput
    | ErrorRate
    | Retention
    | Availability
    | MaxIncidentTime
)


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """One executed `slaProperties` entry; `name` is the ODCS property as written."""

    clause: Clause
    level_id: str
    name: str
    promise: LevelPromise
    driver: str = ""
    description: str = ""
    severity: Severity = Severity.ERROR
