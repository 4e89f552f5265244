"""No row lacks a value that its contract requires."""

from collections.abc import Iterator

from contractwatch.checks.counts import ViolatingRows
from contractwatch.checks.terms import Kind, columns_of, promise_of
from contractwatch.checks.thresholds import NONE_AT_ALL
from contractwatch.model.check import Check
from contractwatch.model.clause import Dimension
from contractwatch.model.contract import Contract
from contractwatch.model.metric import IsNull
from contractwatch.model.objective import Objective

REQUIRED = Kind("required", Dimension.COMPLETENESS, Objective.COMPLETENESS)


def checks(contract: Contract) -> Iterator[Check]:
    """Promise that no cell of a required column is null."""
    for place, column in columns_of(contract):
        if column.required_clause is not None:
            promise = promise_of(
                REQUIRED, place, clause=column.required_clause, expected="no null rows"
            )
            yield ViolatingRows(promise, NONE_AT_ALL, (IsNull(column.physical_name),))
