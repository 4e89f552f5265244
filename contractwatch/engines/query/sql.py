"""Run a contract's SQL query over its tables, with the rows and types that the engine read.

The query was checked against an allow list when the contract was read. Its context knows the
tables of the contract and no other name.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

import polars as pl

from contractwatch.engines.core.failures import QUERY_FAILURES, table_error
from contractwatch.engines.core.file_types import contract_word
from contractwatch.engines.query.sql_messages import why_not_run
from contractwatch.engines.tables.frames import Frame
from contractwatch.errors import SourceError
from contractwatch.model.contract.contract import Column
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.sql import QueryValue, SqlScalar, text_digest

NO_VALUE = "no value: the query returned NULL or no row"
_PLANNING = (
    pl.exceptions.ColumnNotFoundError,
    pl.exceptions.SQLInterfaceError,
    pl.exceptions.SQLSyntaxError,
)
"""Raised before a row is read: what they say is about the query and the columns alone."""


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


def answer_queries(
    metrics: Iterable[SqlScalar],
    tables: Mapping[str, SqlTable],
    failures: Mapping[str, SourceError],
) -> dict[Metric, Measurement]:
    """Answer each query by running it by itself.

    Args:
        metrics: The queries.
        tables: The tables that were opened, by contract name.
        failures: Why the others could not be.
    """
    return {metric: _answer(metric, tables, failures) for metric in metrics}


def _answer(
    metric: SqlScalar, tables: Mapping[str, SqlTable], failures: Mapping[str, SourceError]
) -> Measurement:
    for name in metric.tables:
        if name in failures:
            return Unmeasured(str(failures[name]))
        if name not in tables:
            return Unmeasured(f"the server has no table {name!r}")
        if tables[name].frame.refused:
            return Unmeasured(tables[name].frame.refused)
    try:
        frames = {name: tables[name].named() for name in metric.tables}
        query = _with_casts(metric, tables)
        context = pl.SQLContext(frames, register_globals=False)
        # two rows tell one from many
        found = context.execute(query, eager=False).head(2).collect(engine="streaming")
    except _PLANNING as error:
        return Unmeasured(f"the query cannot be run: {why_not_run(str(error))}")
    except QUERY_FAILURES:
        return Unmeasured(
            "the query failed on the data: it does not fit the columns' types or values"
        )
    except OSError as error:
        frame = tables[metric.table].frame
        return Unmeasured(str(table_error(error, metric.table, frame.data_format)))
    return _scalar(found)


def _with_casts(metric: SqlScalar, tables: Mapping[str, SqlTable]) -> str:
    """Return the query with casts to numbers of columns without a type, where it needs numbers."""
    texts = {name for table in metric.tables for name in tables[table].untyped()}
    if not any(f'"{name}"' in metric.query for name in texts):
        return metric.query
    # Imported here because the parser takes a third of a second that few queries need.
    from contractwatch.engines.query.sql_casts import with_number_casts  # noqa: PLC0415 - see above

    listed = {one.physical_name for table in metric.tables for one in tables[table].columns}
    return with_number_casts(metric.query, texts - listed)


def _scalar(found: pl.DataFrame) -> Measurement:
    if found.width != 1:
        return Unmeasured(f"the query returned {found.width} columns; expected one value")
    if found.height > 1:
        return Unmeasured("the query returned several rows; expected one value")
    value: object = found.item() if found.height else None
    return Unmeasured(NO_VALUE) if value is None else _answer_of(value, found.dtypes[0])


def _answer_of(value: object, dtype: pl.DataType) -> Measurement:
    match value:
        case bool() | int():
            return QueryValue(value)
        case float() | Decimal():
            number = float(value)
            if not math.isfinite(number):
                return Unmeasured("the answer is no finite number")
            return QueryValue(number)
        case str():
            return QueryValue(text_digest=text_digest(value))
        case datetime() | date() | time():
            return QueryValue(text_digest=text_digest(value.isoformat()))
        case _:
            expected = "expected a number, a text or true or false"
            return Unmeasured(f"the answer is of type {contract_word(dtype)}; {expected}")
