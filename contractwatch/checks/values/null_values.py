"""Check the number of null values (ODCS metrics `nullValues` and `missingValues`)."""

from collections.abc import Iterator

from contractwatch.checks.common.counts import ViolatingRowsCheck
from contractwatch.checks.common.promise_builder import column_rules, promise_of_rule
from contractwatch.checks.common.thresholds import promised_words
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import IsMissing, IsNull
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.rule import RuleMetric
from contractwatch.model.record.check import Check

NULL_VALUES = KINDS["nullValues"]
MISSING_VALUES = KINDS["missingValues"]


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `nullValues` and `missingValues` rule; a null is always missing."""
    for subject, column, rule in column_rules(contract, RuleMetric.NULL_VALUES):
        words = promised_words(rule.threshold, "null rows")
        promise = promise_of_rule(NULL_VALUES, subject, rule, expected=words, violation="null")
        yield ViolatingRowsCheck(promise, rule.threshold, (IsNull(column.physical_name),))
    for subject, column, rule in column_rules(contract, RuleMetric.MISSING_VALUES):
        words = promised_words(rule.threshold, "rows with a missing value")
        promise = promise_of_rule(
            MISSING_VALUES, subject, rule, expected=words, violation="without a value"
        )
        missing = IsMissing(column.physical_name, rule.values or ())
        yield ViolatingRowsCheck(promise, rule.threshold, (missing,))
