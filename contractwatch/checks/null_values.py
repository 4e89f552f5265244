"""The rows without a value are as few, or as many, as the rule allows."""

from collections.abc import Iterator

from contractwatch.checks.counts import ViolatingRows
from contractwatch.checks.terms import Kind, column_rules, promise_of_rule
from contractwatch.checks.thresholds import promised_words
from contractwatch.model.check import Check
from contractwatch.model.clause import Dimension
from contractwatch.model.contract import Contract
from contractwatch.model.metric import IsMissing, IsNull
from contractwatch.model.objective import Objective
from contractwatch.model.rule import RuleMetric

NULL_VALUES = Kind("nullValues", Dimension.COMPLETENESS, Objective.COMPLETENESS)
MISSING_VALUES = Kind("missingValues", Dimension.COMPLETENESS, Objective.COMPLETENESS)


def checks(contract: Contract) -> Iterator[Check]:
    """Promise each `nullValues` and `missingValues` rule; a null always counts as missing."""
    for place, column, rule in column_rules(contract, RuleMetric.NULL_VALUES):
        words = promised_words(rule.threshold, "null rows")
        promise = promise_of_rule(NULL_VALUES, place, rule, expected=words)
        yield ViolatingRows(promise, rule.threshold, (IsNull(column.physical_name),))
    for place, column, rule in column_rules(contract, RuleMetric.MISSING_VALUES):
        words = promised_words(rule.threshold, "rows with a missing value")
        promise = promise_of_rule(MISSING_VALUES, place, rule, expected=words)
        missing = IsMissing(column.physical_name, rule.values or ())
        yield ViolatingRows(promise, rule.threshold, (missing,))
