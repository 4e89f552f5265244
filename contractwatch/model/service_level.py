"""What an SLA promises about time and access."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contractwatch.model.clause import Clause


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
class ServiceLevel:
    """One executed `slaProperties` entry; `name` is the ODCS property as written."""

    clause: Clause
    level_id: str
    name: str
    promise: MaxAge | Retention | Availability
    driver: str = ""
    description: str = ""
