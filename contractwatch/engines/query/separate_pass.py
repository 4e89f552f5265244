"""Answer questions whose answer is not a single number, each in a separate pass."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

import polars as pl

from contractwatch.engines.core.failures import QUERY_FAILURES, query_failure_reason, table_error
from contractwatch.engines.predicates.expressions import ColumnView
from contractwatch.engines.predicates.literals import UncastableError
from contractwatch.engines.predicates.questions import OnRead
from contractwatch.engines.query.personal_data import detector_hits, detector_query
from contractwatch.engines.query.segment_counts import segment_query, segment_rows
from contractwatch.engines.tables.frames import Frame
from contractwatch.model.measure.metric import Metric, SeparatePassMetric
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.personal_data import PersonalDataHits

_Query: TypeAlias = tuple[pl.LazyFrame, Callable[[pl.DataFrame], Measurement]]


def separate_pass(
    frame: Frame, metrics: Iterable[SeparatePassMetric], *, now: datetime, on_read: OnRead
) -> dict[Metric, Measurement]:
    """Answer each metric by a scan of its own.

    Raises:
        SourceError: If a file cannot be read any more.
    """
    return {metric: _answer(frame, metric, now=now, on_read=on_read) for metric in metrics}


def _answer(
    frame: Frame, metric: SeparatePassMetric, *, now: datetime, on_read: OnRead
) -> Measurement:
    try:
        planned = _plan_query(frame, metric, now)
        if isinstance(planned, Unmeasured):
            return planned
        query, to_measurement = planned
        on_read(frame.table)
        return to_measurement(query.collect(engine="streaming"))
    except UncastableError as error:
        return Unmeasured(str(error))
    except QUERY_FAILURES as error:
        return Unmeasured(query_failure_reason(error))
    except OSError as error:
        raise table_error(error, frame.table, frame.data_format) from error


def _plan_query(frame: Frame, metric: SeparatePassMetric, now: datetime) -> _Query | Unmeasured:
    if isinstance(metric, PersonalDataHits):
        return detector_query(frame, metric), lambda found: detector_hits(frame, metric, found)
    names = (metric.element, *metric.by)
    cells = [_cells(frame, name) for name in names]
    known = [found for found in cells if found is not None]
    if len(known) < len(cells):
        return Unmeasured(f"column {names[cells.index(None)]!r} is missing or of several types")
    element, *by = known
    return segment_query(frame.rows, metric, element, by, now), lambda found: segment_rows(
        metric, found
    )


def _cells(frame: Frame, column: str) -> ColumnView | None:
    found = frame.columns.find(column)
    return frame.cells.get(found.name if found else column)
