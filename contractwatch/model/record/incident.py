"""Incidents, their transitions, and the notifications and deliveries about them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.promises.lifetime import Notice
from contractwatch.model.promises.upstream import Upstream


class Phase(StrEnum):
    """Phase of an incident."""

    PENDING = "pending"
    OPEN = "open"
    RECOVERING = "recovering"
    RESOLVED = "resolved"


class Cause(StrEnum):
    """Cause of an incident: a promise is broken, or its state is unknown."""

    BREACH = "breach"
    UNKNOWN = "unknown"


class TransitionKind(StrEnum):
    """Kinds of transitions that are reported, each once per incident and episode."""

    OPENED = "opened"
    REOPENED = "reopened"
    WORSENED = "worsened"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


RESOLVED_SHOWN = 20
"""Of each product so many incidents that are over are listed, the last ones."""

ENDS = frozenset({TransitionKind.RESOLVED, TransitionKind.WITHDRAWN})
"""Transitions that end an episode; all others begin one, or make it worse."""


class DeliveryState(StrEnum):
    """Delivery state of one transition to one receiver."""

    WAITING = "waiting"
    DELIVERED = "told"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """Transition of an incident that was sent to one receiver, and its delivery state.

    With an empty receiver it was delivered before receivers were recorded.
    """

    incident_id: str
    receiver: str
    sequence: int
    kind: TransitionKind
    state: DeliveryState
    at: datetime


@dataclass(frozen=True, slots=True)
class BrokenPromise:
    """Failed check in a message: words and counts, never a value of the data.

    `expected` is the whole promise, `threshold` only its limit ("at most 1 h"), `violation` what is
    said of that which breaks it ("below 0"); `kind` is the check's, empty where no check stands
    behind it.
    """

    promise_id: str
    clause_path: str
    clause_line: int
    table: str
    column: str | None
    expected: str
    observed: str
    severity: Severity
    rows: int | None = None
    violations: int | None = None
    reason: str = ""
    threshold: str = ""
    kind: str = ""
    violation: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """Incident of one objective of one product, from the first bad observation to its end.

    `since` is when the objective turned bad; `opened_at`, `resolved_at` when that was decided.
    `sequence` counts its transitions; `episode` counts reopenings from 1. `bad_streak` and
    `good_streak` count observations in a row. `opened_severity` and `told_severity` are
    the severities at which it was reported first and last: None if it was never reported
    (one that went by while it was pending).
    """

    incident_id: str
    product: str
    objective: Objective
    cause: Cause
    phase: Phase
    severity: Severity
    since: datetime
    opened_at: datetime | None = None
    recovering_since: datetime | None = None
    resolved_at: datetime | None = None
    sequence: int = 0
    episode: int = 1
    bad_streak: int = 0
    good_streak: int = 0
    broken: tuple[BrokenPromise, ...] = ()
    told_severity: Severity | None = None
    opened_severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """Transition of an incident to report; `sequence` is unique within its incident."""

    incident: Incident
    kind: TransitionKind
    at: datetime
    sequence: int


class Urgency(StrEnum):
    """Urgency of a message: severity error pages, warning opens a ticket."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class TransitionNote:
    """Transition as a message shows it. Times are UTC, ratios 0-1, durations in seconds.

    `young_bad_seconds` is the bad time so far while too little is known for a budget, else None.
    """

    incident_id: str
    sequence: int
    kind: TransitionKind
    cause: Cause
    objective: Objective
    severity: Severity
    episode: int
    since: datetime
    at: datetime
    broken: tuple[BrokenPromise, ...]
    budget_remaining_ratio: float | None
    budget_is_default: bool
    lasted_seconds: float | None = None
    cost_seconds: float | None = None
    young_bad_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """Message to one receiver about one product: every transition of one kind of one run.

    With a `notice` it announces an end instead, and has no notes; its `kind` says nothing then.
    `upstream` are inputs in trouble, which may be the cause.
    `key` is the idempotency key: the same over all attempts of this message. `lane` orders:
    messages of one lane are delivered one after the other. `recipient` is the one mailbox of the
    receiver that it is for; empty for all there are.
    """

    key: str
    receiver: str
    lane: str
    urgency: Urgency
    kind: TransitionKind
    product: str
    contract_id: str
    contract_version: str
    contract_file: str
    owner: str
    title: str
    notes: tuple[TransitionNote, ...]
    created_at: datetime
    page_url: str = ""
    is_test: bool = False
    notice: Notice | None = None
    upstream: tuple[Upstream, ...] = ()
    recipient: str = ""

    @property
    def message_key(self) -> str:
        """The key that all mailboxes of a receiver see: for them it is one message."""
        return self.key.rpartition("/")[0] if self.recipient else self.key


@dataclass(frozen=True, slots=True)
class Delivery:
    """Leased outbox row: the notification, and how often it was tried before."""

    outbox_id: int
    notification: Notification
    attempts: int
    lease_owner: str
