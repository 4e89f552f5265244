"""Build notifications from the transitions of one run, one for each receiver and kind.

Each has a stable idempotency key.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from contractwatch.alerting import text
from contractwatch.alerting.audience import UNRECORDED_RECEIVER, informed_receivers
from contractwatch.alerting.route import receivers_for
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Budget, Objective
from contractwatch.model.base.receiver import Receiver
from contractwatch.model.contract.contract import Contract
from contractwatch.model.promises.upstream import Upstream
from contractwatch.model.record.incident import (
    ENDS,
    Cause,
    DeliveryRecord,
    Incident,
    Notification,
    Transition,
    TransitionKind,
    TransitionNote,
    Urgency,
)

URGENCY = {
    Severity.ERROR: Urgency.PAGE,
    Severity.WARNING: Urgency.TICKET,
    Severity.INFO: Urgency.INFO,
}

_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}

_KEY_LENGTH = 32


@dataclass(frozen=True, slots=True)
class AlertingSetup:
    """Alerting settings of the operator: receivers, default receivers and address of the pages.

    `base_url` is the address of the agent's pages without a path; empty if there is none.
    """

    receivers: tuple[Receiver, ...]
    default: tuple[str, ...] = ()
    base_url: str = ""


def notifications(  # noqa: PLR0913 - each is another room's knowledge
    transitions: Iterable[Transition],
    *,
    contract: Contract,
    setup: AlertingSetup,
    budgets: Mapping[Objective, Budget],
    costs: Mapping[str, float],
    now: datetime,
    deliveries: Iterable[DeliveryRecord] | None = None,
) -> tuple[Notification, ...]:
    """Build the messages that report these transitions of one product.

    A transition goes to everyone who was told of the incident and, if it is no end, to everyone
    whom its severity reaches now; those of one receiver and kind are one message. Nothing is told
    twice to the same receiver.

    Args:
        transitions: What one step returned.
        contract: Names the promises, the owner, and who is told.
        setup: The operator's receivers.
        budgets: The error budget of each objective, after this run.
        costs: For each incident id that ends, the bad seconds that the ledger has for it; an
            incident that is not in it costs nothing that is known.
        now: When the messages are written.
        deliveries: What became of all that was told of these incidents before; None if that is not
            known, and then who is reached now stands for who was told.
    """
    known = None if deliveries is None else tuple(deliveries)
    grouped: dict[tuple[str, TransitionKind], list[Transition]] = {}
    for transition in transitions:
        for receiver in _receivers_of(transition, known, contract, setup):
            grouped.setdefault((receiver, transition.kind), []).append(transition)
    messages: list[Notification] = []
    for (receiver, kind), told in grouped.items():
        notes = tuple(_note(one, budgets, costs) for one in sorted(told, key=_order))
        messages.append(
            _notification(
                receiver, kind, notes, contract=contract, base_url=setup.base_url, now=now
            )
        )
    return tuple(messages)


def with_upstream(notification: Notification, upstream: tuple[Upstream, ...]) -> Notification:
    """Add the inputs in trouble to a message, unless it reports an end."""
    return notification if notification.kind in ENDS else replace(notification, upstream=upstream)


def idempotency_key(receiver: str, told: Iterable[tuple[str, int]]) -> str:
    """Return the idempotency key of a message: its receiver and (incident id, sequence) pairs."""
    lines = [receiver, *(f"{incident}#{sequence}" for incident, sequence in sorted(told))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_KEY_LENGTH]


def page_url(base_url: str, product: str) -> str:
    """Return the address of a product's page; empty without a base address."""
    return f"{base_url.rstrip('/')}/products/{quote(product)}" if base_url else ""


def owner_words(contract: Contract) -> str:
    """Word the team, and its owners where the contract names them."""
    owners = ", ".join(contract.owners)
    if contract.team and owners:
        return f"{contract.team} ({owners})"
    return contract.team or owners


def _receivers_of(
    transition: Transition,
    deliveries: tuple[DeliveryRecord, ...] | None,
    contract: Contract,
    setup: AlertingSetup,
) -> tuple[str, ...]:
    incident = transition.incident
    if deliveries is None:
        return _reached_by_severity(incident, contract, setup)
    told = informed_receivers(incident.incident_id, deliveries)
    if UNRECORDED_RECEIVER in told:
        told = _reached_by_severity(incident, contract, setup)
    if transition.kind not in ENDS:
        told = tuple(dict.fromkeys((*told, *_reached_by_severity(incident, contract, setup))))
    names = {receiver.name for receiver in setup.receivers}
    before = {(one.incident_id, one.receiver, one.sequence) for one in deliveries}
    return tuple(
        name
        for name in told
        if name in names and (incident.incident_id, name, transition.sequence) not in before
    )


def _reached_by_severity(
    incident: Incident, contract: Contract, setup: AlertingSetup
) -> tuple[str, ...]:
    """Return the receivers of the severities at which an incident was reported, or has now."""
    told = (incident.opened_severity, incident.told_severity, incident.severity)
    severities = dict.fromkeys(severity for severity in told if severity is not None)
    reached = (
        receivers_for(contract, severity, setup.receivers, setup.default)[0]
        for severity in severities
    )
    return tuple(dict.fromkeys(name for names in reached for name in names))


def _order(transition: Transition) -> tuple[int, str, str]:
    incident = transition.incident
    return -_RANK[incident.severity], incident.objective.value, incident.incident_id


def _note(
    transition: Transition, budgets: Mapping[Objective, Budget], costs: Mapping[str, float]
) -> TransitionNote:
    incident = transition.incident
    budget = budgets.get(incident.objective)
    ended = transition.kind in ENDS
    until = incident.recovering_since or transition.at
    return TransitionNote(
        incident_id=incident.incident_id,
        sequence=transition.sequence,
        kind=transition.kind,
        cause=incident.cause,
        objective=incident.objective,
        severity=incident.severity,
        episode=incident.episode,
        since=incident.since,
        at=transition.at,
        broken=incident.broken,
        budget_remaining_ratio=budget.remaining_ratio if budget else None,
        budget_is_default=budget.target.is_default if budget else False,
        lasted_seconds=max(0.0, (until - incident.since).total_seconds()) if ended else None,
        cost_seconds=costs.get(incident.incident_id) if ended else None,
        young_bad_seconds=budget.spent_seconds if budget and budget.is_young else None,
    )


def _notification(
    receiver: str,
    kind: TransitionKind,
    notes: tuple[TransitionNote, ...],
    *,
    contract: Contract,
    base_url: str,
    now: datetime,
) -> Notification:
    untitled = Notification(
        key=idempotency_key(receiver, ((note.incident_id, note.sequence) for note in notes)),
        receiver=receiver,
        lane=f"{receiver}/{contract.product}",
        urgency=_urgency(notes),
        kind=kind,
        product=contract.product,
        contract_id=contract.contract_id,
        contract_version=contract.version,
        contract_file=contract.file,
        owner=owner_words(contract),
        title="",
        notes=notes,
        created_at=now,
        page_url=page_url(base_url, contract.product),
    )
    return replace(untitled, title=text.title(untitled))


def _urgency(notes: Iterable[TransitionNote]) -> Urgency:
    """Return the urgency of the worst note; an unknown state never pages."""
    worst = max((_severity(note) for note in notes), key=_RANK.__getitem__)
    return URGENCY[worst]


def _severity(note: TransitionNote) -> Severity:
    is_paged = note.severity is Severity.ERROR and note.cause is not Cause.UNKNOWN
    return (
        note.severity if is_paged else min(note.severity, Severity.WARNING, key=_RANK.__getitem__)
    )
