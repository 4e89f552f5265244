"""Record of a product, as pages, series, gate and trust score read it."""

from dataclasses import dataclass
from datetime import datetime

from contractwatch.model.base.objective import (
    Budget,
    Interval,
    Objective,
    Standing,
    StateSeconds,
    Target,
)
from contractwatch.model.contract.contract import AlertPolicy, SupportChannel
from contractwatch.model.measure.state import IncidentLog, ProbeTally, Watermark, WatermarkPeriod
from contractwatch.model.promises.lifetime import Lifetime, Notice
from contractwatch.model.promises.upstream import InputProduct
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.model.record.incident import DeliveryRecord, Incident, Notification, Transition
from contractwatch.model.record.run import Coverage, RunOutcome, RunResult

_NO_PROBES = ProbeTally()
_PLAIN_ALERTS = AlertPolicy()
_NO_INCIDENTS = IncidentLog()
_NO_DATES = Lifetime()


@dataclass(frozen=True, slots=True)
class ProductCard:
    """Description of a product from its contract's last good version, with who is told of it.

    `notices` are the latest that were sent of its ends.
    """

    product: str
    contract_id: str
    version: str
    status: str
    domain: str
    team: str
    owners: tuple[str, ...]
    purpose: str
    file: str
    fingerprint: str
    targets: tuple[Target, ...]
    interval_seconds: float
    support: tuple[SupportChannel, ...] = ()
    alerts: AlertPolicy = _PLAIN_ALERTS
    lifetime: Lifetime = _NO_DATES
    notices: tuple[Notice, ...] = ()
    inputs: tuple[InputProduct, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Run without its results."""

    run_id: int
    started_at: datetime
    finished_at: datetime
    outcome: RunOutcome
    coverage: Coverage
    error: str = ""


@dataclass(frozen=True, slots=True)
class DataVersion:
    """Distinct version of the data that was judged, and when it was first seen."""

    version: str
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """Ledger of one objective of a product.

    `intervals` are closed, oldest first, 90 days at most; `total` are all seconds ever accrued
    up to `standing.accrued_until`.
    """

    standing: Standing
    intervals: tuple[Interval, ...]
    total: StateSeconds


@dataclass(frozen=True, slots=True)
class ProductRecord:
    """Everything stored about one product, as of one read of the store.

    `unknown_seconds` are the closed seconds, ever, in which any objective was unknown: where
    several were at once, they count once.
    `deliveries` say who was told of the incidents.
    """

    card: ProductCard
    lines: tuple[LedgerLine, ...]
    incidents: tuple[Incident, ...]
    last_run: RunResult | None
    runs: tuple[RunSummary, ...]
    data_versions: tuple[DataVersion, ...]
    unknown_seconds: float = 0.0
    deliveries: tuple[DeliveryRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """Present state and error budget of one objective."""

    standing: Standing
    budget: Budget


@dataclass(frozen=True, slots=True)
class ObservedWatermark:
    """Watermark of a table that one run saw; `column` is the physical name of its time."""

    table: str
    column: str
    watermark: Watermark


@dataclass(frozen=True, slots=True)
class WatermarkHistory:
    """Watermarks of a table that were seen so far, oldest first."""

    table: str
    column: str
    seen: tuple[WatermarkPeriod, ...]


@dataclass(frozen=True, slots=True)
class ProductState:
    """Stored state of a product that a run needs before it decides.

    `incidents` are the pending, open and recovering ones and those resolved within a day. `probes`
    are the availability probes of the last 28 days; `incident_log` has the breaches of these days.
    `notices` are as in the card; `cached_tables` are from the last run. `last_run` is there if it
    was asked for, and the product was not withdrawn since. `deliveries` say who was told of the
    incidents.
    """

    standings: tuple[Standing, ...] = ()
    incidents: tuple[Incident, ...] = ()
    probes: ProbeTally = _NO_PROBES
    watched: tuple[WatermarkHistory, ...] = ()
    incident_log: IncidentLog = _NO_INCIDENTS
    notices: tuple[Notice, ...] = ()
    cached_tables: tuple[CachedTable, ...] = ()
    last_run: RunResult | None = None
    deliveries: tuple[DeliveryRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class LastPass:
    """Last time at which a promise with its own schedule passed, before it failed."""

    promise_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Closed interval of one objective, to be appended to its ledger."""

    objective: Objective
    interval: Interval


@dataclass(frozen=True, slots=True)
class RunEntry:
    """Everything that one run stores in one transaction (a wake-up has no `run`).

    `cached_tables` replaces the cache; with None the cache stays. `last_passes` are older than
    the last run: those of promises that it did not judge.
    """

    card: ProductCard
    at: datetime
    run: RunResult | None
    entries: tuple[LedgerEntry, ...]
    standings: tuple[Standing, ...]
    incidents: tuple[Incident, ...]
    transitions: tuple[Transition, ...]
    notifications: tuple[Notification, ...]
    watermarks: tuple[ObservedWatermark, ...] = ()
    cached_tables: tuple[CachedTable, ...] | None = None
    last_passes: tuple[LastPass, ...] = ()
