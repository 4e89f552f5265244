"""Build the promises of a service level, one for each of its elements.

In the dictionary of builders, a text says why the level is not executed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeAlias

from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.promises.service_level import (
    DueTime,
    Frequency,
    LevelPromise,
    MaxAge,
    Retention,
    RetentionMode,
    Throughput,
)
from contractwatch.odcs.service_levels.elements import ResolvedElement
from contractwatch.odcs.service_levels.level_values import MAX_UPDATES, DailyTime
from contractwatch.odcs.values.units import Duration

PromiseBuilder: TypeAlias = Callable[[ResolvedElement], LevelPromise]


def freshness_builder(length: Duration) -> PromiseBuilder:
    """Return a builder of the promise that the newest value is not older than a duration."""
    return lambda found: MaxAge(
        *_names(found), length.fixed, length.calendar_months, length.whole_days
    )


def retention_builder(
    length: Duration, since: datetime | None, *, at_least: bool
) -> PromiseBuilder:
    """Return a builder of the promise about the age of the oldest value."""
    mode = RetentionMode.AT_LEAST if at_least else RetentionMode.AT_MOST
    return lambda found: Retention(
        *_names(found), length.fixed, length.calendar_months, mode, since
    )


def frequency_builder(length: Duration, updates: int | None) -> PromiseBuilder | str | None:
    """Return a builder of the promise of a number of updates in each period."""
    if updates is None:
        return None
    if updates > MAX_UPDATES:
        return f"more than {MAX_UPDATES} updates in a period"
    return lambda found: Frequency(
        *_names(found), length.fixed, length.calendar_months, updates, length.whole_days
    )


def time_of_availability_builder(clock: DailyTime | None) -> PromiseBuilder | None:
    """Return a builder of the promise of a daily deadline; dates lag a day by default."""
    if clock is None:
        return None

    def build(found: ResolvedElement) -> DueTime:
        in_days = found.column.logical_type is LogicalType.DATE
        lag = int(in_days) if clock.lag_days is None else clock.lag_days
        return DueTime(
            *_names(found), clock.at, clock.timezone, clock.utc_offset, lag, clock.weekdays
        )

    return build


def throughput_builder(rate: tuple[float, timedelta] | str | None) -> PromiseBuilder | str | None:
    """Return a builder of the promise of a number of rows in each period."""
    if rate is None or isinstance(rate, str):
        return rate
    rows, period = rate
    return lambda found: Throughput(*_names(found), rows, period)


def _names(found: ResolvedElement) -> tuple[str, str]:
    return found.table.name, found.column.name
