"""Check the single value that an SQL rule's query returns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.promise_builder import (
    Subject,
    column_subject,
    measured,
    promise_of_rule,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import is_met, limit_words
from contractwatch.model.contract.contract import Contract, Table
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.rule import Threshold
from contractwatch.model.promises.sql import (
    AnswerLimit,
    ExactAnswer,
    QueryValue,
    SqlRule,
    SqlScalar,
    text_digest,
)
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

SQL = KINDS["sql"]

ANOTHER_TEXT = "another text"
"""What is told of a text that a query returned: the text itself is data."""


@dataclass(frozen=True, slots=True)
class SqlCheck:
    """Check that the value that a query returns is within the limit and of its kind."""

    promise: Promise
    query: SqlScalar
    limit: AnswerLimit

    def metrics(self) -> tuple[Metric, ...]:
        return (self.query,)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        words = answer_limit_words(self.limit)
        error = unmeasured_verdict(answers, self.metrics(), words)
        if error is not None:
            return error
        found = measured(answers, self.query, QueryValue)
        if isinstance(self.limit, ExactAnswer):
            return _judge_exact(self.limit, found, words)
        return _judge_threshold(self.limit, found, words)


def answer_limit_words(limit: AnswerLimit) -> str:
    """Word the limit of a query's value: `at most 5`, `true`, `the text 'ok'`."""
    if isinstance(limit, ExactAnswer):
        if isinstance(limit.value, bool):
            return str(limit.value).lower()
        return f"{'another text than' if limit.negated else 'the text'} '{limit.value}'"
    return limit_words(limit).removesuffix(" rows")


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each rule of type `sql` of each table and column."""
    for table in contract.tables:
        for rule in table.queries:
            words = rule.description or f"a query returns {answer_limit_words(rule.limit)}"
            subject = _rule_subject(contract, table, rule)
            promise = promise_of_rule(SQL, subject, rule, expected=words)
            yield SqlCheck(
                promise,
                SqlScalar(table.name, rule.query, rule.tables, rule.dialect, rule.written),
                rule.limit,
            )


def _rule_subject(contract: Contract, table: Table, rule: SqlRule) -> Subject:
    found = table.find(rule.column) if rule.column else None
    if found is not None:
        return column_subject(contract, table, found)
    return Subject(contract.contract_id, table.name, rule.column)


def _judge_exact(limit: ExactAnswer, found: QueryValue, words: str) -> Verdict:
    if isinstance(limit.value, bool):
        if not isinstance(found.value, bool):
            return _wrong_kind("true or false", found, words)
        kept = found.value is limit.value
        return _verdict(kept=kept, observed=str(found.value).lower(), words=words)
    if not found.text_digest:
        return _wrong_kind("a text", found, words)
    same = found.text_digest == text_digest(limit.value)
    observed = "that text" if same else ANOTHER_TEXT
    return _verdict(kept=same is not limit.negated, observed=observed, words=words)


def _judge_threshold(limit: Threshold, found: QueryValue, words: str) -> Verdict:
    if found.value is None or isinstance(found.value, bool):
        return _wrong_kind("a number", found, words)
    return _verdict(kept=is_met(limit, found.value), observed=found.value, words=words)


def _verdict(*, kept: bool, observed: float | str, words: str) -> Verdict:
    outcome = Outcome.PASSED if kept else Outcome.FAILED
    return Verdict(outcome, observed=observed, threshold=words)


def _wrong_kind(expected: str, found: QueryValue, words: str) -> Verdict:
    is_truth = isinstance(found.value, bool)
    kind = "a text" if found.text_digest else "true or false" if is_truth else "a number"
    reason = f"the query returned {kind}; expected {expected}"
    return Verdict(Outcome.ERROR, threshold=words, reason=reason)
