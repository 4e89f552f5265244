"""The terms that all kinds of promises share: identity, threshold, words, and answers by shape."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from contractwatch.model.check import Outcome, Promise, Verdict
from contractwatch.model.contract import (
    Clause,
    Column,
    Contract,
    Dimension,
    Operator,
    Rule,
    RuleMetric,
    Severity,
    Table,
    Threshold,
    Unit,
)
from contractwatch.model.metric import Metric
from contractwatch.model.objective import Objective
from contractwatch.model.state import Measurement, State, Unmeasured

NONE_AT_ALL = Threshold(Operator.EQUAL, 0)
"""The threshold of every promise that allows no violation."""

PERCENT_TOLERANCE = 5e-7
"""`mustBe` and `mustNotBe` of a percentage compare within this (the reference rounds to 6)."""

OBJECTIVE_OF_DIMENSION: Mapping[Dimension, Objective] = {
    Dimension.ACCURACY: Objective.VALIDITY,
    Dimension.CONFORMITY: Objective.VALIDITY,
    Dimension.CONSISTENCY: Objective.VALIDITY,
    Dimension.COMPLETENESS: Objective.COMPLETENESS,
    Dimension.UNIQUENESS: Objective.UNIQUENESS,
    Dimension.COVERAGE: Objective.VOLUME,
    Dimension.TIMELINESS: Objective.FRESHNESS,
}

_WORDS: Mapping[Operator, str] = {
    Operator.EQUAL: "exactly {low}",
    Operator.NOT_EQUAL: "anything but {low}",
    Operator.GREATER: "more than {low}",
    Operator.GREATER_OR_EQUAL: "at least {low}",
    Operator.LESS: "less than {low}",
    Operator.LESS_OR_EQUAL: "at most {low}",
    Operator.BETWEEN: "{low} to {high}",
    Operator.NOT_BETWEEN: "below {low} or above {high}",
}

_HOLDS: Mapping[Operator, Callable[[float, float, float, float], bool]] = {
    Operator.EQUAL: lambda value, low, _, tolerance: abs(value - low) <= tolerance,
    Operator.NOT_EQUAL: lambda value, low, _, tolerance: abs(value - low) > tolerance,
    Operator.GREATER: lambda value, low, _high, _tolerance: value > low,
    Operator.GREATER_OR_EQUAL: lambda value, low, _high, _tolerance: value >= low,
    Operator.LESS: lambda value, low, _high, _tolerance: value < low,
    Operator.LESS_OR_EQUAL: lambda value, low, _high, _tolerance: value <= low,
    Operator.BETWEEN: lambda value, low, high, _: low <= value <= high,
    Operator.NOT_BETWEEN: lambda value, low, high, _: not low <= value <= high,
}

_MONTHS_IN_YEAR = 12
_WHOLE_NUMBERS_BELOW = 1e15
_HOURS_UP_TO = timedelta(hours=48)

StateT = TypeVar("StateT", bound=State)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of promise is called and counts for, where its clause does not say."""

    name: str
    dimension: Dimension
    objective: Objective


@dataclass(frozen=True, slots=True)
class Place:
    """What a promise is about; `physical` are the columns without which it cannot be judged."""

    contract_id: str
    table: str
    column: str | None = None
    physical: tuple[str, ...] = ()


def columns_of(contract: Contract) -> Iterator[tuple[Place, Column]]:
    """Yield every column of every table with its place, in contract order."""
    for table in contract.tables:
        for column in table.columns:
            yield column_place(contract, table, column), column


def column_place(contract: Contract, table: Table, column: Column) -> Place:
    """Return the place of one column."""
    return Place(contract.contract_id, table.name, column.name, (column.physical_name,))


def column_rules(contract: Contract, metric: RuleMetric) -> Iterator[tuple[Place, Column, Rule]]:
    """Yield every rule of that metric that is written at a column."""
    for place, column in columns_of(contract):
        for rule in column.rules:
            if rule.metric is metric:
                yield place, column, rule


def physical_names(table: Table, names: Iterable[str]) -> tuple[str, ...]:
    """Return the physical names of columns; a name the table does not list stands for itself."""
    found = ((name, table.column(name)) for name in names)
    return tuple(name if column is None else column.physical_name for name, column in found)


def promise_of(
    kind: Kind,
    place: Place,
    *,
    clause: Clause,
    expected: str,
    severity: Severity = Severity.ERROR,
    level_id: str = "",
) -> Promise:
    """Return the promise of a clause that is not a quality rule."""
    return Promise(
        promise_id=_promise_id(place, kind, level_id),
        kind=kind.name,
        clause=clause,
        table=place.table,
        column=place.column,
        severity=severity,
        dimension=kind.dimension,
        objective=kind.objective,
        expected=expected,
        physical_columns=place.physical,
        level_id=level_id,
    )


def promise_of_rule(kind: Kind, place: Place, rule: Rule, *, expected: str) -> Promise:
    """Return the promise of a quality rule; its own dimension decides before its kind does."""
    dimension = rule.dimension or kind.dimension
    declared = rule.dimension is not None
    return Promise(
        promise_id=_promise_id(place, kind, rule.rule_id),
        kind=kind.name,
        clause=rule.clause,
        table=place.table,
        column=place.column,
        severity=rule.severity,
        dimension=dimension,
        objective=OBJECTIVE_OF_DIMENSION[dimension] if declared else kind.objective,
        expected=expected,
        physical_columns=place.physical,
    )


def holds(threshold: Threshold, value: float) -> bool:
    """Say whether the value is within the threshold; both ends of an interval are inside."""
    tolerance = PERCENT_TOLERANCE if threshold.unit is Unit.PERCENT else 0
    high = threshold.low if threshold.high is None else threshold.high
    return _HOLDS[threshold.operator](value, threshold.low, high, tolerance)


def promised_words(threshold: Threshold, noun: str) -> str:
    """Return the threshold as a promise: `at most 0.5 % null rows`, `no null rows`."""
    allows_none = threshold.operator in {Operator.EQUAL, Operator.LESS_OR_EQUAL}
    if allows_none and threshold.low == 0:
        return f"no {noun}"
    unit = "% " if threshold.unit is Unit.PERCENT else ""
    one = not unit and threshold.low == 1 and threshold.high is None
    return f"{_amount(threshold)} {unit}{noun.removesuffix('s') if one else noun}"


def limit_words(threshold: Threshold) -> str:
    """Return the threshold beside what was observed: `at most 0.5 %`, `exactly 0 rows`."""
    return f"{_amount(threshold)} {'%' if threshold.unit is Unit.PERCENT else 'rows'}"


def number_words(value: float) -> str:
    """Return a number without a needless fraction, with thousands marked."""
    if abs(value) < _WHOLE_NUMBERS_BELOW and value == int(value):
        return f"{int(value):,}"
    return repr(value)


def duration_words(fixed: timedelta, months: int = 0) -> str:
    """Return a length of time such as `1 y 2 mo`, `4 d`, `26 h` or `1 h 30 min`."""
    years, months = divmod(months, _MONTHS_IN_YEAR)
    days = 0 if abs(fixed) < _HOURS_UP_TO else fixed.days
    hours, rest = divmod((fixed - timedelta(days=days)).total_seconds(), 3600)
    minutes, seconds = divmod(rest, 60)
    amounts = (years, months, days, hours, minutes, round(seconds, 3))
    units = ("y", "mo", "d", "h", "min", "s")
    parts = (f"{number_words(n)} {unit}" for n, unit in zip(amounts, units, strict=True) if n)
    return " ".join(parts) or "0 s"


def answer(answers: Mapping[Metric, Measurement], metric: Metric, shape: type[StateT]) -> StateT:
    """Return an answer known to be measured.

    Raises:
        TypeError: If the engine answered in another shape, or not at all.
    """
    found = answers.get(metric)
    if not isinstance(found, shape):
        raise TypeError(f"{metric} was answered by {type(found).__name__}, not {shape.__name__}")
    return found


def unanswered(
    answers: Mapping[Metric, Measurement], metrics: Iterable[Metric], threshold: str
) -> Verdict | None:
    """Return the error of the first question without an answer, or None if all were answered."""
    for metric in metrics:
        found = answers.get(metric, Unmeasured("not measured"))
        if isinstance(found, Unmeasured):
            return Verdict(Outcome.ERROR, threshold=threshold, reason=found.reason)
    return None


def _promise_id(place: Place, kind: Kind, rule_id: str) -> str:
    parts = (place.contract_id, place.table, place.column or "-", kind.name)
    return "/".join((*parts, rule_id) if rule_id else parts)


def _amount(threshold: Threshold) -> str:
    low = number_words(threshold.low)
    high = low if threshold.high is None else number_words(threshold.high)
    return _WORDS[threshold.operator].format(low=low, high=high)
