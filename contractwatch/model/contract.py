"""What a domain team promises about its data, read from its contract and free of ODCS spelling."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from contractwatch.model.objective import Objective, Target

Scalar: TypeAlias = str | int | float | bool
"""A value written in a contract, before it is cast to a column's type."""


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """A place in the contract file that promises something: document path and line from 1."""

    path: str
    line: int


class Status(StrEnum):
    """Where a contract stands in its life; checks run in all but `retired`."""

    PROPOSED = "proposed"
    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class Severity(StrEnum):
    """How much a broken promise matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Dimension(StrEnum):
    """ODCS's closed list of quality dimensions."""

    ACCURACY = "accuracy"
    COMPLETENESS = "completeness"
    CONFORMITY = "conformity"
    CONSISTENCY = "consistency"
    COVERAGE = "coverage"
    TIMELINESS = "timeliness"
    UNIQUENESS = "uniqueness"


class LogicalType(StrEnum):
    """The logical types of ODCS that this version reads; nested ones only for presence and type."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    OBJECT = "object"
    ARRAY = "array"
    MAP = "map"
    VECTOR = "vector"


class Operator(StrEnum):
    """The eight comparisons of a quality rule; the two intervals include their ends."""

    EQUAL = "mustBe"
    NOT_EQUAL = "mustNotBe"
    GREATER = "mustBeGreaterThan"
    GREATER_OR_EQUAL = "mustBeGreaterOrEqualTo"
    LESS = "mustBeLessThan"
    LESS_OR_EQUAL = "mustBeLessOrEqualTo"
    BETWEEN = "mustBeBetween"
    NOT_BETWEEN = "mustNotBeBetween"


class Unit(StrEnum):
    """What a threshold counts: rows, or 0-100 percent of the rows in scope."""

    ROWS = "rows"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One operator with its bounds; `high` is set for the two intervals only."""

    operator: Operator
    low: float
    high: float | None = None
    unit: Unit = Unit.ROWS


class RuleMetric(StrEnum):
    """The five library metrics of ODCS."""

    ROW_COUNT = "rowCount"
    NULL_VALUES = "nullValues"
    MISSING_VALUES = "missingValues"
    INVALID_VALUES = "invalidValues"
    DUPLICATE_VALUES = "duplicateValues"


@dataclass(frozen=True, slots=True)
class Rule:
    """A library quality rule.

    `values` are the `missingValues` or `validValues`; `columns` are the names (contract names) that
    `duplicateValues` counts over; `rule_id` is the ODCS id, else 8 hex digits of the rule's hash.
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


class OptionKind(StrEnum):
    """A `logicalTypeOptions` entry that is executed."""

    MIN_LENGTH = "minLength"
    MAX_LENGTH = "maxLength"
    PATTERN = "pattern"
    FORMAT = "format"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    EXCLUSIVE_MINIMUM = "exclusiveMinimum"
    EXCLUSIVE_MAXIMUM = "exclusiveMaximum"
    MULTIPLE_OF = "multipleOf"


Bound: TypeAlias = int | float | Decimal | date | datetime | str
"""A limit, typed as its column: a `str` only for `time` columns (`HH:MM:SS`)."""


@dataclass(frozen=True, slots=True)
class Option:
    """One executed type option of a column, with its value already typed for that column."""

    clause: Clause
    kind: OptionKind
    value: Bound


@dataclass(frozen=True, slots=True)
class Column:
    """A top-level column. A clause is None where the contract does not make that promise.

    Naive timestamps are taken in `default_timezone` (IANA); `timezone_aware`: the type carries a
    zone (None: no promise). `parse_format`: chrono pattern of text sources, empty for ISO-8601. An
    `optional` column may be absent (an encrypted twin stands in): its presence is not judged.
    """

    clause: Clause
    name: str
    physical_name: str
    logical_type: LogicalType | None = None
    type_clause: Clause | None = None
    required_clause: Clause | None = None
    unique_clause: Clause | None = None
    options: tuple[Option, ...] = ()
    rules: tuple[Rule, ...] = ()
    default_timezone: str = "Etc/UTC"
    timezone_aware: bool | None = None
    parse_format: str = ""
    classification: str = ""
    critical: bool = False
    partitioned: bool = False
    description: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """The composite key: contract names of its columns in key order."""

    clause: Clause
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One ODCS schema object. `presence` of each column is promised by listing it."""

    clause: Clause
    name: str
    physical_name: str
    columns: tuple[Column, ...]
    primary_key: PrimaryKey | None = None
    rules: tuple[Rule, ...] = ()
    description: str = ""

    def column(self, name: str) -> Column | None:
        """Return the column of that contract name, else of that physical name, else None."""
        for column in self.columns:
            if column.name == name:
                return column
        return next((column for column in self.columns if column.physical_name == name), None)


@dataclass(frozen=True, slots=True)
class MaxAge:
    """`latency` or `freshness`: the newest value of the column is at most this old.

    `calendar_months` is the calendar part (years and months), `fixed` the rest. `whole_days` says
    that a date column is compared in whole days (unit of a day or longer).
    """

    table: str
    column: str
    fixed: timedelta
    calendar_months: int = 0
    whole_days: bool = False


class RetentionMode(StrEnum):
    """Whether data must be gone after, or kept for, the duration."""

    AT_MOST = "atMost"
    AT_LEAST = "atLeast"


@dataclass(frozen=True, slots=True)
class Retention:
    """The oldest value of the column is at most (or at least) this old."""

    table: str
    column: str
    fixed: timedelta
    calendar_months: int = 0
    mode: RetentionMode = RetentionMode.AT_MOST
    existing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """At least this share of probes finds the data readable; percent, 0-100."""

    percent: float


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """One executed `slaProperties` entry; `name` is the ODCS property as written."""

    clause: Clause
    level_id: str
    name: str
    promise: MaxAge | Retention | Availability
    driver: str = ""
    description: str = ""


class DataFormat(StrEnum):
    """The file formats that are read."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """`contractwatch.read` of a server: how its files are read."""

    separator: str = ","
    null_values: tuple[str, ...] = ("",)
    encoding: str = "utf8"
    hive_partitioning: bool | None = None
    timezone: str = "Etc/UTC"
    lenient_types: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """Where the data is. `kind` is the ODCS type; only `local` is opened in this version.

    `unsupported` says why its data checks are skipped; empty when it is opened.
    """

    clause: Clause
    name: str
    kind: str
    environment: str = ""
    path: str = ""
    data_format: DataFormat | None = None
    json_array: bool = False
    read: ReadPolicy = ReadPolicy()
    unsupported: str = ""


@dataclass(frozen=True, slots=True)
class SupportChannel:
    """Where the owners are reached. Names a receiver of the operator; never an address."""

    clause: Clause
    channel_id: str
    channel: str
    tool: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the contract is run: a five-field cron in an IANA zone, and the run's deadline."""

    cron: str | None = None
    interval: timedelta | None = None
    timezone: str = "Etc/UTC"
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Where alerts of these severities go: `to` is a support id. No severities match all."""

    to: str
    severities: frozenset[Severity] = frozenset()
    grace: timedelta | None = None


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """`contractwatch.alerts`: the breach must last `grace`; the first matching route wins.

    `open_after` and `resolve_after` are the N and M of the incident's state machine.
    """

    grace: timedelta = timedelta(0)
    routes: tuple[Route, ...] = ()
    open_after: int = 2
    resolve_after: int = 2


@dataclass(frozen=True, slots=True)
class SkippedClause:
    """A clause that promises something and is not executed: reported, and it lowers coverage."""

    clause: Clause
    promise_id: str
    kind: str
    table: str
    column: str | None
    severity: Severity
    dimension: Dimension
    objective: Objective | None
    reason: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """One published contract.

    `file` is the path as it was given; `fingerprint` the SHA-256 of its bytes in hex.
    """

    file: str
    fingerprint: str
    contract_id: str
    name: str
    version: str
    status: Status
    api_version: str
    domain: str = ""
    tenant: str = ""
    purpose: str = ""
    usage: str = ""
    limitations: str = ""
    tags: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    servers: tuple[Server, ...] = ()
    service_levels: tuple[ServiceLevel, ...] = ()
    skipped: tuple[SkippedClause, ...] = ()
    team: str = ""
    owners: tuple[str, ...] = ()
    support: tuple[SupportChannel, ...] = ()
    schedule: Schedule | None = None
    targets: tuple[Target, ...] = ()
    alerts: AlertPolicy = AlertPolicy()

    @property
    def product(self) -> str:
        """The public name, `domain/name`; the name alone without a domain."""
        return f"{self.domain}/{self.name}" if self.domain else self.name

    def table(self, name: str) -> Table | None:
        """Return the table of that name, or None."""
        return next((table for table in self.tables if table.name == name), None)
