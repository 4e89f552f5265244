"""The rows with a value outside the list or the pattern are as few as the rule allows."""

from collections.abc import Iterator

from contractwatch.checks.counts import ViolatingRows
from contractwatch.checks.terms import Kind, column_rules, promise_of_rule
from contractwatch.checks.thresholds import promised_words
from contractwatch.model.check import Check
from contractwatch.model.clause import Dimension
from contractwatch.model.contract import Contract
from contractwatch.model.metric import IsInvalid
from contractwatch.model.objective import Objective
from contractwatch.model.rule import RuleMetric

INVALID_VALUES = Kind("invalidValues", Dimension.CONFORMITY, Objective.VALIDITY)


def checks(contract: Contract) -> Iterator[Check]:
    """Promise each `invalidValues` rule; a null is never invalid."""
    for place, column, rule in column_rules(contract, RuleMetric.INVALID_VALUES):
        words = promised_words(rule.threshold, "rows with an invalid value")
        promise = promise_of_rule(INVALID_VALUES, place, rule, expected=words)
        invalid = IsInvalid(column.physical_name, rule.values, rule.pattern, rule.ecma)
        yield ViolatingRows(promise, rule.threshold, (invalid,))
