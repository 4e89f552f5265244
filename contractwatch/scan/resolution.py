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
class Resolution:
    """What is asked once every variable has its value.

    `asked` maps the contract's questions to those that are asked instead; `unanswered` are the
    questions that cannot be asked, with the reason.
    """

    tables: tuple[Table, ...]
    asked: Mapping[Metric, Metric]
    unanswered: Mapping[Metric, Unmeasured]

    def restored(self, answers: Mapping[Metric, Measurement]) -> dict[Metric, Measurement]:
        """Return the answers under the questions of the contract."""
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


def resolve(
    tables: Iterable[Table], metrics: Iterable[Metric], environment: Environment
) -> Resolution:
    """Return what is asked of the tables; a question about a variable without a value is not."""
    whole = tuple(tables)
    found: list[Table] = []
    lost: dict[str, Unmeasured] = {}
    for table in whole:
        where, why = _guarded(table.where, environment, lambda text, t=table: _condition(text, t))
        found.append(replace(table, where=where))
        if why is not None:
            lost[table.name] = why
    asked: dict[Metric, Metric] = {}
    unanswered: dict[Metric, Unmeasured] = {}
    for metric in metrics:
        new, why = _question(metric, whole, environment)
        why = why or next((lost[name] for name in _tables_of(new) if name in lost), None)
        if why is None:
            asked[metric] = new
        else:
            unanswered[metric] = why
    return Resolution(tuple(found), asked, unanswered)


def _question(
    metric: Metric, tables: tuple[Table, ...], environment: Environment
) -> tuple[Metric, Unmeasured | None]:
    if not isinstance(metric, SqlScalar) or not has_variables(metric.query):
        return metric, None
    found: list[tuple[str, ...]] = []

    def guard(text: str) -> str:
        # Imported here because the parser takes a third of a second that only SQL needs.
        from contractwatch.odcs.sql.sql_guard import guard_query  # noqa: PLC0415 - see above

        query = guard_query(text, tables)
        found.append(query.tables)
        return query.text

    text, why = _guarded(metric.query, environment, guard)
    return (replace(metric, query=text, tables=found[0]) if found else metric), why


def _condition(text: str, table: Table) -> str:
    from contractwatch.odcs.sql.sql_guard import guard_predicate  # noqa: PLC0415 - as above

    return guard_predicate(text, table)


def _guarded(
    text: str, environment: Environment, guard: Callable[[str], str]
) -> tuple[str, Unmeasured | None]:
    """Return a text with its values, guarded once more; without them nothing, and why."""
    if not has_variables(text):
        return text, None
    try:
        return guard(substitute_variables(text, environment)), None
    except UnresolvedVariableError as error:
        return "", Unmeasured(str(error))
    except ValueError as error:
        return "", Unmeasured(f"with its variables: {error}")


def _tables_of(metric: Metric) -> tuple[str, ...]:
    """Return the tables whose rows a question is about."""
    if isinstance(metric, RecordMetric | TableSchema):
        return ()
    return metric.tables if isinstance(metric, SqlScalar) else (metric.table,)
