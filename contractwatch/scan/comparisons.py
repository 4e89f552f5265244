"""Answer questions about two tables, opening the servers of other contracts as needed.

These come last, after each table was asked by itself. Imported in a worker only: imports Polars.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from contractwatch.engines.comparison.comparing import compare
from contractwatch.engines.comparison.keyed_rows import Side
from contractwatch.errors import SourceError
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.measure.metric import ComparingMetric, RowCount
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.reference import Reference, Total, TotalOf
from contractwatch.odcs.values.variables import (
    UnresolvedVariableError,
    has_variables,
    substitute_variables,
)
from contractwatch.scan.incremental_windows import without_windows
from contractwatch.scan.reference_resolver import RemoteServer, Resolution, Resolved, Unresolved
from contractwatch.scan.resolution import Environment, resolve, resolve_server


class Opener(Protocol):
    """Finds the tables of a server, as `sources.open_server` with its limits set."""

    def __call__(
        self, server: Server, tables: tuple[Table, ...], *, bases: tuple[Path, ...]
    ) -> Dataset: ...


def answer_comparisons(
    dataset: Dataset,
    metrics: Iterable[ComparingMetric],
    leads: Iterable[Resolution],
    *,
    tables: tuple[Table, ...],
    open_other: Opener,
    environment: Environment,
) -> dict[ComparingMetric, Measurement]:
    """Answer the questions about two tables.

    A server of another contract that cannot be read leaves what refers to it unmeasured; it says
    nothing about the data of the contract that asks.

    Args:
        dataset: The tables of the contract that asks; those with a window are asked of it alone,
            and referred to as a whole.
        metrics: The questions.
        leads: Where each of their references leads.
        tables: Of the contract that asks.
        open_other: `sources.open_server`, held to the same limits as for the contract that asks.
        environment: The variables that contracts may use.
    """
    there = _There(without_windows(dataset), tables, open_other, environment)
    asked = list(metrics)
    sides: dict[Reference | TotalOf, Side | Unmeasured] = {}
    tables_of: dict[Reference, Table] = {}
    for lead in leads:
        sides[lead.reference] = there.side(lead)
        if isinstance(lead, Resolved):
            tables_of[lead.reference] = there.table(lead)
    for total in (metric.total for metric in asked if isinstance(metric, Total)):
        side = sides.get(total.of, Unmeasured("nobody looked for what is referred to"))
        if isinstance(side, Side) and total.where:
            side = _narrowed(side, total, tables_of[total.of], environment)
        sides[total] = side
    return compare(dataset, asked, sides)


@dataclass(slots=True)
class _There:
    """What references lead to; each server is opened once."""

    dataset: Dataset
    tables: tuple[Table, ...]
    open_other: Opener
    environment: Environment
    opened: dict[RemoteServer, Dataset | Unmeasured] = field(
        default_factory=dict[RemoteServer, Dataset | Unmeasured]
    )

    def side(self, lead: Resolution) -> Side | Unmeasured:
        if isinstance(lead, Unresolved):
            return Unmeasured(lead.reason)
        rows = RowCount(lead.table)
        scope = resolve((self.table(lead),), (rows,), self.environment)
        if rows in scope.unanswered:
            return scope.unanswered[rows]
        dataset = self.dataset if lead.elsewhere is None else self._open(lead.elsewhere)
        if isinstance(dataset, Unmeasured):
            return dataset
        files = next((files for files in dataset.tables if files.table == lead.table), None)
        if files is None:
            return Unmeasured(dataset.missing_reason(lead.table))
        of_contract = f" of {lead.elsewhere.contract}" if lead.elsewhere is not None else ""
        return Side(files, lead.columns, f"{lead.table}{of_contract}", lead.paths)

    def table(self, lead: Resolved) -> Table:
        """Return the table as its contract has it."""
        tables = self.tables if lead.elsewhere is None else lead.elsewhere.tables
        return next(table for table in tables if table.name == lead.table)

    def _open(self, elsewhere: RemoteServer) -> Dataset | Unmeasured:
        if elsewhere not in self.opened:
            self.opened[elsewhere] = self._opened(elsewhere)
        return self.opened[elsewhere]

    def _opened(self, elsewhere: RemoteServer) -> Dataset | Unmeasured:
        tables = resolve(elsewhere.tables, (), self.environment).tables
        try:
            server = resolve_server(elsewhere.server, self.environment)
            return self.open_other(server, tables, bases=elsewhere.bases)
        except SourceError as error:
            return Unmeasured(f"the data of {elsewhere.contract} cannot be read: {error}")


def _narrowed(
    side: Side, total: TotalOf, table: Table, environment: Environment
) -> Side | Unmeasured:
    """Return the rows of a side that a total is taken of."""
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
