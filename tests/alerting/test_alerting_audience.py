"""Who knows of an incident: what reached them last, what is on its way, what nobody took."""

from dataclasses import replace

import pytest
from alerting_values import COMPLETENESS, at

from contractwatch.alerting.audience import delivery_words, informed_receivers, undelivered_openings
from contractwatch.model.base.clause import Severity
from contractwatch.model.record.incident import (
    Cause,
    DeliveryRecord,
    DeliveryState,
    Incident,
    Phase,
    Transition,
    TransitionKind,
)

OPENED, WORSENED, RESOLVED = (
    TransitionKind.OPENED,
    TransitionKind.WORSENED,
    TransitionKind.RESOLVED,
)
TOLD, WAITING, DEAD = DeliveryState.DELIVERED, DeliveryState.WAITING, DeliveryState.DEAD
INCIDENT = Incident(
    "i1",
    "finance/orders",
    COMPLETENESS,
    Cause.BREACH,
    Phase.OPEN,
    Severity.ERROR,
    at(0),
    sequence=4,
)


def telling(
    receiver: str,
    sequence: int = 1,
    kind: TransitionKind = OPENED,
    state: DeliveryState = TOLD,
    incident: str = "i1",
) -> DeliveryRecord:
    return DeliveryRecord(incident, receiver, sequence, kind, state, at(sequence))


@pytest.mark.parametrize(
    ("deliveries", "names"),
    [
        ([], ()),
        ([telling("chat"), telling("ops")], ("chat", "ops")),
        ([telling("chat", incident="i2"), telling("ops")], ("ops",)),
        ([telling("chat", state=DEAD), telling("ops", state=WAITING)], ("ops",)),
        ([telling("chat"), telling("chat", 2, RESOLVED), telling("ops")], ("ops",)),
        ([telling("chat", 2, RESOLVED), telling("chat"), telling("ops")], ("ops",)),
        ([telling("chat"), telling("chat", 2, RESOLVED, DEAD)], ("chat",)),
        ([telling("chat", 2, WORSENED), telling("chat", 1, RESOLVED)], ("chat",)),
        ([telling("chat", 2), telling("chat", 2, RESOLVED)], ("chat",)),
    ],
)
def test_whoever_last_heard_of_the_trouble_knows_of_it(
    deliveries: list[DeliveryRecord], names: tuple[str, ...]
) -> None:
    assert informed_receivers("i1", deliveries) == names


def test_what_nobody_heard_of_is_told_now() -> None:
    found = undelivered_openings([INCIDENT], [], [telling("chat", state=DEAD)], now=at(9))
    assert found == (Transition(INCIDENT, OPENED, at(9), 4),)
    again = replace(INCIDENT, episode=2)
    assert undelivered_openings([again], [], [], now=at(9)) == (
        Transition(again, TransitionKind.REOPENED, at(9), 4),
    )


def test_what_somebody_heard_of_or_turns_anyway_is_not_told_again() -> None:
    others = [
        replace(INCIDENT, incident_id="i2"),
        replace(INCIDENT, incident_id="i3", phase=Phase.RECOVERING),
        replace(INCIDENT, incident_id="i4", phase=Phase.PENDING),
        replace(INCIDENT, incident_id="i5"),
    ]
    turned = Transition(others[0], WORSENED, at(9), 5)
    found = undelivered_openings([INCIDENT, *others], [turned], iter([telling("chat")]), now=at(9))
    assert [one.incident.incident_id for one in found] == ["i5"]


@pytest.mark.parametrize(
    ("deliveries", "words"),
    [
        ([], "told to nobody"),
        ([telling("chat", incident="i2")], "told to nobody"),
        ([telling("chat", kind=RESOLVED)], "told to nobody"),
        ([telling("chat")], "told to chat"),
        ([telling("chat"), telling("ops"), telling("chat", 2, WORSENED)], "told to chat, ops"),
        ([telling("chat", state=WAITING)], "on its way to chat"),
        (
            [telling("a", state=WAITING), telling("b", state=WAITING), telling("c")],
            "told to c; on its way to a, b",
        ),
        ([telling("a"), telling("a", 2, WORSENED, WAITING)], "told to a"),
        ([telling("a"), telling("b", state=DEAD)], "told to a"),
        (
            [telling("a", state=DEAD), telling("b", state=DEAD)],
            "told to nobody: not taken by a, b",
        ),
        ([telling("", state=TOLD), telling("a")], "told before it was kept to whom"),
        ([telling("", state=WAITING)], "on its way to "),
    ],
)
def test_who_was_told_is_said_in_words(deliveries: list[DeliveryRecord], words: str) -> None:
    assert delivery_words("i1", deliveries) == words
