"""Tests of notified receivers on incidents, on pages and in the API."""

import pytest
from web_values import NOW, incident

from contractwatch.alerting.audience import delivery_words
from contractwatch.model.record.incident import DeliveryRecord, DeliveryState, TransitionKind
from contractwatch.web.api.bodies import incident_body

TOLD, WAITING, DEAD = DeliveryState.DELIVERED, DeliveryState.WAITING, DeliveryState.DEAD


def telling(receiver: str, state: DeliveryState, kind: TransitionKind = TransitionKind.OPENED):
    return DeliveryRecord("i", receiver, 1, kind, state, NOW)


@pytest.mark.parametrize(
    ("deliveries", "words"),
    [
        ((), "told to nobody"),
        ((telling("a", TOLD), telling("b", TOLD)), "told to a, b"),
        ((telling("a", TOLD), telling("b", WAITING)), "told to a; on its way to b"),
        ((telling("a", WAITING),), "on its way to a"),
        ((telling("a", DEAD),), "told to nobody: not taken by a"),
        ((telling("a", TOLD), telling("b", DEAD)), "told to a"),
        ((telling("a", TOLD, TransitionKind.RESOLVED),), "told to nobody"),
        ((telling("", TOLD),), "told before it was kept to whom"),
    ],
)
def test_told_is_what_was_delivered(deliveries: tuple[DeliveryRecord, ...], words: str) -> None:
    assert delivery_words("i", deliveries) == words
    assert delivery_words("another", deliveries) == "told to nobody"


def test_the_api_has_what_became_of_every_message() -> None:
    one = incident(incident_id="i")
    body = incident_body(
        one, (telling("a", DEAD), DeliveryRecord("j", "b", 1, TransitionKind.OPENED, TOLD, NOW))
    )
    assert [(each["receiver"], each["kind"], each["state"]) for each in body["told"]] == [
        ("a", "opened", "dead")
    ]
