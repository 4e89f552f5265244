"""Contract of a data product: tables, promises, owners and routing, free of ODCS spelling."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import StrEnum
from functools import cached_property

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.label import Label
from contractwatch.model.base.objective import Objective, Target
from contractwatch.model.base.path import FieldPath, format_path
from contractwatch.model.base.server import Server
from contractwatch.model.contract.incremental import Incremental
from contractwatch.model.promises.column_check import ColumnCheckRule
from contractwatch.model.promises.lifetime import Lifetime
from contractwatch.model.promises.personal_data import PiiRule
from contractwatch.model.promises.reference import Reconciliation, ReferenceCoverage, Relationship
from contractwatch.model.promises.rule import Rule, TypeOption
from contractwatch.model.promises.segment import SegmentRule
from contractwatch.model.promises.service_level import ServiceLevel
from contractwatch.model.promises.sql import SqlRule
from contractwatch.model.promises.upstream import Input

_NO_DATES = Lifetime()


class Status(StrEnum):
    """Lifecycle status of a contract; checks run in all but `retired`."""

    PROPOSED = "proposed"
    DRAFT = "draft"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class LogicalType(StrEnum):
    """Logical types of ODCS."""

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


@dataclass(frozen=True, slots=True)
class Column:
    """Column of a table. A clause is None where the contract does not make that promise.

    Naive timestamps are taken in `default_timezone` (IANA); `timezone_aware`: the type carries a
    zone (None: no promise). `parse_format`: how texts are written, a pattern of the JDK (see
    `date_format`); empty for ISO-8601. A `binary` string may be of bytes. An `optional` column may
    be absent (the column `encrypted_name`, a contract or physical name, stands in for it): the
    presence of the encrypted one is judged instead.

    `physical_type` is spelt as some system spells it, with `physical_clause` where it stands.

    `nested` are all values below a top-level column, at any depth, that something is promised of.
    Their names are whole paths (`orders.lines[].price`), and so are their ids, with `/properties/`
    between; their `physical_name` is the top-level column's, and `path` leads from it
    down to them. The `encrypted_name` of a nested one is the physical name of a member beside it.
    """

    clause: Clause
    name: str
    physical_name: str
    logical_type: LogicalType | None = None
    type_clause: Clause | None = None
    required_clause: Clause | None = None
    unique_clause: Clause | None = None
    options: tuple[TypeOption, ...] = ()
    rules: tuple[Rule, ...] = ()
    default_timezone: str = "Etc/UTC"
    timezone_aware: bool | None = None
    parse_format: str = ""
    classification: str = ""
    critical: bool = False
    partitioned: bool = False
    description: str = ""
    optional: bool = False
    binary: bool = False
    encrypted_name: str = ""
    encrypted_name_clause: Clause | None = None
    column_id: str = ""
    physical_type: str = ""
    physical_clause: Clause | None = None
    path: FieldPath = ()
    nested: tuple["Column", ...] = ()


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """Primary key: contract names of its columns in key order."""

    clause: Clause
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Table (ODCS schema object). The `presence` of each column is promised by listing it.

    It has no slots: the indexes of its columns are made once, for wide tables are looked up often.

    `where` is a guarded SQL condition on its rows: every promise but those about columns and types
    is about the rows that meet it. Empty for all rows. With `closed_clause` it has no other column.
    `incremental` says which of its rows do not change any more; None: any may.
    """

    clause: Clause
    name: str
    physical_name: str
    columns: tuple[Column, ...]
    primary_key: PrimaryKey | None = None
    rules: tuple[Rule, ...] = ()
    description: str = ""
    queries: tuple[SqlRule, ...] = ()
    where: str = ""
    closed_clause: Clause | None = None
    table_id: str = ""
    relationships: tuple[Relationship, ...] = ()
    coverages: tuple[ReferenceCoverage, ...] = ()
    reconciliations: tuple[Reconciliation, ...] = ()
    segment_rules: tuple[SegmentRule, ...] = ()
    pii_rules: tuple[PiiRule, ...] = ()
    column_checks: tuple[ColumnCheckRule, ...] = ()
    incremental: Incremental | None = None

    def column(self, name: str) -> Column | None:
        """Return the column of that contract name, else of that physical name, else None."""
        return self._by_name.get(name)

    def find(self, name: str) -> Column | None:
        """Return the column of that name, else the value inside of a column, else None.

        A path is written in contract names, or in physical ones: `orders.lines[].price`, or without
        brackets, for references have none.
        """
        return self._by_path.get(name)

    def find_reference(self, written: str, *, by_id: bool) -> Column | None:
        """Return what a reference leads to: `find` by its name, or first by its id."""
        found = self._by_id.get(written) if by_id else None
        return found if found is not None else self.find(written)

    @cached_property
    def _by_name(self) -> Mapping[str, Column]:
        physical = ((column.physical_name, column) for column in self.columns)
        return _first((*((column.name, column) for column in self.columns), *physical))

    @cached_property
    def _by_path(self) -> Mapping[str, Column]:
        below = [inner for one in self.columns for inner in one.nested]
        names = [(one.name, one) for one in below]
        physical = [(format_path(one.physical_name, one.path), one) for one in below]
        plain = ((path.replace("[]", ""), one) for path, one in (*names, *physical))
        return _first((*self._by_name.items(), *names, *physical, *plain))

    @cached_property
    def _by_id(self) -> Mapping[str, Column]:
        every = (inner for one in self.columns for inner in (one, *one.nested))
        return _first((one.column_id, one) for one in every if one.column_id)

    def __getstate__(self) -> dict[str, object]:
        """Leave the indexes out: they are made again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _first(named: Iterable[tuple[str, Column]]) -> Mapping[str, Column]:
    """Map each name to the first item that has it."""
    found: dict[str, Column] = {}
    for name, column in named:
        found.setdefault(name, column)
    return found


class TableIndex:
    """Index of tables by name, built once for many references to the same tables."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables
        by_id: dict[str, Table] = {}
        by_name: dict[str, Table] = {}
        by_physical_name: dict[str, Table] = {}
        for table in tables:
            by_id.setdefault(table.table_id, table)
            by_name.setdefault(table.name, table)
            by_physical_name.setdefault(table.physical_name, table)
        self._by_id = by_id
        self._by_either = {**by_physical_name, **by_name}
        self._longest = max(map(len, self._by_either), default=0)

    def find(self, written: str, *, by_id: bool) -> Table | None:
        """Return the table of that name, else of that physical name; by id: first of that id."""
        found = self._by_id.get(written) if by_id and written else None
        return found or self._by_either.get(written) if written else None

    def prefix(self, written: str) -> str:
        """Return the longest name with a dot after it that a text begins with; empty if none."""
        ends = _dots(written, self._longest)
        if len(ends) > len(self._by_either):
            fitting = (name for name in self._by_either if written.startswith(f"{name}."))
            return max(fitting, key=len, default="")
        beginnings = (written[:end] for end in reversed(ends))
        return next((one for one in beginnings if one in self._by_either), "")


def _dots(text: str, last: int) -> list[int]:
    """Return where dots stand in the beginning of a text, at `last` at latest."""
    return [at for at, letter in enumerate(text[: last + 1]) if letter == "."]


@dataclass(frozen=True, slots=True)
class SupportChannel:
    """Support channel of the owners. It names a receiver of the operator, never an address."""

    clause: Clause
    channel_id: str
    channel: str
    tool: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Schedule of a contract's runs (a cron in an IANA zone, or an interval), and their timeout.

    `clause` is where the interval or the cron stands.
    """

    cron: str | None = None
    interval: timedelta | None = None
    timezone: str = "Etc/UTC"
    timeout: timedelta | None = None
    clause: Clause | None = None


@dataclass(frozen=True, slots=True)
class PromiseSchedule:
    """Schedule of one rule or service level: a five-field cron in an IANA zone.

    `clause` is where it stands, as its promises have it.
    """

    clause: Clause
    cron: str
    timezone: str = "Etc/UTC"


@dataclass(frozen=True, slots=True)
class Route:
    """Alert route for these severities; `to` is a support id. No severities match all."""

    to: str
    severities: frozenset[Severity] = frozenset()
    grace: timedelta | None = None


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """Alert policy (`contractwatch.alerts`): grace period, routes and thresholds of incidents.

    A breach must last `grace`; the first matching route wins.

    `open_after` and `resolve_after` are the N and M of the incident's state machine. `ceiling` is
    the worst severity that anything is reported as.
    """

    grace: timedelta = timedelta(0)
    routes: tuple[Route, ...] = ()
    open_after: int = 2
    resolve_after: int = 2
    ceiling: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class SkippedClause:
    """Clause that promises something and is not executed; it is reported, and lowers coverage."""

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
    """Data contract as published.

    `file` is the path as it was given; `fingerprint` the SHA-256 of its bytes in hex; `addresses`
    are the canonical ones at which it is published.
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
    promise_schedules: tuple[PromiseSchedule, ...] = ()
    targets: tuple[Target, ...] = ()
    alerts: AlertPolicy = AlertPolicy()
    addresses: tuple[str, ...] = ()
    lifetime: Lifetime = _NO_DATES
    inputs: tuple[Input, ...] = ()
    labels: tuple[Label, ...] = ()

    @property
    def product(self) -> str:
        """The public name, `domain/name`; the name alone without a domain."""
        return f"{self.domain}/{self.name}" if self.domain else self.name

    def table(self, name: str) -> Table | None:
        """Return the table of that name, or None."""
        return next((table for table in self.tables if table.name == name), None)
