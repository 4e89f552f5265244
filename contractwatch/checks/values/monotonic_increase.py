"""Check that a column never falls from row to row, in the order of another column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.promise_builder import (
    key_subject,
    measured,
    promise_of_rule,
    unmeasured_verdict,
)
from contractwatch.checks.common.thresholds import count_words, is_met, limit_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.rule import Threshold
from contractwatch.model.promises.sql import QueryValue, SqlScalar
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

MONOTONIC_INCREASE = KINDS["monotonicIncrease"]


@dataclass(frozen=True, slots=True)
class MonotonicIncreaseCheck:
    """Check how many rows are below the row before; rows without either value are left out."""

    promise: Promise
    threshold: Threshold

    def metrics(self) -> tuple[Metric, ...]:
        table = self.promise.table
        return (SqlScalar(table, _falls(table, *self.promise.physical_columns), (table,)),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        (metric,) = self.metrics()
        limit = limit_words(self.threshold)
        error = unmeasured_verdict(answers, self.metrics(), limit)
        if error is not None:
            return error
        falls = int(measured(answers, metric, QueryValue).value or 0)
        return Verdict(
            Outcome.PASSED if is_met(self.threshold, falls) else Outcome.FAILED,
            observed=f"{count_words(falls, 'row')} below the row before",
            threshold=limit,
            violations=falls,
        )


def _falls(table: str, column: str, order: str) -> str:
    """Return the query that counts falls; values of one place in the order never fall."""
    table, column, order = map(_quoted, (table, column, order))
    before = f"LAG({column}) OVER (ORDER BY {order}, {column})"
    known = f"{column} IS NOT NULL AND {order} IS NOT NULL"
    steps = f'SELECT {column} AS "value", {before} AS "before" FROM {table} WHERE {known}'  # noqa: S608 - names are quoted
    return f'SELECT COUNT(*) FROM ({steps}) AS "steps" WHERE "value" < "before"'  # noqa: S608 - of these steps


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `monotonicIncrease` rule of our own engine."""
    for table in contract.tables:
        for rule in table.column_checks:
            if rule.check == MONOTONIC_INCREASE.name:
                column, order = rule.columns
                expected = rule.description or f"{column} never falls in the order of {order}"
                subject = key_subject(contract, table, rule.columns, None)
                promise = promise_of_rule(MONOTONIC_INCREASE, subject, rule, expected=expected)
                yield MonotonicIncreaseCheck(promise, rule.threshold)
