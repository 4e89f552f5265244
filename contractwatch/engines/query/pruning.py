"""Skip rows that the statistics of a Parquet file rule out.

A question about violations can be asked as a filter: Polars leaves out the row groups whose
statistics show that no row can pass, and evaluates a set of values on dictionaries. Only predicates
are asked so whose type has no trap: bounds of floats are not, for statistics say nothing of NaN.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from contractwatch.engines.predicates import literals
from contractwatch.engines.predicates.expressions import ColumnView, violates
from contractwatch.engines.predicates.questions import Question, aliased_expressions
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.base.server import DataFormat
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import (
    CountWhere,
    IsAbove,
    IsBelow,
    IsInvalid,
    IsMissing,
    IsNull,
    Metric,
    RowCount,
    TableSchema,
    Unparseable,
)

MIN_PRUNED_BYTES = 1 << 20
"""Files smaller than this on the average are read whole: plans cost more than they save."""

_GROUP_BYTES = 8 << 20
"""Columns up to this total size in bytes are read in parallel: they need little memory."""

_MIN_COLUMN_BYTES = 32 << 10
"""So is a file of many columns, each of which is smaller than this on the average."""

_MAX_PLANS = 32
"""Each plan looks at every footer: wide tables share plans between columns."""


def is_large(frame: Frame) -> bool:
    """Return whether columns can be read separately, and are large enough for it."""
    least = max(MIN_PRUNED_BYTES, _MIN_COLUMN_BYTES * len(frame.columns.columns))
    return frame.data_format is DataFormat.PARQUET and frame.bytes_per_file >= least


def evidence_of(frame: Frame, metric: Metric) -> Evidence:
    """Return the evidence for the answer to a metric: statistics or scanned values."""
    match metric:
        case TableSchema():
            return Evidence.METADATA
        case Unparseable():
            found = frame.columns.find(metric.column)
            is_typed = not (frame.data_format.is_text or (found is not None and found.text))
            return Evidence.METADATA if is_typed else Evidence.SCAN
        case _:
            return Evidence.METADATA if _is_pruned(frame, metric) else Evidence.SCAN


def split_prunable(
    frame: Frame, questions: Iterable[Question]
) -> tuple[dict[str, list[Question]], list[Question]]:
    """Return the questions that statistics may answer, by column, and the others.

    The number of rows is under no column, the empty name.
    """
    pruned: dict[str, list[Question]] = {}
    others: list[Question] = []
    for question in questions:
        if _is_pruned(frame, question.metric):
            pruned.setdefault(_column(question.metric), []).append(question)
        else:
            others.append(question)
    return pruned, others


def prunable_plans(
    frame: Frame, pruned: dict[str, list[Question]]
) -> list[tuple[pl.LazyFrame, list[Question]]]:
    """Return lazy frames for the prunable questions, each with its questions."""
    made: list[tuple[pl.LazyFrame, list[Question]]] = []
    counts = pruned.get("", [])
    if counts:
        made.append((frame.rows.select(aliased_expressions(counts)), counts))
    columns = [column for column in pruned if column]
    share = -(-len(columns) // _MAX_PLANS) or 1
    for start in range(0, len(columns), share):
        asked = [one for column in columns[start : start + share] for one in pruned[column]]
        passing = [
            found for one in asked if (found := _prunable_filter(frame, one.metric)) is not None
        ]
        made.append(
            (
                frame.rows.filter(passing[0].or_(*passing[1:])).select(aliased_expressions(asked)),
                asked,
            )
        )
    return made


def group_by_columns(questions: Iterable[Question]) -> list[list[Question]]:
    """Return the questions in groups that have no column in common.

    One about no column is put to another: the number of rows alone would be taken from statistics.
    """
    groups: dict[int, list[Question]] = {}
    columns_of: dict[int, set[str]] = {}
    group_of: dict[str, int] = {}
    homeless: list[Question] = []
    for number, question in enumerate(questions):
        names = question.columns()
        if not names:
            homeless.append(question)
            continue
        met = sorted({group_of[name] for name in names if name in group_of})
        # the smaller ones join the largest, so that many columns take little time
        *smaller, joined = sorted(met, key=lambda group: (len(groups[group]), -group)) or [number]
        members, columns = groups.setdefault(joined, []), columns_of.setdefault(joined, set())
        columns |= names
        for group in smaller:
            members += groups.pop(group)
            moved = columns_of.pop(group)
            columns |= moved
            group_of.update(dict.fromkeys(moved, joined))
        members.append(question)
        group_of.update(dict.fromkeys(names, joined))
    found = list(groups.values())
    return [[*homeless, *found[0]], *found[1:]] if found else [homeless] * bool(homeless)


def merge_small_groups(frame: Frame, groups: Sequence[list[Question]]) -> list[list[Question]]:
    """Return the groups put together as far as their columns are small, to be asked one by one.

    Each query looks at all columns of the table, so that one a column would cost their square.
    """
    if not groups:
        return []
    share = _columns_per_query(frame, len(groups))
    return [
        [question for group in groups[start : start + share] for question in group]
        for start in range(0, len(groups), share)
    ]


def _columns_per_query(frame: Frame, count: int) -> int:
    """Return the number of columns to ask in one query."""
    of_column = frame.bytes // max(1, len(frame.columns.columns))
    return max(1, _GROUP_BYTES // max(1, of_column), -(-count // _MAX_PLANS))


def _is_pruned(frame: Frame, metric: Metric) -> bool:
    if not (frame.trusts_statistics and is_large(frame)):
        return False
    return isinstance(metric, RowCount) or _prunable_filter(frame, metric) is not None


def _column(metric: Metric) -> str:
    return metric.predicate.column if isinstance(metric, CountWhere) else ""


def _prunable_filter(frame: Frame, metric: Metric) -> pl.Expr | None:
    """Return a filter for possibly violating rows that statistics can decide, or None."""
    if not isinstance(metric, CountWhere):
        return None
    found = frame.columns.find(metric.predicate.column)
    cells = frame.cells.get(found.name) if found else None
    if cells is None or cells.within is not None or not cells.raw.meta.is_column():
        return None
    predicate = metric.predicate
    if isinstance(predicate, IsNull):
        return cells.raw.is_null()
    if not cells.value.meta.is_column():
        return None
    try:
        match predicate:
            case IsBelow() | IsAbove():
                return _bound_comparison(predicate, cells)
            case IsMissing() | IsInvalid(pattern=None) if cells.dtype == pl.String:
                return violates(predicate, cells)
            case _:
                return None
    except literals.UncastableError:
        return None


def _bound_comparison(predicate: IsBelow | IsAbove, cells: ColumnView) -> pl.Expr | None:
    """Return the comparison with a bound of the column's type: statistics decide no other."""
    if not literals.is_discrete(cells.dtype) or cells.dtype == pl.Time:
        return None
    exact = literals.steps(predicate.bound, cells.dtype, predicate.timezone)
    is_below = isinstance(predicate, IsBelow)
    nearest = literals.ceil_steps(exact) if is_below else literals.floor_steps(exact)
    bound = literals.literal(nearest, cells.dtype)
    if bound is None:
        return None
    inclusive = predicate.exclusive and exact == nearest
    if is_below:
        return cells.value <= bound if inclusive else cells.value < bound
    return cells.value >= bound if inclusive else cells.value > bound
