"""To whom a message goes: whom the incident reaches now, and whoever was told of it before."""

from dataclasses import replace

import pytest
from alerting_values import COMPLETENESS, at, contract, receiver, support

from contractwatch.alerting.audience import UNRECORDED_RECEIVER, is_delivered
from contractwatch.alerting.message import AlertingSetup, notifications, page_url
from contractwatch.model.base.clause import Severity
from contractwatch.model.contract.contract import AlertPolicy, Contract, Route
from contractwatch.model.record.incident import (
    Cause,
    DeliveryRecord,
    DeliveryState,
    Incident,
    Phase,
    Transition,
    TransitionKind,
)

OPENED, WORSENED = TransitionKind.OPENED, TransitionKind.WORSENED
RESOLVED, WITHDRAWN = TransitionKind.RESOLVED, TransitionKind.WITHDRAWN
TOLD, WAITING, DEAD = DeliveryState.DELIVERED, DeliveryState.WAITING, DeliveryState.DEAD

POST = AlertingSetup((receiver("chat"), receiver("ops"), receiver("oncall")), default=("ops",))
CHAT = contract(support("chat", scope="notifications"))
INCIDENT = Incident(
    "i1",
    "finance/orders",
    COMPLETENESS,
    Cause.BREACH,
    Phase.OPEN,
    Severity.ERROR,
    at(0),
    opened_severity=Severity.ERROR,
    told_severity=Severity.ERROR,
)


def telling(
    receiver: str,
    sequence: int = 1,
    kind: TransitionKind = OPENED,
    state: DeliveryState = TOLD,
    incident: str = "i1",
) -> DeliveryRecord:
    return DeliveryRecord(incident, receiver, sequence, kind, state, at(sequence))


def told(
    kind: TransitionKind,
    sequence: int,
    deliveries: list[DeliveryRecord] | None,
    known: Contract = CHAT,
    incident: Incident = INCIDENT,
) -> list[str]:
    """Return who gets a message of that turn."""
    turn = Transition(replace(incident, sequence=sequence), kind, at(9), sequence)
    sent = notifications(
        [turn],
        contract=known,
        setup=POST,
        budgets={},
        costs={},
        now=at(9),
        # once only: what is read may be a stream
        deliveries=None if deliveries is None else iter(deliveries),
    )
    return [one.receiver for one in sent]


@pytest.mark.parametrize(
    ("kind", "sequence", "deliveries", "receivers"),
    [
        (OPENED, 1, None, ["chat"]),
        (OPENED, 1, [], ["chat"]),
        (RESOLVED, 2, None, ["chat"]),
        # an end is told to those who know of the beginning, and to nobody else
        (RESOLVED, 2, [], []),
        (WITHDRAWN, 2, [], []),
        (RESOLVED, 2, [telling("ops")], ["ops"]),
        (WITHDRAWN, 2, [telling("ops"), telling("chat")], ["ops", "chat"]),
        (RESOLVED, 2, [telling("ops", state=WAITING)], ["ops"]),
        (RESOLVED, 2, [telling("ops", state=DEAD)], []),
        (RESOLVED, 2, [telling("ops", incident="i2")], []),
        (RESOLVED, 4, [telling("ops"), telling("ops", 2, RESOLVED)], []),
        # what is no end goes to whom it reaches now as well, once each
        (WORSENED, 2, [telling("ops")], ["ops", "chat"]),
        (WORSENED, 2, [telling("chat")], ["chat"]),
        (WORSENED, 2, [telling("chat", state=DEAD)], ["chat"]),
        # nothing is told twice to the same receiver, whatever became of the first time
        (WORSENED, 2, [telling("ops"), telling("chat", 2, WORSENED)], ["ops"]),
        (WORSENED, 2, [telling("ops"), telling("chat", 2, WORSENED, DEAD)], ["ops"]),
        (WORSENED, 2, [telling("ops"), telling("ops", 2, WORSENED, WAITING)], ["chat"]),
        (WORSENED, 2, [telling("chat", 2, WORSENED, incident="i2")], ["chat"]),
        (WORSENED, 3, [telling("chat", 2, WORSENED)], ["chat"]),
        # whom the operator has taken away hears nothing more
        (RESOLVED, 2, [telling("gone"), telling("ops")], ["ops"]),
        (WORSENED, 2, [telling("gone")], ["chat"]),
        # of an older record that does not say who was told, whom it reaches stands for them
        (RESOLVED, 2, [telling(UNRECORDED_RECEIVER)], ["chat"]),
        (RESOLVED, 2, [telling(UNRECORDED_RECEIVER), telling("ops")], ["chat"]),
        (RESOLVED, 2, [telling(UNRECORDED_RECEIVER), telling("chat", 2, RESOLVED, WAITING)], []),
    ],
)
def test_a_turn_goes_to_whoever_knows_and_a_beginning_to_whom_it_reaches_now(
    kind: TransitionKind,
    sequence: int,
    deliveries: list[DeliveryRecord] | None,
    receivers: list[str],
) -> None:
    assert told(kind, sequence, deliveries) == receivers


@pytest.mark.parametrize(
    ("opened", "last", "now", "receivers"),
    [
        (Severity.ERROR, Severity.ERROR, Severity.ERROR, ["oncall"]),
        (Severity.WARNING, Severity.ERROR, Severity.ERROR, ["chat", "oncall"]),
        (Severity.WARNING, Severity.WARNING, Severity.ERROR, ["chat", "oncall"]),
        (Severity.ERROR, Severity.WARNING, Severity.WARNING, ["oncall", "chat"]),
        (None, None, Severity.WARNING, ["chat"]),
        (None, Severity.ERROR, Severity.WARNING, ["oncall", "chat"]),
    ],
)
def test_every_severity_at_which_it_was_told_reaches_its_receivers(
    opened: Severity | None, last: Severity | None, now: Severity, receivers: list[str]
) -> None:
    routes = (Route("oncall", frozenset({Severity.ERROR})), Route("chat"))
    known = contract(support("oncall"), support("chat"), alerts=AlertPolicy(routes=routes))
    one = replace(INCIDENT, opened_severity=opened, told_severity=last, severity=now)
    assert told(RESOLVED, 2, None, known, one) == receivers


@pytest.mark.parametrize(
    ("deliveries", "known"),
    [
        ([], False),
        ([telling("chat")], True),
        ([telling("chat", state=WAITING)], False),
        ([telling("chat", state=DEAD)], False),
        ([telling("chat", incident="i2")], False),
        ([telling("chat", incident="i2"), telling("chat")], True),
        ([telling("chat", state=WAITING), telling("ops")], True),
        ([telling("chat"), telling("chat", 2, RESOLVED)], False),
        ([telling("chat"), telling("chat", 2, WITHDRAWN)], False),
        ([telling("chat", 2, RESOLVED), telling("chat")], False),
        ([telling("chat"), telling("chat", 2, RESOLVED, WAITING)], True),
        ([telling("chat"), telling("chat", 2, RESOLVED, DEAD)], True),
        ([telling("chat"), telling("ops", 2, RESOLVED)], True),
        ([telling("chat"), telling("ops"), telling("ops", 2, RESOLVED)], True),
        ([telling("chat", 3), telling("chat", 2, RESOLVED), telling("chat")], True),
        ([telling("chat", 2, RESOLVED)], False),
    ],
)
def test_an_incident_is_told_while_somebody_knows_that_it_is_not_over(
    deliveries: list[DeliveryRecord], known: bool
) -> None:
    assert is_delivered("i1", iter(deliveries)) is known


@pytest.mark.parametrize(
    ("base_url", "product", "url"),
    [
        ("", "finance/orders", ""),
        ("https://cw.test", "finance/orders", "https://cw.test/products/finance/orders"),
        ("https://cw.test//", "a b/ü?", "https://cw.test/products/a%20b/%C3%BC%3F"),
        ("https://cw.test/XX", "x", "https://cw.test/XX/products/x"),
    ],
)
def test_a_page_has_an_address_if_there_are_pages(base_url: str, product: str, url: str) -> None:
    assert page_url(base_url, product) == url
