"""Check the share of rows that break any row rule; a row counts once, however many it breaks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from contractwatch.checks.common.counts import NO_ROWS
from contractwatch.checks.common.nested_paths import COLUMN_MISSING
from contractwatch.checks.common.promise_builder import (
    Subject,
    measured,
    promise_of,
    unmeasured_verdict,
    with_violation,
)
from contractwatch.checks.common.thresholds import count_words, number_words
from contractwatch.checks.references import relationship
from contractwatch.checks.values import invalid_values, null_values, options, required
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.path import ArrayItem
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import (
    BadRows,
    BadRowsAcross,
    CountWhere,
    ForeignKey,
    Inside,
    Metric,
    Predicate,
    RowCount,
    TableSchema,
)
from contractwatch.model.measure.state import Count, Measurement, TableColumns
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.reference import Orphans
from contractwatch.model.promises.service_level import ErrorRate
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

Question: TypeAlias = BadRows | BadRowsAcross

ERROR_RATE = KINDS["errorRate"]

_ROW_RULES = (
    required.checks,
    options.checks,
    null_values.checks,
    invalid_values.checks,
    relationship.checks,
)
_NO_RULE = "unsupported: no row rule of severity error"
_KEYS_IN_ARRAY = "unsupported: a relationship inside an array beside other row rules"
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class ErrorRateCheck:
    """Check the share of rows of these tables that break at least one row rule.

    `questions` are about the tables that have such a rule.
    """

    promise: Promise
    percent: float
    tables: tuple[str, ...]
    questions: tuple[Question, ...]

    def metrics(self) -> tuple[Metric, ...]:
        counts = tuple(RowCount(table) for table in self.tables)
        schemas = tuple(TableSchema(question.table) for question in self.questions)
        return (*counts, *schemas, *self.questions)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = f"at most {number_words(self.percent)} %"
        if not self.questions:
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=_NO_RULE)
        skipped = next(filter(None, (_skip_reason(one, answers) for one in self.questions)), "")
        if skipped:
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=skipped)
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        rows = sum(measured(answers, RowCount(table), Count).rows for table in self.tables)
        bad = sum(measured(answers, question, Count).rows for question in self.questions)
        observed = _PERCENT * bad / rows if rows else 0.0
        kept = observed <= self.percent
        reason = f"{bad:,} of {count_words(rows, 'row')} break a rule"
        return Verdict(
            Outcome.PASSED if kept else Outcome.FAILED,
            observed=observed,
            threshold=threshold,
            rows=rows,
            violations=bad,
            reason="" if kept and rows else reason if rows else NO_ROWS,
            vacuous=rows == 0,
        )


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `errorRate` service level."""
    for level in contract.service_levels:
        if isinstance(level.promise, ErrorRate):
            names = level.promise.tables or tuple(table.name for table in contract.tables)
            subject = Subject(contract.contract_id, names[0] if len(names) == 1 else "-")
            words = f"at most {number_words(level.promise.percent)} % of the rows break a rule"
            promise = promise_of(
                ERROR_RATE,
                subject,
                clause=level.clause,
                expected=words,
                severity=level.severity,
                level_id=level.level_id,
            )
            promise = with_violation(promise, "against a rule")
            questions = tuple(_row_rule_metrics(contract, names))
            yield ErrorRateCheck(promise, level.promise.percent, names, questions)


def _row_rule_metrics(contract: Contract, tables: Iterable[str]) -> Iterator[Question]:
    """Yield for each table with a row rule its metric: one mask of its rows for all rules."""
    asked = [metric for check in _row_rules(contract) for metric in check.metrics()]
    for table in tables:
        counts = [one for one in asked if isinstance(one, CountWhere) and one.table == table]
        orphans = [one for one in asked if isinstance(one, Orphans) and one.table == table]
        predicates = tuple(dict.fromkeys(one.predicate for one in counts))
        keys = tuple(
            dict.fromkeys(ForeignKey(one.columns, one.target, one.paths) for one in orphans)
        )
        if keys:
            yield BadRowsAcross(table, predicates, keys)
        elif predicates:
            yield BadRows(table, predicates)


def _row_rules(contract: Contract) -> Iterator[Check]:
    """Yield the rules that hold for single rows; `elementType` is about types, not rows."""
    for generate in _ROW_RULES:
        for check in generate(contract):
            if check.promise.severity is Severity.ERROR:
                yield check


def _skip_reason(question: Question, answers: Mapping[Metric, Measurement]) -> str:
    """Return why a rule cannot be applied to these columns; empty if it can."""
    schema = answers.get(TableSchema(question.table))
    if not isinstance(schema, TableColumns):
        return ""
    keys = question.keys if isinstance(question, BadRowsAcross) else ()
    found = [_missing_key_reason(schema, key) for key in keys]
    found += [_missing_column_reason(schema, predicate) for predicate in question.predicates]
    return next(filter(None, found), "")


def _missing_key_reason(schema: TableColumns, key: ForeignKey) -> str:
    if any(ArrayItem() in path for path in key.paths):
        return _KEYS_IN_ARRAY
    paths = key.paths or ((),) * len(key.columns)
    columns = [schema.find(name) for name in key.columns]
    there = (one and one.follow(path) for one, path in zip(columns, paths, strict=True))
    return "" if all(there) else COLUMN_MISSING


def _missing_column_reason(schema: TableColumns, predicate: Predicate) -> str:
    column = schema.find(predicate.column)
    if column is None:
        return COLUMN_MISSING
    path = predicate.path if isinstance(predicate, Inside) else ()
    return "" if column.follow(path) is not None else COLUMN_MISSING
