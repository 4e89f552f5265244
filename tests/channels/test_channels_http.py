"""Tests of the classes of HTTP answers, and of redirects and addresses."""

import socket
import ssl
import threading
import time
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from channels_values import SECRETS, context_with, receiver_for

from benchmarks.messages import NOW, OPENED
from benchmarks.receiver import Answer, Behaviour, Fault, Receiver, Script
from contractwatch.channels import CHANNELS, ChannelContext, http
from contractwatch.errors import ChannelError
from contractwatch.model.base.receiver import ReceiverKind

GMT = "%a, %d %b %Y %H:%M:%S GMT"


def told_by(behaviour: Behaviour, *, timeout_seconds: float = 5.0) -> str:
    with Receiver(Script(behaviour)) as server:
        receiver = receiver_for(ReceiverKind.WEBHOOK, server.port, timeout_seconds=timeout_seconds)
        return CHANNELS[receiver.kind](OPENED, receiver, context_with())


def failure_by(behaviour: Behaviour) -> ChannelError:
    with pytest.raises(ChannelError) as failure:
        told_by(behaviour)
    return failure.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_done(status: int) -> None:
    assert told_by(Answer(status)) == f"answered {status}"


@pytest.mark.parametrize(
    ("status", "retryable", "reason"),
    [
        (301, False, "config"),
        (302, False, "config"),
        (307, False, "config"),
        (308, False, "config"),
        (400, False, "4xx"),
        (401, False, "4xx"),
        (403, False, "4xx"),
        (404, False, "4xx"),
        (408, True, "4xx"),
        (410, False, "4xx"),
        (413, False, "4xx"),
        (425, True, "4xx"),
        (429, True, "429"),
        (500, True, "5xx"),
        (502, True, "5xx"),
        (503, True, "5xx"),
        (599, True, "5xx"),
    ],
)
def test_a_status_has_its_class(status: int, retryable: bool, reason: str) -> None:
    failure = failure_by(Answer(status))
    assert (failure.retryable, failure.reason) == (retryable, reason)
    assert str(status) in str(failure)


def test_a_redirect_is_not_followed() -> None:
    with Receiver() as elsewhere:
        failure = failure_by(Answer(302, (("Location", elsewhere.url),)))
        assert elsewhere.connections == 0
    assert "redirects are not followed" in str(failure)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("86400", 900.0),
        ((NOW + timedelta(seconds=90)).strftime(GMT), 90.0),
        ((NOW + timedelta(days=2)).strftime(GMT), 900.0),
        ((NOW - timedelta(days=2)).strftime(GMT), 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("Sun, 99 Nov 2026 09:30:00 GMT", None),
    ],
)
def test_retry_after_is_honoured_up_to_fifteen_minutes(header: str, seconds: float | None) -> None:
    failure = failure_by(Answer(429, (("Retry-After", header),)))
    assert failure.retry_after_seconds == seconds


@pytest.mark.parametrize("fault", [Fault.DRIP_BODY, Fault.RESET_IN_BODY, Fault.ENDLESS_BODY])
def test_after_a_200_the_body_changes_nothing_and_costs_at_most_the_deadline(
    fault: Fault,
) -> None:
    began = time.monotonic()
    assert told_by(fault, timeout_seconds=0.5) == "answered 200"
    assert time.monotonic() - began < 5


def test_a_plain_word_of_the_answer_is_repeated() -> None:
    assert str(failure_by(Answer(404, body=b"no_service"))).endswith("answered 404 no_service")


@pytest.mark.parametrize(
    "body", [b"<html>internal details</html>", b"two words", b"x" * 500, SECRETS["ROUTING_KEY"]]
)
def test_anything_else_of_the_answer_is_not(body: bytes | str) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    assert str(failure_by(Answer(400, body=raw))).endswith("answered 400")


def test_an_echo_of_the_secret_is_not_repeated_even_if_it_is_a_plain_word() -> None:
    with Receiver(Script(Answer(400, body=b"swordfish"))) as server:
        receiver = receiver_for(ReceiverKind.PAGERDUTY, server.port)
        with pytest.raises(ChannelError) as failure:
            CHANNELS[receiver.kind](OPENED, receiver, context_with(ROUTING_KEY="swordfish"))
    assert "swordfish" not in str(failure.value)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example.com/x",
        "file:///etc/passwd",
        "hooks.example.com/x",
        "http://",
        "https://user:pass@hooks.example.com/x",
        "http://[::1/x",
        "http://hooks.example.com:99999/x",
    ],
)
def test_an_address_that_is_no_http_url_is_a_setting_to_mend(url: str) -> None:
    receiver = replace(receiver_for(ReceiverKind.WEBHOOK, 1), url=url)
    with pytest.raises(ChannelError) as failure:
        CHANNELS[receiver.kind](OPENED, receiver, context_with())
    assert (failure.value.retryable, failure.value.reason) == (False, "config")
    assert "pass" not in str(failure.value)


def test_the_environment_names_no_proxy_for_us(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert told_by(Answer(200)) == "answered 200"
        assert proxy.connections == 0


def test_the_host_header_names_the_host_and_not_the_checked_address() -> None:
    with Receiver() as server:
        receiver = receiver_for(ReceiverKind.WEBHOOK, server.port)
        named = replace(receiver, url=f"http://hooks.example.com:{server.port}/a?b=c")
        context = replace(context_with(), resolve=lambda host, port: ("127.0.0.1",))
        CHANNELS[named.kind](OPENED, named, context)
        assert server.seen[0].headers["host"] == f"hooks.example.com:{server.port}"
        assert server.seen[0].path == "/a?b=c"


def test_tls_asks_the_checked_address_for_the_original_name() -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hear() -> None:
            connection, _ = listener.accept()
            heard.append(connection.recv(4_096))
            connection.close()

        thread = threading.Thread(target=hear)
        thread.start()
        port = listener.getsockname()[1]
        receiver = receiver_for(ReceiverKind.WEBHOOK, port)
        named = replace(receiver, url=f"https://hooks.example.com:{port}/a")
        context = replace(context_with(), resolve=lambda host, port: ("127.0.0.1",))
        with pytest.raises(ChannelError) as failure:
            CHANNELS[named.kind](OPENED, named, context)
        thread.join()
    assert (failure.value.retryable, failure.value.reason) == (True, "tls")
    assert b"hooks.example.com" in heard[0]


def test_a_server_that_speaks_no_tls_is_a_tls_failure() -> None:
    with Receiver(Script(Fault.NOT_HTTP)) as server:
        receiver = receiver_for(ReceiverKind.WEBHOOK, server.port)
        secure = replace(receiver, url=f"https://127.0.0.1:{server.port}/a")
        with pytest.raises(ChannelError) as failure:
            CHANNELS[secure.kind](OPENED, secure, context_with())
    assert (failure.value.retryable, failure.value.reason) == (True, "tls")


def test_a_certificate_that_nobody_vouches_for_is_refused_and_a_trusted_one_is_not(
    certificate: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    def wrap(connection: socket.socket) -> socket.socket:
        return certificate.wrap_socket(connection, server_side=True)

    with Receiver(tls=wrap) as server:
        receiver = receiver_for(ReceiverKind.WEBHOOK, server.port)
        named = replace(receiver, url=f"https://hooks.example.com:{server.port}/a")
        stranger = replace(named, url=f"https://other.example.com:{server.port}/a")
        context = replace(context_with(), resolve=lambda host, port: ("127.0.0.1",))
        with pytest.raises(ChannelError) as unknown:
            CHANNELS[named.kind](OPENED, named, context)
        trusted = replace(context, tls=trusting)
        with pytest.raises(ChannelError) as wrong_name:
            CHANNELS[stranger.kind](OPENED, stranger, trusted)
        assert server.taken == []
        assert CHANNELS[named.kind](OPENED, named, trusted) == "answered 200"
    assert [unknown.value.reason, wrong_name.value.reason] == ["tls", "tls"]
    assert "add its authority to those of the machine" in str(unknown.value)
    assert "write the name that stands in it" in str(wrong_name.value)
    assert unknown.value.retryable  # a server that starts may show another one first
    assert wrong_name.value.retryable


def test_an_injected_transport_takes_the_place_of_the_network() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, text="accepted")

    receiver = replace(receiver_for(ReceiverKind.WEBHOOK, 1), url="https://hooks.example.com/a")
    context = ChannelContext(context_with().reveal, httpx.MockTransport(answer), lambda: NOW)
    assert CHANNELS[receiver.kind](OPENED, receiver, context) == "answered 202 accepted"
    assert asked[0].headers["user-agent"] == "contractwatch"


def test_a_character_without_utf_8_does_not_stop_a_message() -> None:
    assert http.json_body({"name": "a\ud800b"}) == b'{"name":"a?b"}'
