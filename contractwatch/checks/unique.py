"""No value of a unique column, and no primary key, comes twice."""

from collections.abc import Iterator

from contractwatch.checks.counts import RepeatedRows
from contractwatch.checks.terms import Kind, Place, columns_of, physical_names, promise_of
from contractwatch.checks.thresholds import NONE_AT_ALL
from contractwatch.model.check import Check
from contractwatch.model.clause import Dimension
from contractwatch.model.contract import Contract
from contractwatch.model.objective import Objective

UNIQUE = Kind("unique", Dimension.UNIQUENESS, Objective.UNIQUENESS)
PRIMARY_KEY = Kind("primaryKey", Dimension.UNIQUENESS, Objective.UNIQUENESS)


def checks(contract: Contract) -> Iterator[Check]:
    """Promise each unique column, and each primary key as one check over all its columns."""
    for place, column in columns_of(contract):
        if column.unique_clause is not None:
            promise = promise_of(
                UNIQUE, place, clause=column.unique_clause, expected="no duplicate rows"
            )
            yield RepeatedRows(promise, NONE_AT_ALL)
    for table in contract.tables:
        key = table.primary_key
        if key is not None:
            physical = physical_names(table, key.columns)
            place = Place(contract.contract_id, table.name, None, physical)
            words = f"({', '.join(key.columns)}) has no null and no duplicate"
            promise = promise_of(PRIMARY_KEY, place, clause=key.clause, expected=words)
            yield RepeatedRows(promise, NONE_AT_ALL, demand_key=True)
