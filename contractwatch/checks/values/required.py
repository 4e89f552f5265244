"""Check that required columns have no null value."""

from collections.abc import Iterator

from contractwatch.checks.common.counts import ViolatingRowsCheck
from contractwatch.checks.common.promise_builder import columns_of, promise_of, with_violation
from contractwatch.checks.common.thresholds import NONE_AT_ALL
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import IsNull
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.record.check import Check

REQUIRED = KINDS["required"]


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each required column."""
    for subject, column in columns_of(contract):
        if column.required_clause is not None:
            promise = promise_of(
                REQUIRED, subject, clause=column.required_clause, expected="no null rows"
            )
            promise = with_violation(promise, "null")
            yield ViolatingRowsCheck(promise, NONE_AT_ALL, (IsNull(column.physical_name),))
