"""Service levels of a contract (`slaProperties`): time, volume, access and operations."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias

from contractwatch.model.base.clause import Clause, Severity


@dataclass(frozen=True, slots=True)
class MaxAge:
    """Limit on the age of a column's newest value (`latency`, `freshness`).

    `calendar_months` is the calendar part (years and months), `fixed` the rest. `whole_days` says
    that a date column is compared in whole days (unit of a day or longer).
    """

    table: str
    column: str
    fixed: timedelta
    calendar_months: int = 0
    whole_days: bool = False


class RetentionMode(StrEnum):
    """Whether data must be deleted after the duration or kept for it."""

    AT_MOST = "atMost"
    AT_LEAST = "atLeast"


@dataclass(frozen=True, slots=True)
class Retention:
    """Upper or lower limit on the age of a column's oldest value."""

    table: str
    column: str
    fixed: timedelta
    calendar_months: int = 0
    mode: RetentionMode = RetentionMode.AT_MOST
    existing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """Least share of probes that find the data readable; percent, 0-100."""

    percent: float


@dataclass(frozen=True, slots=True)
class MaxDelay:
    """Limit on the delay between two columns at a `quantile` (0-1) of the rows (`latency`)."""

    table: str
    event_column: str
    available_column: str
    limit: timedelta
    quantile: float = 1.0

    @property
    def column(self) -> str:
        """Column that the promise is shown at."""
        return self.available_column


@dataclass(frozen=True, slots=True)
class Frequency:
    """Number of updates within every period; the length is as in `MaxAge`."""

    table: str
    column: str
    fixed: timedelta
    calendar_months: int = 0
    updates: int = 1
    whole_days: bool = False


@dataclass(frozen=True, slots=True)
class DueTime:
    """Daily deadline by which the data of a business date is there (`timeOfAvailability`).

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
    """Least number of rows within each period, by the column's time."""

    table: str
    column: str
    rows: float
    period: timedelta


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """Greatest share of rows that break a row rule; percent, 0-100. No tables: all of them."""

    percent: float
    tables: tuple[str, ...] = ()


class IncidentStep(StrEnum):
    """Step of an incident whose time is limited: detection, notification, repair."""

    DETECT = "timeToDetect"
    NOTIFY = "timeToNotify"
    REPAIR = "timeToRepair"


@dataclass(frozen=True, slots=True)
class MaxIncidentTime:
    """Limit on the time in which every incident is detected, reported or repaired."""

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
    """Executed `slaProperties` entry; `name` is the ODCS property as written."""

    clause: Clause
    level_id: str
    name: str
    promise: LevelPromise
    driver: str = ""
    description: str = ""
    severity: Severity = Severity.ERROR
