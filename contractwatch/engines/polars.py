"""All questions about a table are answered in one pass over its files.

1. Open: footers, headers and keys tell the columns; no row is read.
2. Refuse by plan: a question that does not fit its column is `Unmeasured` before any row is read.
3. Fuse: one select for all that adds up. Keys that must be unique leave the same pass as 64-bit
   hashes: distinct hashes prove distinct keys.
4. Confirm: equal hashes are only a suspicion. A second pass reads the suspects' keys and counts
   them exactly.
5. If the pass fails although the files can be read, each question is asked alone, so that only the
   one to blame has no answer.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import assert_never

import polars as pl

from contractwatch.engines.expressions import Cells, instants, violates
from contractwatch.engines.failures import QUERY_FAILURES, refusal
from contractwatch.engines.frames import Frame, open_table
from contractwatch.engines.literals import UncastableError
from contractwatch.engines.passes import read
from contractwatch.engines.questions import Answer, Key, Opened, Question, aliased
from contractwatch.errors import SourceError
from contractwatch.model.dataset import Dataset, TableFiles
from contractwatch.model.metric import (
    CountWhere,
    Metric,
    Probes,
    RowCount,
    SurplusRows,
    TableSchema,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.state import Count, Measurement, Span, Unmeasured

FUTURE_ALLOWANCE = timedelta(minutes=5)
"""A clock may be this far ahead before its timestamps count as future."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Survey:
    """The answers, and the tables that could not be read, each with its failure."""

    measurements: Mapping[Metric, Measurement]
    failures: Mapping[str, SourceError]


def measure(
    dataset: Dataset,
    metrics: Iterable[Metric],
    *,
    now: datetime,
    opened: Opened | None = None,
) -> dict[Metric, Measurement]:
    """Answer every metric but `Probes`; what has no answer is `Unmeasured` with the reason.

    Args:
        dataset: The tables of one server.
        metrics: The questions; equal ones are asked once.
        now: The run's instant: later values count as future, with five minutes' allowance.
        opened: Called with the table each time that its rows are about to be read.
    """
    return dict(survey(dataset, metrics, now=now, opened=opened).measurements)


def survey(
    dataset: Dataset,
    metrics: Iterable[Metric],
    *,
    now: datetime,
    opened: Opened | None = None,
    open_rows: Callable[[TableFiles], Frame] = open_table,
) -> Survey:
    """Answer as `measure` does, and say which tables could not be read.

    Args:
        dataset: The tables of one server.
        metrics: The questions.
        now: The run's instant.
        opened: Called with the table each time that its rows are about to be read.
        open_rows: How a table's files become a frame.
    """
    files = {table.table: table for table in dataset.tables}
    asked: dict[str, list[Metric]] = {name: [] for name in files}
    answers: dict[Metric, Measurement] = {}
    failures: dict[str, SourceError] = {}
    for metric in dict.fromkeys(metrics):
        if isinstance(metric, Probes):
            continue
        if metric.table in asked:
            asked[metric.table].append(metric)
        else:
            answers[metric] = Unmeasured(f"the server has no table {metric.table!r}")
    for table, questions in asked.items():
        try:
            frame = open_rows(files[table])
        except SourceError as error:
            failures[table] = error
            answers.update(dict.fromkeys(questions, Unmeasured(str(error))))
            continue
        try:
            answers.update(_ask(frame, questions, now=now, opened=opened or _unheard))
        except SourceError as error:
            failures[table] = error
            unread = Unmeasured(str(error))
            answers.update({m: _from_schema(frame, m) or unread for m in questions})
    return Survey(answers, failures)


def _unheard(table: str) -> None:
    """Nobody counts."""


def _from_schema(frame: Frame, metric: Metric) -> Measurement | None:
    """Return the answer that needs no rows, or None."""
    if isinstance(metric, TableSchema):
        return Unmeasured(frame.no_columns) if frame.no_columns else frame.columns
    if isinstance(metric, Unparseable):
        cells = _cells(frame, metric.column)
        return Count(0) if isinstance(cells, Cells) and cells.readable is None else None
    return None


def _ask(
    frame: Frame, metrics: Iterable[Metric], *, now: datetime, opened: Opened
) -> dict[Metric, Measurement]:
    answers: dict[Metric, Measurement] = {}
    questions: list[Question] = []
    keys: list[Key] = []
    empty = pl.LazyFrame(schema=frame.rows.collect_schema())
    for metric in metrics:
        known = _from_schema(frame, metric)
        planned = known or _planned(frame, metric, empty, now=now)
        match planned:
            case Question():
                questions.append(planned)
            case Key():
                keys.append(planned)
            case _:
                answers[metric] = planned
    if questions or keys:
        answers.update(read(frame, questions, keys, opened=opened))
    return answers


def _planned(
    frame: Frame, metric: Metric, empty: pl.LazyFrame, *, now: datetime
) -> Question | Key | Unmeasured:
    """Return how the metric is asked, or why it cannot be."""
    try:
        planned = _question(frame, metric, now)
        if isinstance(planned, Question):
            empty.with_columns(**planned.derived).select(aliased([planned])).collect_schema()
        elif isinstance(planned, Key):
            empty.select(planned.hashed()).collect_schema()
    except UncastableError as error:
        return Unmeasured(str(error))
    except QUERY_FAILURES as error:
        return Unmeasured(refusal(error))
    return planned


def _cells(frame: Frame, column: str) -> Cells | Unmeasured:
    found = frame.columns.find(column)
    if found is None:
        return frame.cells.get(column) or Unmeasured(f"column {column!r} is missing")
    return frame.cells.get(found.name) or Unmeasured(
        f"the files do not agree about the type of column {column!r}"
    )


def _question(frame: Frame, metric: Metric, now: datetime) -> Question | Key | Unmeasured:
    match metric:
        case RowCount():
            return Question(metric, (pl.len(),), _counted)
        case CountWhere():
            return _count(frame, metric, metric.predicate.column)
        case Unparseable():
            return _count(frame, metric, metric.column)
        case SurplusRows():
            return _key(frame, metric)
        case TimeSpan():
            cells = _cells(frame, metric.column)
            return cells if isinstance(cells, Unmeasured) else _time_span(metric, cells, now)
        case TableSchema() | Probes():
            return Unmeasured("this question is not about rows")
        case _:
            assert_never(metric)


def _count(frame: Frame, metric: CountWhere | Unparseable, column: str) -> Question | Unmeasured:
    cells = _cells(frame, column)
    if isinstance(cells, Unmeasured):
        return cells
    if isinstance(metric, CountWhere):
        return Question(metric, (violates(metric.predicate, cells).sum(),), _counted)
    readable = cells.raw.is_null() if cells.readable is None else cells.readable
    return Question(metric, (readable.not_().sum(),), _counted)


def _key(frame: Frame, metric: SurplusRows) -> Key | Unmeasured:
    found = [_cells(frame, column) for column in metric.columns]
    missing = next((cells for cells in found if isinstance(cells, Unmeasured)), None)
    return missing or Key(metric, tuple(cells.value for cells in found if isinstance(cells, Cells)))


def _time_span(metric: TimeSpan, cells: Cells, now: datetime) -> Question:
    name = f"\x00instant {metric.column} {metric.timezone}"
    instant = pl.col(name)
    horizon = (now + FUTURE_ALLOWANCE - _EPOCH) // _MICROSECOND
    present = pl.when(instant <= horizon).then(instant)
    selected = (present.min(), present.max(), cells.is_present.sum(), (instant > horizon).sum())
    derived = {name: instants(cells, metric.timezone).to_physical()}
    return Question(metric, selected, _spanned, derived)


def _counted(answer: Answer) -> Measurement:
    return Count(answer[0] or 0)


def _spanned(answer: Answer) -> Measurement:
    oldest, newest, rows, future = answer
    return Span(_as_instant(oldest), _as_instant(newest), rows or 0, future or 0)


def _as_instant(microseconds: int | None) -> datetime | None:
    """Return the instant; years before 1, which Python does not have, as the first one."""
    if microseconds is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
