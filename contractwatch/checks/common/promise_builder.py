"""Build promises from clauses and rules, and look up the answers to a check's metrics."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.path import FieldPath
from contractwatch.model.contract.contract import Column, Contract, Table
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement, State, Unmeasured
from contractwatch.model.promises.kinds import OBJECTIVE_OF_DIMENSION, Kind
from contractwatch.model.promises.rule import Rule, RuleMetric
from contractwatch.model.record.check import Outcome, Promise, Verdict

StateT = TypeVar("StateT", bound=State)


class QualityRule(Protocol):
    """Protocol of a quality rule of any kind: what its promise is built from."""

    @property
    def clause(self) -> Clause: ...
    @property
    def rule_id(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def dimension(self) -> Dimension | None: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """Subject of a promise; without its `physical` columns it cannot be judged.

    `path` leads into the only one of them; `paths` lead into each of several, or there are none.
    """

    contract_id: str
    table: str
    column: str | None = None
    physical: tuple[str, ...] = ()
    path: FieldPath = ()
    paths: tuple[FieldPath, ...] = ()


def columns_of(contract: Contract) -> Iterator[tuple[Subject, Column]]:
    """Yield every column of every table with its subject, nested ones after their column."""
    for table in contract.tables:
        for top in table.columns:
            for column in (top, *top.nested):
                yield column_subject(contract, table, column), column


def column_subject(contract: Contract, table: Table, column: Column) -> Subject:
    """Return the subject of a promise about one column."""
    physical = (column.physical_name,)
    return Subject(contract.contract_id, table.name, column.name, physical, column.path)


def key_subject(
    contract: Contract, table: Table, names: Iterable[str], column: str | None
) -> Subject:
    """Return the subject of a promise about a key of several columns or nested values.

    A name that the table does not list stands for itself. `column` is where the promise stands.
    """
    found = [(name, table.find(name)) for name in names]
    physical = tuple(name if known is None else known.physical_name for name, known in found)
    paths = tuple(() if known is None else known.path for _, known in found)
    return Subject(
        contract.contract_id, table.name, column, physical, paths=paths if any(paths) else ()
    )


def column_rules(contract: Contract, metric: RuleMetric) -> Iterator[tuple[Subject, Column, Rule]]:
    """Yield every rule of a metric that is written at a column."""
    for subject, column in columns_of(contract):
        for rule in column.rules:
            if rule.metric is metric:
                yield subject, column, rule


def physical_names(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """Return the physical names of columns; a name the table does not list stands for itself."""
    found = ((name, table.column(name)) for name in names)
    return tuple(name if column is None else column.physical_name for name, column in found)


def promise_of(
    kind: Kind,
    subject: Subject,
    *,
    clause: Clause,
    expected: str,
    severity: Severity = Severity.ERROR,
    level_id: str = "",
) -> Promise:
    """Build the promise of a clause that is not a quality rule."""
    return Promise(
        promise_id=_promise_id(subject, kind, level_id),
        kind=kind.name,
        clause=clause,
        table=subject.table,
        column=subject.column,
        severity=severity,
        dimension=kind.dimension,
        objective=kind.objective or Objective.CONFORMANCE,
        operations=kind.operations,
        expected=expected,
        physical_columns=subject.physical,
        path=subject.path,
        paths=subject.paths,
        level_id=level_id,
    )


def promise_of_rule(
    kind: Kind, subject: Subject, rule: QualityRule, *, expected: str, violation: str = ""
) -> Promise:
    """Build the promise of a quality rule; its own dimension takes precedence over its kind's."""
    own = OBJECTIVE_OF_DIMENSION[rule.dimension] if rule.dimension else None
    return Promise(
        promise_id=_promise_id(subject, kind, rule.rule_id),
        kind=kind.name,
        clause=rule.clause,
        table=subject.table,
        column=subject.column,
        severity=rule.severity,
        dimension=rule.dimension or kind.dimension,
        objective=own or kind.objective or Objective.CONFORMANCE,
        expected=expected,
        physical_columns=subject.physical,
        path=subject.path,
        paths=subject.paths,
        violation=violation,
    )


def with_violation(promise: Promise, violation: str) -> Promise:
    """Return a promise with the words of that which breaks it."""
    return replace(promise, violation=violation)


def measured(answers: Mapping[Metric, Measurement], metric: Metric, shape: type[StateT]) -> StateT:
    """Return a metric's answer, which is known to be measured.

    Raises:
        TypeError: If the engine answered in another shape, or not at all.
    """
    found = answers.get(metric)
    if not isinstance(found, shape):
        raise TypeError(f"{metric} was answered by {type(found).__name__}, not {shape.__name__}")
    return found


def unmeasured_verdict(
    answers: Mapping[Metric, Measurement], metrics: Iterable[Metric], threshold: str
) -> Verdict | None:
    """Return an error verdict for the first metric without an answer, or None if all have one."""
    for metric in metrics:
        found = answers.get(metric, Unmeasured("not measured"))
        if isinstance(found, Unmeasured):
            return Verdict(Outcome.ERROR, threshold=threshold, reason=found.reason)
    return None


def _promise_id(subject: Subject, kind: Kind, rule_id: str) -> str:
    parts = (subject.contract_id, subject.table, subject.column or "-", kind.name)
    return "/".join((*parts, rule_id) if rule_id else parts)
