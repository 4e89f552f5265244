"""Product counters that grow between runs and never fall, over restarts too."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.product import LedgerLine, ProductRecord
from contractwatch.slo.budget import total_seconds, union_seconds
from contractwatch.slo.ledger import open_intervals


@dataclass(frozen=True, slots=True)
class ObjectiveSeconds:
    """Seconds of one objective ever measured, and how many of them were bad."""

    measured: float
    bad: float


@dataclass(frozen=True, slots=True)
class ProductCounters:
    """The counters of one product at an instant."""

    lines: Mapping[Objective, ObjectiveSeconds]
    unknown: float


class MonotonicCounters:
    """Add live time to the stored totals; remember the highest value of each counter.

    Time is added only up to `until`, the agent's last kept heartbeat: after a crash the ledger goes
    on from there, so that no counter stands lower in the next process and Prometheus sees no reset.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._peaks: dict[tuple[str, Objective], ObjectiveSeconds] = {}
        self._unknown_peaks: dict[str, float] = {}

    def read(self, record: ProductRecord, *, until: datetime) -> ProductCounters:
        """Return the counters of a product as of `until`, or of its last entry if that is later."""
        with self._lock:
            lines = {
                line.standing.objective: self._seconds(record.card.product, line, until)
                for line in record.lines
            }
            return ProductCounters(lines=lines, unknown=self._unknown(record, until))

    def forget(self, products: Iterable[str]) -> None:
        """Drop counters of withdrawn products."""
        with self._lock:
            for product in products:
                self._unknown_peaks.pop(product, None)
                for key in [key for key in self._peaks if key[0] == product]:
                    del self._peaks[key]

    def _seconds(self, product: str, line: LedgerLine, until: datetime) -> ObjectiveSeconds:
        key = (product, line.standing.objective)
        total = total_seconds(line, now=until)
        peak = self._peaks.get(key, ObjectiveSeconds(0.0, 0.0))
        now = ObjectiveSeconds(max(peak.measured, total.good + total.bad), max(peak.bad, total.bad))
        self._peaks[key] = now
        return now

    def _unknown(self, record: ProductRecord, until: datetime) -> float:
        """Return the seconds in which any objective was unknown: overlaps count once."""
        if not record.lines:
            return 0.0
        live = union_seconds(
            interval
            for line in record.lines
            for interval in open_intervals(line.standing, until)
            if interval.state is ObjectiveState.UNKNOWN
        )
        product = record.card.product
        value = max(self._unknown_peaks.get(product, 0.0), record.unknown_seconds + live)
        self._unknown_peaks[product] = value
        return value
