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
    OnRead,
    Question,
    aliased_expressions,
    prepare_rows,
    read_answers,
)
from contractwatch.engines.query import pruned_scan, pruning
from contractwatch.engines.query.key_confirmation import confirm_repeats
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import DuplicateCounts, Measurement, Unmeasured


def answer_questions(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, on_read: OnRead
) -> dict[Metric, Measurement]:
    """Answer all questions in one pass; if that fails, each by itself.

    Raises:
        SourceError: If the files cannot be read, whatever is asked.
    """
    try:
        return _single_pass(frame, questions, keys, on_read=on_read)
    except QUERY_FAILURES as error:
        _check_readable(frame, questions, keys, on_read=on_read)
        if len(questions) + len(keys) == 1:
            alone = questions[0].metric if questions else keys[0].metric
            return {alone: Unmeasured(query_failure_reason(error))}
    except OSError as error:
        raise table_error(error, frame.table, frame.data_format) from error
    answers: dict[Metric, Measurement] = {}
    for question in questions:
        answers.update(_answer_alone(frame, question.metric, [question], [], on_read))
    for key in keys:
        answers.update(_answer_alone(frame, key.metric, [], [key], on_read))
    return answers


def _answer_alone(
    frame: Frame, metric: Metric, questions: list[Question], keys: list[Key], on_read: OnRead
) -> dict[Metric, Measurement]:
    try:
        return _single_pass(frame, questions, keys, on_read=on_read)
    except QUERY_FAILURES as error:
        return {metric: Unmeasured(query_failure_reason(error))}
    except OSError as error:
        raise table_error(error, frame.table, frame.data_format) from error


def _check_readable(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, on_read: OnRead
) -> None:
    """Raise SourceError if the columns cannot be read even without the questions."""
    names = sorted({name for one in (*questions, *keys) for name in one.columns()})
    on_read(frame.table)
    try:
        probe = [pl.col(name).null_count() for name in names] or [pl.len()]
        probe += _full_read_expressions(frame)
        frame.rows.select(probe).collect(engine="streaming")
    except UNREADABLE as error:
        raise table_error(error, frame.table, frame.data_format) from error


def _single_pass(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, on_read: OnRead
) -> dict[Metric, Measurement]:
    if pruning.is_large(frame):
        try:
            return pruned_scan.pruned_scan(frame, questions, keys, on_read=on_read)
        except QUERY_FAILURES:
            pass  # the fused pass tells a bad question from bad data
    return read_once(frame, questions, keys, on_read=on_read)


def read_once(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key], *, on_read: OnRead
) -> dict[Metric, Measurement]:
    """Read the rows once for all questions, and once more only if keys may repeat."""
    # Without an explicit cache only some sources are shared between plans of one collect_all.
    rows = frame.rows.cache() if keys else frame.rows
    plans = [rows.select(key.hashed()) for key in keys]
    selected = [*aliased_expressions(questions), *_full_read_expressions(frame)]
    if selected:  # what is computed for questions alone comes after what the keys share
        ready = prepare_rows(rows, questions, other_columns=_unread_columns(frame))
        plans.append(ready.select(selected))
    on_read(frame.table)
    results = pl.collect_all(plans, engine="streaming")
    answers = read_answers(questions, results[-1]) if questions else {}
    suspected: list[tuple[Key, int, pl.Series]] = []
    for key, result in zip(keys, results, strict=False):
        suspects = _repeated_hashes(result.to_series())
        if suspects.is_empty():
            answers[key.metric] = DuplicateCounts(rows=result.height)
        else:
            suspected.append((key, result.height, suspects))
    if suspected:
        answers.update(confirm_repeats(frame, suspected, on_read=on_read))
    return answers


def _full_read_expressions(frame: Frame) -> list[pl.Expr]:
    """Return what makes the library read every field of a CSV file, and every line of a JSON one.

    A row with a stray separator is found only by one who reads it to its end: whatever is asked,
    its fields stand under the wrong names. A line that is no object is counted like any other by
    one who reads none of its values.
    """
    names = _unread_columns(frame)
    return [pl.col(name).null_count().alias(f"\x00read{at}") for at, name in enumerate(names)]


def _unread_columns(frame: Frame) -> list[str]:
    if not frame.data_format.is_text:
        return []
    return [one.name for one in frame.columns.columns] or frame.rows.collect_schema().names()


def _repeated_hashes(hashes: pl.Series) -> pl.Series:
    """Return each hash that occurs more than once; a sort needs a third of a group-by's memory."""
    ordered = hashes.sort()
    return ordered.filter(ordered == ordered.shift()).unique()
