"""Segment completeness: the rule, the metric that counts rows by segment and period, its state."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.promises.reference import Reference
from contractwatch.model.promises.rule import Threshold

MOST_CELLS = 100_000
"""More cells than these are not counted: the list of segments is no list of segments."""

MOST_SEGMENTS = 10_000
"""A reference with more distinct values than these is no list of segments."""


class PeriodUnit(StrEnum):
    """Unit of a period's length."""

    MINUTE = "minute"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """Period of local time: minutes that divide a day, one day, one week from Monday, or months.

    `count` is 1 for days and weeks; minutes are counted from midnight, months from January.
    """

    unit: PeriodUnit
    count: int = 1


Segment: TypeAlias = tuple[str, ...]
"""One value for each column that makes a segment, as text."""


@dataclass(frozen=True, slots=True)
class ListedSegments:
    """Expected segments: those that the contract lists."""

    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class RecentSegments:
    """Expected segments: those that had rows within `history`."""

    history: timedelta


@dataclass(frozen=True, slots=True)
class ReferencedSegments:
    """Expected segments: every key without a null that the target has."""

    target: Reference


Expectation: TypeAlias = ListedSegments | RecentSegments | ReferencedSegments


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """Rule that each expected segment has rows in each due period.

    `element` and `by` are contract names. A period is due when its end plus `lag` is past; those
    count that start within `lookback`. The percentage of a threshold is of all expected cells.
    """

    clause: Clause
    rule_id: str
    element: str
    period: Period
    timezone: str
    by: tuple[str, ...]
    threshold: Threshold
    severity: Severity
    lookback: timedelta
    expected: Expectation
    lag: timedelta = timedelta(0)
    weekdays_only: bool = False
    least_rows: int = 1
    dimension: Dimension | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class RowsPerCell:
    """How many rows has each segment in each period of the last `reach`, and one period before?

    Periods are those of `timezone`; naive timestamps of the column are in `element_timezone`.
    """

    table: str
    element: str
    by: tuple[str, ...]
    period: Period
    reach: timedelta
    timezone: str = "Etc/UTC"
    element_timezone: str = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class SegmentRows:
    """Number of rows of one segment in one period.

    The period is given by its local start `2026-03-01T00:00`.

    A member of the segment is None where the data has no value.
    """

    start: str
    segment: tuple[str | None, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class SegmentCounts:
    """Row counts of every segment and period that has rows, by start and segment."""

    cells: tuple[SegmentRows, ...] = ()

    def __add__(self, other: "SegmentCounts") -> "SegmentCounts":
        rows: dict[tuple[str, tuple[str | None, ...]], int] = {}
        for cell in (*self.cells, *other.cells):
            key = (cell.start, cell.segment)
            rows[key] = rows.get(key, 0) + cell.rows
        cells = (SegmentRows(start, segment, count) for (start, segment), count in rows.items())
        return SegmentCounts(tuple(sorted(cells, key=_order)))


def _order(cell: SegmentRows) -> tuple[str, tuple[tuple[bool, str], ...]]:
    return cell.start, tuple((member is not None, member or "") for member in cell.segment)
