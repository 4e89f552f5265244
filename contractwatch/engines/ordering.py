"""Keys are shown to be distinct by the cheapest way that is exact.

Keys that rise strictly from row to row, in whatever order the rows are delivered, are distinct:
the proof holds nothing in memory but the last row. It is tried where the first rows rise.
Otherwise the keys are sorted as 64-bit hashes: distinct hashes prove distinct keys, and equal
hashes are a suspicion that is confirmed by reading. The sort spills beyond its memory budget.
"""

from collections.abc import Sequence

import polars as pl

from contractwatch.engines.failures import QUERY_FAILURES
from contractwatch.engines.frames import Frame
from contractwatch.engines.questions import Key

_LOOKED_AT = 1000


def by_their_beginning(frame: Frame, keys: Sequence[Key]) -> tuple[list[Key], list[Key]]:
    """Return the keys that rise in the first rows, and the others; only those rows are read."""
    rising: list[Key] = []
    others: list[Key] = []
    for key in keys:
        (rising if _begins_rising(frame, key) else others).append(key)
    return rising, others


def _begins_rising(frame: Frame, key: Key) -> bool:
    try:
        head = frame.rows.head(_LOOKED_AT).select(ascent(key)).collect(engine="streaming")
    except QUERY_FAILURES:  # values of this type have no order
        return False
    return rows_of_ascent(head) is not None


def ascent(key: Key) -> list[pl.Expr]:
    """Return the rows, those with a complete key, and those greater than the row before.

    It belongs in a select of its own: beside slower expressions its rows would pile up in memory.
    """
    alike = pl.lit(value=True)
    greater: list[pl.Expr] = []
    for member in key.members:
        greater.append(alike & (member > member.shift()))
        alike = alike & (member == member.shift())
    rises = greater[0].or_(*greater[1:]).sum().alias("rises")
    return [pl.len().alias("rows"), key.is_complete().sum().alias("complete"), rises]


def rows_of_ascent(found: pl.DataFrame) -> int | None:
    """Return the rows if all are complete and each is greater than the one before, else None."""
    rows, complete, rises = found.row(0)
    return rows if complete == rows and rises >= rows - 1 else None


def repeated_hashes(frame: Frame, key: Key) -> pl.LazyFrame:
    """Return the hashes that occur more than once, under the name `hash`."""
    found = pl.col("hash")
    return frame.rows.select(key.hashed()).sort("hash").filter(found == found.shift()).unique()


def complete_rows(frame: Frame, key: Key) -> pl.LazyFrame:
    """Return the number of rows that have a whole key."""
    return frame.rows.select(key.is_complete().sum())
