"""Prometheus series of the agent itself; docs/series.md lists them.

Only what something feeds is here. Label values are bounded: receivers are the operator's, and all
others are closed lists, created at 0 so that a rate has a start.
"""

import platform
import threading
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from contractwatch.model.base.clause import Severity
from contractwatch.model.record.incident import Transition, TransitionKind, TransitionNote, Urgency
from contractwatch.model.record.run import RunOutcome

LAG_BUCKETS = (0.1, 1, 5, 15, 60, 300, 900)
DELIVERY_BUCKETS = (1, 5, 15, 30, 60, 120, 300, 900, 3600)
SPAN_BUCKETS = (60, 300, 900, 3600, 14_400, 43_200, 86_400, 259_200)
PHASES = ("scan", "check", "persist")
SKIP_REASONS = ("overrun", "misfire", "capacity", "paused", "shutdown")
STORE_KINDS = ("locked", "readonly", "full", "io", "constraint", "version")

_OPENINGS_REMEMBERED = 10_000

_OUTCOMES = {
    RunOutcome.PASSED: "pass",
    RunOutcome.WARNING: "pass",
    RunOutcome.FAILED: "fail",
    RunOutcome.ERROR: "error",
}
_EVALUATIONS = ("pass", "fail", "error", "timeout", "cancelled")
_URGENCY = {
    Severity.ERROR: Urgency.PAGE,
    Severity.WARNING: Urgency.TICKET,
    Severity.INFO: Urgency.INFO,
}


class AgentSeries:
    """The agent's Prometheus registry, with a method for each event."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._lock = threading.Lock()
        self._notified: dict[str, None] = {}
        self._catalogue(registry)
        self._scheduling(registry)
        self._evaluations(registry)
        self._telling(registry)
        self._delivering(registry)

    def _catalogue(self, registry: CollectorRegistry) -> None:
        build = _gauge(
            registry,
            "build_info",
            "What is running; always 1.",
            ("version", "revision", "python_version", "polars_version"),
        )
        # No revision is known of an installed package; the label is kept, and stays empty.
        build.labels(
            version("contractwatch-agent"), "", platform.python_version(), version("polars")
        ).set(1)
        self._reload_ok = _gauge(
            registry,
            "config_last_reload_successful",
            "1 if every contract file was readable when last looked at.",
        )
        self._reload_at = _gauge(
            registry,
            "config_last_reload_success_timestamp_seconds",
            "When every contract file was last found readable, Unix seconds.",
        )

    def _scheduling(self, registry: CollectorRegistry) -> None:
        self._heartbeat = _gauge(
            registry,
            "scheduler_heartbeat_timestamp_seconds",
            "Written by the scheduler itself, Unix seconds.",
        )
        self._lag = _histogram(
            registry, "scheduler_start_lag_seconds", "Started minus due.", LAG_BUCKETS
        )
        self._skipped = _counter(
            registry, "scheduler_skipped_runs", "Ticks without a run of their own.", ("reason",)
        )
        for reason in SKIP_REASONS:
            self._skipped.labels(reason)
        self._jumps = _counter(
            registry,
            "clock_jumps",
            "Times the wall clock moved by more than 5 s against the time that passed.",
            ("direction",),
        )
        for direction in ("forward", "backward"):
            self._jumps.labels(direction)
        self._busy = _gauge(registry, "workers_busy", "Workers with a scan.")
        self._limit = _gauge(registry, "workers_limit", "Workers there are.")
        self._queue = _gauge(registry, "run_queue_length", "Runs that are due and not started.")

    def _evaluations(self, registry: CollectorRegistry) -> None:
        self._runs = _counter(
            registry, "evaluations", "Runs of a contract, by how they ended.", ("outcome",)
        )
        for outcome in _EVALUATIONS:
            self._runs.labels(outcome)
        self._duration = Histogram(
            "contractwatch_evaluation_duration_seconds",
            "How long a phase of a run took.",
            ("phase",),
            registry=registry,
        )
        for phase in PHASES:
            self._duration.labels(phase)
        self._reads = _counter(
            registry, "source_reads", "Scans of a server that were tried.", ("source_kind",)
        )
        self._read_failures = _counter(
            registry,
            "source_read_failures",
            "Scans of a server that read nothing.",
            ("source_kind",),
        )
        self._read_bytes = _counter(
            registry,
            "source_read_bytes",
            "Bytes of the files that scans found and read.",
            ("source_kind",),
        )
        self._store_errors = _counter(
            registry, "db_errors", "Failures of the agent's own store.", ("kind",)
        )
        for kind in STORE_KINDS:
            self._store_errors.labels(kind)

    def _telling(self, registry: CollectorRegistry) -> None:
        self._transitions = _counter(
            registry, "incident_transitions", "What was told of incidents.", ("to", "severity")
        )
        for kind in TransitionKind:
            for urgency in Urgency:
                self._transitions.labels(kind.value, urgency.value)
        spans = ("severity",)
        self._detect = _histogram(
            registry,
            "time_to_detect_seconds",
            "From the breach to the decision that it is one.",
            SPAN_BUCKETS,
            spans,
        )
        self._notify = _histogram(
            registry,
            "time_to_notify_seconds",
            "From the decision that a promise is broken to the first receiver that has it.",
            DELIVERY_BUCKETS,
            spans,
        )
        self._repair = _histogram(
            registry,
            "time_to_repair_seconds",
            "From the breach to its resolution.",
            SPAN_BUCKETS,
            spans,
        )
        for urgency in Urgency:
            self._detect.labels(urgency.value)
            self._notify.labels(urgency.value)
            self._repair.labels(urgency.value)

    def _delivering(self, registry: CollectorRegistry) -> None:
        sent = ("receiver", "urgency")
        self._enqueued = _counter(
            registry, "notifications_enqueued", "Messages put into the outbox.", sent
        )
        self._attempts = _counter(
            registry, "notification_attempts", "Attempts to send a message.", ("receiver",)
        )
        self._attempt_failures = _counter(
            registry,
            "notification_attempt_failures",
            "Attempts that failed.",
            ("receiver", "reason"),
        )
        self._delivery = _histogram(
            registry,
            "notification_delivery_seconds",
            "From the outbox to accepted by the receiver.",
            DELIVERY_BUCKETS,
            sent,
        )
        self._pending = _gauge(
            registry, "outbox_pending_messages", "Messages that wait to be accepted.", sent
        )
        self._oldest = _gauge(
            registry,
            "outbox_oldest_pending_timestamp_seconds",
            "When the oldest waiting message was written, Unix seconds; 0 if none waits.",
            sent,
        )
        self._dead = _counter(
            registry, "dead_letters", "Messages that were given up.", ("receiver", "reason")
        )

    def know_receivers(self, names: Iterable[str]) -> None:
        """Create the series of the operator's receivers at 0."""
        for name in names:
            self._attempts.labels(name)
            for urgency in Urgency:
                self._enqueued.labels(name, urgency.value)
                self._delivery.labels(name, urgency.value)
                self.outbox(name, urgency, 0, None)

    def reloaded(self, *, is_whole: bool, at: datetime) -> None:
        """Record a look at the contract files; `is_whole` if none of them has an error."""
        self._reload_ok.set(1 if is_whole else 0)
        if is_whole:
            self._reload_at.set(at.timestamp())

    def beat(self, at: datetime) -> None:
        """Record the scheduler's heartbeat."""
        self._heartbeat.set(at.timestamp())

    def started(self, lag_seconds: float) -> None:
        """Record that a run started so long after it was due."""
        self._lag.observe(max(0.0, lag_seconds))

    def skipped(self, reason: str) -> None:
        """Count a tick that got no run of its own; `reason` is one of SKIP_REASONS."""
        self._skipped.labels(reason).inc()

    def queued(self, runs: int) -> None:
        """Record how many runs are due and not started."""
        self._queue.set(runs)

    def clock_jumped(self, seconds: float) -> None:
        """Count a jump of the wall clock; positive is forward."""
        self._jumps.labels("forward" if seconds > 0 else "backward").inc()

    def workers_limit(self, limit: int) -> None:
        """Record how many workers there are."""
        self._limit.set(limit)

    def workers_busy(self, busy: int) -> None:
        """Record how many workers have a scan."""
        self._busy.set(busy)

    def phase_took(self, phase: str, seconds: float) -> None:
        """Record how long a phase of a run took; `phase` is one of PHASES."""
        self._duration.labels(phase).observe(seconds)

    def read(self, source_kind: str, *, is_read: bool, file_bytes: int) -> None:
        """Count a scan of a server, whether it read anything, and how large its files are."""
        self._reads.labels(source_kind).inc()
        self._read_bytes.labels(source_kind).inc(file_bytes)
        if not is_read:
            self._read_failures.labels(source_kind).inc()

    def evaluated(self, outcome: RunOutcome, *, was_late: bool) -> None:
        """Count a run; `was_late` if its scan passed the deadline."""
        self._runs.labels("timeout" if was_late else _OUTCOMES[outcome]).inc()

    def cancelled(self) -> None:
        """Count a run that the shut-down ended."""
        self._runs.labels("cancelled").inc()

    def store_failed(self, kind: str) -> None:
        """Count a failure of the store."""
        self._store_errors.labels(kind).inc()

    def count_transitions(self, transitions: Iterable[Transition]) -> None:
        """Count what one run tells of incidents, and how long they took so far."""
        for transition in transitions:
            incident, urgency = transition.incident, _URGENCY[transition.incident.severity].value
            self._transitions.labels(transition.kind.value, urgency).inc()
            seconds = max(0.0, (transition.at - incident.since).total_seconds())
            if transition.kind is TransitionKind.OPENED:
                self._detect.labels(urgency).observe(seconds)
            elif transition.kind is TransitionKind.RESOLVED:
                self._repair.labels(urgency).observe(seconds)

    def enqueued(self, receiver: str, urgency: Urgency) -> None:
        """Count a message put into the outbox."""
        self._enqueued.labels(receiver, urgency.value).inc()

    def attempted(self, receiver: str) -> None:
        """Count an attempt to send."""
        self._attempts.labels(receiver).inc()

    def failed(self, receiver: str, reason: str) -> None:
        """Count an attempt that failed."""
        self._attempt_failures.labels(receiver, reason).inc()

    def delivered(self, receiver: str, urgency: Urgency, seconds: float) -> None:
        """Record how long a message took from the outbox to its receiver."""
        self._delivery.labels(receiver, urgency.value).observe(max(0.0, seconds))

    def notified(self, notes: Iterable[TransitionNote], at: datetime) -> None:
        """Record how long the first delivery of each opening took, counted from its decision."""
        for note in notes:
            if note.kind is TransitionKind.OPENED and self._is_first(note.incident_id):
                seconds = max(0.0, (at - note.at).total_seconds())
                self._notify.labels(_URGENCY[note.severity].value).observe(seconds)

    def _is_first(self, incident_id: str) -> bool:
        with self._lock:
            is_first = incident_id not in self._notified
            self._notified[incident_id] = None
            if len(self._notified) > _OPENINGS_REMEMBERED:
                del self._notified[next(iter(self._notified))]
        return is_first

    def dead(self, receiver: str, reason: str) -> None:
        """Count a message that was given up."""
        self._dead.labels(receiver, reason).inc()

    def outbox(
        self, receiver: str, urgency: Urgency, pending: int, oldest: datetime | None
    ) -> None:
        """Record what waits for a receiver."""
        self._pending.labels(receiver, urgency.value).set(pending)
        self._oldest.labels(receiver, urgency.value).set(oldest.timestamp() if oldest else 0)


def _gauge(
    registry: CollectorRegistry, name: str, text: str, labels: tuple[str, ...] = ()
) -> Gauge:
    return Gauge(f"contractwatch_{name}", text, labels, registry=registry)


def _counter(registry: CollectorRegistry, name: str, text: str, labels: tuple[str, ...]) -> Counter:
    return Counter(f"contractwatch_{name}", text, labels, registry=registry)


def _histogram(
    registry: CollectorRegistry,
    name: str,
    text: str,
    buckets: tuple[float, ...],
    labels: tuple[str, ...] = (),
) -> Histogram:
    return Histogram(f"contractwatch_{name}", text, labels, buckets=buckets, registry=registry)
