"""Answer all questions about a table in one pass over its files.

1. Open: the columns come from footers, headers and keys; no row is read.
2. Refuse by plan: a question that does not fit its column is `Unmeasured` before any row is read.
3. Fuse: one select for all that adds up. Keys that must be unique leave the same pass as 64-bit
   hashes: distinct hashes prove distinct keys.
4. Confirm: equal hashes are only a suspicion. A second pass reads the suspects' keys and counts
   them exactly.
5. If the pass fails although the files can be read, each question is asked alone, so that only the
   one to blame has no answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

import polars as pl

from contractwatch.engines.core.failures import (
    NOT_AN_OBJECT,
    QUERY_FAILURES,
    UNREADABLE,
    query_failure_reason,
    table_error,
)
from contractwatch.engines.predicates.expressions import (
    ColumnView,
    key_member,
    refuse_unreadable,
    violates_over_columns,
)
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.predicates.object_columns import ObjectIndex
from contractwatch.engines.predicates.questions import (
    Key,
    OnRead,
    Question,
    aliased_expressions,
    prepare_rows,
)
from contractwatch.engines.query.key_ranges import range_question
from contractwatch.engines.query.passes import answer_questions
from contractwatch.engines.query.pruning import evidence_of
from contractwatch.engines.query.separate_pass import separate_pass
from contractwatch.engines.query.times import counted, time_question
from contractwatch.engines.tables.error_location import with_location
from contractwatch.engines.tables.frames import Frame, open_table
from contractwatch.engines.tables.unreadable_cells import with_shapes
from contractwatch.errors import SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import Dataset, TableFiles
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import (
    BadRows,
    BadRowsAcross,
    CountWhere,
    Delays,
    IncidentTimes,
    KeyRange,
    Metric,
    Probes,
    RecentRows,
    RecordMetric,
    RowCount,
    RowHistory,
    SeparatePassMetric,
    SurplusRows,
    TableSchema,
    TimeSpan,
    Unparseable,
    UpdateHistory,
)
from contractwatch.model.measure.state import ColumnType, Count, Measurement, Unmeasured
from contractwatch.model.promises.personal_data import PersonalDataHits
from contractwatch.model.promises.reference import CoveredKeys, Orphans, SegmentsOf, Total
from contractwatch.model.promises.segment import RowsPerCell
from contractwatch.model.promises.sql import SqlScalar


@dataclass(frozen=True, slots=True)
class Survey:
    """Answers to metrics with their evidence, and the tables that could not be read."""

    measurements: Mapping[Metric, Measurement]
    failures: Mapping[str, SourceError]
    evidence: Mapping[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])


def measure(
    dataset: Dataset,
    metrics: Iterable[Metric],
    *,
    now: datetime,
    on_read: OnRead | None = None,
) -> dict[Metric, Measurement]:
    """Answer metrics of a dataset; one without an answer is `Unmeasured` with the reason.

    Args:
        dataset: The tables of one server.
        metrics: The questions; equal ones are asked once.
        now: The run's instant: later values count as future, with five minutes' allowance.
        on_read: Called with the table each time that its rows are about to be read.
    """
    return dict(survey(dataset, metrics, now=now, on_read=on_read).measurements)


def survey(
    dataset: Dataset,
    metrics: Iterable[Metric],
    *,
    now: datetime,
    on_read: OnRead | None = None,
    open_rows: Callable[[TableFiles], Frame] = open_table,
    trusts_statistics: bool = True,
) -> Survey:
    """Answer metrics as `measure` does, with their evidence and the tables that failed.

    Args:
        dataset: The tables of one server.
        metrics: The questions.
        now: The run's instant.
        on_read: Called with the table each time that its rows are about to be read.
        open_rows: How a table's files become a frame.
        trusts_statistics: Whether what files say of their values may stand in for reading them.
    """
    files = {table.table: table for table in dataset.tables}
    answers: dict[Metric, Measurement] = {}
    failures = dict(dataset.missing_tables)
    evidence: dict[Metric, Evidence] = {}
    readable: dict[str, Frame] = {}
    of_data = [one for one in dict.fromkeys(metrics) if not isinstance(one, RecordMetric)]
    queries = [one for one in of_data if isinstance(one, SqlScalar)]
    asked: dict[str, list[Metric]] = {name: [] for name in files}
    for metric in of_data:
        if metric.table not in asked:
            answers[metric] = Unmeasured(dataset.missing_reason(metric.table))
        elif not isinstance(metric, SqlScalar):
            asked[metric.table].append(metric)
    for table, questions in asked.items():
        trusts = trusts_statistics and not files[table].where

        def ask(frame: Frame, questions: list[Metric] = questions) -> dict[Metric, Measurement]:
            return _answer_metrics(
                frame, questions, queries, now=now, on_read=on_read or _ignore_read
            )

        try:
            frame = replace(open_rows(files[table]), trusts_statistics=trusts)
        except SourceError as error:
            failures[table] = with_location(error, files[table])
            answers.update(dict.fromkeys(questions, Unmeasured(str(failures[table]))))
            continue
        evidence.update({metric: evidence_of(frame, metric) for metric in questions})
        try:
            frame, found = _answer_table(frame, files[table], ask, open_rows)
            answers.update(found)
        except SourceError as error:
            failures[table] = with_location(error, files[table])
            unread = Unmeasured(str(failures[table]))
            answers.update({m: _answer_from_schema(frame, m) or unread for m in questions})
        readable[table] = frame
    answers.update(_answer_queries(queries, readable, files, failures))
    return Survey(answers, failures, evidence)


def answer_frame(
    frame: Frame, metrics: Iterable[Metric], *, now: datetime
) -> dict[Metric, Measurement]:
    """Answer metrics about the rows of one opened table, whatever they come from.

    Raises:
        SourceError: If its rows cannot be read.
    """
    return _answer_metrics(frame, metrics, (), now=now, on_read=_ignore_read)


def _answer_queries(
    queries: Sequence[SqlScalar],
    frames: Mapping[str, Frame],
    files: Mapping[str, TableFiles],
    failures: Mapping[str, SourceError],
) -> dict[Metric, Measurement]:
    if not queries:
        return {}
    # Imported here because DuckDB and the parser take half a second that only SQL rules need.
    from contractwatch.engines.duckdb.queries import SqlTable, answer_queries  # noqa: PLC0415 - see above

    tables = {name: SqlTable(frame, files[name].columns) for name, frame in frames.items()}
    return answer_queries(queries, tables, failures)


def _answer_table(
    frame: Frame,
    files: TableFiles,
    ask: Callable[[Frame], dict[Metric, Measurement]],
    open_rows: Callable[[TableFiles], Frame],
) -> tuple[Frame, dict[Metric, Measurement]]:
    """Return the answers, and the frame that they are from."""
    try:
        return frame, ask(frame)
    except SourceError as error:
        if not _is_read_by_line(error, files):
            raise
    by_line = open_rows(replace(files, by_line=True))
    return by_line, ask(by_line)


def _is_read_by_line(error: SourceError, files: TableFiles) -> bool:
    """Return whether to retry line by line: Polars failed at a line that may be valid."""
    return (
        NOT_AN_OBJECT in str(error) and files.data_format is DataFormat.JSON and not files.by_line
    )


def _ignore_read(table: str) -> None:
    """Ignore that a table is read."""


def _answer_from_schema(frame: Frame, metric: Metric) -> Measurement | None:
    """Return the answer that the schema alone gives, or None."""
    if isinstance(metric, TableSchema):
        return Unmeasured(frame.no_columns) if frame.no_columns else frame.columns
    if isinstance(metric, Unparseable):
        cells = _column_view(frame, metric.column)
        is_typed = isinstance(cells, ColumnView) and cells.readable is None and cells.is_day is None
        return Count(0) if is_typed else None
    return None


def _answer_metrics(
    frame: Frame,
    metrics: Iterable[Metric],
    queries: Iterable[SqlScalar],
    *,
    now: datetime,
    on_read: OnRead,
) -> dict[Metric, Measurement]:
    """Answer the metrics of a table; reads all of a text file that is read again later.

    Queries and passes of their own read the columns that they name, and would count broken lines.
    """
    try:
        return _answers(frame, metrics, queries, now=now, on_read=on_read)
    except UNREADABLE as error:  # what the library finds out late, such as a type it cannot hold
        raise table_error(error, frame.table, frame.data_format) from error


def _answers(
    frame: Frame,
    metrics: Iterable[Metric],
    queries: Iterable[SqlScalar],
    *,
    now: datetime,
    on_read: OnRead,
) -> dict[Metric, Measurement]:
    answers: dict[Metric, Measurement] = {}
    questions: list[Question] = []
    keys: list[Key] = []
    alone: list[SeparatePassMetric] = []
    objects = ObjectIndex()
    for metric in metrics:
        if isinstance(metric, SeparatePassMetric) and not frame.refused:
            alone.append(metric)
            continue
        known = _answer_from_schema(frame, metric)
        refused = Unmeasured(frame.refused) if frame.refused else None
        planned = known or refused or _plan_metric(frame, metric, objects, now=now)
        match planned:
            case Question():
                questions.append(planned)
            case Key():
                keys.append(planned)
            case _:
                answers[metric] = planned
    unfit = _type_failures(frame, questions, keys)
    answers.update(unfit)
    questions = [one for one in questions if one.metric not in unfit]
    keys = [one for one in keys if one.metric not in unfit]
    if questions or keys or _is_read_again(frame, queries, alone):
        answers.update(answer_questions(frame, questions, keys, on_read=on_read))
        answers.update(with_shapes(frame, answers))
    answers.update(separate_pass(frame, alone, now=now, on_read=on_read))
    return answers


def _is_read_again(
    frame: Frame, queries: Iterable[SqlScalar], alone: Iterable[SeparatePassMetric]
) -> bool:
    if frame.refused or not frame.data_format.is_text:
        return False
    return any(alone) or any(frame.table in query.tables for query in queries)


def _plan_metric(
    frame: Frame, metric: Metric, objects: ObjectIndex, *, now: datetime
) -> Question | Key | Unmeasured:
    """Return the question for a metric, or why it cannot be answered."""
    try:
        return _question(frame, metric, objects, now)
    except UncastableError as error:
        return Unmeasured(str(error))
    except QUERY_FAILURES as error:
        return Unmeasured(query_failure_reason(error))


def _type_failures(
    frame: Frame, questions: Sequence[Question], keys: Sequence[Key]
) -> dict[Metric, Unmeasured]:
    """Return the questions that do not fit the types of their columns, each with the reason.

    All are tried at once, on no rows, and only if that fails each alone.
    """
    types = frame.rows.collect_schema()
    try:
        _try_types(types, questions, keys)
    except QUERY_FAILURES:
        pass
    else:
        return {}
    unfit: dict[Metric, Unmeasured] = {}
    for one in (*questions, *keys):
        own_types = {name: types[name] for name in one.columns() if name in types}
        try:
            if isinstance(one, Question):
                _try_types(own_types, [one], [])
            else:
                _try_types(own_types, [], [one])
        except QUERY_FAILURES as error:
            unfit[one.metric] = Unmeasured(query_failure_reason(error))
    return unfit


def _try_types(
    types: Mapping[str, pl.DataType], questions: Sequence[Question], keys: Sequence[Key]
) -> None:
    empty = pl.LazyFrame(schema=types)
    if questions:
        prepare_rows(empty, questions).select(aliased_expressions(questions)).collect_schema()
    hashes = [key.hashed().len().alias(str(at)) for at, key in enumerate(keys)]
    if hashes:
        empty.select(hashes).collect_schema()


def _column_view(frame: Frame, column: str) -> ColumnView | Unmeasured:
    found = frame.columns.find(column)
    if found is None:
        return frame.cells.get(column) or Unmeasured(f"column {column!r} is missing")
    return frame.cells.get(found.name) or Unmeasured(_refusal_of(found))


def _refusal_of(column: ColumnType) -> str:
    if column.kind == "other":
        return f"the files do not agree about the type of column {column.name!r}"
    return f"column {column.name!r} is of type {column.physical}, which is not read"


def _question(
    frame: Frame, metric: Metric, objects: ObjectIndex, now: datetime
) -> Question | Key | Unmeasured:
    match metric:
        case RowCount():
            return Question(metric, (pl.len(),), counted)
        case CountWhere():
            return _count(frame, metric, objects)
        case Unparseable():
            return _count_unparseable(frame, metric, objects)
        case SurplusRows() | KeyRange():
            return _key_question(frame, metric)
        case TimeSpan() | Delays() | RecentRows() | BadRows():
            return time_question(metric, lambda column: _column_view(frame, column), objects, now)
        case (
            TableSchema()
            | Probes()
            | UpdateHistory()
            | RowHistory()
            | IncidentTimes()
            | SqlScalar()
        ):
            return Unmeasured("this question is not about rows")
        case (
            Orphans()
            | CoveredKeys()
            | SegmentsOf()
            | Total()
            | BadRowsAcross()
            | RowsPerCell()
            | PersonalDataHits()
        ):
            return Unmeasured("this question is not asked in the pass that others share")
        case _:
            assert_never(metric)


def _count(frame: Frame, metric: CountWhere, objects: ObjectIndex) -> Question | Unmeasured:
    cells = _column_view(frame, metric.predicate.column)
    if isinstance(cells, Unmeasured):
        return cells
    violating, members = violates_over_columns(metric.predicate, cells, objects)
    return Question(metric, (violating.sum(),), counted, members=members)


def _count_unparseable(
    frame: Frame, metric: Unparseable, objects: ObjectIndex
) -> Question | Unmeasured:
    cells = _column_view(frame, metric.column)
    if isinstance(cells, Unmeasured):
        return cells
    refuse_unreadable(cells)
    if cells.within is not None:
        mismatched, members = cells.within.type_mismatches_over_columns(metric.path, objects)
        return Question(metric, (mismatched.sum(),), counted, members=members)
    of_type = cells.is_day if cells.readable is None else cells.readable
    readable = cells.raw.is_null() if of_type is None else of_type
    return Question(metric, (readable.not_().sum(),), counted)


def _key_question(frame: Frame, metric: SurplusRows | KeyRange) -> Question | Key | Unmeasured:
    if isinstance(metric, SurplusRows):
        return key_of(frame, metric)
    key = key_of(frame, SurplusRows(metric.table, metric.columns, metric.paths))
    return key if isinstance(key, Unmeasured) else range_question(metric, key, frame.rows)


def key_of(frame: Frame, metric: SurplusRows) -> Key | Unmeasured:
    """Return the members of a key, or why there are none.

    Raises:
        UncastableError: If the type of a column has no such member.
    """
    found = [_column_view(frame, column) for column in metric.columns]
    missing = next((cells for cells in found if isinstance(cells, Unmeasured)), None)
    members = [cells for cells in found if isinstance(cells, ColumnView)]
    if missing:
        return missing
    paths = metric.paths or ((),) * len(members)
    pairs = zip(members, paths, strict=True)
    return Key(metric, tuple(key_member(cells, path) for cells, path in pairs))
