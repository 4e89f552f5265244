"""Conformance tests of all channels, parametrised over the index."""

import time
from dataclasses import replace

import pytest
from channels_values import SECRETS, context_with, receiver_for, server_for

from benchmarks.messages import OPENED
from contractwatch.alerting import text
from contractwatch.channels import CHANNELS
from contractwatch.errors import ChannelError
from contractwatch.model.base.receiver import Receiver, ReceiverKind

WITHOUT_NETWORK = {ReceiverKind.LOG}
NETWORKED = [pytest.param(kind, id=kind.value) for kind in CHANNELS if kind not in WITHOUT_NETWORK]


def send(receiver: Receiver, port: int) -> str:
    context = context_with(SLACK_URL=f"http://127.0.0.1:{port}/services/T0/B0/slacksecret")
    return CHANNELS[receiver.kind](OPENED, receiver, context)


def failure_of(receiver: Receiver, port: int) -> ChannelError:
    with pytest.raises(ChannelError) as failure:
        send(receiver, port)
    return failure.value


def test_every_kind_of_receiver_has_a_channel() -> None:
    assert set(CHANNELS) == set(ReceiverKind)


@pytest.mark.parametrize("kind", NETWORKED)
def test_a_good_delivery_carries_product_key_and_title(kind: ReceiverKind) -> None:
    with server_for(kind, "good") as server:
        answer = send(receiver_for(kind, server.port), server.port)
        delivered = " ".join(server.delivered().replace("\n ", " ").split())
    assert OPENED.product in delivered
    assert OPENED.key in delivered
    assert text.title(OPENED) in delivered
    assert answer


@pytest.mark.parametrize("kind", NETWORKED)
@pytest.mark.parametrize(
    ("how", "retryable", "reason"),
    [
        ("hangs", True, "timeout"),
        ("drips", True, "timeout"),
        ("resets", True, "reset"),
        ("resets early", True, "reset"),
        ("speaks something else", True, "reset"),
        ("busy", True, None),
        ("refuses for good", False, None),
    ],
)
def test_a_failure_has_its_class(
    kind: ReceiverKind, how: str, retryable: bool, reason: str | None
) -> None:
    with server_for(kind, how) as server:
        began = time.monotonic()
        seconds = 0.6 if reason == "timeout" else 4.5
        failure = failure_of(receiver_for(kind, server.port, timeout_seconds=seconds), server.port)
        took = time.monotonic() - began
        assert server.delivered() == ""
    assert failure.retryable is retryable
    assert reason is None or failure.reason == reason
    assert failure.reason in {"timeout", "reset", "4xx", "5xx"}
    assert took < 5


@pytest.mark.parametrize("kind", NETWORKED)
def test_nobody_listening_is_refused_and_retried(kind: ReceiverKind) -> None:
    with server_for(kind, "good") as server:
        port = server.port
    failure = failure_of(receiver_for(kind, port), port)
    assert (failure.retryable, failure.reason) == (True, "refused")


@pytest.mark.parametrize("kind", NETWORKED)
def test_a_private_address_is_not_connected_to_unless_the_operator_allows_it(
    kind: ReceiverKind,
) -> None:
    with server_for(kind, "good") as server:
        receiver = replace(receiver_for(kind, server.port), allow_private=False)
        failure = failure_of(receiver, server.port)
        assert server.connections() == 0
    assert (failure.retryable, failure.reason) == (False, "config")


@pytest.mark.parametrize("kind", NETWORKED)
@pytest.mark.parametrize("how", ["busy", "refuses for good", "resets", "hangs"])
def test_no_secret_and_no_path_stands_in_an_error(kind: ReceiverKind, how: str) -> None:
    with server_for(kind, how) as server:
        failure = failure_of(receiver_for(kind, server.port, timeout_seconds=0.4), server.port)
    everything = f"{failure!r} {failure} {failure.__cause__!r}"
    for secret in (*SECRETS.values(), "slacksecret", "/services", "/hook"):
        assert secret not in everything
    assert failure.__suppress_context__ or failure.__context__ is None


@pytest.mark.parametrize("kind", NETWORKED)
def test_a_secret_that_is_not_there_is_waited_for(kind: ReceiverKind) -> None:
    with server_for(kind, "good") as server:
        receiver = receiver_for(kind, server.port)
        refs = (*receiver.key_refs, receiver.url_ref, receiver.password_ref)
        context = context_with(
            **dict.fromkeys((each.name for each in refs if each is not None), " ")
        )
        with pytest.raises(ChannelError, match="is not there") as failure:
            CHANNELS[kind](OPENED, receiver, context)
        assert server.connections() == 0
    assert failure.value.retryable
