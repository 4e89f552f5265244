"""Result of one run: one contract, judged once against one server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contractwatch.errors import Blame
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.contract.incremental import AnswerScope
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.model.record.check import Outcome, Promise, Verdict


class RunOutcome(StrEnum):
    """Outcome of a run; ERROR means that no verdict could be reached."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Timing:
    """When a promise with its own schedule was judged, and when it is due again."""

    judged_at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Promise with its verdict.

    With a `timing` the verdict is in force from when it was judged until it is due again; without
    one it was judged by the run that it stands in.
    """

    promise: Promise
    verdict: Verdict
    timing: Timing | None = None

    @property
    def outcome(self) -> Outcome:
        """The verdict's outcome."""
        return self.verdict.outcome


@dataclass(frozen=True, slots=True)
class Coverage:
    """Number of checks that were executed, out of the clauses that promise something."""

    executed: int
    promised: int

    @property
    def ratio(self) -> float:
        """Executed share, 0-1; 0 when nothing is promised."""
        return self.executed / self.promised if self.promised else 0.0


@dataclass(frozen=True, slots=True)
class RunResult:
    """Result of one run.

    `readable` is the availability probe: True, False (the product's fault) or None (not known, or
    the agent's fault). `data_version` is the digest of what was read, empty if unread;
    `data_timestamp` the newest data time that a freshness promise saw. `error` says why there is no
    verdict at all.
    """

    contract_id: str
    product: str
    contract_version: str
    fingerprint: str
    server: str
    started_at: datetime
    finished_at: datetime
    outcome: RunOutcome
    coverage: Coverage
    results: tuple[CheckResult, ...]
    readable: bool | None
    data_version: str = ""
    data_timestamp: datetime | None = None
    rows: int | None = None
    error: str = ""
    blame: Blame | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Answers of an engine about one server, before anything is judged.

    `readable` is the availability probe, as in `RunResult`. `error` is set when nothing could be
    read; then every measurement is `Unmeasured` with that reason. `file_bytes` is the size of the
    files that were found, whatever of them had to be read. `evidence` is what each
    measurement rests on. `cached_tables` is the cache for the next run; None leaves the cache as it
    is. `blames` are those of the tables that could not be read; a table that is
    not among them shares `blame`. `extents` are of the answers that are not simply about all rows.
    `unsupported` says why the server is not read on purpose, which is nobody's failure; else empty.
    """

    server: str
    started_at: datetime
    measurements: Mapping[Metric, Measurement]
    readable: bool | None
    data_version: str = ""
    error: str = ""
    blame: Blame | None = None
    evidence: Mapping[Metric, Evidence] = field(default_factory=dict[Metric, Evidence])
    file_bytes: int = 0
    cached_tables: tuple[CachedTable, ...] | None = None
    blames: Mapping[str, Blame] = field(default_factory=dict[str, Blame])
    extents: tuple[AnswerScope, ...] = ()
    unsupported: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """Observation of one objective by one run.

    `state` follows the error-severity checks; `failed` holds every failed check of any severity,
    worst first. `stale_at` is when a good freshness turns bad if no newer data comes.
    """

    objective: Objective
    state: ObjectiveState
    failed: tuple[CheckResult, ...] = ()
    stale_at: datetime | None = None
    reason: str = ""
