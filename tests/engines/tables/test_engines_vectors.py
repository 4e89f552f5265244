"""Normalization of vectors, whatever type their column has."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.engines.predicates.nested import whole_value_violates
from contractwatch.model.measure.metric import IsNotNormalized

NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.6, 0.8, 1.0009, 0.9991, 1.0011, math.nan])
VECTORS = st.lists(st.none() | st.lists(NUMBERS, min_size=2, max_size=2), max_size=6)


@pytest.mark.parametrize("dtype", [pl.List(pl.Float64), pl.Array(pl.Float64, 2)])
@given(vectors=VECTORS)
@settings(max_examples=20, deadline=None)
def test_a_vector_is_normalized_within_a_thousandth(
    dtype: pl.DataType, vectors: list[list[float] | None]
) -> None:
    frame = pl.LazyFrame({"v": vectors}, schema={"v": dtype})
    wrong = whole_value_violates(IsNotNormalized("v"), pl.col("v"), dtype)
    found = frame.select(wrong.fill_null(value=False)).collect()["v"].to_list()
    expected = [
        one is not None and not abs(math.sqrt(sum(part * part for part in one)) - 1) <= 1e-3
        for one in vectors
    ]
    assert found == expected
