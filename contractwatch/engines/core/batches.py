"""Make a lazy frame of a generator of frames."""

from collections.abc import Callable, Iterator, Mapping

import polars as pl
from polars.io.plugins import register_io_source


def scan_frames(
    frames: Callable[[], Iterator[pl.DataFrame]], schema: Mapping[str, pl.DataType]
) -> pl.LazyFrame:
    """Return the rows of frames that have these columns; each query that reads it makes them anew.

    Columns, the number of rows and the predicate that a query pushes down are applied to each.
    """

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        left = n_rows
        for frame in frames():
            found = frame if columns is None else frame.select(columns)
            found = found if left is None else found.head(left)
            left = None if left is None else left - found.height
            yield found if predicate is None else found.filter(predicate)
            if left is not None and left <= 0:
                return

    return register_io_source(batches, schema=pl.Schema(schema), is_pure=True)
