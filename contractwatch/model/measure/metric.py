"""Metrics: questions about data, as a closed union of frozen and hashable records.

Equal questions are equal values, so a set removes repeats.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from contractwatch.model.base.clause import Scalar
from contractwatch.model.base.path import FieldPath, StructField
from contractwatch.model.promises.personal_data import PersonalDataHits
from contractwatch.model.promises.reference import (
    CoveredKeys,
    Orphans,
    Reference,
    SegmentsOf,
    Total,
)
from contractwatch.model.promises.rule import Bound
from contractwatch.model.promises.segment import RowsPerCell
from contractwatch.model.promises.sql import SqlScalar


@dataclass(frozen=True, slots=True)
class IsNull:
    """True where the cell is null (NaN is not null)."""

    column: str


@dataclass(frozen=True, slots=True)
class IsMissing:
    """True where the cell is null or equals one of the values exactly."""

    column: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class IsInvalid:
    """True where the cell is not null and not in `values`, or not matched by `pattern`.

    The pattern is in Rust's dialect; with `ecma` in that of ECMA-262, whose engine runs it.
    """

    column: str
    values: tuple[Scalar, ...] | None = None
    pattern: str | None = None
    ecma: bool = False


@dataclass(frozen=True, slots=True)
class IsBelow:
    """True where the cell is below the bound, or equal to it if `exclusive`; also for NaN."""

    column: str
    bound: Bound
    exclusive: bool = False
    timezone: str = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class IsAbove:
    """True where the cell is above the bound, or equal to it if `exclusive`; also for NaN."""

    column: str
    bound: Bound
    exclusive: bool = False
    timezone: str = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class IsShorter:
    """True where the text is not null and has fewer code points than `length`."""

    column: str
    length: int


@dataclass(frozen=True, slots=True)
class IsLonger:
    """True where the text is not null and has more code points than `length`."""

    column: str
    length: int


@dataclass(frozen=True, slots=True)
class IsNotMultiple:
    """True where the number is no multiple of `divisor` (floats: within 1e-9 max(1, |x|))."""

    column: str
    divisor: Bound


@dataclass(frozen=True, slots=True)
class IsSmaller:
    """True where an array, map or object has fewer than `size` elements or non-null members."""

    column: str
    size: int


@dataclass(frozen=True, slots=True)
class IsLarger:
    """True where an array, map or object has more than `size` elements or non-null members."""

    column: str
    size: int


@dataclass(frozen=True, slots=True)
class RepeatsElements:
    """True where a non-null value comes twice in an array: an element, or its value at `path`."""

    column: str
    path: FieldPath = ()


@dataclass(frozen=True, slots=True)
class IsNotNormalized:
    """True where the vector is not null, and its Euclidean length is further than 1e-3 from 1."""

    column: str


@dataclass(frozen=True, slots=True)
class LacksMembers:
    """True where the object is not null, and one of these members is null or is not there."""

    column: str
    members: tuple[str, ...]


PredicateOfWhole: TypeAlias = (
    IsSmaller | IsLarger | RepeatsElements | IsNotNormalized | LacksMembers
)
"""Predicates on a whole object or array."""

CellPredicate: TypeAlias = (
    IsNull
    | IsMissing
    | IsInvalid
    | IsBelow
    | IsAbove
    | IsShorter
    | IsLonger
    | IsNotMultiple
    | PredicateOfWhole
)
"""Predicates on a value: true where it violates a promise. `column` is a physical name.

Null cells match `IsNull` and `IsMissing` only.
"""


@dataclass(frozen=True, slots=True)
class Inside:
    """True where a value at the end of the path into the cell satisfies the predicate.

    A path that ends in a null object or array before its last step leads to no value. `column` of
    the inner predicate names the cell too.
    """

    path: FieldPath
    predicate: CellPredicate

    @property
    def column(self) -> str:
        """The column that is read."""
        return self.predicate.column


Predicate: TypeAlias = CellPredicate | Inside
"""Predicates on a row: true where it violates a promise. `column` is a physical name."""


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

    Zero for typed sources, where the schema answers; but of a column that is declared a date and
    holds timestamps, the cells that are not at midnight in the column's time zone. With `path` it
    is about the values at the end of that path, and a cell counts once.
    """

    table: str
    column: str
    path: FieldPath = ()


@dataclass(frozen=True, slots=True)
class SurplusRows:
    """How many rows repeat an earlier key? Rows with a null member are left out. Not additive.

    `paths` lead from each column down to the member that is part of the key; without any the key is
    of the columns' own cells. Objects and arrays are compared as wholes.
    """

    table: str
    columns: tuple[str, ...]
    paths: tuple[tuple[StructField, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRange:
    """How many rows have a whole key, and between which bounds does each member lie?

    Rows of two ranges that are apart repeat no key of one another. No promise asks it. The bounds
    are of whole steps (numbers, days, instants); a text has none, nor has a key that is `closed`.
    """

    table: str
    columns: tuple[str, ...]
    paths: tuple[tuple[StructField, ...], ...] = ()
    closed: bool = False


FUTURE_ALLOWANCE = timedelta(minutes=5)
"""A clock may be this far ahead before its timestamps count as future."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """What are the oldest and the newest value of a temporal column?

    Values later than now + 5 minutes are left out and counted as future. Naive timestamps are taken
    in `timezone`; dates as midnight there. With `path` it is about all values at the end of that
    path; a row counts once.
    """

    table: str
    column: str
    timezone: str = "Etc/UTC"
    path: FieldPath = ()


@dataclass(frozen=True, slots=True)
class Delays:
    """How long after its `event_column` did each row get its `available_column`?

    Rows without both are left out. Naive timestamps are taken in the zone of their column. Either
    may be a member of an object, to which its path leads.
    """

    table: str
    event_column: str
    available_column: str
    limit: timedelta
    event_timezone: str = "Etc/UTC"
    available_timezone: str = "Etc/UTC"
    event_inside: tuple[StructField, ...] = ()
    available_inside: tuple[StructField, ...] = ()


@dataclass(frozen=True, slots=True)
class RecentRows:
    """How many rows have an instant of `(now - period, now]` in a temporal column?

    With `path` it may be any of the values at the end of that path.
    """

    table: str
    column: str
    period: timedelta
    timezone: str = "Etc/UTC"
    path: FieldPath = ()


@dataclass(frozen=True, slots=True)
class BadRows:
    """How many rows satisfy at least one of the predicates? A row counts once."""

    table: str
    predicates: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns (physical names) whose key, if no member is null, is to be found in the target.

    `paths` lead from each column down to the member of the key, or there are none.
    """

    columns: tuple[str, ...]
    target: Reference
    paths: tuple[FieldPath, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRowsAcross:
    """How many rows satisfy a predicate, or have a key that its target lacks? Not additive.

    A row counts once, however many of both it breaks.
    """

    table: str
    predicates: tuple[Predicate, ...]
    keys: tuple[ForeignKey, ...]


@dataclass(frozen=True, slots=True)
class UpdateHistory:
    """When did the newest value or the row count change? Answered by the record, not by data."""

    table: str
    column: str
    timezone: str = "Etc/UTC"
    path: FieldPath = ()


@dataclass(frozen=True, slots=True)
class RowHistory:
    """How many rows did earlier runs count, so long ago? Answered by the record, not by data.

    Without an `offset`: the count before the present one.
    """

    table: str
    offset: timedelta


@dataclass(frozen=True, slots=True)
class IncidentTimes:
    """When were recent incidents found, told and repaired? Answered by the record."""


@dataclass(frozen=True, slots=True)
class Probes:
    """How many recent probes found the data readable? Answered by the record, not by data."""


RecordMetric: TypeAlias = Probes | UpdateHistory | RowHistory | IncidentTimes
"""Metrics that the record answers; all others are asked of the data."""

ComparingMetric: TypeAlias = Orphans | CoveredKeys | SegmentsOf | Total | BadRowsAcross
"""Metrics over two tables or more, answered after each table was read by itself."""

SeparatePassMetric: TypeAlias = RowsPerCell | PersonalDataHits
"""Metrics whose answer is no single number; each is read in a pass of its own."""

Metric: TypeAlias = (
    ComparingMetric
    | SeparatePassMetric
    | TableSchema
    | RowCount
    | CountWhere
    | Unparseable
    | SurplusRows
    | KeyRange
    | TimeSpan
    | Delays
    | RecentRows
    | BadRows
    | SqlScalar
    | RecordMetric
)
