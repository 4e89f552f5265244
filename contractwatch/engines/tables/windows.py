"""Filter a table to a window over one column, skipping files that lie outside of it."""

import re
from collections.abc import Mapping
from datetime import date

import polars as pl

from contractwatch.engines.core.file_types import contract_word
from contractwatch.engines.predicates.expressions import ColumnView
from contractwatch.engines.predicates.literals import is_discrete, literal, steps_range
from contractwatch.model.contract.incremental import Window
from contractwatch.model.measure.state import TableColumns

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DIGITS = re.compile(r"-?[0-9]{1,38}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def order_column(
    cells: Mapping[str, ColumnView], columns: TableColumns, column: str
) -> ColumnView | str:
    """Return the view of the column that orders rows by age, or why it cannot."""
    known = columns.find(column)
    if known is None:
        return f"column '{column}' is missing"
    found = cells.get(known.name)
    if found is None:
        return f"the files do not agree about the type of column '{column}'"
    if found.refused:
        return found.refused
    if found.within is not None or not is_discrete(found.dtype) or found.dtype == pl.Time:
        expected = "expected a date, a timestamp, an integer or a decimal"
        return f"column '{column}' is of type {contract_word(found.dtype)}; {expected}"
    return found


def least_step(dtype: pl.DataType) -> int:
    """Return the least step of a type; a window from there on has all rows."""
    if isinstance(dtype, pl.Decimal):
        return 1 - 10**dtype.precision
    return steps_range(dtype)[0]


def filter_window(
    rows: pl.LazyFrame, cells: Mapping[str, ColumnView], columns: TableColumns, window: Window
) -> tuple[pl.LazyFrame, str]:
    """Return the rows of a window, or all rows and why the column cannot order them."""
    found = order_column(cells, columns, window.column)
    if isinstance(found, str):
        return rows, found
    since = literal(window.since, found.dtype)
    until = None if window.until is None else literal(window.until, found.dtype)
    if since is None or (until is None and window.until is not None):
        return rows, f"column '{window.column}' is of another type than before"
    is_whole = window.since <= least_step(found.dtype)
    if until is None:
        new = (found.value >= since) | found.value.is_null()
        return (rows if is_whole else rows.filter(new)), ""
    old = found.value < until
    return rows.filter(old if is_whole else old & (found.value >= since)), ""


def partition_may_match(window: Window, written: str | None, dtype: pl.DataType) -> bool:
    """Return whether rows of a partition folder `name=value` may be in the window."""
    if written is None:
        return window.until is None
    step = _folder_step(written, dtype)
    if step is None:
        return True
    return step >= window.since and (window.until is None or step < window.until)


def _folder_step(written: str, dtype: pl.DataType) -> int | None:
    """Return the value of a folder's name in steps of a type, or None if it may be read otherwise.

    Python reads more forms of dates and numbers than are read as values.
    """
    if dtype.is_integer():
        return int(written) if _DIGITS.fullmatch(written) else None
    if dtype != pl.Date or not _DAY.fullmatch(written):
        return None
    try:
        return date.fromisoformat(written).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
