"""Check that unique columns and primary keys have no repeated value."""

from collections.abc import Iterator

from contractwatch.checks.common.counts import RepeatedRowsCheck, ViolatingRowsCheck
from contractwatch.checks.common.promise_builder import (
    columns_of,
    key_subject,
    promise_of,
    with_violation,
)
from contractwatch.checks.common.thresholds import NONE_AT_ALL
from contractwatch.model.base.path import ArrayItem
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import Inside, RepeatsElements
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.record.check import Check, Promise

UNIQUE = KINDS["unique"]
PRIMARY_KEY = KINDS["primaryKey"]


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each unique column, and one for each primary key."""
    for subject, column in columns_of(contract):
        if column.unique_clause is not None:
            in_array = ArrayItem() in column.path
            promise = promise_of(
                UNIQUE,
                subject,
                clause=column.unique_clause,
                expected="no value twice within one array" if in_array else "no duplicate rows",
            )
            if in_array:
                promise = with_violation(promise, "with a value twice within one array")
            yield _of_column(promise)
    for table in contract.tables:
        key = table.primary_key
        if key is not None:
            subject = key_subject(contract, table, key.columns, None)
            words = f"({', '.join(key.columns)}) has no null and no duplicate"
            promise = promise_of(PRIMARY_KEY, subject, clause=key.clause, expected=words)
            yield RepeatedRowsCheck(promise, NONE_AT_ALL, demand_key=True)


def _of_column(promise: Promise) -> Check:
    """Return the check of a column; inside an array values are unique within one row's array."""
    arrays = [at for at, step in enumerate(promise.path) if isinstance(step, ArrayItem)]
    if not arrays:
        return RepeatedRowsCheck(promise, NONE_AT_ALL)
    to_array, below = promise.path[: arrays[-1]], promise.path[arrays[-1] + 1 :]
    (column,) = promise.physical_columns
    repeats = Inside(to_array, RepeatsElements(column, below))
    return ViolatingRowsCheck(promise, NONE_AT_ALL, (repeats,))
