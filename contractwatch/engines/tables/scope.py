"""Filter a table to the rows that its condition puts in scope."""

from collections.abc import Mapping

import polars as pl

from contractwatch.engines.core.failures import QUERY_FAILURES
from contractwatch.engines.predicates.expressions import ColumnView
from contractwatch.model.measure.state import TableColumns

Scoped = tuple[pl.LazyFrame, str]


def filter_scope(
    rows: pl.LazyFrame, cells: Mapping[str, ColumnView], columns: TableColumns, where: str
) -> Scoped:
    """Return the rows in scope, or all rows and why the condition cannot be applied.

    A condition that is neither true nor false for a row leaves the row out.

    Args:
        rows: All rows.
        cells: How each column is compared, by its name in the files.
        columns: The columns of the files.
        where: A guarded condition in the physical names of the contract; empty for all rows.
    """
    if not where:
        return rows, ""
    try:
        condition = pl.sql_expr(where)
        there: dict[str, str] = {}
        for at, name in enumerate(condition.meta.root_names()):
            found = columns.find(name)
            if found is None or found.name not in cells:
                return rows, f"the condition on rows needs column {name!r}, which is missing"
            if cells[found.name].refused:
                return rows, cells[found.name].refused
            value = cells[found.name].value.meta.output_name()
            if value != name:
                there[value] = name
                if name in cells:
                    there[name] = f"\x00hidden{at}"
        back = {new: old for old, new in there.items()}
        scoped = rows.rename(there).filter(condition).rename(back)
        pl.LazyFrame(schema=rows.collect_schema()).rename(there).filter(condition).collect()
    except QUERY_FAILURES:
        return rows, "the condition on rows does not fit the data: the columns are of other types"
    return scoped, ""
