"""A snapshot of the record for pages and scrapes, refreshed by a thread."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol
from zlib import crc32

import structlog

from contractwatch.model.base.objective import Objective, Standing, Target
from contractwatch.model.record.incident import Incident
from contractwatch.model.record.product import BudgetLine, LedgerLine, ProductCard, ProductRecord
from contractwatch.slo.budget import budget_of
from contractwatch.slo.ledger import as_of
from contractwatch.slo.status import ProductStatus, status_of
from contractwatch.slo.trust import TrustScore, trust_of

log = structlog.get_logger()

_POLL_SECONDS = 1.0
_VIEW_LASTS_SECONDS = 60
"""And up to as long again, by product, so that not all are computed anew at once."""

_REST_PER_WORK = 10.0
"""After a refresh the thread rests this many times as long as it took: a tenth of a core."""

WITHDRAWN_IS_KEPT = timedelta(hours=1)
"""A product that was withdrawn keeps its flags for this long: breached 0, unknown 1."""


class RecordReader(Protocol):
    """Protocol: the part of the store that is read here."""

    def records(self) -> tuple[ProductRecord, ...]: ...

    def record(self, product: str) -> ProductRecord | None: ...

    def revision(self) -> int: ...

    def last_beat(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class ProductView:
    """A product's record and everything computed from it, as of `as_of`."""

    record: ProductRecord
    status: ProductStatus
    budgets: tuple[BudgetLine, ...]
    trust: TrustScore
    as_of: datetime

    @property
    def product(self) -> str:
        """The public name."""
        return self.record.card.product

    @property
    def headline(self) -> BudgetLine | None:
        """The budget of all promises together; None before the first run."""
        composite = Objective.CONFORMANCE
        return next((line for line in self.budgets if line.standing.objective is composite), None)


@dataclass(frozen=True, slots=True)
class WithdrawnProduct:
    """A product that was withdrawn, and when that was seen."""

    card: ProductCard
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordSnapshot:
    """All products at one instant; `beat` is the last heartbeat, which bounds the ledger."""

    views: Mapping[str, ProductView]
    gone: tuple[WithdrawnProduct, ...]
    taken_at: datetime
    beat: datetime | None


class SnapshotCache:
    """Cache of the newest snapshot; a thread refreshes it after commits and as time passes."""

    def __init__(
        self, reader: RecordReader, clock: Callable[[], datetime], *, refresh_seconds: float = 5.0
    ) -> None:
        self._reader = reader
        self._clock = clock
        self._refresh_seconds = refresh_seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._refreshing = threading.Lock()
        self._revision: int | None = None
        self._records: tuple[ProductRecord, ...] = ()
        self._snapshot = RecordSnapshot(MappingProxyType({}), (), clock(), None)

    @property
    def snapshot(self) -> RecordSnapshot:
        """The newest snapshot, which is immutable."""
        return self._snapshot

    def now(self) -> datetime:
        """Return the time of the clock."""
        return self._clock()

    def start(self) -> None:
        """Take the first snapshot, then keep it new in a thread until `stop`.

        Raises:
            StoreError: If the record cannot be read at all.
        """
        self.refresh()
        self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; the last snapshot stays."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def refresh(self) -> None:
        """Take a snapshot now."""
        with self._refreshing:
            revision = self._reader.revision()
            if revision != self._revision:
                self._records = self._reader.records()
                self._revision = revision
            self._snapshot = self._new_snapshot(self._reader.last_beat(), self._clock())

    def detail(self, product: str) -> ProductView | None:
        """Read one product anew from the store, with all results of its last run."""
        record = self._reader.record(product)
        return None if record is None else view_of(record, now=self._clock())

    def _run(self) -> None:
        """Look once a second; refresh when a commit was made or the last refresh is old."""
        refreshed, rest = time.monotonic(), 0.0
        while not self._stop.wait(_POLL_SECONDS):
            age = time.monotonic() - refreshed
            if age < rest:
                continue
            try:
                if age < self._refresh_seconds and self._reader.revision() == self._revision:
                    continue
                began = time.monotonic()
                self.refresh()
            except Exception:  # the loop boundary of web: the last snapshot stays, and says its age
                log.exception("board_not_refreshed")
                began = time.monotonic()
            refreshed = time.monotonic()
            rest = _REST_PER_WORK * (refreshed - began)

    def _new_snapshot(self, beat: datetime | None, now: datetime) -> RecordSnapshot:
        before = self._snapshot
        views = {
            record.card.product: _refreshed_view(before.views.get(record.card.product), record, now)
            for record in self._records
        }
        left = tuple(
            WithdrawnProduct(view.record.card, now)
            for product, view in before.views.items()
            if product not in views
        )
        gone = tuple(
            one
            for one in (*before.gone, *left)
            if one.card.product not in views and abs(now - one.at) < WITHDRAWN_IS_KEPT
        )
        return RecordSnapshot(MappingProxyType(views), gone, now, beat)


def view_of(record: ProductRecord, *, now: datetime) -> ProductView:
    """Return the view of a product."""
    targets = {target.objective: target for target in record.card.targets}
    return ProductView(
        record=record,
        status=status_of(record, now=now),
        budgets=tuple(_budget_line(line, targets, now) for line in record.lines),
        trust=trust_of(record, now=now),
        as_of=now,
    )


def _budget_line(
    line: LedgerLine, targets: Mapping[Objective, Target], now: datetime
) -> BudgetLine:
    standing = as_of(line.standing, now)
    target = targets.get(standing.objective, Target(standing.objective))
    return BudgetLine(standing, budget_of(line, target, now=now))


def _refreshed_view(
    before: ProductView | None, record: ProductRecord, now: datetime
) -> ProductView:
    """Return the view; budgets and score of an unchanged record are kept for a minute or two."""
    if before is None or _marks(before.record) != _marks(record):
        return view_of(record, now=now)
    status = status_of(record, now=now)
    offset = crc32(record.card.product.encode()) % _VIEW_LASTS_SECONDS
    lasts = timedelta(seconds=_VIEW_LASTS_SECONDS + offset)
    is_old = not timedelta(0) <= now - before.as_of < lasts  # the clock may have been set back
    if is_old or status.word is not before.status.word:
        return view_of(record, now=now)
    return ProductView(record, status, before.budgets, before.trust, before.as_of)


def _marks(record: ProductRecord) -> tuple[ProductCard, tuple[Standing, ...], tuple[Incident, ...]]:
    """Return what differs between two records of one product if anything was committed."""
    return record.card, tuple(line.standing for line in record.lines), record.incidents
