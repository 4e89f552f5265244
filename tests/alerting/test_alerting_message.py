"""Messages: grouped, keyed, bounded, and whole sentences."""

import time
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from alerting_values import (
    BAD,
    COMPLETENESS,
    FRESHNESS,
    SCHEMA,
    at,
    bad,
    contract,
    failed,
    receiver,
    stale,
    support,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.alerting import text
from contractwatch.alerting.broken_promises import broken_promises
from contractwatch.alerting.message import (
    AlertingSetup,
    idempotency_key,
    notifications,
    owner_words,
)
from contractwatch.alerting.words import duration, instant, number, truncate
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Budget, Objective, StateSeconds, Target
from contractwatch.model.contract.contract import AlertPolicy, Contract, Route
from contractwatch.model.record.incident import (
    Cause,
    Incident,
    Notification,
    Phase,
    Transition,
    TransitionKind,
    Urgency,
)
from contractwatch.model.record.run import Observation

POST = AlertingSetup(
    (receiver("chat"), receiver("oncall")), default=("chat",), base_url="https://cw.example.test/"
)


def transition(
    observation: Observation,
    kind: TransitionKind = TransitionKind.OPENED,
    *,
    severity: Severity = Severity.ERROR,
    cause: Cause = Cause.BREACH,
    incident_id: str = "i1",
    sequence: int = 1,
    episode: int = 1,
) -> Transition:
    ended = kind in {TransitionKind.RESOLVED, TransitionKind.WITHDRAWN}
    incident = Incident(
        incident_id=incident_id,
        product="finance/orders",
        objective=observation.objective,
        cause=cause,
        phase=Phase.RESOLVED if ended else Phase.OPEN,
        severity=severity,
        since=at(0),
        opened_at=at(10),
        recovering_since=at(134) if ended else None,
        resolved_at=at(144) if ended else None,
        sequence=sequence,
        episode=episode,
        broken=broken_promises(observation, product="finance/orders"),
        told_severity=severity,
    )
    return Transition(incident, kind, at(144 if ended else 10), sequence)


def messages(
    *transitions: Transition,
    known: Contract | None = None,
    budgets: dict[Objective, Budget] | None = None,
    costs: dict[str, float] | None = None,
) -> tuple[Notification, ...]:
    return notifications(
        transitions,
        contract=known or contract(),
        setup=POST,
        budgets=budgets or {},
        costs=costs or {},
        now=at(11),
    )


def budget(remaining: float, *, is_default: bool = True) -> Budget:
    target = Target(FRESHNESS, is_default=is_default)
    return Budget(target, StateSeconds(good=14 * 86_400.0), remaining, 0.0, 0.0)


def test_a_whole_page_says_what_a_tired_person_needs() -> None:
    (message,) = messages(
        transition(Observation(FRESHNESS, BAD, (stale(),))), budgets={FRESHNESS: budget(0.62)}
    )
    assert message.title == (
        "PAGE finance/orders: freshness broken: orders.created_at: 2h14m old, promised at most 1 h"
    )
    assert text.lines(message) == (
        "Freshness is broken since 2026-11-22 09:30:00 UTC, for 10m by now.",
        "Look: https://cw.example.test/products/finance/orders",
        "Owner: Orders team (ada).",
        "orders.created_at: 2h14m old, promised at most 1 h (orders.odcs.yaml:88).",
        "Error budget: 62 % left (default objective: the contract declares none).",
        "Contract: orders-v1, version 1.2.0.",
    )


def test_rows_affected_and_an_overspent_budget_are_said() -> None:
    (message,) = messages(transition(bad()), budgets={COMPLETENESS: budget(-0.4, is_default=False)})
    said = text.lines(message)
    assert "orders.customer_id: 12 of 3,000 rows null (orders.odcs.yaml:41)." in said
    assert "Error budget: overspent by 40 %." in said
    assert message.title == (
        "PAGE finance/orders: completeness broken: orders.customer_id: 12 of 3,000 rows null"
    )


def test_a_young_product_is_told_its_bad_time_and_no_share_of_a_budget() -> None:
    known = StateSeconds(good=60.0, bad=60.0)
    young = Budget(Target(COMPLETENESS), known, -69.81, 60.0, 0.12)
    (message,) = messages(transition(bad()), budgets={COMPLETENESS: young})
    assert (
        "Error budget: too young for a budget, 1m bad so far "
        "(default objective: the contract declares none)."
    ) in text.lines(message)
    body: Any = text.as_json(message)
    assert body["incidents"][0]["budget_remaining_ratio"] is None


def test_a_budget_is_the_default_only_if_it_is_known_to_be() -> None:
    given = (None, budget(0.5, is_default=True), budget(0.5, is_default=False))
    found = [
        messages(transition(bad()), budgets={COMPLETENESS: one} if one else {})[0].notes[0]
        for one in given
    ]
    assert [(one.budget_remaining_ratio, one.budget_is_default) for one in found] == [
        (None, False),
        (0.5, True),
        (0.5, False),
    ]


def test_the_budgets_of_several_objectives_are_one_line() -> None:
    budgets = {COMPLETENESS: budget(-0.4), SCHEMA: budget(0.5)}
    both = transition(bad()), transition(bad(SCHEMA), incident_id="i2")
    (message,) = messages(*both, budgets=budgets)
    assert [line for line in text.lines(message) if line.startswith("Error budget")] == [
        (
            "Error budget: completeness overspent by 40 %; schema 50 % left "
            "(default objective: the contract declares none)."
        )
    ]


def test_a_resolved_message_says_how_long_it_lasted_and_what_it_cost() -> None:
    ended = transition(bad(), TransitionKind.RESOLVED, sequence=2)
    (message,) = messages(ended, costs={"i1": 7200.0})
    assert message.title == "RESOLVED finance/orders: completeness kept again after 2h14m"
    assert text.lines(message) == (
        (
            "Completeness is kept again as of 2026-11-22 11:54:00 UTC. "
            "It lasted 2h14m, from 2026-11-22 09:30:00 UTC, and cost 2h of the error budget."
        ),
        "Look: https://cw.example.test/products/finance/orders",
        "Owner: Orders team (ada).",
        "Last seen broken: orders.customer_id: 12 of 3,000 rows null (orders.odcs.yaml:41).",
        "Contract: orders-v1, version 1.2.0.",
    )
    (unpriced,) = messages(ended)
    assert text.lines(unpriced)[0].endswith("It lasted 2h14m, from 2026-11-22 09:30:00 UTC.")


def test_a_reopened_message_names_its_episode() -> None:
    (message,) = messages(transition(bad(), TransitionKind.REOPENED, sequence=3, episode=2))
    assert message.title.startswith("PAGE finance/orders: completeness broken again: ")
    assert text.lines(message)[0] == (
        "Completeness is broken again since 2026-11-22 09:30:00 UTC, for 10m by now; "
        "episode 2 of one incident."
    )


def test_a_withdrawn_promise_is_said() -> None:
    (message,) = messages(transition(bad(), TransitionKind.WITHDRAWN, sequence=2))
    assert message.title == (
        "WITHDRAWN finance/orders: completeness is promised no longer, broken for 2h14m"
    )


def test_what_is_unknown_is_a_ticket_and_never_a_page() -> None:
    blind = Observation(Objective.CONFORMANCE, BAD, reason="schema: a worker was killed")
    unknown = transition(blind, cause=Cause.UNKNOWN, severity=Severity.WARNING)
    (message,) = messages(unknown)
    assert message.urgency is Urgency.TICKET
    assert message.title == ("TICKET finance/orders: nothing is known: schema: a worker was killed")


def test_what_is_unknown_is_no_page_whatever_its_severity() -> None:
    blind = Observation(Objective.CONFORMANCE, BAD, reason="a worker was killed")
    for severity, urgency in (
        (Severity.ERROR, Urgency.TICKET),
        (Severity.WARNING, Urgency.TICKET),
        (Severity.INFO, Urgency.INFO),
    ):
        (message,) = messages(transition(blind, cause=Cause.UNKNOWN, severity=severity))
        assert message.urgency is urgency


@pytest.mark.parametrize(
    ("severity", "urgency"),
    [
        (Severity.ERROR, Urgency.PAGE),
        (Severity.WARNING, Urgency.TICKET),
        (Severity.INFO, Urgency.INFO),
    ],
)
def test_a_breach_is_as_urgent_as_it_is_severe(severity: Severity, urgency: Urgency) -> None:
    (message,) = messages(transition(bad(), severity=severity))
    assert message.urgency is urgency


@pytest.mark.parametrize(
    ("team", "owners", "words"),
    [
        ("Orders", (), "Orders"),
        ("Orders", ("ada",), "Orders (ada)"),
        ("Orders", ("ada", "bob"), "Orders (ada, bob)"),
        ("", ("ada", "bob"), "ada, bob"),
        ("", (), ""),
    ],
)
def test_an_owner_is_a_team_with_its_people(team: str, owners: tuple[str, ...], words: str) -> None:
    assert owner_words(replace(contract(), team=team, owners=owners)) == words


def test_notes_stand_worst_first_then_by_name_and_id() -> None:
    told = [
        transition(bad(FRESHNESS), severity=Severity.INFO, incident_id="i0"),
        transition(bad(SCHEMA), severity=Severity.WARNING, incident_id="i2"),
        transition(bad(COMPLETENESS), severity=Severity.WARNING, incident_id="i4"),
        transition(bad(COMPLETENESS), severity=Severity.WARNING, incident_id="i3"),
        transition(bad(SCHEMA), incident_id="i9"),
    ]
    for order in (told, told[::-1]):
        (message,) = messages(*order)
        assert [one.incident_id for one in message.notes] == ["i9", "i3", "i4", "i2", "i0"]


def test_what_ended_lasted_until_it_was_good_again_or_else_until_now() -> None:
    ended = transition(bad(), TransitionKind.WITHDRAWN, sequence=2)
    seconds: list[float | None] = []
    for recovering, since in ((at(134), at(0)), (None, at(0)), (at(1), at(2))):
        known = replace(ended.incident, recovering_since=recovering, since=since)
        (message,) = messages(replace(ended, incident=known))
        seconds.append(message.notes[0].lasted_seconds)
    assert seconds == [134 * 60.0, 144 * 60.0, 0.0]
    (opened,) = messages(transition(bad()), costs={"i1": 7.0})
    assert (opened.notes[0].lasted_seconds, opened.notes[0].cost_seconds) == (None, None)


def test_transitions_of_one_kind_are_one_message_per_receiver_worst_first() -> None:
    warning = transition(bad(COMPLETENESS), severity=Severity.WARNING, incident_id="i1", sequence=1)
    page = transition(bad(SCHEMA), incident_id="i2")
    ended = transition(bad(FRESHNESS), TransitionKind.RESOLVED, incident_id="i3", sequence=2)
    found = messages(warning, page, ended)
    assert [(one.kind, one.urgency, [n.incident_id for n in one.notes]) for one in found] == [
        (TransitionKind.OPENED, Urgency.PAGE, ["i2", "i1"]),
        (TransitionKind.RESOLVED, Urgency.PAGE, ["i3"]),
    ]
    assert found[0].title == "PAGE finance/orders: 2 objectives broken: schema, completeness"
    assert {one.lane for one in found} == {"chat/finance/orders"}


def test_severities_go_their_own_ways() -> None:
    alerts = AlertPolicy(routes=(Route("oncall", frozenset({Severity.ERROR})), Route("chat")))
    known = contract(support("oncall"), support("chat"), alerts=alerts)
    warning = transition(bad(COMPLETENESS), severity=Severity.WARNING, incident_id="i1")
    page = transition(bad(SCHEMA), incident_id="i2")
    found = messages(warning, page, known=known)
    assert {(one.receiver, one.notes[0].incident_id, one.urgency) for one in found} == {
        ("chat", "i1", Urgency.TICKET),
        ("oncall", "i2", Urgency.PAGE),
    }


def test_the_end_is_told_to_whoever_was_told_of_the_beginning() -> None:
    alerts = AlertPolicy(routes=(Route("oncall", frozenset({Severity.ERROR})), Route("chat")))
    known = contract(support("oncall"), support("chat"), alerts=alerts)
    ended = transition(bad(), TransitionKind.RESOLVED, sequence=2)
    risen = replace(ended, incident=replace(ended.incident, told_severity=Severity.WARNING))
    assert {one.receiver for one in messages(risen, known=known)} == {"chat", "oncall"}


def test_the_key_depends_on_the_receiver_and_the_transitions_only() -> None:
    told = [("i1", 2), ("i2", 1)]
    assert idempotency_key("chat", told) == idempotency_key("chat", reversed(told))
    keys = {
        idempotency_key("chat", told),
        idempotency_key("oncall", told),
        idempotency_key("chat", [("i1", 2), ("i2", 2)]),
    }
    assert len(keys) == 3
    assert all(len(key) == 32 and int(key, 16) for key in keys)
    (message,) = messages(transition(bad()))
    assert message.key == idempotency_key("chat", [("i1", 1)])


def test_a_key_is_the_same_in_every_release() -> None:
    """Else a receiver that remembers keys would show what was under way in an upgrade twice."""
    assert idempotency_key("chat", [("i1", 1)]) == "1b5ee05b8c8ba31389495f687d386018"
    assert idempotency_key("chat", [("i2", 1), ("i1", 2)]) == "c6f588f5e8392d0744fc1e4c83d8202f"


def test_at_most_twenty_broken_promises_are_listed() -> None:
    many = tuple(failed(line=number) for number in range(1, 31))
    (message,) = messages(transition(bad(COMPLETENESS, *many)))
    said = text.lines(message)
    assert sum(line.startswith("orders.customer_id: ") for line in said) == 20
    assert "And 10 more." in said
    body = text.as_json(message)
    assert body["lines"] == list(said)


def test_the_json_is_the_documented_one() -> None:
    (message,) = messages(transition(bad()), budgets={COMPLETENESS: budget(0.5)})
    body = text.as_json(message)
    assert {key: body[key] for key in body if key not in {"lines", "title"}} == {
        "version": 1,
        "key": idempotency_key("chat", [("i1", 1)]),
        "kind": "opened",
        "urgency": "page",
        "test": False,
        "product": "finance/orders",
        "contract": {"id": "orders-v1", "version": "1.2.0", "file": "orders.odcs.yaml"},
        "owner": "Orders team (ada)",
        "page_url": "https://cw.example.test/products/finance/orders",
        "created_at": "2026-11-22T09:41:00+00:00",
        "notice": None,
        "upstream": [],
        "incidents": [
            {
                "id": "i1",
                "sequence": 1,
                "kind": "opened",
                "cause": "breach",
                "objective": "completeness",
                "severity": "error",
                "episode": 1,
                "since": "2026-11-22T09:30:00+00:00",
                "at": "2026-11-22T09:40:00+00:00",
                "lasted_seconds": None,
                "cost_seconds": None,
                "budget_remaining_ratio": 0.5,
                "budget_is_default": True,
                "broken_count": 1,
                "broken": [
                    {
                        "promise": "orders/orders/customer_id/nullValues/r1",
                        "clause": {"path": "schema[0].properties[2].quality[0]", "line": 41},
                        "table": "orders",
                        "column": "customer_id",
                        "severity": "error",
                        "expected": "no null rows",
                        "threshold": "exactly 0 rows",
                        "observed": "12 rows",
                        "reason": "12 of 3,000 rows",
                        "rows": 3000,
                        "violations": 12,
                    }
                ],
            }
        ],
    }


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=200), st.text(max_size=400))
def test_a_title_is_never_longer_than_100_characters(name: str, reason: str) -> None:
    gone = Observation(SCHEMA, BAD, reason=reason)
    for message in messages(transition(gone), known=contract(name=name)):
        assert len(message.title) <= 100
        assert message.title == text.title(message)
        assert all(len(line) <= 300 for line in text.lines(message))


def test_a_test_message_says_that_it_is_one() -> None:
    (message,) = messages(transition(bad()))
    test = replace(message, is_test=True, notes=())
    assert text.title(test) == "TEST of receiver chat"
    assert text.lines(test)[0] == "This is a test of receiver chat; no promise is broken."


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (-5, "0s"),
        (45.4, "45s"),
        (60, "1m"),
        (90, "1m30s"),
        (8040, "2h14m"),
        (7200, "2h"),
        (86_400 + 30, "1d"),
        (3 * 86_400 + 4 * 3600, "3d4h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/St_Johns"])
def test_an_instant_is_in_utc_wherever_the_machine_stands(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert instant(at(0)) == "2026-11-22 09:30:00 UTC"
        assert instant(at(0).astimezone(timezone(timedelta(hours=5)))) == "2026-11-22 09:30:00 UTC"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_numbers_and_cuts_are_plain() -> None:
    assert [number(value) for value in (1200000, 0.123456, 12.50, -3, 1e18)] == [
        "1,200,000",
        "0.1235",
        "12.5",
        "-3",
        "1,000,000,000,000,000,000",
    ]
    assert [number(value) for value in (0, 1.0, -0.5, 0.00001234, 1.00004, 999.99996, 1e15)] == [
        "0",
        "1",
        "-0.5",
        "1.234e-05",
        "1",
        "1,000",
        "1,000,000,000,000,000",
    ]
    assert number(1.23456) == "1.2346"
    assert truncate("äöü€", 3) == "äö…"
    assert [truncate(" b cd", length) for length in (3, 4, 5)] == [" b…", " b…", " b cd"]


@pytest.mark.parametrize(
    ("kind", "observed", "threshold", "words"),
    [
        ("nullValues", 0.5, "at most 0.1 %", "0.5 %"),
        ("nullValues", 1, "exactly 0 rows", "1 row"),
        ("rowCount", 12, "more than 20 rows", "12 rows"),
        ("type", "int64", "string", "int64"),
        ("retention", 90_000, "at most 1 d", "1d1h old"),
        ("presence", None, "present", ""),
    ],
)
def test_what_was_observed_is_said_in_its_unit(
    kind: str, observed: float | str | None, threshold: str, words: str
) -> None:
    seen = failed(kind=kind, observed=observed, threshold=threshold)
    (broken,) = broken_promises(bad(COMPLETENESS, seen), product="p")
    assert broken.observed == words
