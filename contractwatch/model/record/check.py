"""Promise, verdict and outcome, and the protocol of a check."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.path import FieldPath
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement


class Outcome(StrEnum):
    """Outcome of a check. Error and skipped are never a pass and never a fail."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


WRONG = "wrong in the contract"
"""The reason of a clause that is not judged begins so if something is wrong in the contract."""

NOT_EXECUTED = ("unsupported", WRONG)
"""A skip whose reason begins so is of a clause that no run executes: it lowers the coverage."""


@dataclass(frozen=True, slots=True)
class Promise:
    """Promise of a clause that a check judges.

    `promise_id` is `contract/table/column or -/kind/rule id`; `expected` the promise in words that
    a person reads ("at most 0 null rows"), `violation` what is said of that which breaks it
    ("null", "below 0"), empty where the verdict says it. `table` and `column` are contract names;
    table is "-" for a promise about the whole product. `physical_columns` are those without which
    it is skipped; `path` leads from the only one of them down to the value that is promised; where
    there may be several, `paths` lead from each, or there are none.
    """

    promise_id: str
    kind: str
    clause: Clause
    table: str
    column: str | None
    severity: Severity
    dimension: Dimension
    objective: Objective
    expected: str
    physical_columns: tuple[str, ...] = ()
    level_id: str = ""
    operations: bool = False
    path: FieldPath = ()
    paths: tuple[FieldPath, ...] = ()
    violation: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict of a check on one promise.

    `observed` is in the unit of `threshold`: rows, percent, seconds or words; never a cell's value.
    `rows` are the rows in scope, `violations` those that break the promise. `vacuous` marks a
    verdict over no rows: it counts neither for nor against. `stale_at` is when a passed age check
    turns. `evidence` is what the answer rests on, None if no data was asked.
    """

    outcome: Outcome
    observed: float | int | str | None = None
    threshold: str = ""
    rows: int | None = None
    violations: int | None = None
    reason: str = ""
    vacuous: bool = False
    stale_at: datetime | None = None
    evidence: Evidence | None = None

    def with_evidence(self, evidence: Evidence) -> "Verdict":
        """Return a copy with the evidence set.

        Each verdict of a run has it set; `dataclasses.replace` costs several times as much.
        """
        return Verdict(
            self.outcome,
            self.observed,
            self.threshold,
            self.rows,
            self.violations,
            self.reason,
            self.vacuous,
            self.stale_at,
            evidence,
        )


class Check(Protocol):
    """Protocol of a check: it asks for metrics, and judges their values without touching data."""

    @property
    def promise(self) -> Promise: ...

    def metrics(self) -> tuple[Metric, ...]:
        """Return the metrics whose values `judge` needs."""
        ...

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        """Judge the answers at `now` (UTC). An `Unmeasured` answer is an error with its reason."""
        ...
