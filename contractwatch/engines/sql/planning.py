"""Decide for each metric of a table how the database answers it, before it is asked.

The choices, cheapest first: the catalogue or a constraint knows the answer; the one aggregate over
the table has it; a key needs a query of its own; the rows are pulled and read by Polars.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias, assert_never

from sqlglot import exp

from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.sql import proofs, times, values
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.engines.sql.predicates import (
    NotInSqlError,
    SqlCells,
    cells_of,
    is_present,
    violates,
)
from contractwatch.engines.sql.selections import Selection
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.contract.database import SqlTable, ValueFamily
from contractwatch.model.measure.metric import (
    BadRows,
    CountWhere,
    Delays,
    KeyRange,
    Metric,
    Predicate,
    RecentRows,
    RowCount,
    SurplusRows,
    TableSchema,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.measure.state import (
    Count,
    Measurement,
    TableColumns,
    Unmeasured,
)
from contractwatch.model.promises.personal_data import PersonalDataHits
from contractwatch.model.promises.segment import RowsPerCell

TableMetric: TypeAlias = (
    TableSchema
    | RowCount
    | CountWhere
    | Unparseable
    | SurplusRows
    | KeyRange
    | TimeSpan
    | Delays
    | RecentRows
    | BadRows
    | RowsPerCell
    | PersonalDataHits
)
"""Metrics about one table; those about several, and SQL rules, are answered elsewhere."""


_READ_BY_ROWS = "this is counted from the rows"


@dataclass(frozen=True, slots=True)
class Known:
    """Answer that the catalogue, or a constraint that the database enforces, gives."""

    metric: Metric
    answer: Measurement


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """Key whose repetitions are counted by a query of its own."""

    metric: SurplusRows
    members: tuple[SqlCells, ...]


@dataclass(frozen=True, slots=True)
class Pulled:
    """Metric that Polars answers over the rows, and why the database does not."""

    metric: Metric
    reason: str


Step: TypeAlias = Known | Selection | KeyQuery | Pulled


@dataclass(slots=True)
class TablePlan:
    """Steps that answer the metrics of one table, by kind."""

    known: list[Known] = field(default_factory=list[Known])
    selections: list[Selection] = field(default_factory=list[Selection])
    keys: list[KeyQuery] = field(default_factory=list[KeyQuery])
    pulled: list[Pulled] = field(default_factory=list[Pulled])

    def add(self, step: Step) -> None:
        """Put a step to those of its kind."""
        match step:
            case Known():
                self.known.append(step)
            case Selection():
                self.selections.append(step)
            case KeyQuery():
                self.keys.append(step)
            case Pulled():
                self.pulled.append(step)
            case _:
                assert_never(step)


def plan_table(
    dialect: Dialect,
    table: SqlTable,
    metrics: Iterable[TableMetric],
    *,
    now: datetime,
    trusts_constraints: bool,
) -> TablePlan:
    """Return the steps that answer the metrics of one table."""
    planner = _Planner(dialect, table, now, trusts_constraints)
    plan = TablePlan()
    for metric in metrics:
        plan.add(planner.step(metric))
    return plan


@dataclass(frozen=True, slots=True)
class _Planner:
    dialect: Dialect
    table: SqlTable
    now: datetime
    trusts_constraints: bool

    def step(self, metric: TableMetric) -> Step:
        try:
            return self._step(metric)
        except UncastableError as error:
            return Known(metric, Unmeasured(str(error)))
        except NotInSqlError as error:
            return Pulled(metric, str(error))

    def _step(self, metric: TableMetric) -> Step:
        match metric:
            case TableSchema() | RowCount():
                return self._of_table(metric)
            case CountWhere() | BadRows():
                return self._count(metric)
            case Unparseable():
                return self._unparseable(metric)
            case SurplusRows():
                return self._key(metric)
            case TimeSpan() | Delays() | RecentRows():
                return times.time_selection(self.dialect, metric, self._cells, self.now)
            case RowsPerCell() | PersonalDataHits():
                return Pulled(metric, _READ_BY_ROWS)
            case KeyRange():
                return Known(metric, Unmeasured("ranges of keys are not asked of a database"))
            case _:
                assert_never(metric)

    def _of_table(self, metric: TableSchema | RowCount) -> Step:
        if isinstance(metric, RowCount):
            return Selection(metric, (exp.Count(this=exp.Star()),), times.counted)
        return Known(metric, TableColumns(tuple(map(values.column_type, self.table.found))))

    def _cells(self, name: str) -> SqlCells:
        column = self.table.column(name)
        if column is None:
            raise UncastableError(f"column {name!r} is missing")
        return cells_of(self.dialect, column)

    def _count(self, metric: CountWhere | BadRows) -> Step:
        """Return the count of rows that satisfy one of the predicates that nothing rules out."""
        one_only = isinstance(metric, CountWhere)
        predicates = (metric.predicate,) if one_only else metric.predicates
        if not predicates:
            return Known(metric, Unmeasured("no predicate to count by"))
        conditions = [
            (one, violates(self.dialect, one, self._cells(one.column))) for one in predicates
        ]
        possible = [condition for one, condition in conditions if not self._is_ruled_out(one)]
        if not possible:
            return Known(metric, Count(0))
        whole = possible[0] if one_only else self.dialect.any_of(possible)
        return Selection(metric, (self.dialect.count_where(whole),), times.counted)

    def _is_ruled_out(self, predicate: Predicate) -> bool:
        return self.trusts_constraints and proofs.proves_none(self.dialect, self.table, predicate)

    def _unparseable(self, metric: Unparseable) -> Step:
        cells = self._cells(metric.column)
        if metric.path:
            return Pulled(metric, "values inside of arrays and objects are read from the rows")
        declared = next(
            (
                one
                for one in self.table.columns
                if self.table.column(one.physical_name) is cells.column
            ),
            None,
        )
        is_time = cells.column.family in {ValueFamily.TIMESTAMP, ValueFamily.INSTANT}
        if declared is None or declared.logical_type is not LogicalType.DATE or not is_time:
            return Known(metric, Count(0))
        timed = self.dialect.time_of_day(cells.column, cells.value, declared.default_timezone)
        if timed is None:
            return Pulled(metric, "the database does not know how a zone moves its clock")
        return Selection(metric, (self.dialect.count_where(timed),), times.counted)

    def _key(self, metric: SurplusRows) -> Step:
        members = tuple(self._cells(column) for column in metric.columns)
        if metric.paths:
            return Pulled(metric, "members of objects are read from the rows")
        unread = [one for one in members if values.value_type(one.column) is None]
        for cells in unread:
            if cells.column.family is not ValueFamily.DECIMAL:
                name, declared = cells.column.name, cells.column.declared
                raise UncastableError(f"column {name!r} is of type {declared}, which is not read")
        return KeyQuery(metric, members)


def without_asking(plan: TablePlan) -> TablePlan:
    """Return the plan of a table whose condition on rows the database cannot say: all is pulled."""
    asked = [one.metric for one in (*plan.selections, *plan.keys)]
    pulled = [Pulled(metric, "the database does not run the condition on rows") for metric in asked]
    return TablePlan(known=plan.known, pulled=[*plan.pulled, *pulled])


def complete_key(members: Iterable[SqlCells]) -> exp.Expr:
    """Return whether no member of a key is null."""
    present = [is_present(cells) for cells in members if not cells.column.is_required]
    return exp.and_(*present) if present else exp.Boolean(this=True)
