"""Read the rows of a table once for all questions, and once more to confirm suspected keys."""

from collections.abc import Sequence

import polars as pl

from contractwatch.engines.core.failures import (
    QUERY_FAILURES,
    UNREADABLE,
    query_failure_reason,
    table_error,
)
from contractwatch.engines.predicates.questions import (
    Key,
    Opened,
    Question,
    aliased,
    answered,
    prepared,
)
from contractwatch.engines.query import pruned_scan, pruning
from contractwatch.engines.query.key_confirmation import confirmed
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import DuplicateCounts, Measurement, Unmeasured


def read(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, opened: Opened
) -> dict[Metric, Measurement]:
    """Answer all questions; if they fail together, each alone.

    Raises:
        SourceError: If the files cannot be read, whatever is asked.
    """
    try:
        return _pass(frame, questions, keys, opened=opened)
    except QUERY_FAILURES as error:
        _check_readable(frame, questions, keys, opened=opened)
        if len(questions) + len(keys) == 1:
            alone = questions[0].metric if questions else keys[0].metric
            return {alone: Unmeasured(query_failure_reason(error))}
    except OSError as error:
        raise table_error(error, frame.table, frame.data_format) from error
    answers: dict[Metric, Measurement] = {}
    for question in questions:
        answers.update(_alone(frame, question.metric, [question], [], opened))
    for key in keys:
        answers.update(_alone(frame, key.metric, [], [key], opened))
    return answers


def _alone(
    frame: Frame, metric: Metric, questions: list[Question], keys: list[Key], opened: Opened
) -> dict[Metric, Measurement]:
    try:
        return _pass(frame, questions, keys, opened=opened)
    except QUERY_FAILURES as error:
        return {metric: Unmeasured(query_failure_reason(error))}
    except OSError as error:
        raise table_error(error, frame.table, frame.data_format) from error


def _check_readable(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, opened: Opened
) -> None:
    """Raise SourceError if the columns in question cannot be read even when nothing is asked."""
    names = sorted({name for one in (*questions, *keys) for name in one.columns()})
    opened(frame.table)
    try:
        probe = [pl.col(name).null_count() for name in names] or [pl.len()]
        probe += _read_besides(frame)
        frame.rows.select(probe).collect(engine="streaming")
    except UNREADABLE as error:
        raise table_error(error, frame.table, frame.data_format) from error


def _pass(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, opened: Opened
) -> dict[Metric, Measurement]:
    if pruning.is_large(frame):
        try:
            return pruned_scan.read_little(frame, questions, keys, opened=opened)
        except QUERY_FAILURES:
            pass  # the fused pass tells a bad question from bad data
    return read_once(frame, questions, keys, opened=opened)


def read_once(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, opened: Opened
) -> dict[Metric, Measurement]:
    """Read the rows once for everything, and once more only if keys seem to repeat."""
    # Without an explicit cache only some sources are shared between plans of one collect_all.
    rows = frame.rows.cache() if keys else frame.rows
    plans = [rows.select(key.hashed()) for key in keys]
    selected = [*aliased(questions), *_read_besides(frame)]
    if selected:  # what is computed for questions alone comes after what the keys share
        ready = prepared(rows, questions, besides=_names_besides(frame))
        plans.append(ready.select(selected))
    opened(frame.table)
    results = pl.collect_all(plans, engine="streaming")
    answers = answered(questions, results[-1]) if questions else {}
    suspected: list[tuple[Key, int, pl.Series]] = []
    for key, result in zip(keys, results, strict=False):
        suspects = _repeated(result.to_series())
        if suspects.is_empty():
            answers[key.metric] = DuplicateCounts(rows=result.height)
        else:
            suspected.append((key, result.height, suspects))
    if suspected:
        answers.update(confirmed(frame, suspected, opened=opened))
    return answers


def _read_besides(frame: Frame) -> list[pl.Expr]:
    """Return what makes the library read every field of a CSV file, and every line of a JSON one.

    A row with a stray separator is found only by one who reads it to its end: whatever is asked,
    its fields stand under the wrong names. A line that is no object is counted like any other by
    one who reads none of its values.
    """
    names = _names_besides(frame)
    return [pl.col(name).null_count().alias(f"\x00read{at}") for at, name in enumerate(names)]


def _names_besides(frame: Frame) -> list[str]:
    if not frame.data_format.is_text:
        return []
    return [one.name for one in frame.columns.columns] or frame.rows.collect_schema().names()


def _repeated(hashes: pl.Series) -> pl.Series:
    """Return each hash that occurs more than once. Sorting takes a third of a group-by's memory."""
    ordered = hashes.sort()
    return ordered.filter(ordered == ordered.shift()).unique()
