"""Answers that add up: sufficient statistics with an associative `+` and a zero."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column as the file itself declares it.

    `kind` is one of string, integer, decimal, float, boolean, date, timestamp, time, object, array,
    map, binary, null, other. `timezone_aware` for timestamps, `scale` for decimals. `text` marks a
    column of a text source, whose cells are parsed to the declared type.
    """

    name: str
    kind: str
    physical: str
    timezone_aware: bool = False
    scale: int = 0
    text: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table; adding keeps those of both, the left one's type winning."""

    columns: tuple[ColumnType, ...] = ()

    def __add__(self, other: "Columns") -> "Columns":
        known = {column.name for column in self.columns}
        return Columns(
            self.columns + tuple(column for column in other.columns if column.name not in known)
        )

    def find(self, physical_name: str) -> ColumnType | None:
        """Return the column of exactly that name, else the only one alike but for case."""
        for column in self.columns:
            if column.name == physical_name:
                return column
        lower = physical_name.lower()
        alike = [column for column in self.columns if column.name.lower() == lower]
        return alike[0] if len(alike) == 1 else None


@dataclass(frozen=True, slots=True)
class Count:
    """Rows counted."""

    rows: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.rows + other.rows)


@dataclass(frozen=True, slots=True)
class Span:
    """Oldest and newest instant (UTC) of a column, its non-null rows and the rows in the future."""

    oldest: datetime | None = None
    newest: datetime | None = None
    rows: int = 0
    future: int = 0

    def __add__(self, other: "Span") -> "Span":
        oldest = [value for value in (self.oldest, other.oldest) if value is not None]
        newest = [value for value in (self.newest, other.newest) if value is not None]
        return Span(
            min(oldest, default=None),
            max(newest, default=None),
            self.rows + other.rows,
            self.future + other.future,
        )


@dataclass(frozen=True, slots=True)
class Repeats:
    """Duplicates of a key over a whole table, in the three counts in use.

    `rows` have no null member; `surplus` is rows - distinct; `keys` the repeated values; `affected`
    all rows of repeated values. It has no `+`: duplicates across files are not the sum.
    """

    rows: int = 0
    surplus: int = 0
    keys: int = 0
    affected: int = 0


@dataclass(frozen=True, slots=True)
class ProbeTally:
    """Probes that found the data readable, out of all probes with a verdict."""

    good: int = 0
    total: int = 0

    def __add__(self, other: "ProbeTally") -> "ProbeTally":
        return ProbeTally(self.good + other.good, self.total + other.total)


State: TypeAlias = Columns | Count | Span | Repeats | ProbeTally


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A question without an answer, and why. The reason holds no value of the data."""

    reason: str


Measurement: TypeAlias = State | Unmeasured
