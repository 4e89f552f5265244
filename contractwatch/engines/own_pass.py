"""What has no single number for an answer is asked in a pass of its own, after the shared one."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

import polars as pl

from contractwatch.engines.cells import cell_query, cells_of
from contractwatch.engines.detectors import detector_query, hits_of
from contractwatch.engines.expressions import Cells
from contractwatch.engines.failures import QUERY_FAILURES, refusal, unreadable
from contractwatch.engines.frames import Frame
from contractwatch.engines.literals import UncastableError
from contractwatch.engines.questions import Opened
from contractwatch.model.metric import Metric, OwnPassMetric
from contractwatch.model.personal_data import PersonalDataHits
from contractwatch.model.state import Measurement, Unmeasured

_Query: TypeAlias = tuple[pl.LazyFrame, Callable[[pl.DataFrame], Measurement]]


def ask_alone(
    frame: Frame, metrics: Iterable[OwnPassMetric], *, now: datetime, opened: Opened
) -> dict[Metric, Measurement]:
    """Answer each metric by itself.

    Raises:
        SourceError: If a file cannot be read any more.
    """
    return {metric: _answer(frame, metric, now=now, opened=opened) for metric in metrics}


def _answer(frame: Frame, metric: OwnPassMetric, *, now: datetime, opened: Opened) -> Measurement:
    try:
        planned = _planned(frame, metric, now)
        if isinstance(planned, Unmeasured):
            return planned
        query, told = planned
        opened(frame.table)
        return told(query.collect(engine="streaming"))
    except UncastableError as error:
        return Unmeasured(str(error))
    except QUERY_FAILURES as error:
        return Unmeasured(refusal(error))
    except OSError as error:
        raise unreadable(error, frame.table, frame.data_format) from error


def _planned(frame: Frame, metric: OwnPassMetric, now: datetime) -> _Query | Unmeasured:
    if isinstance(metric, PersonalDataHits):
        return detector_query(frame, metric), lambda found: hits_of(frame, metric, found)
    names = (metric.element, *metric.by)
    cells = [_cells(frame, name) for name in names]
    known = [found for found in cells if found is not None]
    if len(known) < len(cells):
        return Unmeasured(f"column {names[cells.index(None)]!r} is missing or of several types")
    element, *by = known
    return cell_query(frame.rows, metric, element, by, now), lambda found: cells_of(metric, found)


def _cells(frame: Frame, column: str) -> Cells | None:
    found = frame.columns.find(column)
    return frame.cells.get(found.name if found else column)
