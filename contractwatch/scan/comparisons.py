"""Answer metrics about two tables, opening the servers of other contracts as needed.

These come last, after each table was asked by itself. Imported in a worker only: imports Polars.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from contractwatch.engines.comparison.comparing import answer_comparing_metrics
from contractwatch.engines.comparison.keyed_rows import Side
from contractwatch.engines.tables.frames import Frame
from contractwatch.errors import SourceError
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.database import DatabaseTables, ServerTables, SqlTable
from contractwatch.model.measure.metric import ComparingMetric, RowCount
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.reference import Reference, Total, TotalOf
from contractwatch.odcs.values.variables import (
    UnresolvedVariableError,
    has_variables,
    substitute_variables,
)
from contractwatch.scan.incremental_windows import without_windows
from contractwatch.scan.reference_resolver import (
    ReferenceResolution,
    RemoteServer,
    Resolved,
    Unresolved,
)
from contractwatch.scan.variable_resolution import Environment, resolve_server, resolve_variables


class Opener(Protocol):
    """Opens the tables of a server, within the limits of the contract that asks."""

    def __call__(
        self, server: Server, tables: tuple[Table, ...], *, bases: tuple[Path, ...]
    ) -> ServerTables: ...


@dataclass(frozen=True, slots=True)
class Opening:
    """How the data of a comparison is opened: a server, and the rows of a table in a database.

    Both keep to the limits of the contract that asks.
    """

    server: Opener
    rows: Callable[[SqlTable], Frame]


def answer_comparisons(
    dataset: ServerTables,
    metrics: Iterable[ComparingMetric],
    references: Iterable[ReferenceResolution],
    *,
    tables: tuple[Table, ...],
    opening: Opening,
    environment: Environment,
) -> dict[ComparingMetric, Measurement]:
    """Answer metrics about two tables.

    A server of another contract that cannot be read leaves what refers to it unmeasured; it says
    nothing about the data of the contract that asks.

    Args:
        dataset: The tables of the contract that asks; those with a window are asked of it alone,
            and referred to as a whole.
        metrics: The metrics.
        references: Each of their references, resolved.
        tables: Of the contract that asks.
        opening: How servers and the rows of databases are opened.
        environment: The variables that contracts may use.
    """
    whole = dataset if isinstance(dataset, DatabaseTables) else without_windows(dataset)
    referenced = _ReferencedTables(whole, tables, opening.server, environment)
    asked = list(metrics)
    sides: dict[Reference | TotalOf, Side | Unmeasured] = {}
    tables_of: dict[Reference, Table] = {}
    for resolution in references:
        sides[resolution.reference] = referenced.side(resolution)
        if isinstance(resolution, Resolved):
            tables_of[resolution.reference] = referenced.table(resolution)
    for total in (metric.total for metric in asked if isinstance(metric, Total)):
        side = sides.get(total.of, Unmeasured("the reference was not resolved"))
        if isinstance(side, Side) and total.where:
            side = _with_condition(side, total, tables_of[total.of], environment)
        sides[total] = side
    return answer_comparing_metrics(dataset, asked, sides, opening.rows)


@dataclass(slots=True)
class _ReferencedTables:
    """The tables that references resolve to; each server is opened once."""

    dataset: ServerTables
    tables: tuple[Table, ...]
    open_other: Opener
    environment: Environment
    opened: dict[RemoteServer, ServerTables | Unmeasured] = field(
        default_factory=dict[RemoteServer, ServerTables | Unmeasured]
    )

    def side(self, resolution: ReferenceResolution) -> Side | Unmeasured:
        if isinstance(resolution, Unresolved):
            return Unmeasured(resolution.reason)
        rows = RowCount(resolution.table)
        scope = resolve_variables((self.table(resolution),), (rows,), self.environment)
        if rows in scope.unanswered:
            return scope.unanswered[rows]
        remote = resolution.remote_server
        dataset = self.dataset if remote is None else self._open(remote)
        if isinstance(dataset, Unmeasured):
            return dataset
        files = next((files for files in dataset.tables if files.table == resolution.table), None)
        if files is None:
            return Unmeasured(dataset.missing_reason(resolution.table))
        of_contract = f" of {remote.contract}" if remote is not None else ""
        return Side(files, resolution.columns, f"{resolution.table}{of_contract}", resolution.paths)

    def table(self, resolution: Resolved) -> Table:
        """Return the table as its contract has it."""
        remote = resolution.remote_server
        tables = self.tables if remote is None else remote.tables
        return next(table for table in tables if table.name == resolution.table)

    def _open(self, remote: RemoteServer) -> ServerTables | Unmeasured:
        if remote not in self.opened:
            self.opened[remote] = self._open_uncached(remote)
        return self.opened[remote]

    def _open_uncached(self, remote: RemoteServer) -> ServerTables | Unmeasured:
        tables = resolve_variables(remote.tables, (), self.environment).tables
        try:
            server = resolve_server(remote.server, self.environment)
            return self.open_other(server, tables, bases=remote.bases)
        except SourceError as error:
            return Unmeasured(f"the data of {remote.contract} cannot be read: {error}")


def _with_condition(
    side: Side, total: TotalOf, table: Table, environment: Environment
) -> Side | Unmeasured:
    """Return the side with the condition that a total puts on its rows."""
    # Imported here because the parser takes a third of a second that only SQL needs.
    from contractwatch.odcs.sql.sql_guard import guard_predicate  # noqa: PLC0415 - see above

    try:
        text = (
            substitute_variables(total.where, environment)
            if has_variables(total.where)
            else total.where
        )
        where = guard_predicate(text, table)
    except (UnresolvedVariableError, ValueError) as refused:
        return Unmeasured(f"the condition on rows of {side.shown}: {refused}")
    scope = side.files.where
    both = f"({scope}) AND ({where})" if scope else where
    return replace(side, files=replace(side.files, where=both))
