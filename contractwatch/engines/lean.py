"""A large parquet table is read as little as the questions allow: column by column, in one go.

What statistics may rule out is asked as filters, the rest in one fused select; keys have scans of
their own, for they need few columns. All these plans run at the same time.
"""

from collections.abc import Sequence

import polars as pl

from contractwatch.engines import ordering, pruning
from contractwatch.engines.confirming import confirmed
from contractwatch.engines.frames import Frame
from contractwatch.engines.questions import (
    Key,
    Opened,
    Question,
    aliased,
    answered,
    derived_by,
)
from contractwatch.model.metric import Metric
from contractwatch.model.state import Measurement, Repeats


def read_little(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, opened: Opened
) -> dict[Metric, Measurement]:
    """Answer all questions about a table whose columns can be read alone.

    Raises:
        PolarsError, PanicException, OSError: If one of them fails; then none has an answer.
    """
    opened(frame.table)
    pruned, others = pruning.split(frame, questions)
    asked = pruning.plans(frame, pruned)
    if others:
        prepared = frame.rows.with_columns(**derived_by(others))
        asked.append((prepared.select(aliased(others)), others))
    rising, shuffled = ordering.by_their_beginning(frame, keys)
    plans = [plan for plan, _ in asked]
    plans += [frame.rows.select(ordering.ascent(key)) for key in rising]
    plans += _hashing(frame, shuffled)
    found = iter(pl.collect_all(plans, engine="streaming"))
    answers: dict[Metric, Measurement] = {}
    for _, those in asked:
        answers.update(answered(those, next(found)))
    ascents = [(key, ordering.rows_of_ascent(next(found))) for key in rising]
    answers.update({key.metric: Repeats(rows=rows) for key, rows in ascents if rows is not None})
    answers.update(_distinct(frame, shuffled, list(found), opened=opened))
    unproven = [key for key, rows in ascents if rows is None]
    if unproven:
        opened(frame.table)
        hashes = pl.collect_all(_hashing(frame, unproven), engine="streaming")
        answers.update(_distinct(frame, unproven, hashes, opened=opened))
    return answers


def _hashing(frame: Frame, keys: Sequence[Key]) -> list[pl.LazyFrame]:
    """Return two plans a key: the hashes that repeat, and the rows that have a whole key."""
    return [
        plan
        for key in keys
        for plan in (ordering.repeated_hashes(frame, key), ordering.complete_rows(frame, key))
    ]


def _distinct(
    frame: Frame, keys: Sequence[Key], found: Sequence[pl.DataFrame], *, opened: Opened
) -> dict[Metric, Measurement]:
    answers: dict[Metric, Measurement] = {}
    suspected: list[tuple[Key, int, pl.Series]] = []
    for key, hashes, complete in zip(keys, found[::2], found[1::2], strict=True):
        if hashes.is_empty():
            answers[key.metric] = Repeats(rows=complete.item())
        else:
            suspected.append((key, complete.item(), hashes.to_series()))
    if suspected:
        answers.update(confirmed(frame, suspected, opened=opened))
    return answers
