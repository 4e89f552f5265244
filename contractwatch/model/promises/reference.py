"""Promises about two tables (foreign keys, coverage, totals), with their metrics and states."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.path import FieldPath
from contractwatch.model.promises.rule import Threshold


@dataclass(frozen=True, slots=True)
class Reference:
    """Reference to columns of a table, perhaps of another contract, as a contract writes it.

    `contract` is the other contract's id, file or address; empty for the contract itself. The table
    and its columns are named as that contract names them; with `by_id` these are its ids.
    """

    table: str
    columns: tuple[str, ...] = ()
    contract: str = ""
    by_id: bool = False

    def __str__(self) -> str:
        columns = ", ".join(self.columns)
        place = {0: self.table, 1: f"{self.table}.{columns}"}.get(
            len(self.columns), f"{self.table} ({columns})"
        )
        return f"{place} of {self.contract}" if self.contract else place


class Aggregate(StrEnum):
    """Aggregate function over the values of a column."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVG = "avg"


@dataclass(frozen=True, slots=True)
class Relationship:
    """Foreign key: `columns` (contract names) of a table, and the key that they refer to.

    `column` is the contract name of the column that it is written at; None for one of the table.
    """

    clause: Clause
    rule_id: str
    column: str | None
    columns: tuple[str, ...]
    target: Reference
    threshold: Threshold
    severity: Severity
    dimension: Dimension | None = None


@dataclass(frozen=True, slots=True)
class ReferenceCoverage:
    """Rule on how many keys of a reference appear in a column of this table."""

    clause: Clause
    rule_id: str
    column: str
    target: Reference
    threshold: Threshold
    severity: Severity
    dimension: Dimension | None = None


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Allowed difference of two totals: an amount, or 0-100 percent of the second one."""

    amount: float
    is_percent: bool


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Rule that a total of this table and a total elsewhere agree within a tolerance."""

    clause: Clause
    rule_id: str
    left: "TotalOf"
    right: "TotalOf"
    tolerance: Tolerance
    severity: Severity
    dimension: Dimension | None = None


@dataclass(frozen=True, slots=True)
class TotalOf:
    """Aggregate of at most one column; `count` without a column counts rows.

    `where` is the condition in SQL on the rows that count, as it is written: it is guarded where
    the table is known.
    """

    aggregate: Aggregate
    of: Reference
    where: str = ""


@dataclass(frozen=True, slots=True)
class Orphans:
    """How many rows with a whole key have no match in the target? Not additive.

    `paths` lead from each column down to the member of the key; those into arrays are the same
    up to the last array. Then each element has a key, and a row counts once, however many have
    no match.
    """

    table: str
    columns: tuple[str, ...]
    target: Reference
    paths: tuple[FieldPath, ...] = ()


@dataclass(frozen=True, slots=True)
class CoveredKeys:
    """How many of the target's keys appear in these columns? Not additive."""

    table: str
    columns: tuple[str, ...]
    target: Reference


@dataclass(frozen=True, slots=True)
class SegmentsOf:
    """Which keys without a null does the target have, as the texts of segments of these columns?"""

    table: str
    columns: tuple[str, ...]
    target: Reference


@dataclass(frozen=True, slots=True)
class Total:
    """What is the aggregate of a column, here or elsewhere? `table` is the one that asks."""

    table: str
    total: TotalOf


@dataclass(frozen=True, slots=True)
class OrphanCount:
    """Rows with a complete key, those without a match, and the target's rows that repeat a key."""

    rows: int = 0
    orphans: int = 0
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class KeyCoverage:
    """Number of keys of a target, and how many of them were found."""

    keys: int = 0
    found: int = 0


@dataclass(frozen=True, slots=True)
class TotalValue:
    """Value of a total, exact."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments that a target has, in order."""

    segments: tuple[tuple[str, ...], ...] = ()


ComparedState: TypeAlias = OrphanCount | KeyCoverage | TotalValue | Segments
