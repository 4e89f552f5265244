"""Questions about data: frozen, hashable, a closed union; equal questions are equal values."""

from dataclasses import dataclass
from typing import TypeAlias

from contractwatch.model.clause import Scalar
from contractwatch.model.rule import Bound


@dataclass(frozen=True, slots=True)
class IsNull:
    """The cell is null (NaN is not null)."""

    column: str


@dataclass(frozen=True, slots=True)
class IsMissing:
    """The cell is null or equals one of the values exactly."""

    column: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class IsInvalid:
    """The cell is not null, and not in `values` or not matched by `pattern`, where given."""

    column: str
    values: tuple[Scalar, ...] | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class IsBelow:
    """The cell is not null and below the bound, or equal to it when `exclusive`; NaN violates."""

    column: str
    bound: Bound
    exclusive: bool = False
    timezone: str = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class IsAbove:
    """The cell is not null and above the bound, or equal to it when `exclusive`; NaN violates."""

    column: str
    bound: Bound
    exclusive: bool = False
    timezone: str = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class IsShorter:
    """The text is not null and has fewer code points than `length`."""

    column: str
    length: int


@dataclass(frozen=True, slots=True)
class IsLonger:
    """The text is not null and has more code points than `length`."""

    column: str
    length: int


@dataclass(frozen=True, slots=True)
class IsNotMultiple:
    """The number is not null and no multiple of `divisor` (floats: within 1e-9 max(1, |x|))."""

    column: str
    divisor: Bound


Predicate: TypeAlias = (
    IsNull | IsMissing | IsInvalid | IsBelow | IsAbove | IsShorter | IsLonger | IsNotMultiple
)
"""What a violating row looks like. `column` is a physical name."""


@dataclass(frozen=True, slots=True)
class TableSchema:
    """Which columns of which types does the table have? Answered without reading rows."""

    table: str


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows are in scope?"""

    table: str


@dataclass(frozen=True, slots=True)
class CountWhere:
    """How many rows satisfy the predicate?"""

    table: str
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Unparseable:
    """How many cells of a text source are not null and are not of the declared type?

    Zero for typed sources, where the schema answers.
    """

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class SurplusRows:
    """How many rows repeat an earlier key? Rows with a null member are left out. Not additive."""

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """What are the oldest and the newest value of a temporal column?

    Values later than now + 5 minutes are left out and counted as future. Naive timestamps are taken
    in `timezone`; dates as midnight there.
    """

    table: str
    column: str
    timezone: str = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class Probes:
    """How many recent probes found the data readable? Answered by the record, not by data."""


Metric: TypeAlias = (
    TableSchema | RowCount | CountWhere | Unparseable | SurplusRows | TimeSpan | Probes
)
