"""Ends are announced in time and once, and outside a product's time nobody is paged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alerting_values import T0, at, bad, contract, ids, receiver, support
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.alerting import text
from contractwatch.alerting.incidents import update_incidents
from contractwatch.alerting.message import AlertingSetup, notifications
from contractwatch.alerting.notices import DAYS_BEFORE, announce_endings, notice_times, policy_at
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.receiver import ReceiverKind
from contractwatch.model.contract.contract import AlertPolicy, Contract, Route, Status
from contractwatch.model.promises.lifetime import Ending, LifecycleStage, Lifetime, Notice
from contractwatch.model.record.incident import (
    Incident,
    Notification,
    Transition,
    TransitionKind,
    Urgency,
)

END = datetime(2027, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CHAT = receiver("chat")
POST = AlertingSetup((CHAT,), ("chat",), "https://cw.example.test")


def ending(lifetime: Lifetime, known: Contract | None = None) -> Contract:
    return replace(known or contract(), lifetime=lifetime)


SUPPORT_ENDS = ending(Lifetime(end_of_support=END))


def told_over(known: Contract, looks: list[datetime]) -> list[tuple[Ending, int]]:
    """Announce at each look, as an agent does that keeps what it told."""
    kept: tuple[Notice, ...] = ()
    found: list[tuple[Ending, int]] = []
    for now in looks:
        kept, messages = announce_endings(known, kept, setup=POST, now=now)
        found += [(one.notice.ending, one.notice.days) for one in messages if one.notice]
    return found


def test_each_of_the_four_notices_is_told_once() -> None:
    daily = [END + day * DAY for day in range(-100, 10)]
    assert told_over(SUPPORT_ENDS, daily) == [(Ending.SUPPORT, days) for days in DAYS_BEFORE]


def test_of_those_that_were_missed_only_the_latest_is_told() -> None:
    assert told_over(SUPPORT_ENDS, [END - 5 * DAY]) == [(Ending.SUPPORT, 7)]
    assert told_over(SUPPORT_ENDS, [END - 95 * DAY, END + DAY, END + 2 * DAY]) == [
        (Ending.SUPPORT, 0)
    ]


@given(st.lists(st.integers(-100, 20), max_size=12))
@settings(max_examples=30, deadline=None)
def test_whenever_it_is_looked_nothing_is_told_twice_and_the_latest_is_never_missed(
    days: list[int],
) -> None:
    looks = [END + day * DAY for day in days]  # in any order: a clock may be set back
    found = [left for _, left in told_over(SUPPORT_ENDS, looks)]
    assert found == sorted(set(found), reverse=True)
    due = [left for left in DAYS_BEFORE if days and max(days) >= -left]
    assert found[-1:] == ([min(due)] if due else [])


def test_an_end_that_is_moved_is_announced_anew() -> None:
    kept, _ = announce_endings(SUPPORT_ENDS, (), setup=POST, now=END - DAY)
    later = ending(Lifetime(end_of_support=END + 60 * DAY))
    _, messages = announce_endings(later, kept, setup=POST, now=END - DAY)
    assert [one.notice for one in messages] == [Notice(Ending.SUPPORT, END + 60 * DAY, 90)]


def test_what_reaches_nobody_is_not_told_and_stays_due() -> None:
    kept, messages = announce_endings(SUPPORT_ENDS, (), setup=AlertingSetup(()), now=END)
    assert (kept, messages) == ((), ())
    kept, messages = announce_endings(SUPPORT_ENDS, kept, setup=POST, now=END)
    assert [one.receiver for one in messages] == ["chat"]


def test_the_owner_and_the_announcements_are_told_but_no_pager() -> None:
    known = ending(
        Lifetime(end_of_life=END),
        contract(
            support("team", scope="notifications"),
            support("news", scope="announcements"),
            support("pager", scope="announcements"),
        ),
    )
    pager = receiver("pager", kind=ReceiverKind.PAGERDUTY)
    setup = AlertingSetup((receiver("team"), receiver("news"), pager))
    _, messages = announce_endings(known, (), setup=setup, now=END)
    assert [one.receiver for one in messages] == ["team", "news"]


def test_an_end_of_a_draft_is_told_to_logs_only() -> None:
    draft = ending(Lifetime(end_of_life=END), contract(status=Status.DRAFT))
    log = receiver("log", kind=ReceiverKind.LOG)
    _, messages = announce_endings(draft, (), setup=AlertingSetup((CHAT, log), ("chat",)), now=END)
    assert [one.receiver for one in messages] == ["log"]


def test_what_only_a_log_heard_of_a_draft_is_told_when_the_contract_comes_into_force() -> None:
    draft = ending(Lifetime(end_of_life=END), contract(status=Status.DRAFT))
    active = replace(draft, status=Status.ACTIVE)
    setup = AlertingSetup((CHAT, receiver("log", kind=ReceiverKind.LOG)), ("chat",))
    kept: tuple[Notice, ...] = ()
    told: list[tuple[str, int]] = []
    for known, days in ((draft, 40), (draft, 39), (draft, 35), (active, 34), (active, 33)):
        kept, messages = announce_endings(known, kept, setup=setup, now=END - days * DAY)
        told += [(one.receiver, one.notice.days) for one in messages if one.notice]
    assert told == [("log", 90), ("chat", 90)]


def test_a_notice_says_what_ends_when_and_what_follows() -> None:
    _, (message,) = announce_endings(SUPPORT_ENDS, (), setup=POST, now=END - 30 * DAY)
    assert message.title == "INFO finance/orders: support ends in 30d, on 2027-01-01"
    assert text.lines(message) == (
        "Support ends at 2027-01-01 00:00:00 UTC, in 30d.",
        "From then on broken promises are told as information only.",
        "Look: https://cw.example.test/products/finance/orders",
        "Owner: Orders team (ada).",
        "Contract: orders-v1, version 1.2.0.",
    )
    body = text.as_json(message)
    assert body["kind"] == "notice"
    assert body["notice"] == {
        "ending": "endOfSupport",
        "at": "2027-01-01T00:00:00+00:00",
        "seconds_left": 30 * 86_400,
    }
    _, (gone,) = announce_endings(ending(Lifetime(end_of_life=END)), (), setup=POST, now=END + DAY)
    assert gone.title == "INFO finance/orders: life has ended on 2027-01-01"
    assert text.lines(gone)[0] == "Life has ended at 2027-01-01 00:00:00 UTC, 1d ago."


def test_the_key_of_a_notice_is_the_same_at_every_instant_and_for_nothing_else() -> None:
    keys = {
        announce_endings(known, (), setup=POST, now=now)[1][0].key
        for known in (SUPPORT_ENDS, ending(Lifetime(end_of_life=END)))
        for now in (END - 90 * DAY, END - 89 * DAY, END - 30 * DAY)
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("now", "stage", "ceiling"),
    [
        (END - DAY, LifecycleStage.UPCOMING, Severity.INFO),
        (END, LifecycleStage.SUPPORTED, Severity.ERROR),
        (END + DAY, LifecycleStage.UNSUPPORTED, Severity.INFO),
        (END + 2 * DAY, LifecycleStage.ENDED, Severity.WARNING),
    ],
)
def test_the_stage_decides_how_loud_it_may_be(
    now: datetime, stage: LifecycleStage, ceiling: Severity
) -> None:
    lifetime = Lifetime(END, END + DAY, END + 2 * DAY)
    assert lifetime.stage_at(now) is stage
    assert policy_at(ending(lifetime), now).ceiling is ceiling


def opened(known: Contract, policy: AlertPolicy) -> tuple[tuple[Incident, ...], list[Transition]]:
    incidents: tuple[Incident, ...] = ()
    told: list[Transition] = []
    new_id = ids()
    for minute in range(2):
        incidents, transitions = update_incidents(
            incidents,
            [bad()],
            product=known.product,
            now=at(minute),
            policy=policy,
            new_id=new_id,
        )
        told += transitions
    return incidents, told


def test_before_general_availability_a_breach_is_information_and_pages_nobody() -> None:
    pager = receiver("pager", kind=ReceiverKind.PAGERDUTY)
    alerts = AlertPolicy(routes=(Route("pager"),))
    base = contract(support("pager"), support("chat"), alerts=alerts)
    known = ending(Lifetime(general_availability=T0 + DAY), base)
    incidents, told = opened(known, policy_at(known, T0))
    assert [(one.kind, one.incident.severity) for one in told] == [
        (TransitionKind.OPENED, Severity.INFO)
    ]
    setup = AlertingSetup((pager, CHAT), ("chat",))
    sent = notifications(told, contract=known, setup=setup, budgets={}, costs={}, now=T0)
    assert sent == ()
    chat = replace(known, alerts=AlertPolicy())
    sent = notifications(told, contract=chat, setup=setup, budgets={}, costs={}, now=T0)
    assert [(one.receiver, one.urgency) for one in sent] == [("chat", Urgency.INFO)]

    incidents, later = (
        update_incidents(  # the day has come, and the breach is still there: twice seen
            incidents, [bad()], product=known.product, now=at(1500), policy=alerts, new_id=ids()
        )
    )
    _, later = update_incidents(
        incidents, [bad()], product=known.product, now=at(1501), policy=alerts, new_id=ids()
    )
    assert [(one.kind, one.incident.severity) for one in later] == [
        (TransitionKind.WORSENED, Severity.ERROR)
    ]


def test_what_was_seen_once_before_the_end_of_support_pages_nobody_after_it() -> None:
    incidents: tuple[Incident, ...] = ()
    told: list[Transition] = []
    new_id = ids()
    for now in (END - timedelta(minutes=1), END + timedelta(minutes=1)):
        policy = policy_at(SUPPORT_ENDS, now)
        incidents, transitions = update_incidents(
            incidents, [bad()], product="p", now=now, policy=policy, new_id=new_id
        )
        told += transitions
    assert [(one.kind, one.incident.severity) for one in told] == [
        (TransitionKind.OPENED, Severity.INFO)
    ]


def test_something_is_looked_at_when_a_notice_is_due_and_when_the_product_begins() -> None:
    assert notice_times(Lifetime(T0, END)) == (T0, *(END - days * DAY for days in DAYS_BEFORE))


BOTH_END = ending(Lifetime(end_of_support=END, end_of_life=END + DAY))


def test_two_ends_that_are_due_at_once_are_both_told_to_everybody() -> None:
    setup = AlertingSetup((CHAT, receiver("ops")), ("chat", "ops"))
    support_ends, life_ends = Notice(Ending.SUPPORT, END, 0), Notice(Ending.LIFE, END + DAY, 7)
    kept, messages = announce_endings(BOTH_END, (), setup=setup, now=END)
    assert kept == (support_ends, life_ends)
    assert [(one.notice, one.receiver) for one in messages] == [
        (support_ends, "chat"),
        (support_ends, "ops"),
        (life_ends, "chat"),
        (life_ends, "ops"),
    ]
    assert len({one.key for one in messages}) == 4
    kept, messages = announce_endings(BOTH_END, kept, setup=setup, now=END)
    assert (kept, messages) == ((support_ends, life_ends), ())
    kept, messages = announce_endings(BOTH_END, kept, setup=setup, now=END + DAY)
    assert kept == (support_ends, replace(life_ends, days=0))
    assert [one.notice for one in messages] == [replace(life_ends, days=0)] * 2


def test_an_end_that_was_told_keeps_no_other_from_being_told() -> None:
    for told, due in (
        (Notice(Ending.SUPPORT, END, 0), Ending.LIFE),
        (Notice(Ending.LIFE, END + DAY, 0), Ending.SUPPORT),
    ):
        kept, messages = announce_endings(BOTH_END, (told,), setup=POST, now=END + DAY)
        assert [one.notice.ending for one in messages if one.notice] == [due]
        assert {one.ending: one.days for one in kept} == {Ending.SUPPORT: 0, Ending.LIFE: 0}


@pytest.mark.parametrize(
    ("told", "again"),
    [
        (Notice(Ending.SUPPORT, END, 7), False),
        (Notice(Ending.SUPPORT, END, 0), False),
        (Notice(Ending.SUPPORT, END, 30), True),
        (Notice(Ending.SUPPORT, END + DAY, 7), True),
        (Notice(Ending.SUPPORT, END - DAY, 0), True),
        (Notice(Ending.SUPPORT, END, 7, to_logs_only=True), True),
    ],
)
def test_a_notice_is_told_again_only_if_it_is_nearer_or_was_told_to_fewer(
    told: Notice, again: bool
) -> None:
    kept, messages = announce_endings(SUPPORT_ENDS, (told,), setup=POST, now=END - 6 * DAY)
    assert bool(messages) is again
    assert kept == ((Notice(Ending.SUPPORT, END, 7),) if again else (told,))


def test_of_a_draft_it_is_kept_that_only_logs_heard() -> None:
    draft = ending(Lifetime(end_of_life=END), contract(status=Status.DRAFT))
    setup = AlertingSetup((receiver("log", kind=ReceiverKind.LOG),), ("log",))
    kept, messages = announce_endings(draft, (), setup=setup, now=END)
    assert kept == (Notice(Ending.LIFE, END, 0, to_logs_only=True),)
    assert len(messages) == 1
    assert announce_endings(draft, kept, setup=setup, now=END + DAY) == (kept, ())


def test_a_notice_is_due_at_its_very_instant() -> None:
    just_before = timedelta(microseconds=1)
    for days in DAYS_BEFORE:
        at_least = [left for left in DAYS_BEFORE if left > days][-1:]
        due = END - days * DAY
        assert told_over(SUPPORT_ENDS, [due]) == [(Ending.SUPPORT, days)]
        assert told_over(SUPPORT_ENDS, [due - just_before]) == [
            (Ending.SUPPORT, left) for left in at_least
        ]


def test_a_notice_is_a_whole_message() -> None:
    _, (message,) = announce_endings(SUPPORT_ENDS, (), setup=POST, now=END - 30 * DAY)
    known = SUPPORT_ENDS
    assert len(message.key) == 32
    assert int(message.key, 16)
    assert message == Notification(
        key=message.key,
        receiver="chat",
        lane="chat/finance/orders",
        urgency=Urgency.INFO,
        kind=TransitionKind.OPENED,
        product="finance/orders",
        contract_id=known.contract_id,
        contract_version="1.2.0",
        contract_file="orders.odcs.yaml",
        owner="Orders team (ada)",
        title="INFO finance/orders: support ends in 30d, on 2027-01-01",
        notes=(),
        created_at=END - 30 * DAY,
        page_url="https://cw.example.test/products/finance/orders",
        notice=Notice(Ending.SUPPORT, END, 30),
    )


def test_the_key_of_a_notice_is_the_same_in_every_release() -> None:
    _, (message,) = announce_endings(SUPPORT_ENDS, (), setup=POST, now=END - 30 * DAY)
    assert message.key == "3c3d5bcf1004f0a0c6ef6f39fdc9169a"


def test_the_key_of_a_notice_differs_by_receiver_and_product_and_date() -> None:
    def keys(known: Contract) -> set[str]:
        setup = AlertingSetup((CHAT, receiver("ops")), ("chat", "ops"))
        return {one.key for one in announce_endings(known, (), setup=setup, now=END)[1]}

    moved = ending(Lifetime(end_of_support=END - DAY))
    renamed = replace(SUPPORT_ENDS, name="refunds")
    assert len(keys(SUPPORT_ENDS) | keys(moved) | keys(renamed)) == 6
