"""Objectives of a product, their targets and states over time, and the error budget."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Objective(StrEnum):
    """Objective of a product, one ledger line each; the value is the label `slo` of the series.

    CONFORMANCE is the composite: good when all promised others are good.
    """

    FRESHNESS = "freshness"
    SCHEMA = "schema"
    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    AVAILABILITY = "availability"
    UNIQUENESS = "uniqueness"
    VOLUME = "volume"
    CONFORMANCE = "conformance"


DEFAULT_WINDOW = timedelta(days=28)
DEFAULT_RATIO = 0.99


@dataclass(frozen=True, slots=True)
class Target:
    """Share of good time, 0-1 exclusive, to be reached over a rolling window."""

    objective: Objective
    ratio: float = DEFAULT_RATIO
    window: timedelta = DEFAULT_WINDOW
    is_default: bool = True


class ObjectiveState(StrEnum):
    """State of an objective at an instant."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Interval:
    """Time interval `[start, end)` in one state; never empty, never rewritten."""

    start: datetime
    end: datetime
    state: ObjectiveState

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).total_seconds()


YOUNG_SHARE = 0.05
"""Below this known share of its window a budget is a figure for machines, and not for people."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Current state of an objective after its last observation, and when that state ends.

    From `accrued_until` on the ledger has no interval yet. `state` holds until `stale_at`
    (freshness: the instant of going stale, from which on it is bad) and at most until `horizon`,
    after which it is unknown. `since` is when the present state began; `observed_at` when it was
    last confirmed. `observed_at` and `horizon` are never moved: after a clock was set back they lie
    before `accrued_until`, and what is dated in the future is unknown.
    """

    objective: Objective
    state: ObjectiveState
    since: datetime
    observed_at: datetime
    accrued_until: datetime
    horizon: datetime
    stale_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StateSeconds:
    """Seconds in each state; adds up over spans in any order."""

    good: float = 0.0
    bad: float = 0.0
    unknown: float = 0.0
    excluded: float = 0.0

    def __add__(self, other: "StateSeconds") -> "StateSeconds":
        return StateSeconds(
            self.good + other.good,
            self.bad + other.bad,
            self.unknown + other.unknown,
            self.excluded + other.excluded,
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """Error budget of an objective over the target's window.

    `remaining_ratio` is 1 - bad / ((1 - ratio) (good + bad)); it may be below 0, and is None when
    nothing is known yet. `spent_seconds` is the bad time, `allowed_seconds` the whole budget.
    """

    target: Target
    seconds: StateSeconds
    remaining_ratio: float | None
    spent_seconds: float
    allowed_seconds: float

    @property
    def is_young(self) -> bool:
        """Whether less than 5 % of the window is known: too little for words about a budget."""
        known = self.seconds.good + self.seconds.bad
        return known < YOUNG_SHARE * self.target.window.total_seconds()
