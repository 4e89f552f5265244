"""Tests of e-mail: one transaction for all recipients, TLS, stable Message-ID."""

import ssl
from dataclasses import replace

import pytest
from channels_values import SECRETS, context_with, readable, receiver_for

from benchmarks.messages import OPENED
from benchmarks.smtp_receiver import SmtpFault, SmtpReceiver
from contractwatch.channels import CHANNELS, email
from contractwatch.errors import ChannelError
from contractwatch.model.base.receiver import Receiver, ReceiverKind

SEND = CHANNELS[ReceiverKind.EMAIL]


def plain(port: int) -> Receiver:
    return replace(receiver_for(ReceiverKind.EMAIL, port), username="", password_ref=None)


def encrypted(port: int) -> Receiver:
    receiver = receiver_for(ReceiverKind.EMAIL, port)
    return replace(receiver, smtp_host="mail.example.com", smtp_starttls=True)


def failure_by(fault: SmtpFault) -> ChannelError:
    with SmtpReceiver(fault, offers_login=True) as server:
        with pytest.raises(ChannelError) as failure:
            SEND(OPENED, receiver_for(ReceiverKind.EMAIL, server.port), context_with())
        return failure.value


def test_the_message_id_is_the_same_over_all_attempts_and_differs_between_messages() -> None:
    receiver = plain(25)
    first, again = (email.message_of(OPENED, receiver)["Message-ID"] for _ in range(2))
    other = email.message_of(replace(OPENED, key="another"), receiver)["Message-ID"]
    assert first == again
    assert first != other
    assert first.endswith("@example.com>")


def test_no_text_can_add_a_header() -> None:
    evil = "orders\r\nBcc: everyone@example.com\r\n\r\n<script>\x00\u202e"
    mail = email.message_of(replace(OPENED, product=evil, key=evil, owner=evil), plain(25))
    headers = bytes(mail).partition(b"\n\n")[0].lower().splitlines()
    assert not [line for line in headers if line.startswith(b"bcc")]
    assert "Bcc" not in mail


def test_every_recipient_is_told_to_the_server() -> None:
    with SmtpReceiver() as server:
        answer = SEND(OPENED, plain(server.port), context_with())
        recipients = server.mails[0].recipients
    assert answer == "accepted it for 2 recipients"
    # the verb is written "TO" or "to", as the Python that runs it likes
    assert [line.partition(":")[2] for line in recipients] == [
        "<ana@example.com>",
        "<ben@example.com>",
    ]


@pytest.mark.parametrize(
    ("fault", "retryable", "reason"),
    [
        (SmtpFault.BUSY, True, "4xx"),
        (SmtpFault.GREYLIST, True, "4xx"),
        (SmtpFault.NO_SUCH_USER, False, "5xx"),
        (SmtpFault.DATA_REFUSED, False, "5xx"),
        (SmtpFault.BAD_PASSWORD, False, "5xx"),
        (SmtpFault.DROP, True, "reset"),
    ],
)
def test_an_smtp_answer_has_its_class(fault: SmtpFault, retryable: bool, reason: str) -> None:
    failure = failure_by(fault)
    assert (failure.retryable, failure.reason) == (retryable, reason)
    assert SECRETS["PASSWORD"] not in str(failure)


def test_a_mail_that_one_recipient_did_not_get_is_no_success() -> None:
    failure = failure_by(SmtpFault.ONE_UNKNOWN)
    assert (failure.retryable, failure.reason) == (False, "5xx")
    assert "for 1 of 2 recipients" in str(failure)


def test_an_accepted_mail_is_done_even_if_the_server_leaves_without_a_word() -> None:
    with SmtpReceiver(SmtpFault.TAKE_AND_DROP) as server:
        assert SEND(OPENED, plain(server.port), context_with())
        assert len(server.mails) == 1


def test_a_password_is_not_sent_in_the_clear() -> None:
    receiver = replace(receiver_for(ReceiverKind.EMAIL, 25), allow_private=False)
    with pytest.raises(ChannelError, match="password without TLS") as failure:
        SEND(OPENED, receiver, context_with())
    assert not failure.value.retryable


def test_a_server_without_starttls_gets_no_mail_when_it_was_asked_for() -> None:
    with SmtpReceiver() as server:
        receiver = replace(plain(server.port), smtp_starttls=True)
        with pytest.raises(ChannelError, match="no STARTTLS"):
            SEND(OPENED, receiver, context_with())
        assert server.mails == []


def test_under_starttls_the_certificate_must_be_the_hosts(
    certificate: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    context = replace(context_with(), resolve=lambda host, port: ("127.0.0.1",), tls=trusting)
    with SmtpReceiver(tls=certificate, offers_login=True) as server:
        right = encrypted(server.port)
        with pytest.raises(ChannelError) as stranger:
            SEND(OPENED, replace(right, smtp_host="other.example.com"), context)
        assert server.mails == []
        assert SEND(OPENED, right, context)
        assert OPENED.product in readable(server.mails[0].data)
        before_tls = server.lines[: server.lines.index("STARTTLS")]
    assert stranger.value.reason == "tls"
    assert "write the name that stands in it" in str(stranger.value)
    assert stranger.value.retryable
    assert not [line for line in before_tls if line.startswith(("AUTH", "MAIL"))]


@pytest.mark.parametrize(
    "change", [{"smtp_host": ""}, {"recipients": ()}, {"sender": ""}, {"sender": "nobody"}]
)
def test_a_receiver_that_is_not_whole_is_a_setting_to_mend(change: dict[str, object]) -> None:
    with pytest.raises(ChannelError) as failure:
        SEND(OPENED, replace(plain(25), **change), context_with())
    assert (failure.value.retryable, failure.value.reason) == (False, "config")
