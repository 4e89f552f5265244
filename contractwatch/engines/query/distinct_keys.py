"""Prove that keys are distinct, by the cheapest way that is exact.

Keys that rise strictly from row to row, in whatever order the rows are delivered, are distinct:
the proof needs one batch in memory. It is tried where the first rows rise.
Otherwise the keys are sorted as 64-bit hashes: distinct hashes prove distinct keys, and equal
hashes are a suspicion that is confirmed by reading. Hashes that do not fit into the memory for keys
are sorted a part at a time, each part in a pass of its own over the columns of the key.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import polars as pl

from contractwatch.engines.core.failures import QUERY_FAILURES
from contractwatch.engines.core.memory_budget import KEY_BYTES
from contractwatch.engines.predicates.questions import Key
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.state import DuplicateCounts

_SAMPLED_ROWS = 1000
_SORTED_BYTES = 32
"""Memory for each hash that is sorted: the hash, the sorted one, and what they are compared by."""
_GROUPED_BYTES = 128
"""Memory for each key that is counted in a group of its own."""
_ALL_HASHES = 1 << 64
_MAX_PARTS = 64


def split_by_order(frame: Frame, keys: Sequence[Key]) -> tuple[list[Key], list[Key]]:
    """Return the keys that ascend in the first rows, and the others; reads those rows only."""
    ascending: list[Key] = []
    others: list[Key] = []
    for key in keys:
        (ascending if _starts_ascending(frame, key) else others).append(key)
    return ascending, others


def _starts_ascending(frame: Frame, key: Key) -> bool:
    try:
        head = (
            frame.rows.head(_SAMPLED_ROWS).select(_member_columns(key)).collect(engine="streaming")
        )
        return _is_ascending(head)
    except QUERY_FAILURES:  # values of this type have no order
        return False


def count_if_ascending(frame: Frame, key: Key) -> int | None:
    """Return the row count if every key is complete and greater than the one before, else None.

    The rows come in batches: a select that looks at the row before lets them pile up in memory.
    """
    rows, last = 0, pl.DataFrame()
    for batch in frame.rows.select(_member_columns(key)).collect_batches(engine="streaming"):
        if not _is_ascending(pl.concat([last, batch]) if last.width else batch):
            return None
        rows, last = rows + batch.height, batch.tail(1) if batch.height else last
    return rows


def _member_columns(key: Key) -> list[pl.Expr]:
    return [member.alias(str(at)) for at, member in enumerate(key.members)]


def _is_ascending(batch: pl.DataFrame) -> bool:
    """Return whether each key is complete and greater than the one before."""
    if any(column.null_count() for column in batch):
        return False
    alike = pl.lit(value=True)
    greater: list[pl.Expr] = []
    for member in map(pl.col, batch.columns):
        greater.append(alike & (member > member.shift()))
        alike = alike & (member == member.shift())
    rises = batch.select(greater[0].or_(*greater[1:]).sum()).item()
    return rises >= batch.height - 1


def repeated_hashes(frame: Frame, key: Key, *, rows: int) -> tuple[int, pl.Series]:
    """Return the number of complete keys, and the hashes that occur more than once.

    Args:
        frame: The table.
        key: Its key.
        rows: How many rows it has.
    """
    complete = 0
    repeated = pl.Series("hash", dtype=pl.UInt64)
    hashed = frame.rows.select(key.hashed())
    for part in _hash_partitions(rows * _SORTED_BYTES):
        found = hashed if part is None else hashed.filter(part)
        hashes = found.collect(engine="streaming").to_series()
        complete += hashes.len()
        hashes = hashes.sort()
        repeated.append(hashes.filter(hashes == hashes.shift()).unique())
    return complete, repeated


def exceed_memory(suspects: pl.Series) -> bool:
    """Return whether a lookup in so many hashes exceeds the memory budget for keys."""
    return 0 < KEY_BYTES.get() < suspects.len() * _GROUPED_BYTES


def count_by_parts(frame: Frame, key: Key, *, rows: int) -> DuplicateCounts:
    """Count duplicate keys exactly, as many of them at a time as fit into memory.

    Args:
        frame: The table.
        key: Its key.
        rows: How many rows it has.
    """
    hashed = frame.rows.select(*_member_columns(key), key.hash_if_complete())
    times = pl.col("rows")
    counts = [0, 0, 0]
    for part in _hash_partitions(rows * _GROUPED_BYTES):
        chosen = hashed.filter(pl.col("hash").is_not_null() if part is None else part)
        groups = chosen.group_by(str(at) for at in range(len(key.members))).len("rows")
        repeated = times.filter(times > 1)
        asked = groups.select(a=times.sum(), b=repeated.len(), c=repeated.sum())
        found = asked.collect(engine="streaming").row(0)
        counts = [one + more for one, more in zip(counts, found, strict=True)]
    complete, keys, affected = counts
    return DuplicateCounts(complete, affected - keys, keys, affected)


def _hash_partitions(needed_bytes: int) -> Iterator[pl.Expr | None]:
    """Yield a filter for each part of all hashes; None if all of them fit into memory."""
    count = min(_MAX_PARTS, -(-needed_bytes // KEY_BYTES.get())) if KEY_BYTES.get() else 1
    if count <= 1:
        yield None
        return
    ends = [pl.lit(at * _ALL_HASHES // count, dtype=pl.UInt64) for at in range(count)]
    for low, high in zip_longest(ends, ends[1:]):
        above = pl.col("hash") >= low
        yield above if high is None else above & (pl.col("hash") < high)
