"""Bounds at the least and the greatest value of a column's type."""

from pathlib import Path

import polars as pl
import pytest
from engine_values import TABLE, ask, parquet

from contractwatch.model.measure.metric import CountWhere, IsAbove, IsBelow, Predicate
from contractwatch.model.measure.state import Count


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [(pl.Int8, -128, 127), (pl.UInt8, 0, 255), (pl.Int64, -(2**63), 2**63 - 1)],
)
def test_a_bound_at_the_end_of_the_type_is_exact(
    tmp_path: Path, dtype: type[pl.DataType], low: int, high: int
) -> None:
    data = parquet(tmp_path, pl.DataFrame({"n": pl.Series([low, 5, high], dtype=dtype)}))
    expected: dict[Predicate, int] = {
        IsBelow("n", low): 0,
        IsBelow("n", low, exclusive=True): 1,
        IsBelow("n", low + 1): 1,
        IsBelow("n", low - 1): 0,
        IsBelow("n", high): 2,
        IsBelow("n", high, exclusive=True): 3,
        IsBelow("n", high + 1): 3,
        IsAbove("n", high): 0,
        IsAbove("n", high, exclusive=True): 1,
        IsAbove("n", high + 1): 0,
        IsAbove("n", low): 2,
        IsAbove("n", low, exclusive=True): 3,
        IsAbove("n", low - 1): 3,
    }
    for predicate, rows in expected.items():
        found = ask(data, CountWhere(TABLE, predicate))
        assert (predicate, found) == (predicate, Count(rows))
