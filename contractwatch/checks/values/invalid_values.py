"""Check the number of values outside a list or pattern (ODCS metric `invalidValues`)."""

from collections.abc import Iterator

from contractwatch.checks.common.counts import ViolatingRowsCheck
from contractwatch.checks.common.promise_builder import column_rules, promise_of_rule
from contractwatch.checks.common.thresholds import promised_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import IsInvalid
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.rule import RuleMetric
from contractwatch.model.record.check import Check

INVALID_VALUES = KINDS["invalidValues"]


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `invalidValues` rule; a null is never invalid."""
    for subject, column, rule in column_rules(contract, RuleMetric.INVALID_VALUES):
        words = promised_words(rule.threshold, "rows with an invalid value")
        promise = promise_of_rule(
            INVALID_VALUES, subject, rule, expected=words, violation="with an invalid value"
        )
        invalid = IsInvalid(column.physical_name, rule.values, rule.pattern, rule.ecma)
        yield ViolatingRowsCheck(promise, rule.threshold, (invalid,))
