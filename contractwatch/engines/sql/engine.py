"""Answer all questions about the tables of a database where the data lives.

1. The catalogue was read when the tables were found: columns, types and enforced constraints.
2. One aggregate a table answers all that adds up; one query a key counts its repetitions.
3. What the database cannot answer exactly is pulled and read by Polars, if the table is small
   enough; else it has no answer, and the reason.
4. If an aggregate fails, each question is asked alone, so that only the one to blame has no answer.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias, get_args

from sqlglot import exp

from contractwatch.engines.databases.session import QueryError, Row, Session
from contractwatch.engines.query.engine import Survey, answer_frame
from contractwatch.engines.sql.conditions import row_condition
from contractwatch.engines.sql.dialects.base import Dialect
from contractwatch.engines.sql.planning import (
    KeyQuery,
    Pulled,
    TableMetric,
    TablePlan,
    complete_key,
    plan_table,
    without_asking,
)
from contractwatch.engines.sql.proofs import proves_distinct
from contractwatch.engines.sql.pull import PullFailure, pulled_frame
from contractwatch.engines.sql.queries import answer_query
from contractwatch.engines.sql.selections import Recheck, Selection, number
from contractwatch.engines.tables.frames import Frame
from contractwatch.engines.tables.scope import filter_scope
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.contract import Table
from contractwatch.model.contract.database import DatabaseTables, SqlTable
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import Metric, RecordMetric, RowCount
from contractwatch.model.measure.state import Count, DuplicateCounts, Measurement, Unmeasured
from contractwatch.model.promises.sql import SqlScalar

_TABLE_METRICS: tuple[type, ...] = get_args(TableMetric)
_ROWS = "rows"

Scope: TypeAlias = Callable[[exp.Select], exp.Select]


@dataclass(frozen=True, slots=True)
class SqlEngine:
    """A database that is asked: its session, its dialect, and when its own rows are pulled.

    `now` is the run's instant. A table of more than `pull_max_rows` rows is not pulled.
    """

    session: Session
    dialect: Dialect
    now: datetime
    pull_max_rows: int
    trusts_constraints: bool = True

    def survey(
        self,
        tables: DatabaseTables,
        metrics: Iterable[Metric],
        contract_tables: tuple[Table, ...] = (),
    ) -> Survey:
        """Answer metrics about one table each, and SQL rules; the others are `Unmeasured`.

        A table that cannot be read is among the failures of the survey, and costs its own metrics.
        `contract_tables` are those that SQL rules may read.
        """
        missing = dict(tables.missing_tables)
        answers: dict[Metric, Measurement] = {}
        queries: list[SqlScalar] = []
        asked: dict[str, list[TableMetric]] = {table.table: [] for table in tables.tables}
        for metric in dict.fromkeys(metrics):
            if isinstance(metric, RecordMetric):
                continue
            if isinstance(metric, SqlScalar):
                queries.append(metric)
                continue
            if metric.table not in asked:
                answers[metric] = Unmeasured(tables.missing_reason(metric.table))
            elif isinstance(metric, _TABLE_METRICS):
                asked[metric.table].append(metric)  # pyright: ignore[reportArgumentType] - as checked
            else:
                answers[metric] = Unmeasured("this question is not asked of one table")
        answers.update(self._answer_queries(tables, queries, contract_tables))
        failures: dict[str, SourceError] = dict(missing)
        evidence: dict[Metric, Evidence] = {}
        for table in tables.tables:
            reader = _TableReader(self, table)
            try:
                reader.answer(asked[table.table])
            except SourceError as error:
                failures[table.table] = error
                reader.fail(asked[table.table], error)
            answers.update(reader.answers)
            evidence.update(reader.evidence)
        return Survey(answers, failures, evidence)

    def _answer_queries(
        self,
        tables: DatabaseTables,
        queries: Iterable[SqlScalar],
        contract_tables: tuple[Table, ...],
    ) -> dict[Metric, Measurement]:
        answers: dict[Metric, Measurement] = {}
        for metric in queries:
            try:
                answers[metric] = answer_query(
                    self.session, self.dialect, metric, contract_tables, tables
                )
            except SourceError as error:
                answers[metric] = Unmeasured(str(error))
        return answers

    def scope(self, table: SqlTable, query: exp.Select) -> exp.Select:
        """Return a query restricted to the rows in scope, as far as the database can say it."""
        condition = row_condition(self.dialect, table) if table.where else None
        return query if condition is None else query.where(condition, copy=False)

    def frame(self, table: SqlTable, failure: PullFailure) -> Frame:
        """Return a table as a frame whose columns are pulled when they are read."""
        frame = pulled_frame(
            self.session, self.dialect, table, lambda query: self.scope(table, query), failure
        )
        if not table.where or row_condition(self.dialect, table) is not None:
            return frame
        rows, refused = filter_scope(frame.rows, frame.cells, frame.columns, table.where)
        return replace(frame, rows=rows, refused=refused)

    def bounded_frame(self, table: SqlTable) -> Frame:
        """Return a table as `frame` does, if its rows are not too many.

        Raises:
            SourceError: If they are, or cannot be counted.
        """
        try:
            rows = self.row_count(table)
        except QueryError as error:
            raise SourceError(str(error), retryable=False, blame=Blame.AMBIGUOUS) from None
        if rows > self.pull_max_rows:
            raise SourceError(self.too_many(rows), retryable=False, blame=Blame.AGENT)
        return self.frame(table, PullFailure())

    def too_many(self, rows: int) -> str:
        """Return why so many rows are not pulled."""
        limit = self.pull_max_rows
        return f"{rows:,} rows are more than pull_max_rows ({limit:,}) of the connection"

    def row_count(self, table: SqlTable) -> int:
        """Return the number of rows in scope.

        Raises:
            QueryError, SourceError: If it cannot be read.
        """
        query = exp.select(exp.Count(this=exp.Star())).from_(self.dialect.table(table))
        (row,) = self.session.rows(self.dialect.render(self.scope(table, query)))
        return number(row[0])


@dataclass(slots=True)
class _TableReader:
    """The answers about one table as they come in."""

    engine: SqlEngine
    table: SqlTable
    answers: dict[Metric, Measurement] = field(default_factory=dict[Metric, Measurement])
    evidence: dict[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])

    def answer(self, metrics: Sequence[TableMetric]) -> None:
        engine = self.engine
        plan = plan_table(
            engine.dialect,
            self.table,
            metrics,
            now=engine.now,
            trusts_constraints=engine.trusts_constraints,
        )
        if self.table.where and row_condition(engine.dialect, self.table) is None:
            plan = without_asking(plan)
        for known in plan.known:
            self.answers[known.metric] = known.answer
            self.evidence[known.metric] = Evidence.METADATA
        keys = {key.metric: _complete_rows(engine.dialect, key) for key in plan.keys}
        rows_of_keys = self._select([*plan.selections, *keys.values()], plan)
        self._count_repetitions(plan.keys, rows_of_keys)
        if plan.pulled:
            self._pull(plan.pulled)

    def fail(self, metrics: Iterable[Metric], error: SourceError) -> None:
        """Leave what was not answered unmeasured."""
        for metric in metrics:
            self.answers.setdefault(metric, Unmeasured(str(error)))

    def _select(self, selections: Sequence[Selection], plan: TablePlan) -> dict[Metric, int]:
        """Answer the selections; return the complete rows of each key."""
        keys = {key.metric for key in plan.keys}
        complete: dict[Metric, int] = {}
        for chunk in _chunks(selections, self.engine.dialect.max_selected):
            for selection, found in self._ask(chunk):
                if isinstance(found, Unmeasured):
                    self.answers[selection.metric] = found
                    continue
                answer = selection.answer(found)
                if selection.metric in keys:
                    complete[selection.metric] = number(found[0])
                elif isinstance(answer, Recheck):
                    plan.pulled.append(Pulled(selection.metric, answer.reason))
                else:
                    self.answers[selection.metric] = answer
                    self.evidence[selection.metric] = Evidence.SCAN
        return complete

    def _ask(self, selections: Sequence[Selection]) -> list[tuple[Selection, Row | Unmeasured]]:
        """Ask all selections at once; if that fails, each alone."""
        try:
            row = self._row([one for each in selections for one in each.aggregates])
        except QueryError as error:
            if len(selections) == 1:
                return [(selections[0], Unmeasured(str(error)))]
            return [pair for each in selections for pair in self._ask([each])]
        found: list[tuple[Selection, Row | Unmeasured]] = []
        at = 0
        for each in selections:
            found.append((each, row[at : at + len(each.aggregates)]))
            at += len(each.aggregates)
        return found

    def _row(self, aggregates: Sequence[exp.Expr]) -> Row:
        dialect = self.engine.dialect
        named = [
            exp.alias_(one, f"a{at}", quoted=True, copy=False) for at, one in enumerate(aggregates)
        ]
        query = exp.select(*named, copy=False).from_(dialect.table(self.table))
        rows = self.engine.session.rows(dialect.render(self.engine.scope(self.table, query)))
        return rows[0]

    def _count_repetitions(self, keys: Sequence[KeyQuery], complete: dict[Metric, int]) -> None:
        for key in keys:
            rows = complete.get(key.metric)
            if rows is None:  # the question for the complete rows has failed, and said why
                continue
            trusts = self.engine.trusts_constraints
            if trusts and proves_distinct(self.table, key.metric):
                self.answers[key.metric] = DuplicateCounts(rows=rows)
                self.evidence[key.metric] = Evidence.METADATA
                continue
            try:
                self.answers[key.metric] = self._repetitions(key, rows)
                self.evidence[key.metric] = Evidence.SCAN
            except QueryError as error:
                self.answers[key.metric] = Unmeasured(str(error))

    def _repetitions(self, key: KeyQuery, rows: int) -> DuplicateCounts:
        dialect = self.engine.dialect
        grouped = (
            exp.select(exp.alias_(exp.Count(this=exp.Star()), _ROWS, quoted=True))
            .from_(dialect.table(self.table))
            .where(complete_key(key.members))
            .group_by(*(dialect.grouped(cells.column, cells.value) for cells in key.members))
            .having(exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1)))
        )
        count = dialect.column(_ROWS)
        query = exp.select(exp.Count(this=exp.Star()), exp.Sum(this=count)).from_(
            self.engine.scope(self.table, grouped).subquery("repeated")
        )
        (row,) = self.engine.session.rows(dialect.render(query))
        repeated, affected = (number(one) for one in row)
        return DuplicateCounts(rows, affected - repeated, repeated, affected)

    def _pull(self, pulled: Sequence[Pulled]) -> None:
        """Answer by the rows what the database cannot answer, if they are not too many."""
        known = self.answers.get(RowCount(self.table.table))
        try:
            rows = known.rows if isinstance(known, Count) else self.engine.row_count(self.table)
        except QueryError as error:
            self.answers.update({one.metric: Unmeasured(str(error)) for one in pulled})
            return
        if rows > self.engine.pull_max_rows:
            many = self.engine.too_many(rows)
            self.answers.update({one.metric: Unmeasured(f"{one.reason}; {many}") for one in pulled})
            return
        failure = PullFailure()
        frame = self.engine.frame(self.table, failure)
        found = answer_frame(frame, [one.metric for one in pulled], now=self.engine.now)
        if failure.error is not None:
            if isinstance(failure.error, SourceError):
                raise failure.error
            found = {one.metric: Unmeasured(str(failure.error)) for one in pulled}
        self.answers.update(found)
        self.evidence.update({one.metric: Evidence.SCAN for one in pulled})


def _complete_rows(dialect: Dialect, key: KeyQuery) -> Selection:
    """Return the selection of the number of rows with a complete key, under the key's metric."""
    counted = dialect.count_where(complete_key(key.members))
    return Selection(key.metric, (counted,), lambda found: Count(number(found[0])))


def _chunks(selections: Sequence[Selection], most: int) -> Iterable[list[Selection]]:
    """Yield the selections in groups of at most so many aggregates."""
    chunk: list[Selection] = []
    size = 0
    for one in selections:
        if chunk and size + len(one.aggregates) > most:
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += len(one.aggregates)
    if chunk:
        yield chunk
