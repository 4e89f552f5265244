"""As few rows as were promised break any row rule; a row counts once, however many it breaks."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from contractwatch.checks import invalid_values, null_values, options, relationship, required
from contractwatch.checks.counts import NO_ROWS
from contractwatch.checks.terms import Kind, Place, answer, promise_of, unanswered
from contractwatch.checks.thresholds import counted, number_words
from contractwatch.model.check import Check, Outcome, Promise, Verdict
from contractwatch.model.clause import Dimension, Severity
from contractwatch.model.contract import Contract
from contractwatch.model.frozen import frozen
from contractwatch.model.metric import (
    BadRows,
    CountWhere,
    Metric,
    Predicate,
    RowCount,
    TableSchema,
)
from contractwatch.model.objective import Objective
from contractwatch.model.service_level import ErrorRate
from contractwatch.model.state import Columns, Count, Measurement

ERROR_RATE = Kind("errorRate", Dimension.CONFORMITY, Objective.VALIDITY)

_ROW_RULES = (
    required.checks,
    options.checks,
    null_values.checks,
    invalid_values.checks,
    relationship.checks,
)
_NO_RULE = "unsupported: no row rule of severity error"
_OTHER_RULE = "unsupported: an errorRate beside a rule that one mask of rows does not answer"
_PERCENT = 100


@frozen
class BadRowShare:
    """The rows that break at least one row rule, of all rows of these tables."""

    promise: Promise
    percent: float
    questions: tuple[BadRows, ...]
    why_not: str = ""

    def metrics(self) -> tuple[Metric, ...]:
        counts = tuple(RowCount(question.table) for question in self.questions)
        asked = tuple(question for question in self.questions if question.predicates)
        return (*counts, *(TableSchema(question.table) for question in asked), *asked)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = f"at most {number_words(self.percent)} %"
        if self.why_not:
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=self.why_not)
        if self._misses_column(answers):
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason="column missing")
        error = unanswered(answers, self.metrics(), threshold)
        if error is not None:
            return error
        rows, bad = 0, 0
        for question in self.questions:
            rows += answer(answers, RowCount(question.table), Count).rows
            bad += answer(answers, question, Count).rows if question.predicates else 0
        observed = _PERCENT * bad / rows if rows else 0.0
        kept = observed <= self.percent
        reason = f"{bad:,} of {counted(rows, 'row')} break a rule"
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=observed,
            threshold=threshold,
            rows=rows,
            violations=bad,
            reason="" if kept and rows else reason if rows else NO_ROWS,
            vacuous=rows == 0,
        )

    def _misses_column(self, answers: Mapping[Metric, Measurement]) -> bool:
        for question in self.questions:
            schema = answers.get(TableSchema(question.table))
            if isinstance(schema, Columns) and any(
                schema.find(predicate.column) is None for predicate in question.predicates
            ):
                return True
        return False


def checks(contract: Contract) -> Iterator[Check]:
    """Promise each `errorRate` service level."""
    for level in contract.service_levels:
        if isinstance(level.promise, ErrorRate):
            names = level.promise.tables or tuple(table.name for table in contract.tables)
            place = Place(contract.contract_id, names[0] if len(names) == 1 else "-")
            words = f"at most {number_words(level.promise.percent)} % of the rows break a rule"
            promise = promise_of(
                ERROR_RATE,
                place,
                clause=level.clause,
                expected=words,
                severity=level.severity,
                level_id=level.level_id,
            )
            questions = tuple(BadRows(name, _predicates(contract, name)) for name in names)
            yield BadRowShare(
                promise, level.promise.percent, questions, _why_not(contract, questions)
            )


def _why_not(contract: Contract, questions: tuple[BadRows, ...]) -> str:
    tables = {question.table for question in questions}
    for check in _row_rules(contract):
        countable = all(isinstance(one, CountWhere | RowCount) for one in check.metrics())
        if check.promise.table in tables and not countable:
            return _OTHER_RULE
    return "" if any(question.predicates for question in questions) else _NO_RULE


def _predicates(contract: Contract, table: str) -> tuple[Predicate, ...]:
    """Return what a row of the table must not be, each once, in the order of the contract."""
    found = (
        metric.predicate
        for check in _row_rules(contract)
        for metric in check.metrics()
        if isinstance(metric, CountWhere) and metric.table == table
    )
    return tuple(dict.fromkeys(found))


def _row_rules(contract: Contract) -> Iterator[Check]:
    for generate in _ROW_RULES:
        for check in generate(contract):
            if check.promise.severity is Severity.ERROR:
                yield check
