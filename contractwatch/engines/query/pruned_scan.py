"""Scan a large Parquet table column by column, reading as little as the questions allow.

What statistics may rule out is asked as filters, all at the same time. The rest is asked in one
select for each set of columns, one after another: side by side, or in one select, columns that are
decided sooner would pile up in memory. Keys have scans of their own, for they need few columns.
"""

from collections.abc import Sequence

import polars as pl

from contractwatch.engines.predicates.questions import (
    Key,
    OnRead,
    Question,
    aliased_expressions,
    prepare_rows,
    read_answers,
)
from contractwatch.engines.query import distinct_keys, pruning
from contractwatch.engines.query.key_confirmation import confirm_repeats
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import DuplicateCounts, Measurement

_SEPARATE_PLANS = pl.QueryOptFlags(comm_subplan_elim=False)
"""Plans that begin with the same rows of a window are not made to share them: statistics could not
rule out then what each of them looks for."""


def pruned_scan(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, on_read: OnRead
) -> dict[Metric, Measurement]:
    """Answer all questions about a table whose columns can be read separately.

    Raises:
        PolarsError, PanicException, OSError: If one of them fails; then none has an answer.
    """
    on_read(frame.table)
    pruned, others = pruning.split_prunable(frame, questions)
    asked = pruning.prunable_plans(frame, pruned)
    found = pl.collect_all(
        [plan for plan, _ in asked], engine="streaming", optimizations=_SEPARATE_PLANS
    )
    answers: dict[Metric, Measurement] = {}
    for (_, those), one in zip(asked, found, strict=True):
        answers.update(read_answers(those, one))
    for those in pruning.merge_small_groups(frame, pruning.group_by_columns(others)):
        rows = prepare_rows(frame.rows, those).select(aliased_expressions(those))
        answers.update(read_answers(those, rows.collect(engine="streaming")))
    rising, shuffled = distinct_keys.split_by_order(frame, keys)
    for key in rising:
        rows = distinct_keys.count_if_ascending(frame, key)
        if rows is None:
            shuffled.append(key)
        else:
            answers[key.metric] = DuplicateCounts(rows=rows)
    answers.update(_distinct_keys(frame, shuffled, on_read=on_read))
    return answers


def _distinct_keys(
    frame: Frame, keys: Sequence[Key], *, on_read: OnRead
) -> dict[Metric, Measurement]:
    """Find duplicate hashes of keys, and count their keys exactly."""
    if not keys:
        return {}
    on_read(frame.table)
    rows = frame.rows.select(pl.len()).collect(engine="streaming").item()
    answers: dict[Metric, Measurement] = {}
    suspected: list[tuple[Key, int, pl.Series]] = []
    for key in keys:
        complete, suspects = distinct_keys.repeated_hashes(frame, key, rows=rows)
        if suspects.is_empty():
            answers[key.metric] = DuplicateCounts(rows=complete)
        elif distinct_keys.exceed_memory(suspects):
            answers[key.metric] = distinct_keys.count_by_parts(frame, key, rows=rows)
        else:
            suspected.append((key, complete, suspects))
    if suspected:
        answers.update(confirm_repeats(frame, suspected, on_read=on_read))
    return answers
