"""Check the number of rows that repeat an earlier value (ODCS metric `duplicateValues`)."""

from collections.abc import Iterator, Mapping

from contractwatch.checks.common.counts import RepeatedRowsCheck
from contractwatch.checks.common.promise_builder import (
    column_rules,
    key_subject,
    promise_of_rule,
)
from contractwatch.checks.common.thresholds import promised_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.rule import DuplicateCounting, RuleMetric
from contractwatch.model.record.check import Check

DUPLICATE_VALUES = KINDS["duplicateValues"]

_NOUNS: Mapping[DuplicateCounting, str] = {
    DuplicateCounting.SURPLUS: "duplicate rows",
    DuplicateCounting.KEYS: "repeated keys",
    DuplicateCounting.AFFECTED: "rows of repeated keys",
}


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `duplicateValues` rule of a column or of several columns.

    A rule of a table that names no columns counts over its primary key.
    """
    for subject, _, rule in column_rules(contract, RuleMetric.DUPLICATE_VALUES):
        words = promised_words(rule.threshold, _NOUNS[rule.counting])
        promise = promise_of_rule(DUPLICATE_VALUES, subject, rule, expected=words)
        yield RepeatedRowsCheck(promise, rule.threshold, counting=rule.counting)
    for table in contract.tables:
        for rule in table.rules:
            if rule.metric is RuleMetric.DUPLICATE_VALUES:
                key = table.primary_key.columns if table.primary_key else ()
                columns = rule.columns or key
                subject = key_subject(contract, table, columns, None)
                noun = f"{_NOUNS[rule.counting]} over ({', '.join(columns)})"
                words = promised_words(rule.threshold, noun)
                promise = promise_of_rule(DUPLICATE_VALUES, subject, rule, expected=words)
                yield RepeatedRowsCheck(promise, rule.threshold, counting=rule.counting)
