"""Lifetime of a product: general availability, end of support, end of life, and their notices."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contractwatch.model.base.clause import Clause


class LifecycleStage(StrEnum):
    """Stage of a product's lifecycle.

    `upcoming`: not generally available yet. `unsupported`: after the end of its support. `ended`:
    after the end of its life.
    """

    UPCOMING = "upcoming"
    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    ENDED = "ended"


class Ending(StrEnum):
    """End of support or end of life, by the name of its service level."""

    SUPPORT = "endOfSupport"
    LIFE = "endOfLife"


@dataclass(frozen=True, slots=True)
class Notice:
    """Notice of an end at an instant (UTC), sent when at most so many days were left.

    Of a contract that is not in force yet it is told to logs only: its consumers are still to hear.
    """

    ending: Ending
    at: datetime
    days: int
    to_logs_only: bool = False


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Dates of a product's lifecycle in UTC; None where the contract names none.

    `life_clause` is where the end of life is written.
    """

    general_availability: datetime | None = None
    end_of_support: datetime | None = None
    end_of_life: datetime | None = None
    life_clause: Clause | None = None

    def stage_at(self, now: datetime) -> LifecycleStage:
        """Return the stage at an instant; a date counts from its first instant on."""
        if self.end_of_life is not None and now >= self.end_of_life:
            return LifecycleStage.ENDED
        if self.end_of_support is not None and now >= self.end_of_support:
            return LifecycleStage.UNSUPPORTED
        if self.general_availability is not None and now < self.general_availability:
            return LifecycleStage.UPCOMING
        return LifecycleStage.SUPPORTED

    def endings(self) -> tuple[tuple[Ending, datetime], ...]:
        """Return each kind of end that has a date, with its instant."""
        dates = ((Ending.SUPPORT, self.end_of_support), (Ending.LIFE, self.end_of_life))
        return tuple((ending, at) for ending, at in dates if at is not None)
