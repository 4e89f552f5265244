"""Decide who is told of an incident's transition from what was delivered to them before.

An end goes only to those whom a message of the beginning reached, or may still reach.
"""

from collections.abc import Iterable
from datetime import datetime

from contractwatch.model.record.incident import (
    ENDS,
    DeliveryRecord,
    DeliveryState,
    Incident,
    Phase,
    Transition,
    TransitionKind,
)

UNRECORDED_RECEIVER = ""
"""Who was told of an incident that is older than the record of it."""


def informed_receivers(incident_id: str, deliveries: Iterable[DeliveryRecord]) -> tuple[str, ...]:
    """Return the receivers whose last message of the incident says that it is not over.

    The last message counts that was delivered to a receiver, or is on its way to it.
    """
    last: dict[str, DeliveryRecord] = {}
    for one in deliveries:
        if one.incident_id == incident_id and one.state is not DeliveryState.DEAD:
            before = last.get(one.receiver)
            if before is None or before.sequence < one.sequence:
                last[one.receiver] = one
    return tuple(receiver for receiver, one in last.items() if one.kind not in ENDS)


def is_delivered(incident_id: str, deliveries: Iterable[DeliveryRecord]) -> bool:
    """Return whether any receiver knows from a delivered message that the incident is not over."""
    knowing: set[str] = set()
    for one in sorted(deliveries, key=lambda one: one.sequence):
        if one.incident_id != incident_id or one.state is not DeliveryState.DELIVERED:
            continue
        if one.kind in ENDS:
            knowing.discard(one.receiver)
        else:
            knowing.add(one.receiver)
    return bool(knowing)


def undelivered_openings(
    incidents: Iterable[Incident],
    transitions: Iterable[Transition],
    deliveries: Iterable[DeliveryRecord],
    *,
    now: datetime,
) -> tuple[Transition, ...]:
    """Return an opening transition for each open incident of which no receiver was informed.

    A message that is still on its way to one receiver keeps it from no other.
    One that is recovering is left alone: it is over soon, or is told when it turns bad again.
    """
    told = tuple(deliveries)
    turned = {one.incident.incident_id for one in transitions}
    found: list[Transition] = []
    for one in incidents:
        is_open = one.phase is Phase.OPEN and one.incident_id not in turned
        if is_open and not is_delivered(one.incident_id, told):
            kind = TransitionKind.REOPENED if one.episode > 1 else TransitionKind.OPENED
            found.append(Transition(one, kind, now, one.sequence))
    return tuple(found)


def delivery_words(incident_id: str, deliveries: Iterable[DeliveryRecord]) -> str:
    """Word who was told that an incident began, who will be, or that nobody was."""
    began = [one for one in deliveries if one.incident_id == incident_id and one.kind not in ENDS]
    told = _names(began, DeliveryState.DELIVERED)
    waiting = [name for name in _names(began, DeliveryState.WAITING) if name not in told]
    if UNRECORDED_RECEIVER in told:
        return "told before it was kept to whom"
    said = [f"told to {', '.join(told)}"] if told else []
    said += [f"on its way to {', '.join(waiting)}"] if waiting else []
    if said:
        return "; ".join(said)
    refused = _names(began, DeliveryState.DEAD)
    return f"told to nobody: not taken by {', '.join(refused)}" if refused else "told to nobody"


def _names(deliveries: Iterable[DeliveryRecord], state: DeliveryState) -> list[str]:
    return list(dict.fromkeys(one.receiver for one in deliveries if one.state is state))
