"""Render `/metrics`: the agent's own registry and the series of the products."""

import gzip
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from contractwatch.web.series.families import (
    Family,
    fleet_families,
    product_families,
    self_families,
)
from contractwatch.web.series.monotonic_counters import MonotonicCounters
from contractwatch.web.snapshot_cache import SnapshotCache

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class ExportPolicy:
    """Detail and limits of the export.

    `level` 1 exports the composite objective, 2 every promised one. Over `max_series` the failing
    checks go first, then level 2; a product's flags and the agent's own series never do. A scrape
    within `reuse_seconds` of the last gets the same text, so that a storm of scrapes costs one.
    """

    level: int = 1
    max_series: int = 150_000
    max_failing_checks: int = 2_000
    reuse_seconds: float = 0.5


class Exporter:
    """Renders `/metrics`; it never reads the store."""

    def __init__(
        self, snapshots: SnapshotCache, registry: CollectorRegistry, policy: ExportPolicy
    ) -> None:
        self._snapshots = snapshots
        self._registry = registry
        self._policy = policy
        self._meter = MonotonicCounters()
        self._lock = threading.Lock()
        self._rendered_at = -policy.reuse_seconds
        self._own = b""
        self._products = b""

    def render(self, *, with_own: bool = True) -> bytes:
        """Return the exposition: the agent's own series and the products', or the latter only."""
        with self._lock:
            if time.monotonic() - self._rendered_at >= self._policy.reuse_seconds:
                self._render()
                self._rendered_at = time.monotonic()
            return self._own + self._products if with_own else self._products

    def _render(self) -> None:
        began = time.perf_counter()
        snapshot = self._snapshots.snapshot
        self._meter.forget(gone.card.product for gone in snapshot.gone)
        now = self._snapshots.now()
        until = min(snapshot.beat or snapshot.taken_at, now)
        registered = generate_latest(_RegistryWithoutCreated(self._registry))
        fleet = fleet_families(snapshot)
        room = self._policy.max_series - registered.count(b"\n") - _size(fleet)
        products, is_truncated = self._families_within(until, room)
        text = _text(products)
        families = self_families(
            series=self._policy.max_series - room + _size(products),
            limit=self._policy.max_series,
            is_truncated=is_truncated,
            seconds=time.perf_counter() - began,
        )
        self._products = text.encode()
        self._own = registered + _text([*fleet, *families]).encode()

    def _families_within(self, until: datetime, room: int) -> tuple[tuple[Family, ...], bool]:
        """Return the product families that fit, and whether any had to go."""
        policy = self._policy
        whole = product_families(
            self._snapshots.snapshot,
            self._meter,
            until=until,
            level=policy.level,
            max_failing=policy.max_failing_checks,
        )
        if _size(whole) <= room:
            return whole, False
        without_checks = tuple(family for family in whole if not family.is_per_check)
        if _size(without_checks) <= room or policy.level == 1:
            return without_checks, True
        lean = product_families(
            self._snapshots.snapshot, self._meter, until=until, level=1, max_failing=0
        )
        return lean, True


def compressed(body: bytes, accept_encoding: str) -> bytes | None:
    """Return the body gzipped if the client takes it, else None."""
    names = (part.split(";")[0].strip().lower() for part in accept_encoding.split(","))
    return gzip.compress(body, compresslevel=1, mtime=0) if "gzip" in names else None


class _RegistryWithoutCreated(CollectorRegistry):
    """A registry without `_created` series, which would double every counter."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(auto_describe=False)
        self.register(_MetricWithoutCreated(registry.collect))


class _MetricWithoutCreated(Collector):
    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        for metric in self._collect():
            lean = Metric(metric.name, metric.documentation, metric.type, metric.unit)
            lean.samples = [s for s in metric.samples if not s.name.endswith("_created")]
            yield lean

    def describe(self) -> Iterable[Metric]:
        return ()


def _size(families: Iterable[Family]) -> int:
    return sum(len(family.samples) for family in families)


def _text(families: Sequence[Family]) -> str:
    lines: list[str] = []
    for family in families:
        if family.samples:
            lines += [
                f"# HELP {family.name} {family.what}",
                f"# TYPE {family.name} {family.kind}",
                *family.samples,
            ]
    return "\n".join(lines) + "\n" if lines else ""
