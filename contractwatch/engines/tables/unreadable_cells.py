"""Find the shapes of the first cells that cannot be read as their column's type.

A shape has a 9 for each digit, an x for each letter and a ? for signs that are not usual in numbers
and dates: it tells how values are written, and none of them. The rows are read again for this, if
there are such cells, and up to the first few.
"""

from collections.abc import Iterable, Mapping

import polars as pl

from contractwatch.engines.core.failures import UNREADABLE
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import Metric, Unparseable
from contractwatch.model.measure.state import MOST_SHAPES, Count, Measurement, UnparseableCells

_MAX_COLUMNS = 20
"""Of more columns than these the shapes are not looked for: so many fail for a common reason."""

_FIRST_CELLS = 50
_MAX_CHARACTERS = 40


def with_shapes(
    frame: Frame, answers: Mapping[Metric, Measurement]
) -> Mapping[Metric, Measurement]:
    """Return the answers about unparseable cells, with the shapes of the first ones."""
    plans = {
        metric: plan
        for metric, answer in answers.items()
        if isinstance(metric, Unparseable) and isinstance(answer, Count) and answer.rows
        for plan in _queries(frame, metric)
    }
    if not plans or len(plans) > _MAX_COLUMNS:
        return {}
    try:
        found = pl.collect_all(list(plans.values()), engine="streaming")
    except UNREADABLE:
        return {}  # the counts stand without it
    return {
        metric: UnparseableCells(count.rows, _distinct(cells.to_series()))
        for metric, cells in zip(plans, found, strict=True)
        if isinstance(count := answers[metric], Count)
    }


def _queries(frame: Frame, metric: Unparseable) -> Iterable[pl.LazyFrame]:
    """Yield the query for the first unparseable cells of a column."""
    known = frame.columns.find(metric.column)
    cells = frame.cells.get(known.name) if known else None
    if cells is None or cells.readable is None or known is None or metric.path:
        return
    if cells.within is not None and frame.rows.collect_schema()[known.name].is_nested():
        return  # a value of JSON, and no text
    shape = (
        cells.raw.str.slice(0, _MAX_CHARACTERS + 1)
        .str.replace_all(r"\p{Nd}", "9")
        .str.replace_all(r"[\p{L}\p{M}\p{No}\p{Nl}]", "x")
        # Signs that are no letters can be words, too, such as emoji: money and dashes stay.
        .str.replace_all(r"[^\x20-\x7e\p{Sc}\p{Pd}\x{a0}\x{202f}]", "?")
    )
    yield frame.rows.filter(~cells.readable).select(shape).head(_FIRST_CELLS)


def _distinct(shapes: pl.Series) -> tuple[str, ...]:
    found = dict.fromkeys(shapes.drop_nulls().to_list())
    shortened = (
        one if len(one) <= _MAX_CHARACTERS else f"{one[:_MAX_CHARACTERS]}…" for one in found
    )
    return tuple(dict.fromkeys(shortened))[:MOST_SHAPES]
