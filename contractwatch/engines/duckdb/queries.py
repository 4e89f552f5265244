"""Run a contract's SQL queries in DuckDB, over the rows and types that Polars read.

The query was checked against an allow list when the contract was read. Its connection knows the
tables of the contract and no other name.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from time import monotonic
from uuid import UUID

import duckdb
import polars as pl
import sqlglot

from contractwatch.engines.core.failures import QUERY_FAILURES, UNREADABLE, table_error
from contractwatch.engines.core.job_deadline import JOB_ENDS
from contractwatch.engines.core.memory_budget import KEY_BYTES
from contractwatch.engines.duckdb.columns_read import columns_read, same_but_for_case
from contractwatch.engines.duckdb.connection import Limits, Rows, locked_connection, run_on
from contractwatch.engines.duckdb.errors import QueryError
from contractwatch.engines.duckdb.number_casts import cast_to_numbers
from contractwatch.engines.duckdb.streams import RowStream, with_arrow_types
from contractwatch.engines.tables.frames import Frame
from contractwatch.errors import SourceError
from contractwatch.model.contract.contract import Column
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import QueryValue, SqlScalar, text_digest
from contractwatch.odcs.sql.dialects import divides_integers
from contractwatch.odcs.sql.sql_writer import to_duckdb_sql

NO_VALUE = "no value: the query returned NULL or no row"
_SHARE_OF_TIME = 0.8
"""Of the time that the job has left: an endless query costs its own rule the answer alone."""

_DEFAULT_BYTES = 512 * 1024 * 1024
_TEXT_SHARE = 8
_BINARY_SHARE = 32
_EXACT_FLOAT = 2**53
_WORDS = {"INTERVAL": "interval", "BLOB": "binary", "MAP": "map", "STRUCT": "object"}


@dataclass(frozen=True, slots=True)
class SqlTable:
    """An opened table with the contract's columns, by whose names queries refer to them."""

    frame: Frame
    columns: tuple[Column, ...]

    def untyped(self) -> set[str]:
        """Return the columns of a text file that the contract does not list."""
        if not self.frame.data_format.is_text:
            return set()
        listed = (self.frame.columns.find(one.physical_name) for one in self.columns)
        known = {one.name for one in listed if one is not None}
        return set(self.frame.cells) - known

    def named(self) -> pl.LazyFrame:
        """Return the rows with parsed values, under the contract's physical names."""
        frame = self.frame
        found = ((frame.columns.find(one.physical_name), one) for one in self.columns)
        names = {actual.name: one.physical_name for actual, one in found if actual is not None}
        return frame.rows.select(
            cells.value.alias(names.get(name, name))
            for name, cells in frame.cells.items()
            if not cells.refused
        )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A query that is ready to run, and the columns of each table that it reads."""

    text: str
    columns: Mapping[str, tuple[str, ...]]


def answer_queries(
    metrics: Iterable[SqlScalar],
    tables: Mapping[str, SqlTable],
    failures: Mapping[str, SourceError],
) -> dict[Metric, Measurement]:
    """Answer each query by running it by itself.

    A small table that several queries read is read once and held in memory for them.

    Args:
        metrics: The queries.
        tables: The tables that were opened, by contract name.
        failures: Why the others could not be.
    """
    answers: dict[Metric, Measurement] = {}
    prepared: dict[SqlScalar, _Prepared] = {}
    rows = {name: _Named(table) for name, table in tables.items()}
    for metric in metrics:
        refused = _refusal(metric, tables, failures)
        found = refused or _prepare(metric, tables, rows)
        if isinstance(found, _Prepared):
            prepared[metric] = found
        else:
            answers[metric] = found
    _hold_shared(prepared.values(), tables, rows)
    with ExitStack() as opened:
        connections = _Connections(opened)
        for metric, query in prepared.items():
            answers[metric] = _answer(metric, query, tables, rows, connections)
    return answers


class _Connections:
    """Connections of a scan, one for each way to divide: to open one takes 30 ms."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self._free: dict[bool, duckdb.DuckDBPyConnection] = {}

    def run(self, query: str, streams: Mapping[str, RowStream], *, integer_division: bool) -> Rows:
        """Run a query; a connection whose query failed is used no more."""
        limits = _limits()
        connection = self._free.pop(integer_division, None)
        if connection is None:
            context = locked_connection(limits, integer_division=integer_division)
            connection = self._opened.enter_context(context)
        found = run_on(connection, query, streams, limits)
        self._free[integer_division] = connection
        return found


def _refusal(
    metric: SqlScalar, tables: Mapping[str, SqlTable], failures: Mapping[str, SourceError]
) -> Unmeasured | None:
    for name in metric.tables:
        if name in failures:
            return Unmeasured(str(failures[name]))
        if name not in tables:
            return Unmeasured(f"the server has no table {name!r}")
        if tables[name].frame.refused:
            return Unmeasured(tables[name].frame.refused)
    both = same_but_for_case(metric.tables)
    if both is not None:
        return Unmeasured(
            f"it reads tables {both[0]!r} and {both[1]!r}, which differ in case alone"
        )
    return None


class _Named:
    """Rows of a table under the contract's names, made when the first query reads them."""

    def __init__(self, table: SqlTable) -> None:
        self._table = table
        self._rows: pl.LazyFrame | None = None
        self.held: pl.DataFrame | None = None

    def lazy(self) -> pl.LazyFrame:
        if self._rows is None:
            self._rows = with_arrow_types(self._table.named())
        return self._rows

    def names(self) -> list[str]:
        return self.lazy().collect_schema().names()

    def stream(self, columns: tuple[str, ...]) -> RowStream:
        """Return the rows with these columns; with none of them, rows that can be counted."""
        if self.held is not None and columns:
            return RowStream(self.held.select(columns))
        if columns:
            return RowStream(self.lazy().select(columns))
        return RowStream(self.lazy().with_row_index("#").select("#"))


def _prepare(
    metric: SqlScalar, tables: Mapping[str, SqlTable], rows: Mapping[str, _Named]
) -> _Prepared | Unmeasured:
    root = sqlglot.parse_one(metric.query, dialect="duckdb")
    columns: dict[str, tuple[str, ...]] = {}
    try:
        for name in metric.tables:
            found = columns_read(root, rows[name].names())
            both = same_but_for_case(found)
            if both is not None:
                told = f"columns {both[0]!r} and {both[1]!r} of table {name!r} differ in case alone"
                return Unmeasured(f"{told}, which SQL cannot tell apart; name the columns it needs")
            columns[name] = tuple(found)
    except UNREADABLE as error:
        frame = tables[metric.table].frame
        return Unmeasured(str(table_error(error, metric.table, frame.data_format)))
    untyped = {name for table in metric.tables for name in tables[table].untyped()}
    listed = {one.physical_name for table in metric.tables for one in tables[table].columns}
    cast_to_numbers(root, untyped - listed)
    # two rows tell one from many
    return _Prepared(f"SELECT * FROM ({to_duckdb_sql(root)}) AS answer LIMIT 2", columns)  # noqa: S608 - guarded


def _hold_shared(
    queries: Iterable[_Prepared], tables: Mapping[str, SqlTable], rows: Mapping[str, _Named]
) -> None:
    """Read each small table that several queries need once, with the columns of all of them."""
    needed: dict[str, dict[str, None]] = {}
    readers: Counter[str] = Counter()
    for query in queries:
        for name, columns in query.columns.items():
            needed.setdefault(name, {}).update(dict.fromkeys(columns))
            readers[name] += bool(columns)
    budget = KEY_BYTES.get() or _DEFAULT_BYTES
    for name, count in readers.items():
        frame = tables[name].frame
        share = _TEXT_SHARE if frame.data_format.is_text else _BINARY_SHARE
        if count > 1 and 0 < frame.bytes <= budget // share:
            try:
                chosen = rows[name].lazy().select(list(needed[name]))
                rows[name].held = chosen.collect(engine="streaming")
            except UNREADABLE:
                rows[name].held = None  # each query says by itself what is wrong


def _answer(
    metric: SqlScalar,
    query: _Prepared,
    tables: Mapping[str, SqlTable],
    rows: Mapping[str, _Named],
    connections: _Connections,
) -> Measurement:
    streams = {name: rows[name].stream(columns) for name, columns in query.columns.items()}
    try:
        found = connections.run(
            query.text, streams, integer_division=divides_integers(metric.dialect)
        )
    except QueryError as error:
        return Unmeasured(str(error))
    except QUERY_FAILURES:
        return Unmeasured(
            "the query failed on the data: it does not fit the columns' types or values"
        )
    except OSError as error:
        frame = tables[metric.table].frame
        return Unmeasured(str(table_error(error, metric.table, frame.data_format)))
    return _scalar(found)


def _limits() -> Limits:
    ends = JOB_ENDS.get()
    seconds = max(0.1, _SHARE_OF_TIME * (ends - monotonic())) if ends else 0.0
    return Limits(KEY_BYTES.get(), seconds, pl.thread_pool_size())


def _scalar(found: Rows) -> Measurement:
    if len(found.types) != 1:
        return Unmeasured(f"the query returned {len(found.types)} columns; expected one value")
    if len(found.values) > 1:
        return Unmeasured("the query returned several rows; expected one value")
    value = found.values[0][0] if found.values else None
    return Unmeasured(NO_VALUE) if value is None else _answer_of(value, found.types[0])


def _answer_of(value: object, dtype: str) -> Measurement:
    match value:
        case bool() | int():
            return QueryValue(value)
        case Decimal() if value == value.to_integral_value() and abs(value) > _EXACT_FLOAT:
            return QueryValue(int(value))
        case float() | Decimal():
            number = float(value)
            if not math.isfinite(number):
                return Unmeasured("the answer is no finite number")
            return QueryValue(number)
        case str() | UUID():
            return QueryValue(text_digest=text_digest(str(value)))
        case datetime() | date() | time():
            return QueryValue(text_digest=text_digest(value.isoformat()))
        case _:
            kind = "list" if dtype.endswith("]") else _WORDS.get(dtype.partition("(")[0], "other")
            expected = "expected a number, a text or true or false"
            return Unmeasured(f"the answer is of type {kind}; {expected}")
