"""Tests of message bodies: limits of receivers, and no injection by texts of a contract."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from channels_values import SECRETS, context_with, receiver_for
from structlog.testing import capture_logs

from benchmarks.messages import BROKEN, NOTE, NOW, OPENED
from benchmarks.receiver import OK, Answer, Receiver, Script
from contractwatch.alerting import text
from contractwatch.channels import CHANNELS, pagerduty, slack, webhook
from contractwatch.errors import ChannelError
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.base.receiver import ReceiverKind
from contractwatch.model.record.incident import Notification, TransitionKind, Urgency

NASTY = "a\x00b \u202eevil <!channel> & <http://x|y> 😀 " * 40
HUGE = "x" * 2_000_000


@cache
def many_broken(count: int, words: str) -> Notification:
    broken = tuple(
        replace(BROKEN, promise_id=f"{words}-{index}", expected=words, reason=words)
        for index in range(count)
    )
    return replace(OPENED, product=f"finance/{words[:600]}", notes=(replace(NOTE, broken=broken),))


LARGE = [
    pytest.param(lambda: many_broken(50_000, "orders 😀"), id="many"),
    pytest.param(lambda: many_broken(40, NASTY), id="nasty"),
    pytest.param(lambda: many_broken(3, HUGE), id="huge"),
]


UNSEEN = "a\x1b[2J\u202eb\u200bc\u2066d\x00e\x85f\u2028g\ufeffh\U000e0041i\u00adj"


def texts_in(value: object) -> list[str]:
    """Return every text of data, keys included, without the ends of lines that we write."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_in(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts_in(part)]
    return value.split("\n") if isinstance(value, str) else []


@pytest.mark.parametrize(
    "data_of",
    [
        lambda told: json.loads(webhook.body_of(told)),
        slack.message,
        lambda told: pagerduty.event_of(told, told.notes[0]),
    ],
)
def test_no_body_has_a_character_that_nobody_sees(
    data_of: Callable[[Notification], dict[str, object]],
) -> None:
    broken = replace(
        BROKEN,
        **dict.fromkeys(
            ("promise_id", "clause_path", "table", "column", "expected", "observed", "reason"),
            UNSEEN,
        ),
    )
    told = replace(
        OPENED,
        product=UNSEEN,
        contract_id=UNSEEN,
        contract_version=UNSEEN,
        contract_file=UNSEEN,
        owner=UNSEEN,
        notes=(replace(NOTE, broken=(broken,)),),
    )
    texts = texts_in(data_of(told))
    assert any("a" in text and "j" in text for text in texts)
    assert [text for text in texts if not text.isprintable()] == []


# ---- webhook


def test_the_webhook_is_a_cloud_event() -> None:
    event = json.loads(webhook.body_of(OPENED))
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": OPENED.key,
        "source": "/contractwatch",
        "type": "io.contractwatch.promise.opened",
        "subject": "finance/orders",
        "time": "2026-11-22T09:30:00Z",
        "datacontenttype": "application/json",
    }
    assert data == json.loads(json.dumps(text.as_json(OPENED)))


def test_a_test_message_is_no_event_of_a_promise() -> None:
    event = json.loads(webhook.body_of(replace(OPENED, is_test=True)))
    assert event["type"] == "io.contractwatch.test"


def test_every_key_signs_the_webhook_as_standard_webhooks_says() -> None:
    with Receiver() as server:
        CHANNELS[ReceiverKind.WEBHOOK](
            OPENED, receiver_for(ReceiverKind.WEBHOOK, server.port), context_with()
        )
        seen = server.seen[0]
    assert seen.headers["webhook-id"] == OPENED.key
    assert seen.headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert seen.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    signed = f"{OPENED.key}.{int(NOW.timestamp())}.".encode() + seen.body
    keys = [
        base64.b64decode(SECRETS["SIGNING_KEY"].removeprefix("whsec_")),
        SECRETS["OLD_KEY"].encode(),
    ]
    expected = [
        f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"
        for key in keys
    ]
    assert seen.headers["webhook-signature"].split(" ") == expected


def test_a_signature_is_the_one_of_the_published_example() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, the test vector of its libraries
    found = webhook.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_repeat_has_the_same_id_and_body_and_a_new_timestamp() -> None:
    with Receiver(Script(Answer(500), OK)) as server:
        receiver = receiver_for(ReceiverKind.WEBHOOK, server.port)
        with pytest.raises(ChannelError):
            CHANNELS[receiver.kind](OPENED, receiver, context_with())
        later = replace(context_with(), now=lambda: NOW + timedelta(seconds=30))
        CHANNELS[receiver.kind](OPENED, receiver, later)
        first, second = server.seen
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


@pytest.mark.parametrize("make", LARGE)
def test_a_webhook_body_stays_below_20_kb_and_says_what_was_cut(
    make: Callable[[], Notification],
) -> None:
    large = make()
    body = webhook.body_of(large)
    event = json.loads(body)
    assert len(body) < 20_000
    assert "truncated" in event["data"] or len(large.notes[0].broken) > 1_000
    assert event["id"] == large.key
    assert webhook.body_of(large) == body


@pytest.mark.parametrize("key", ["a b", "naïve", "a\r\nx: y", "k" * 300, ""])
def test_a_key_that_no_header_can_hold_is_hashed(key: str) -> None:
    assert webhook.event_id(key) == hashlib.sha256(key.encode()).hexdigest()


# ---- slack


@pytest.mark.parametrize("make", [pytest.param(lambda: OPENED, id="small"), *LARGE])
def test_a_slack_message_keeps_slacks_limits(
    make: Callable[[], Notification],
) -> None:
    large = make()
    message = slack.message(large)
    blocks = message["blocks"]
    texts = [
        block["text"]["text"] if "text" in block else block["elements"][0]["text"]
        for block in blocks
    ]
    assert len(blocks) <= 50
    assert all(0 < len(each) <= 3_000 for each in texts)
    assert len(texts[0]) <= 150
    assert sum(map(len, texts)) < 13_200


def test_nothing_in_a_slack_message_mentions_or_links_but_our_own_page() -> None:
    message = slack.message(many_broken(3, NASTY))
    everything = json.dumps(message, ensure_ascii=False)
    assert "<!channel>" not in everything
    assert "<http://x" not in everything
    assert "\u202e" not in everything
    assert "\\u0000" not in everything
    assert everything.count("<") == 1
    assert f"<{OPENED.page_url}|open the page>" in everything


def test_long_text_is_cut_into_sections_that_say_so() -> None:
    parts = slack.sections(tuple(f"{number} " + "&" * 2_500 for number in range(40)))
    assert len(parts) <= 5
    assert all(len(part) <= 3_000 for part in parts)
    assert "cut here" in parts[-1]


# ---- pagerduty


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        (TransitionKind.OPENED, "trigger"),
        (TransitionKind.REOPENED, "trigger"),
        (TransitionKind.RESOLVED, "resolve"),
        (TransitionKind.WITHDRAWN, "resolve"),
    ],
)
def test_pagerduty_triggers_and_resolves_one_incident(kind: TransitionKind, action: str) -> None:
    note = replace(NOTE, kind=kind)
    event = pagerduty.event_of(replace(OPENED, kind=kind, notes=(note,)), note)
    assert (event["event_action"], event["dedup_key"]) == (action, "contractwatch/inc-0001")


def test_pagerduty_gets_an_event_for_each_transition_and_its_routing_key() -> None:
    second = replace(
        NOTE,
        incident_id="inc-0002",
        objective=Objective.FRESHNESS,
        severity=Severity.WARNING,
    )
    both = replace(OPENED, notes=(NOTE, second))
    with Receiver(Script(Answer(202))) as server:
        receiver = receiver_for(ReceiverKind.PAGERDUTY, server.port)
        CHANNELS[receiver.kind](both, receiver, context_with())
        events = [each.json() for each in server.taken]
    assert [event["dedup_key"] for event in events] == [
        "contractwatch/inc-0001",
        "contractwatch/inc-0002",
    ]
    assert {event["routing_key"] for event in events} == {SECRETS["ROUTING_KEY"]}
    assert [event["payload"]["severity"] for event in events] == ["critical", "warning"]
    assert "freshness" in events[1]["payload"]["summary"]


def test_a_ticket_is_not_critical_to_pagerduty() -> None:
    event = pagerduty.event_of(replace(OPENED, urgency=Urgency.TICKET), NOTE)
    assert event["payload"]["severity"] == "error"


@pytest.mark.parametrize("make", LARGE)
def test_a_pagerduty_event_keeps_its_limits(
    make: Callable[[], Notification],
) -> None:
    large = make()
    event = pagerduty.event_of(large, large.notes[0])
    assert len(event["payload"]["summary"]) <= 1_024
    assert len(json.dumps(event, ensure_ascii=False).encode()) < 512_000


def test_pagerduty_without_a_routing_key_is_a_setting_to_mend() -> None:
    receiver = replace(receiver_for(ReceiverKind.PAGERDUTY, 1), key_refs=())
    with pytest.raises(ChannelError) as failure:
        CHANNELS[receiver.kind](OPENED, receiver, context_with())
    assert (failure.value.retryable, failure.value.reason) == (False, "config")


# ---- log


def test_the_log_channel_writes_one_event() -> None:
    with capture_logs() as events:
        CHANNELS[ReceiverKind.LOG](OPENED, receiver_for(ReceiverKind.LOG, 0), context_with())
    (event,) = events
    assert event["event"] == "notification"
    assert (event["product"], event["key"]) == (OPENED.product, OPENED.key)
    assert event["title"] == text.title(OPENED)
