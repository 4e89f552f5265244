"""A query of a contract runs over its tables, as their rows and types are known here, and no more.

It was guarded when the contract was read. The tables are the only names that its context knows.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

import polars as pl

from contractwatch.engines.failures import QUERY_FAILURES, unreadable
from contractwatch.engines.file_types import word_of
from contractwatch.engines.frames import Frame
from contractwatch.errors import SourceError
from contractwatch.model.contract import Column
from contractwatch.model.frozen import frozen
from contractwatch.model.metric import Metric
from contractwatch.model.sql import Answer, SqlScalar, digest_of
from contractwatch.model.state import Measurement, Unmeasured

NO_VALUE = "no value: the query returned NULL or no row"
_LONGEST_SHOWN = 160
_PLANNING = (
    pl.exceptions.ColumnNotFoundError,
    pl.exceptions.SQLInterfaceError,
    pl.exceptions.SQLSyntaxError,
)
"""Raised before a row is read: what they say is about the query and the columns alone."""


@frozen
class Readable:
    """A table that was opened, and the contract's columns, by whose names queries know them."""

    frame: Frame
    columns: tuple[Column, ...]

    def named(self) -> pl.LazyFrame:
        """Return its rows with parsed values, under the contract's physical names."""
        frame = self.frame
        found = ((frame.columns.find(one.physical_name), one) for one in self.columns)
        names = {actual.name: one.physical_name for actual, one in found if actual is not None}
        return frame.rows.select(
            cells.value.alias(names.get(name, name))
            for name, cells in frame.cells.items()
            if not cells.refused
        )


def answers(
    metrics: Iterable[SqlScalar],
    tables: Mapping[str, Readable],
    failures: Mapping[str, SourceError],
) -> dict[Metric, Measurement]:
    """Run each query by itself.

    Args:
        metrics: The queries.
        tables: The tables that were opened, by contract name.
        failures: Why the others could not be.
    """
    return {metric: _answer(metric, tables, failures) for metric in metrics}


def _answer(
    metric: SqlScalar, tables: Mapping[str, Readable], failures: Mapping[str, SourceError]
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
        context = pl.SQLContext(frames, register_globals=False)
        # two rows tell one from many
        found = context.execute(metric.query, eager=False).head(2).collect(engine="streaming")
    except _PLANNING as error:
        return Unmeasured(f"the query cannot be run: {_said(error)}")
    except QUERY_FAILURES:
        return Unmeasured(
            "the query failed on the data: it does not fit the columns' types or values"
        )
    except OSError as error:
        frame = tables[metric.table].frame
        return Unmeasured(str(unreadable(error, metric.table, frame.data_format)))
    return _scalar(found)


def _said(error: BaseException) -> str:
    """Return the library's sentence without the plan that it prints below."""
    line = str(error).partition("\n")[0]
    return "".join(c if c.isprintable() else "?" for c in line)[:_LONGEST_SHOWN]


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
            return Answer(value)
        case float() | Decimal():
            number = float(value)
            if not math.isfinite(number):
                return Unmeasured("the answer is no finite number")
            return Answer(number)
        case str():
            return Answer(text_digest=digest_of(value))
        case datetime() | date() | time():
            return Answer(text_digest=digest_of(value.isoformat()))
        case _:
            expected = "expected a number, a text or true or false"
            return Unmeasured(f"the answer is of type {word_of(dtype)}; {expected}")
