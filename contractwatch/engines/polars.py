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

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, assert_never

import polars as pl

from contractwatch.engines.expressions import Cells, instants, violates
from contractwatch.engines.failures import QUERY_FAILURES, UNREADABLE, refusal, unreadable
from contractwatch.engines.frames import Frame, open_table
from contractwatch.engines.literals import UncastableError
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
from contractwatch.model.state import Count, Measurement, Repeats, Span, Unmeasured

FUTURE_ALLOWANCE = timedelta(minutes=5)
"""A clock may be this far ahead before its timestamps count as future."""

Answer: TypeAlias = tuple[int | None, ...]
Opened: TypeAlias = Callable[[str], None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Survey:
    """The answers, and the tables that could not be read, each with its failure."""

    measurements: Mapping[Metric, Measurement]
    failures: Mapping[str, SourceError]


@dataclass(frozen=True, slots=True)
class _Question:
    """What is selected for a metric, and how the selected numbers become its answer.

    `derived` are columns that are computed once for all of `selected`.
    """

    metric: Metric
    selected: tuple[pl.Expr, ...]
    answer: Callable[[Answer], Measurement]
    derived: Mapping[str, pl.Expr] = field(default_factory=dict[str, pl.Expr])


@dataclass(frozen=True, slots=True)
class _Key:
    """What is distinct for a metric: the members of the key, all of them not null.

    Rows are left out inside the expressions: a filter of the frame would be pushed below the scan
    that the plans share, and split it.
    """

    metric: SurplusRows
    members: tuple[pl.Expr, ...]

    def hashed(self) -> pl.Expr:
        """Return a number a complete key: equal for equal keys, and hardly ever for others."""
        return self._hash().filter(self._is_complete()).alias("hash")

    def suspected(self, suspects: pl.Series) -> list[pl.Expr]:
        """Return the members of the complete keys whose hash is one of the suspects."""
        chosen = self._is_complete() & self._hash().is_in(suspects.implode())
        return [member.filter(chosen).alias(str(at)) for at, member in enumerate(self.members)]

    def _hash(self) -> pl.Expr:
        named = [member.alias(str(at)) for at, member in enumerate(self.members)]
        return pl.struct(named).hash(seed=0)

    def _is_complete(self) -> pl.Expr:
        return pl.all_horizontal(member.is_not_null() for member in self.members)


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
    questions: list[_Question] = []
    keys: list[_Key] = []
    empty = pl.LazyFrame(schema=frame.rows.collect_schema())
    for metric in metrics:
        known = _from_schema(frame, metric)
        planned = known or _planned(frame, metric, empty, now=now)
        match planned:
            case _Question():
                questions.append(planned)
            case _Key():
                keys.append(planned)
            case _:
                answers[metric] = planned
    if questions or keys:
        answers.update(_read(frame, questions, keys, opened=opened))
    return answers


def _planned(
    frame: Frame, metric: Metric, empty: pl.LazyFrame, *, now: datetime
) -> _Question | _Key | Unmeasured:
    """Return how the metric is asked, or why it cannot be."""
    try:
        planned = _question(frame, metric, now)
        if isinstance(planned, _Question):
            empty.with_columns(**planned.derived).select(_aliased([planned])).collect_schema()
        elif isinstance(planned, _Key):
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


def _question(frame: Frame, metric: Metric, now: datetime) -> _Question | _Key | Unmeasured:
    match metric:
        case RowCount():
            return _Question(metric, (pl.len(),), _counted)
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


def _count(frame: Frame, metric: CountWhere | Unparseable, column: str) -> _Question | Unmeasured:
    cells = _cells(frame, column)
    if isinstance(cells, Unmeasured):
        return cells
    if isinstance(metric, CountWhere):
        return _Question(metric, (violates(metric.predicate, cells).sum(),), _counted)
    readable = cells.raw.is_null() if cells.readable is None else cells.readable
    return _Question(metric, (readable.not_().sum(),), _counted)


def _key(frame: Frame, metric: SurplusRows) -> _Key | Unmeasured:
    found = [_cells(frame, column) for column in metric.columns]
    missing = next((cells for cells in found if isinstance(cells, Unmeasured)), None)
    return missing or _Key(
        metric, tuple(cells.value for cells in found if isinstance(cells, Cells))
    )


def _time_span(metric: TimeSpan, cells: Cells, now: datetime) -> _Question:
    name = f"\x00instant {metric.column} {metric.timezone}"
    instant = pl.col(name)
    horizon = (now + FUTURE_ALLOWANCE - _EPOCH) // _MICROSECOND
    present = pl.when(instant <= horizon).then(instant)
    selected = (present.min(), present.max(), cells.is_present.sum(), (instant > horizon).sum())
    derived = {name: instants(cells, metric.timezone).to_physical()}
    return _Question(metric, selected, _spanned, derived)


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


def _aliased(questions: Iterable[_Question]) -> list[pl.Expr]:
    """Return all expressions under names of their own: equal output names end a select."""
    selected = [expression for question in questions for expression in question.selected]
    return [expression.alias(str(position)) for position, expression in enumerate(selected)]


def _read(
    frame: Frame, questions: Sequence[_Question], keys: Sequence[_Key], *, opened: Opened
) -> dict[Metric, Measurement]:
    try:
        return _pass(frame, questions, keys, opened=opened)
    except QUERY_FAILURES as error:
        _check_readable(frame, questions, keys, opened=opened)
        if len(questions) + len(keys) == 1:
            alone = questions[0].metric if questions else keys[0].metric
            return {alone: Unmeasured(refusal(error))}
    except OSError as error:
        raise unreadable(error, frame.table, frame.data_format) from error
    answers: dict[Metric, Measurement] = {}
    for question in questions:
        answers.update(_alone(frame, question.metric, [question], [], opened))
    for key in keys:
        answers.update(_alone(frame, key.metric, [], [key], opened))
    return answers


def _alone(
    frame: Frame, metric: Metric, questions: list[_Question], keys: list[_Key], opened: Opened
) -> dict[Metric, Measurement]:
    try:
        return _pass(frame, questions, keys, opened=opened)
    except QUERY_FAILURES as error:
        return {metric: Unmeasured(refusal(error))}
    except OSError as error:
        raise unreadable(error, frame.table, frame.data_format) from error


def _check_readable(
    frame: Frame, questions: Sequence[_Question], keys: Sequence[_Key], *, opened: Opened
) -> None:
    """Raise SourceError if the columns in question cannot be read even when nothing is asked."""
    derived = {name: column for question in questions for name, column in question.derived.items()}
    expressions = [expression for question in questions for expression in question.selected]
    expressions += [*derived.values(), *(member for key in keys for member in key.members)]
    roots = {name for expression in expressions for name in expression.meta.root_names()}
    names = sorted(roots - derived.keys())
    opened(frame.table)
    try:
        probe = [pl.col(name).null_count() for name in names] or [pl.len()]
        frame.rows.select(probe).collect(engine="streaming")
    except UNREADABLE as error:
        raise unreadable(error, frame.table, frame.data_format) from error


def _pass(
    frame: Frame, questions: Sequence[_Question], keys: Sequence[_Key], *, opened: Opened
) -> dict[Metric, Measurement]:
    """Read the rows once for everything, and once more only if keys seem to repeat."""
    derived = {name: column for question in questions for name, column in question.derived.items()}
    # Without an explicit cache only some sources are shared between plans of one collect_all.
    rows = frame.rows.with_columns(**derived) if derived else frame.rows
    rows = rows.cache() if keys else rows
    plans = [rows.select(key.hashed()) for key in keys]
    if questions:
        plans.append(rows.select(_aliased(questions)))
    opened(frame.table)
    results = pl.collect_all(plans, engine="streaming")
    answers: dict[Metric, Measurement] = {}
    if questions:
        numbers = iter(results[-1].row(0))
        for question in questions:
            answer = tuple(next(numbers) for _ in question.selected)
            answers[question.metric] = question.answer(answer)
    suspected: list[tuple[_Key, int, pl.Series]] = []
    for key, result in zip(keys, results, strict=False):
        suspects = _repeated(result.to_series())
        if suspects.is_empty():
            answers[key.metric] = Repeats(rows=result.height)
        else:
            suspected.append((key, result.height, suspects))
    if suspected:
        answers.update(_confirmed(frame, suspected, opened=opened))
    return answers


def _repeated(hashes: pl.Series) -> pl.Series:
    """Return each hash that occurs more than once. Sorting takes a third of a group-by's memory."""
    ordered = hashes.sort()
    return ordered.filter(ordered == ordered.shift()).unique()


def _confirmed(
    frame: Frame, suspected: Sequence[tuple[_Key, int, pl.Series]], *, opened: Opened
) -> dict[Metric, Measurement]:
    """Count the keys of suspects exactly: equal hashes may belong to unequal keys."""
    rows = frame.rows.cache()
    plans: list[pl.LazyFrame] = []
    for key, _, suspects in suspected:
        members = key.suspected(suspects)
        names = [str(position) for position in range(len(members))]
        repeated = rows.select(members).group_by(names).len("rows").filter(pl.col("rows") > 1)
        plans.append(repeated.select(keys=pl.len(), affected=pl.col("rows").sum()))
    opened(frame.table)
    answers: dict[Metric, Measurement] = {}
    results = pl.collect_all(plans, engine="streaming")
    for (key, height, _), result in zip(suspected, results, strict=True):
        keys, affected = result.row(0)
        answers[key.metric] = Repeats(height, affected - keys, keys, affected)
    return answers
