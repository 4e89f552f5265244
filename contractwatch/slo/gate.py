"""Decide for a consumer whether a product may be used now, and why not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contractwatch.errors import UsageError
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState, Standing
from contractwatch.model.record.incident import Cause, Incident, Phase
from contractwatch.model.record.product import ProductRecord
from contractwatch.model.record.run import RunResult
from contractwatch.slo.status import live_standings
from contractwatch.slo.trust import TrustScore, trust_of

BODY_VERSION = 1

EXIT_UNREACHABLE = 3
"""For the caller that cannot reach the record; `decide` never returns it."""


class OnUnknown(StrEnum):
    """Decision where it is not known whether a required promise is kept."""

    FAIL = "fail"
    ALLOW = "pass"


class DecisionWord(StrEnum):
    """Decision of the gate in one word."""

    ALLOW = "allow"
    BREACHED = "breached"
    UNKNOWN = "unknown"


EXIT_CODES = {DecisionWord.ALLOW: 0, DecisionWord.BREACHED: 1, DecisionWord.UNKNOWN: 2}


@dataclass(frozen=True, slots=True)
class Policy:
    """Requirements of a consumer.

    An empty `require` means all that the contract promises. `min_score` is 0-100. A last run that
    finished longer than `max_evaluation_age` ago counts as unknown, and so does a verdict about
    what is required that was found longer ago and is still in force.
    """

    require: tuple[Objective, ...] = ()
    min_score: float | None = None
    max_evaluation_age: timedelta | None = None
    on_unknown: OnUnknown = OnUnknown.FAIL


@dataclass(frozen=True, slots=True)
class Decision:
    """Decision whether a product may be used, with everything that it is based on.

    `statuses` holds the required objectives, "not promised" where the contract is silent. It is
    good until `expires_at` at the latest: then a new run is due, or what is known has run out.
    """

    product: str
    answer: DecisionWord
    allow: bool
    exit_code: int
    reasons: tuple[str, ...]
    statuses: Mapping[Objective, str]
    evaluated_at: datetime | None
    data_version: str
    contract_version: str
    trust: TrustScore
    incidents: tuple[Incident, ...]
    decided_at: datetime
    expires_at: datetime


_NOT_PROMISED = "not promised"
_ALL = Objective.CONFORMANCE

_STATE_OF_CAUSE = {Cause.BREACH: ObjectiveState.BAD, Cause.UNKNOWN: ObjectiveState.UNKNOWN}


def required_objectives(names: Iterable[str]) -> tuple[Objective, ...]:
    """Parse the names of objectives, in the order given and each once.

    Raises:
        UsageError: If a name is none of an objective.
    """
    found: dict[Objective, None] = {}
    for name in names:
        try:
            found[Objective(name.strip().lower())] = None
        except ValueError as unknown:
            known = ", ".join(objective.value for objective in Objective)
            raise UsageError(
                f"--require: unknown objective {name.strip()!r}; expected one of {known}"
            ) from unknown
    return tuple(found)


def on_unknown_of(word: str) -> OnUnknown:
    """Parse the word `fail` or `pass`.

    Raises:
        UsageError: If the word is neither `fail` nor `pass`.
    """
    try:
        return OnUnknown(word.strip().lower())
    except ValueError as unknown:
        raise UsageError(f"--on-unknown: {word!r}; expected fail or pass") from unknown


def decide(record: ProductRecord, policy: Policy, *, now: datetime) -> Decision:
    """Decide whether the product may be used at `now`.

    Anything breached denies, whatever else is known: so does an open breach of severity error, also
    when its objective is unknown by now. What is not known (an unknown or unpromised objective, a
    run too old, a score without a number) denies unless the policy lets it pass. Any other incident
    that is not over is a reason, and denies nothing.
    """
    live = live_standings((line.standing for line in record.lines), now=now)
    required = policy.require or tuple(o for o in live if o is not Objective.CONFORMANCE)
    statuses = {o: live[o].state.value if o in live else _NOT_PROMISED for o in required}
    trust = trust_of(record, now=now)
    open_incidents = tuple(i for i in record.incidents if i.phase in (Phase.OPEN, Phase.RECOVERING))
    troubles = tuple(_incident_reasons(open_incidents, statuses, live))
    open_breaches = [trouble.reason for trouble in troubles if trouble.denies]
    broken = [*_broken(statuses, live), *open_breaches, *_below_score(policy, trust)]
    unknown = [
        *_unknown(statuses, live, has_run=record.last_run is not None),
        *_stale(record, policy, required, now),
        *_without_score(policy, trust),
    ]
    answer = DecisionWord.ALLOW
    if broken:
        answer = DecisionWord.BREACHED
    elif unknown and policy.on_unknown is OnUnknown.FAIL:
        answer = DecisionWord.UNKNOWN
    run = record.last_run
    return Decision(
        product=record.card.product,
        answer=answer,
        allow=answer is DecisionWord.ALLOW,
        exit_code=EXIT_CODES[answer],
        reasons=(*broken, *unknown, *(one.reason for one in troubles if not one.denies)),
        statuses=statuses,
        evaluated_at=run.finished_at if run else None,
        data_version=run.data_version if run else "",
        contract_version=run.contract_version if run else record.card.version,
        trust=trust,
        incidents=open_incidents,
        decided_at=now,
        expires_at=_expiry(record, policy, live, now),
    )


def to_body(decision: Decision) -> dict[str, object]:
    """Return the documented JSON body of a decision."""
    return {
        "version": BODY_VERSION,
        "product": decision.product,
        "allow": decision.allow,
        "decision": decision.answer.value,
        "exit_code": decision.exit_code,
        "reasons": list(decision.reasons),
        "status": {objective.value: state for objective, state in decision.statuses.items()},
        "evaluated_at": _iso_or_none(decision.evaluated_at),
        "data_version": decision.data_version,
        "contract_version": decision.contract_version,
        "score": None if decision.trust.number is None else round(decision.trust.number, 1),
        "score_badge": decision.trust.badge,
        "score_version": decision.trust.score_version,
        "incidents": [_incident_body(incident) for incident in decision.incidents],
        "decided_at": _iso_or_none(decision.decided_at),
        "expires_at": _iso_or_none(decision.expires_at),
    }


def _broken(statuses: Mapping[Objective, str], live: Mapping[Objective, Standing]) -> Iterable[str]:
    for objective, status in statuses.items():
        if status == ObjectiveState.BAD:
            yield f"{objective.value} is broken since {_iso_or_none(live[objective].since)}"


@dataclass(frozen=True, slots=True)
class _IncidentReason:
    """Incident that is not over, as a reason of the decision."""

    reason: str
    denies: bool = False


def _incident_reasons(
    open_incidents: Iterable[Incident],
    statuses: Mapping[Objective, str],
    live: Mapping[Objective, Standing],
) -> Iterable[_IncidentReason]:
    """Yield the open incidents of required objectives whose state does not say the same already."""
    for incident in open_incidents:
        asked = incident.objective
        is_asked = asked in statuses
        if is_asked or Objective.CONFORMANCE in statuses:
            state = live[asked].state if asked in live else None
            if not (is_asked and state is _STATE_OF_CAUSE[incident.cause]):
                yield _incident_reason(incident, state)


def _incident_reason(incident: Incident, state: ObjectiveState | None) -> _IncidentReason:
    name, phase, since = incident.objective.value, incident.phase, _iso_or_none(incident.since)
    if incident.cause is Cause.UNKNOWN:
        return _IncidentReason(f"{name} was not known: its incident since {since} is {phase.value}")
    if state is ObjectiveState.GOOD:
        return _IncidentReason(f"{name} is at risk: its incident since {since} is {phase.value}")
    denies = phase is Phase.OPEN and incident.severity is Severity.ERROR
    return _IncidentReason(f"{name} has a breach since {since} that is {phase.value}", denies)


def _below_score(policy: Policy, trust: TrustScore) -> Iterable[str]:
    if policy.min_score is not None and trust.number is not None:
        # the number as it is shown decides, so that a person can follow the decision
        shown = round(trust.number, 1)
        if shown < policy.min_score:
            yield f"the trust score is {shown:.1f}, required at least {policy.min_score:g}"


def _unknown(
    statuses: Mapping[Objective, str], live: Mapping[Objective, Standing], *, has_run: bool
) -> Iterable[str]:
    if not statuses and has_run:
        yield "the contract promises nothing that is watched"
    for objective, status in statuses.items():
        if status == _NOT_PROMISED:
            yield f"{objective.value} is not promised by the contract"
        elif status == ObjectiveState.UNKNOWN:
            yield f"{objective.value} is not known since {_iso_or_none(live[objective].since)}"
        elif status == ObjectiveState.EXCLUDED:
            yield f"{objective.value} is excluded since {_iso_or_none(live[objective].since)}"


def _stale(
    record: ProductRecord, policy: Policy, required: Iterable[Objective], now: datetime
) -> Iterable[str]:
    run = record.last_run
    limit = policy.max_evaluation_age
    if run is None:
        yield "the contract was never run"
    elif limit is not None and run.finished_at > now:
        yield f"the last run ended at {_iso_or_none(run.finished_at)}, which is still to come"
    elif limit is not None and now - run.finished_at > limit:
        yield f"the last run ended {_too_long(now - run.finished_at, limit)}"
    elif limit is not None:
        in_force = _judged_at(run, frozenset(required))
        for objective, at in in_force.items():
            if at > now:
                yield f"{objective.value} was judged at {_iso_or_none(at)}, which is still to come"
            elif now - at > limit:
                yield f"{objective.value} was judged {_too_long(now - at, limit)}"


def _too_long(age: timedelta, limit: timedelta) -> str:
    return f"{int(age.total_seconds())} s ago, required at most {limit.total_seconds():.0f} s"


def _judged_at(run: RunResult, required: frozenset[Objective]) -> Mapping[Objective, datetime]:
    """Return the time of the oldest verdict in force among the required objectives."""
    found: dict[Objective, datetime] = {}
    for result in run.results:
        objective = result.promise.objective
        if result.timing is not None and not required.isdisjoint({objective, _ALL}):
            known = found.get(objective, result.timing.judged_at)
            found[objective] = min(known, result.timing.judged_at)
    return found


def _without_score(policy: Policy, trust: TrustScore) -> Iterable[str]:
    if policy.min_score is not None and trust.number is None:
        seen = trust.data_versions
        yield f"there is no trust score yet: {seen} data version{'' if seen == 1 else 's'} seen"


def _expiry(
    record: ProductRecord, policy: Policy, live: Mapping[Objective, Standing], now: datetime
) -> datetime:
    """Return the first instant at which the decision may change."""
    run = record.last_run
    due = [now + timedelta(seconds=max(record.card.interval_seconds, 1.0))]
    for standing in live.values():
        due += [standing.horizon] if standing.stale_at is None else [standing.stale_at]
    if run is not None:
        due.append(run.finished_at + timedelta(seconds=record.card.interval_seconds))
        if policy.max_evaluation_age is not None:
            judged = _judged_at(run, frozenset(live)).values()
            due += [at + policy.max_evaluation_age for at in (run.finished_at, *judged)]
    return min(instant for instant in due if instant > now)


def _incident_body(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.incident_id,
        "objective": incident.objective.value,
        "cause": incident.cause.value,
        "phase": incident.phase.value,
        "severity": incident.severity.value,
        "since": _iso_or_none(incident.since),
    }


def _iso_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat(timespec="seconds").replace("+00:00", "Z")
