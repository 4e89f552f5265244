"""Incident state machine: open after N bad runs, resolve after M good ones, emit transitions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contractwatch.alerting.broken_promises import broken_promises, worst_severity
from contractwatch.alerting.route import grace_for
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.contract.contract import AlertPolicy
from contractwatch.model.record.incident import Cause, Incident, Phase, Transition, TransitionKind
from contractwatch.model.record.run import Observation

REOPEN_WITHIN = timedelta(hours=1)
"""Trouble that begins so soon after a resolution is a new episode of the same incident."""

UNKNOWN_RUNS = 3
"""So many runs in a row without knowledge open an incident of their own."""

_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}

_ANNOUNCED = frozenset({Phase.OPEN, Phase.RECOVERING})
_ACTIVE = _ANNOUNCED | {Phase.PENDING}


@dataclass(frozen=True, slots=True)
class _Signal:
    """Signal of one run for one possible incident: bad, good, or None for neither."""

    objective: Objective
    cause: Cause
    is_bad: bool | None
    observation: Observation
    severity: Severity
    open_after: int
    grace: timedelta


@dataclass(frozen=True, slots=True)
class _Context:
    """Arguments that are the same for every decision of one run."""

    product: str
    now: datetime
    policy: AlertPolicy
    new_id: Callable[[], str]


def update_incidents(
    incidents: tuple[Incident, ...],
    observations: Iterable[Observation],
    *,
    product: str,
    now: datetime,
    policy: AlertPolicy,
    new_id: Callable[[], str],
) -> tuple[tuple[Incident, ...], tuple[Transition, ...]]:
    """Apply the observations of one run; return the changed incidents and the transitions.

    1. Each objective's breach: pending, open, recovering, resolved, or reopened.
    2. An incident whose objective the run no longer observes is withdrawn.
    3. A run in which something is unknown, nothing is bad and no breach of severity error is open
       counts towards the incident "unknown" of the product.

    Args:
        incidents: All that are not resolved, and those resolved within the last hour at least.
        observations: One for each promised objective; none at all changes nothing.
        product: The product that was run.
        now: When it was observed.
        policy: N, M, the grace and the ceiling.
        new_id: Makes the id of a new incident.
    """
    seen = tuple(observations)
    if not seen:
        return (), ()
    context = _Context(product, now, policy, new_id)
    by_id = {incident.incident_id: incident for incident in incidents}
    transitions: list[Transition] = []
    for observation in seen:
        transitions += _apply(by_id, _breach_signal(observation, policy), context)
    observed = {observation.objective for observation in seen}
    for incident in tuple(by_id.values()):
        if incident.cause is Cause.BREACH and incident.objective not in observed:
            transitions += _withdraw(by_id, incident, now)
    transitions += _apply(by_id, _unknown_signal(seen, by_id.values(), policy), context)
    before = {incident.incident_id: incident for incident in incidents}
    changed = tuple(one for one in by_id.values() if before.get(one.incident_id) != one)
    return changed, tuple(transitions)


def withdraw_incidents(
    incidents: Iterable[Incident], at: datetime
) -> tuple[tuple[Incident, ...], tuple[Transition, ...]]:
    """Close every incident of a product whose contract is gone.

    Incidents that were reported get the transition WITHDRAWN.
    """
    before = {incident.incident_id: incident for incident in incidents}
    by_id = dict(before)
    transitions: list[Transition] = []
    for incident in before.values():
        transitions += _withdraw(by_id, incident, at)
    return tuple(one for one in by_id.values() if before[one.incident_id] != one), tuple(
        transitions
    )


def _breach_signal(observation: Observation, policy: AlertPolicy) -> _Signal:
    """Return the breach signal: a bad state, or a failed check of severity warning.

    A failed check of severity info never opens an incident.
    """
    severity = worst_severity(observation)
    is_bad: bool | None = _RANK[severity] > _RANK[Severity.INFO]
    if not is_bad and observation.state is not ObjectiveState.GOOD:
        is_bad = None
    severity = min(severity, policy.ceiling, key=_RANK.__getitem__)
    return _Signal(
        objective=observation.objective,
        cause=Cause.BREACH,
        is_bad=is_bad,
        observation=observation,
        severity=severity,
        open_after=policy.open_after,
        grace=grace_for(policy, severity),
    )


def _unknown_signal(
    observations: tuple[Observation, ...], incidents: Iterable[Incident], policy: AlertPolicy
) -> _Signal:
    """Return the signal of unknown objectives, unless a breach explains that they are unknown."""
    blind = [one for one in observations if one.state is ObjectiveState.UNKNOWN]
    explained = any(_is_paged(one) for one in incidents) or any(
        _breach_signal(one, policy).is_bad for one in observations
    )
    # an open breach neither feeds the streak of an unknown incident nor lets it resolve
    is_bad = None if blind and explained else bool(blind)
    names = ", ".join(one.objective.value for one in blind)
    why = next((one.reason for one in blind if one.reason), "")
    reason = f"{names}: {why}" if why else names
    return _Signal(
        objective=Objective.CONFORMANCE,
        cause=Cause.UNKNOWN,
        is_bad=is_bad,
        observation=Observation(Objective.CONFORMANCE, ObjectiveState.UNKNOWN, reason=reason),
        severity=min(Severity.WARNING, policy.ceiling, key=_RANK.__getitem__),
        open_after=UNKNOWN_RUNS,
        grace=timedelta(0),
    )


def _is_paged(incident: Incident) -> bool:
    is_breach = incident.cause is Cause.BREACH and incident.phase in _ANNOUNCED
    return is_breach and incident.severity is Severity.ERROR


def _apply(by_id: dict[str, Incident], signal: _Signal, context: _Context) -> list[Transition]:
    """Update the incident that a signal belongs to, and return its transitions."""
    if signal.is_bad is None:
        return []
    own = [one for one in by_id.values() if _is_about(one, signal)]
    active = next((one for one in own if one.phase in _ACTIVE), None)
    if not signal.is_bad:
        return _apply_good(by_id, active, context) if active else []
    if active is None:
        active = _new_incident(signal, context)
    return _apply_bad(by_id, active, signal, context)


def _is_about(incident: Incident, signal: _Signal) -> bool:
    return incident.objective is signal.objective and incident.cause is signal.cause


def _new_incident(signal: _Signal, context: _Context) -> Incident:
    return Incident(
        incident_id=context.new_id(),
        product=context.product,
        objective=signal.objective,
        cause=signal.cause,
        phase=Phase.PENDING,
        severity=signal.severity,
        since=context.now,
    )


def _apply_bad(
    by_id: dict[str, Incident], active: Incident, signal: _Signal, context: _Context
) -> list[Transition]:
    severity = max(active.severity, signal.severity, key=_RANK.__getitem__)
    if active.phase is Phase.PENDING:  # it may have begun under a higher ceiling
        severity = min(severity, context.policy.ceiling, key=_RANK.__getitem__)
    seen = replace(
        active,
        severity=severity,
        bad_streak=active.bad_streak + 1,
        good_streak=0,
        recovering_since=None,
        broken=broken_promises(signal.observation, product=context.product),
    )
    if active.phase in _ANNOUNCED:
        return _stay_open(by_id, active, replace(seen, phase=Phase.OPEN), signal, context)
    lasted = context.now - seen.since
    if seen.bad_streak < signal.open_after or lasted < signal.grace:
        by_id[seen.incident_id] = seen
        return []
    return _open(by_id, seen, context.now)


def _stay_open(
    by_id: dict[str, Incident], before: Incident, seen: Incident, signal: _Signal, context: _Context
) -> list[Transition]:
    """Keep an open incident silently; report it again only if a ticket has become an error.

    Like opening, that takes two runs in a row that are worse than what was reported.
    """
    reported = _RANK[before.told_severity or before.severity]
    if min(_RANK[before.severity], _RANK[signal.severity]) <= reported:
        by_id[seen.incident_id] = seen
        return []
    worse = replace(seen, told_severity=seen.severity)
    return _announce(by_id, worse, TransitionKind.WORSENED, context.now)


def _open(by_id: dict[str, Incident], pending: Incident, now: datetime) -> list[Transition]:
    """Open the pending incident, or the one that was resolved less than an hour before it."""
    former = _reopenable(by_id.values(), pending)
    if former is None:
        opened = replace(
            pending,
            phase=Phase.OPEN,
            opened_at=now,
            told_severity=pending.severity,
            opened_severity=pending.severity,
        )
        return _announce(by_id, opened, TransitionKind.OPENED, now)
    by_id[pending.incident_id] = _closed(pending, now)
    again = replace(
        former,
        phase=Phase.OPEN,
        severity=pending.severity,
        since=pending.since,
        opened_at=now,
        recovering_since=None,
        resolved_at=None,
        episode=former.episode + 1,
        bad_streak=pending.bad_streak,
        good_streak=0,
        broken=pending.broken,
        told_severity=pending.severity,
        opened_severity=pending.severity,
    )
    return _announce(by_id, again, TransitionKind.REOPENED, now)


def _reopenable(incidents: Iterable[Incident], pending: Incident) -> Incident | None:
    former = {
        one.resolved_at: one
        for one in incidents
        if one.objective is pending.objective
        and one.cause is pending.cause
        and one.phase is Phase.RESOLVED
        and one.told_severity is not None
        and one.resolved_at is not None
        and pending.since - one.resolved_at <= REOPEN_WITHIN
    }
    return former[max(former)] if former else None


def _apply_good(
    by_id: dict[str, Incident], active: Incident, context: _Context
) -> list[Transition]:
    if active.phase is Phase.PENDING:
        by_id[active.incident_id] = _closed(active, context.now)
        return []
    better = replace(
        active,
        phase=Phase.RECOVERING,
        good_streak=active.good_streak + 1,
        bad_streak=0,
        recovering_since=active.recovering_since or context.now,
    )
    if better.good_streak < context.policy.resolve_after:
        by_id[better.incident_id] = better
        return []
    resolved = replace(better, phase=Phase.RESOLVED, resolved_at=context.now)
    return _announce(by_id, resolved, TransitionKind.RESOLVED, context.now)


def _withdraw(by_id: dict[str, Incident], incident: Incident, at: datetime) -> list[Transition]:
    if incident.phase not in _ACTIVE:
        return []
    closed = _closed(incident, at)
    if incident.phase in _ANNOUNCED:
        return _announce(by_id, closed, TransitionKind.WITHDRAWN, at)
    by_id[closed.incident_id] = closed
    return []


def _closed(incident: Incident, at: datetime) -> Incident:
    return replace(incident, phase=Phase.RESOLVED, resolved_at=at)


def _announce(
    by_id: dict[str, Incident], incident: Incident, kind: TransitionKind, at: datetime
) -> list[Transition]:
    announced = replace(incident, sequence=incident.sequence + 1)
    by_id[announced.incident_id] = announced
    return [Transition(announced, kind, at, announced.sequence)]
