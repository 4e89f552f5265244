"""States: answers to metrics, as sufficient statistics with an associative `+` and a zero."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from contractwatch.model.base.path import ArrayItem, Step
from contractwatch.model.promises.personal_data import PersonalData
from contractwatch.model.promises.reference import ComparedState
from contractwatch.model.promises.segment import SegmentCounts
from contractwatch.model.promises.sql import QueryValue


@dataclass(frozen=True)
class ColumnType:
    """Type of a column as the file itself declares it.

    `kind` is one of string, integer, decimal, float, boolean, date, timestamp, time, duration,
    object, array, map, binary, null, other; `other` is a column on whose kind the files disagree.
    `physical` is the type's name as the file's format has it, and `exact` as Arrow has it.
    `timezone_aware` for timestamps, `scale` for decimals. `text` marks a column of a text source,
    or of folders `name=value`, whose cells are parsed to the declared type. `children` are the
    members of an object, or the one element of an array; that of a map is an object with `key` and
    `value`. `files` are the types of the files where they are not all the same.
    `by_exact_name` marks a column that answers to no other spelling of its name: the contract
    promises names that differ by case alone.
    """

    name: str
    kind: str
    physical: str
    timezone_aware: bool = False
    scale: int = 0
    text: bool = False
    children: tuple["ColumnType", ...] = ()
    exact: str = ""
    files: tuple["ColumnType", ...] = ()
    by_exact_name: bool = False

    @property
    def in_files(self) -> tuple["ColumnType", ...]:
        """Each type that a file has."""
        return self.files or (self,)

    def follow(self, path: Iterable[Step]) -> "ColumnType | None":
        """Return the type at the end of a path, or None if the path does not exist."""
        found: ColumnType | None = self
        for step in path:
            found = found.child(step) if found else None
        return found

    def child(self, step: Step) -> "ColumnType | None":
        """Return the type one step below, or None if there is none."""
        if isinstance(step, ArrayItem):
            is_array = self.kind in {"array", "map"}
            return self.children[0] if is_array and self.children else None
        if self.kind == "map":  # the key or the value of each entry
            return self.children[0].child(step) if self.children else None
        return self.members.find(step.name) if self.kind == "object" else None

    @cached_property
    def members(self) -> "TableColumns":  # no slots, for this: wide objects are looked into often
        return TableColumns(self.children)

    def __getstate__(self) -> dict[str, object]:
        """Leave the index out: it is made again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class TableColumns:
    """Columns of a table; adding keeps those of both, and the left type where both have one.

    It has no slots: the index of its names is made once, for wide tables are looked up often.
    """

    columns: tuple[ColumnType, ...] = ()

    def __add__(self, other: "TableColumns") -> "TableColumns":
        known = {column.name for column in self.columns}
        return TableColumns(
            self.columns + tuple(column for column in other.columns if column.name not in known)
        )

    def find(self, physical_name: str) -> ColumnType | None:
        """Return the column of exactly that name, else the only one alike but for case."""
        exact = self._by_name.get(physical_name)
        if exact is not None:
            return exact
        alike = self.alike(physical_name)
        return alike[0] if len(alike) == 1 and not alike[0].by_exact_name else None

    def alike(self, physical_name: str) -> list[ColumnType]:
        """Return all columns of that name but for case."""
        return self._by_lower.get(physical_name.lower(), [])

    @cached_property
    def _by_name(self) -> dict[str, ColumnType]:
        return {column.name: column for column in reversed(self.columns)}

    @cached_property
    def _by_lower(self) -> dict[str, list[ColumnType]]:
        found: dict[str, list[ColumnType]] = {}
        for column in self.columns:
            found.setdefault(column.name.lower(), []).append(column)
        return found

    def __getstate__(self) -> dict[str, object]:
        """Leave the index out: it is made again."""
        return {"columns": self.columns}


@dataclass(frozen=True, slots=True)
class Count:
    """Number of rows."""

    rows: int = 0

    def __add__(self, other: "Count") -> "Count":
        if isinstance(other, UnparseableCells):
            return other + self
        return Count(self.rows + other.rows)


@dataclass(frozen=True, slots=True)
class UnparseableCells(Count):
    """Number of cells that are not of their column's type, and the shapes of the first of them.

    A shape has a 9 for each digit and an x for each letter of a cell.
    """

    shapes: tuple[str, ...] = ()

    def __add__(self, other: Count) -> "UnparseableCells":
        more = other.shapes if isinstance(other, UnparseableCells) else ()
        shapes = tuple(dict.fromkeys((*self.shapes, *more)))[:MOST_SHAPES]
        return UnparseableCells(self.rows + other.rows, shapes)


MOST_SHAPES = 3
"""So many shapes are kept of a column, and shown."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Oldest and newest instant (UTC) of a column, its non-null rows and the rows in the future."""

    oldest: datetime | None = None
    newest: datetime | None = None
    rows: int = 0
    future: int = 0

    def __add__(self, other: "TimeRange") -> "TimeRange":
        oldest = [value for value in (self.oldest, other.oldest) if value is not None]
        newest = [value for value in (self.newest, other.newest) if value is not None]
        return TimeRange(
            min(oldest, default=None),
            max(newest, default=None),
            self.rows + other.rows,
            self.future + other.future,
        )


@dataclass(frozen=True, slots=True)
class DuplicateCounts:
    """Duplicates of a key over a whole table, in the three counts in use.

    `rows` have no null member; `surplus` is rows - distinct; `keys` the repeated values; `affected`
    all rows of repeated values. It has no `+`: duplicates across files are not the sum.
    """

    rows: int = 0
    surplus: int = 0
    keys: int = 0
    affected: int = 0


@dataclass(frozen=True, slots=True)
class KeyBounds:
    """Rows with a complete key, and the least and the greatest step of each member of keys.

    `bounds` are empty where they are not known; without rows there is nothing to know.
    """

    rows: int = 0
    bounds: tuple[tuple[int, int], ...] = ()

    def __add__(self, other: "KeyBounds") -> "KeyBounds":
        if not self.rows or not other.rows:
            return self if self.rows else other
        pairs = zip(self.bounds, other.bounds, strict=False)
        both = tuple((min(a[0], b[0]), max(a[1], b[1])) for a, b in pairs)
        return KeyBounds(self.rows + other.rows, both)


@dataclass(frozen=True, slots=True)
class ProbeTally:
    """Availability probes that found the data readable, out of all with a verdict."""

    good: int = 0
    total: int = 0

    def __add__(self, other: "ProbeTally") -> "ProbeTally":
        return ProbeTally(self.good + other.good, self.total + other.total)


@dataclass(frozen=True, slots=True)
class DelayTally:
    """Rows with both times, how many came later than the limit, and the longest delay."""

    rows: int = 0
    late: int = 0
    longest_seconds: float | None = None

    def __add__(self, other: "DelayTally") -> "DelayTally":
        longest = [s.longest_seconds for s in (self, other) if s.longest_seconds is not None]
        return DelayTally(
            self.rows + other.rows, self.late + other.late, max(longest, default=None)
        )


@dataclass(frozen=True, slots=True)
class Watermark:
    """Watermark of a table: newest value, row count and version. A different one is an update.

    `version` is the digest of the files, empty where it says nothing about this table alone.
    """

    newest: datetime | None
    rows: int | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class WatermarkPeriod:
    """Watermark, and the first and last of the consecutive runs that saw it.

    `runs` is the number of these runs.
    """

    watermark: Watermark
    first_seen: datetime
    last_seen: datetime
    runs: int = 1


@dataclass(frozen=True, slots=True)
class WatermarkLog:
    """Watermarks of a table that runs saw, oldest first, including this run.

    Without a record `is_recorded` is false.
    """

    seen: tuple[WatermarkPeriod, ...] = ()
    is_recorded: bool = True


@dataclass(frozen=True, slots=True)
class IncidentTime:
    """Times of one incident; None for a time that has not come or is not known.

    `found_at` is the first failing run, `last_good_at` the last one before it that passed;
    `is_timed` is false for an incident from before these times were kept.
    """

    found_at: datetime
    last_good_at: datetime | None = None
    told_at: datetime | None = None
    resolved_at: datetime | None = None
    is_timed: bool = True


@dataclass(frozen=True, slots=True)
class IncidentLog:
    """Incidents that were open within the last 28 days.

    Without a record `is_recorded` is false.
    """

    incidents: tuple[IncidentTime, ...] = ()
    is_recorded: bool = True


State: TypeAlias = (
    ComparedState
    | SegmentCounts
    | PersonalData
    | TableColumns
    | Count
    | TimeRange
    | DuplicateCounts
    | KeyBounds
    | ProbeTally
    | DelayTally
    | WatermarkLog
    | IncidentLog
    | QueryValue
)


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Metric without an answer, and the reason, which holds no value of the data."""

    reason: str


Measurement: TypeAlias = State | Unmeasured
