"""Scan a large Parquet table column by column, reading as little as the questions allow.

What statistics may rule out is asked as filters, all at the same time. The rest is asked in one
select for each set of columns, one after another: side by side, or in one select, columns that are
decided sooner would pile up in memory. Keys have scans of their own, for they need few columns.
"""

from collections.abc import Sequence

import polars as pl

from contractwatch.engines.predicates.questions import (
    Key,
    Opened,
    Question,
    aliased,
    answered,
    prepared,
)
from contractwatch.engines.query import distinct_keys, pruning
from contractwatch.engines.query.key_confirmation import confirmed
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import DuplicateCounts, Measurement

_APART = pl.QueryOptFlags(comm_subplan_elim=False)
"""Plans that begin with the same rows of a window are not made to share them: statistics could not
rule out then what each of them looks for."""


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
    found = pl.collect_all([plan for plan, _ in asked], engine="streaming", optimizations=_APART)
    answers: dict[Metric, Measurement] = {}
    for (_, those), one in zip(asked, found, strict=True):
        answers.update(answered(those, one))
    for those in pruning.together(frame, pruning.apart(others)):
        rows = prepared(frame.rows, those).select(aliased(those))
        answers.update(answered(those, rows.collect(engine="streaming")))
    rising, shuffled = distinct_keys.by_their_beginning(frame, keys)
    for key in rising:
        rows = distinct_keys.rows_of_ascent(frame, key)
        if rows is None:
            shuffled.append(key)
        else:
            answers[key.metric] = DuplicateCounts(rows=rows)
    answers.update(_distinct(frame, shuffled, opened=opened))
    return answers


def _distinct(frame: Frame, keys: Sequence[Key], *, opened: Opened) -> dict[Metric, Measurement]:
    """Sort the keys as hashes, and count those that seem to repeat."""
    if not keys:
        return {}
    opened(frame.table)
    rows = frame.rows.select(pl.len()).collect(engine="streaming").item()
    answers: dict[Metric, Measurement] = {}
    suspected: list[tuple[Key, int, pl.Series]] = []
    for key in keys:
        complete, suspects = distinct_keys.repeated_hashes(frame, key, rows=rows)
        if suspects.is_empty():
            answers[key.metric] = DuplicateCounts(rows=complete)
        elif distinct_keys.are_too_many(suspects):
            answers[key.metric] = distinct_keys.counted_by_parts(frame, key, rows=rows)
        else:
            suspected.append((key, complete, suspects))
    if suspected:
        answers.update(confirmed(frame, suspected, opened=opened))
    return answers
