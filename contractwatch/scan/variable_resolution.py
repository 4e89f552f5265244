"""Replace the variables of a contract by the values that the operator allows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import Server
from contractwatch.model.contract.contract import Table
from contractwatch.model.measure.metric import Metric, RecordMetric, TableSchema
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import SqlScalar
from contractwatch.odcs.values.variables import (
    UnresolvedVariableError,
    has_variables,
    substitute_variables,
)

Environment = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ResolvedMetrics:
    """Tables and metrics with every variable replaced by its value.

    `asked` maps the contract's metrics to those that are asked instead; `unanswered` are those that
    cannot be asked, with the reason.
    """

    tables: tuple[Table, ...]
    asked: Mapping[Metric, Metric]
    unanswered: Mapping[Metric, Unmeasured]

    def restored(self, answers: Mapping[Metric, Measurement]) -> dict[Metric, Measurement]:
        """Return the answers under the contract's own metrics."""
        given = {metric: answers[asked] for metric, asked in self.asked.items() if asked in answers}
        return {**answers, **given, **self.unanswered}


def resolve_server(server: Server, environment: Environment) -> Server:
    """Return the server with every variable replaced.

    Raises:
        SourceError: If one has no value: an empty one would lead elsewhere.
    """
    texts = {one.name: getattr(server, one.name) for one in fields(server)}
    try:
        changed = {
            name: substitute_variables(value, environment)
            for name, value in texts.items()
            if isinstance(value, str) and has_variables(value)
        }
    except UnresolvedVariableError as error:
        raise SourceError(str(error), retryable=False, blame=Blame.AGENT) from error
    return replace(server, **changed)


def resolve_variables(
    tables: Iterable[Table], metrics: Iterable[Metric], environment: Environment
) -> ResolvedMetrics:
    """Replace the variables of tables and metrics; one without a value leaves them unanswered."""
    whole = tuple(tables)
    found: list[Table] = []
    unusable: dict[str, Unmeasured] = {}
    for table in whole:
        where, why = _resolve_text(
            table.where, environment, lambda text, t=table: _guard_condition(text, t)
        )
        found.append(replace(table, where=where))
        if why is not None:
            unusable[table.name] = why
    asked: dict[Metric, Metric] = {}
    unanswered: dict[Metric, Unmeasured] = {}
    for metric in metrics:
        new, why = _resolve_metric(metric, whole, environment)
        why = why or next(
            (unusable[name] for name in _tables_read_by(new) if name in unusable), None
        )
        if why is None:
            asked[metric] = new
        else:
            unanswered[metric] = why
    return ResolvedMetrics(tuple(found), asked, unanswered)


def _resolve_metric(
    metric: Metric, tables: tuple[Table, ...], environment: Environment
) -> tuple[Metric, Unmeasured | None]:
    if not isinstance(metric, SqlScalar) or not has_variables(metric.query):
        return metric, None
    found: list[tuple[str, ...]] = []

    def guard(text: str) -> str:
        # Imported here because the parser takes a third of a second that only SQL needs.
        from contractwatch.odcs.sql.sql_guard import guard_query  # noqa: PLC0415 - see above

        query = guard_query(text, tables, metric.dialect)
        found.append(query.tables)
        return query.text

    text, why = _resolve_text(metric.query, environment, guard)
    if not found:
        return metric, why
    # The text with its values has passed the guard; a database guards it in its own dialect, too.
    written = substitute_variables(metric.written, environment) if metric.written else ""
    return replace(metric, query=text, tables=found[0], written=written), why


def _guard_condition(text: str, table: Table) -> str:
    from contractwatch.odcs.sql.sql_guard import guard_predicate  # noqa: PLC0415 - as above

    return guard_predicate(text, table)


def _resolve_text(
    text: str, environment: Environment, guard: Callable[[str], str]
) -> tuple[str, Unmeasured | None]:
    """Return a text with its values, after the guard; or an empty text and the reason."""
    if not has_variables(text):
        return text, None
    try:
        return guard(substitute_variables(text, environment)), None
    except UnresolvedVariableError as error:
        return "", Unmeasured(str(error))
    except ValueError as error:
        return "", Unmeasured(f"with its variables: {error}")


def _tables_read_by(metric: Metric) -> tuple[str, ...]:
    """Return the tables whose rows a metric is about."""
    if isinstance(metric, RecordMetric | TableSchema):
        return ()
    return metric.tables if isinstance(metric, SqlScalar) else (metric.table,)
