"""Quality rules and type options, with the threshold that decides them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from contractwatch.model.base.clause import Clause, Dimension, Scalar, Severity


class Operator(StrEnum):
    """Comparison operators of a quality rule; the two intervals include their ends."""

    EQUAL = "mustBe"
    NOT_EQUAL = "mustNotBe"
    GREATER = "mustBeGreaterThan"
    GREATER_OR_EQUAL = "mustBeGreaterOrEqualTo"
    LESS = "mustBeLessThan"
    LESS_OR_EQUAL = "mustBeLessOrEqualTo"
    BETWEEN = "mustBeBetween"
    NOT_BETWEEN = "mustNotBeBetween"


class Unit(StrEnum):
    """Unit of a threshold: rows, or 0-100 percent of the rows in scope."""

    ROWS = "rows"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Operator with its bounds; `high` is set for the two intervals only."""

    operator: Operator
    low: float
    high: float | None = None
    unit: Unit = Unit.ROWS


class RuleMetric(StrEnum):
    """Library metrics of ODCS."""

    ROW_COUNT = "rowCount"
    NULL_VALUES = "nullValues"
    MISSING_VALUES = "missingValues"
    INVALID_VALUES = "invalidValues"
    DUPLICATE_VALUES = "duplicateValues"


class DuplicateCounting(StrEnum):
    """What is counted as duplicate: rows that repeat a key, repeated keys, or all rows of these."""

    SURPLUS = "surplus"
    KEYS = "keys"
    AFFECTED = "affected"


@dataclass(frozen=True, slots=True)
class Baseline:
    """Baseline of a row count: the count so long ago, or the previous one without an offset."""

    offset: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Rule:
    """Library quality rule.

    `values` are the `missingValues` or `validValues`; `columns` are the names (contract names) that
    `duplicateValues` counts over; `rule_id` is the ODCS id, else 8 hex digits of the rule's hash.
    `pattern` is in Rust's dialect, or with `ecma` in that of ECMA-262. A row count in percent is
    taken of its `baseline`.
    """

    clause: Clause
    rule_id: str
    metric: RuleMetric
    threshold: Threshold
    severity: Severity
    dimension: Dimension | None = None
    values: tuple[Scalar, ...] | None = None
    pattern: str | None = None
    columns: tuple[str, ...] = ()
    description: str = ""
    ecma: bool = False
    counting: DuplicateCounting = DuplicateCounting.SURPLUS
    baseline: Baseline | None = None


class TypeOptionKind(StrEnum):
    """Kinds of `logicalTypeOptions` entries that are executed."""

    MIN_LENGTH = "minLength"
    MAX_LENGTH = "maxLength"
    PATTERN = "pattern"
    FORMAT = "format"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    EXCLUSIVE_MINIMUM = "exclusiveMinimum"
    EXCLUSIVE_MAXIMUM = "exclusiveMaximum"
    MULTIPLE_OF = "multipleOf"
    ENUM = "enum"
    MIN_ITEMS = "minItems"
    MAX_ITEMS = "maxItems"
    UNIQUE_ITEMS = "uniqueItems"
    MIN_PROPERTIES = "minProperties"
    MAX_PROPERTIES = "maxProperties"
    REQUIRED_PROPERTIES = "requiredProperties"
    DIMENSIONS = "dimensions"
    ELEMENT_TYPE = "elementType"
    NORMALIZED = "normalized"


Bound: TypeAlias = int | float | Decimal | date | datetime | str
"""A limit, typed as its column: a `str` only for `time` columns (`HH:MM:SS`)."""


@dataclass(frozen=True, slots=True)
class TypeOption:
    """Type option of a column, with its value already typed for that column.

    `members` are the physical names that `requiredProperties` of an object lists. A pattern is in
    Rust's dialect, or with `ecma` in that of ECMA-262. `values` are those that `enum` allows.
    """

    clause: Clause
    kind: TypeOptionKind
    value: Bound
    members: tuple[str, ...] = ()
    ecma: bool = False
    values: tuple[Scalar, ...] = ()
