"""Confirm suspected duplicate keys: read those of equal hashes and count them exactly."""

from collections.abc import Sequence

import polars as pl

from contractwatch.engines.predicates.questions import Key, OnRead
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import DuplicateCounts, Measurement


def confirm_repeats(
    frame: Frame, suspected: Sequence[tuple[Key, int, pl.Series]], *, on_read: OnRead
) -> dict[Metric, Measurement]:
    """Count the keys of suspected hashes exactly: unequal keys may have equal hashes."""
    rows = frame.rows.cache()
    plans: list[pl.LazyFrame] = []
    for key, _, suspects in suspected:
        members = key.suspected(suspects)
        names = [str(position) for position in range(len(members))]
        repeated = rows.select(members).group_by(names).len("rows").filter(pl.col("rows") > 1)
        plans.append(repeated.select(keys=pl.len(), affected=pl.col("rows").sum()))
    on_read(frame.table)
    answers: dict[Metric, Measurement] = {}
    results = pl.collect_all(plans, engine="streaming")
    for (key, height, _), result in zip(suspected, results, strict=True):
        keys, affected = result.row(0)
        answers[key.metric] = DuplicateCounts(height, affected - keys, keys, affected)
    return answers
