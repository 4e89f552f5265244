"""Add answers that only the record knows to a run's reading before it is judged."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from contractwatch.checks.common.watermarks import extend_history, measured_watermark
from contractwatch.model.base.path import format_path
from contractwatch.model.measure.metric import (
    IncidentTimes,
    Metric,
    Probes,
    RecordMetric,
    RowCount,
    RowHistory,
    UpdateHistory,
)
from contractwatch.model.measure.state import (
    Count,
    Measurement,
    ProbeTally,
    Watermark,
    WatermarkLog,
)
from contractwatch.model.record.product import (
    ObservedWatermark,
    ProductRecord,
    ProductState,
    RunEntry,
)
from contractwatch.model.record.run import Reading
from contractwatch.verify import Plan

_MAX_COUNTS = 400
"""Row counts kept within a baseline's offset at most, however often the contract is run."""


class RunStore(Protocol):
    """Protocol: what a run needs of the store."""

    def product_state(
        self,
        product: str,
        *,
        now: datetime,
        asked: frozenset[type[RecordMetric]] = ...,
        with_last_run: bool = ...,
    ) -> ProductState: ...

    def record(self, product: str) -> ProductRecord | None: ...

    def commit(self, entry: RunEntry) -> int: ...

    def withdraw(self, product: str, *, at: datetime) -> bool: ...


def with_history(reading: Reading, state: ProductState, plan: Plan, *, now: datetime) -> Reading:
    """Return the reading with the answers of the record added, this run included."""
    found: dict[Metric, Measurement] = dict(reading.measurements)
    found[Probes()] = _probes(reading, state.probes)
    found[IncidentTimes()] = state.incident_log
    for metric in plan.metrics:
        if isinstance(metric, UpdateHistory):
            found[metric] = _history(metric, reading, state, plan, now)
        elif isinstance(metric, RowHistory):
            found[metric] = _row_history(metric, reading, state, now)
    measurements: Mapping[Metric, Measurement] = found
    return replace(reading, measurements=measurements)


def observed_watermarks(reading: Reading, *, now: datetime) -> tuple[ObservedWatermark, ...]:
    """Return the watermarks that this run saw, of a reading that was recalled at `now`."""
    return tuple(_observed_watermarks(reading, now))


def _observed_watermarks(reading: Reading, now: datetime) -> Iterator[ObservedWatermark]:
    for metric, history in reading.measurements.items():
        if isinstance(metric, UpdateHistory) and isinstance(history, WatermarkLog) and history.seen:
            last = history.seen[-1]
            if last.last_seen == now:
                yield ObservedWatermark(metric.table, metric.column, last.watermark)
        if isinstance(metric, RowHistory) and isinstance(history, WatermarkLog):
            yield from _row_watermark(metric, history, now)


def _probes(reading: Reading, before: ProbeTally) -> ProbeTally:
    """Return the recorded probes, with this one if it has a verdict."""
    if reading.readable is None:
        return before
    return before + ProbeTally(good=int(reading.readable), total=1)


def _history(
    metric: UpdateHistory, reading: Reading, state: ProductState, plan: Plan, now: datetime
) -> WatermarkLog:
    known = (one for one in state.watched if (one.table, one.column) == _key(metric))
    seen = next((one.seen for one in known), ())
    version = reading.data_version if len(plan.contract.tables) == 1 else ""
    found = measured_watermark(metric, reading.measurements, version)
    return WatermarkLog(seen if found is None else extend_history(seen, found, now))


def _row_history(
    metric: RowHistory, reading: Reading, state: ProductState, now: datetime
) -> WatermarkLog:
    key = _row_history_key(metric)
    known = (one.seen for one in state.watched if (one.table, one.column) == key)
    seen = next(known, ())
    rows = reading.measurements.get(RowCount(metric.table))
    if not isinstance(rows, Count):
        return WatermarkLog(seen)
    return WatermarkLog(extend_history(seen, Watermark(None, rows.rows), now))


def _row_watermark(
    metric: RowHistory, history: WatermarkLog, now: datetime
) -> Iterator[ObservedWatermark]:
    """Yield this run's count if it makes the last line longer, or is worth a line of its own."""
    if not history.seen or history.seen[-1].last_seen != now:
        return
    *earlier, last = history.seen
    is_longer = last.runs > 1 or not earlier
    if is_longer or now - earlier[-1].first_seen >= metric.offset / _MAX_COUNTS:
        yield ObservedWatermark(*_row_history_key(metric), last.watermark)


def _row_history_key(metric: RowHistory) -> tuple[str, str]:
    """Return under which names counts are kept: no column of a file is called so."""
    return metric.table, f"contractwatch.baseline {metric.offset.total_seconds():.0f} s"


def _key(metric: UpdateHistory) -> tuple[str, str]:
    return metric.table, format_path(metric.column, metric.path)
