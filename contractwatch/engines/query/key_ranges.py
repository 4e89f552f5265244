"""Ask for the range of a key; files whose ranges do not overlap cannot share one."""

import polars as pl

from contractwatch.engines.predicates.literals import is_discrete
from contractwatch.engines.predicates.questions import Key, Question, SelectedNumbers
from contractwatch.model.measure.metric import KeyRange
from contractwatch.model.measure.state import KeyBounds, Measurement


def range_question(metric: KeyRange, key: Key, rows: pl.LazyFrame) -> Question:
    """Return how the range of a key is asked in the pass that others share.

    Args:
        metric: The question.
        key: The members of the key, as they are compared.
        rows: Those of the table, to know the types by.
    """
    types = pl.LazyFrame(schema=rows.collect_schema()).select(
        member.alias(str(at)) for at, member in enumerate(key.members)
    )
    bounded = not metric.closed and all(map(is_discrete, types.collect_schema().values()))
    bounds = [
        bound
        for member in (key.members if bounded else ())
        for bound in (member.to_physical().min(), member.to_physical().max())
    ]
    return Question(metric, (key.is_complete().sum(), *bounds), _range_answer)


def _range_answer(answer: SelectedNumbers) -> Measurement:
    """Return the range; rows with a null in another member only widen it, which is harmless."""
    rows, *bounds = answer
    known = [bound for bound in bounds if bound is not None]
    if not rows or len(known) < len(bounds):
        return KeyBounds(rows or 0)
    return KeyBounds(rows, tuple(zip(known[::2], known[1::2], strict=True)))
