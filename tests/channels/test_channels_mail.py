"""Tests of header injection, and of addresses with international names."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import compat32

import pytest
from channels_values import context_with, receiver_for
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.messages import OPENED
from benchmarks.smtp_receiver import Mail, SmtpReceiver
from contractwatch.channels import CHANNELS, email, pagerduty, slack, webhook
from contractwatch.channels.mime_message import check_headers, mail_bytes
from contractwatch.errors import ChannelError
from contractwatch.model.base.receiver import Receiver, ReceiverKind
from contractwatch.model.record.incident import Notification

SEND = CHANNELS[ReceiverKind.EMAIL]
MEANT = [
    "Message-ID",
    "From",
    "To",
    "Subject",
    "Date",
    "Auto-Submitted",
    "X-Contractwatch-Key",
    "X-Contractwatch-Product",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
]
EVIL = [
    "=?utf-8?q?a=0D=0ABcc:_evil@x.y?=",
    "=?utf-8?b?YQ0KUmVwbHktVG86IGV2aWxAeC55?=",
    "=?UTF-8?Q?a=0A=0A<b>a_body</b>?= =?utf-8?q?=0D=0AX-Evil:_1?=",
    "=?iso-8859-1?q?=0ATo:_evil@x.y?=",
    "a\r\nBcc: evil@x.y",
    "a\rBcc: evil@x.y",
    "a\u2028Bcc: evil@x.y\u0085Cc: evil@x.y\x0bX: y\x0cZ: z",
    "ä=?utf-8?q?a=0D=0ABcc:_evil@x.y?=ö",
    "=?utf-8?q?=00?=",
    "\udce4=?utf-8?q?a=0D=0ABcc:_e@x.y?=",
    "Bcc: evil@x.y " * 40,
    "x" * 2_000,
    "ö" * 2_000,
    "=?utf-8?q?" + "=0D=0A" * 60 + "?=",
]


def plain(port: int, **changes: object) -> Receiver:
    receiver = receiver_for(ReceiverKind.EMAIL, port)
    return replace(receiver, username="", password_ref=None, **changes)


def told(words: str) -> Notification:
    note = replace(OPENED.notes[0], broken=(replace(OPENED.notes[0].broken[0], observed=words),))
    return replace(
        OPENED,
        product=words,
        key=words,
        owner=words,
        title=words,
        contract_id=words,
        page_url=words,
        notes=(note,),
    )


def names(data: bytes) -> list[str]:
    """Return the headers that readers of both generations see."""
    old = BytesParser(policy=compat32).parsebytes(data).keys()
    new = message_from_bytes(data, policy=policy.default).keys()
    assert old == new
    return old


def bare(*lines: str) -> list[str]:
    """Return commands without their verb, which some Pythons write in lower case."""
    # "to:" or "TO:" as the Python that runs it likes
    return [
        f"{part[0].upper()}:{part[2]}"
        for part in (line.partition(" ")[2].partition(":") for line in lines)
    ]


def sent(notification: Notification, **changes: object) -> Mail:
    with SmtpReceiver() as server:
        SEND(notification, plain(server.port, **changes), context_with())
        (mail,) = server.mails
    return mail


@pytest.mark.parametrize("words", EVIL, ids=range(len(EVIL)))
def test_words_that_look_like_headers_are_words(words: str) -> None:
    mail = sent(told(words))
    head = mail.data.partition(b"\r\n\r\n")[0]
    assert names(mail.data) == MEANT
    assert b"\n" not in head.replace(b"\r\n", b"")
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    assert bare(*mail.recipients) == ["TO:<ana@example.com>", "TO:<ben@example.com>"]


@given(st.text(max_size=60), st.sampled_from(["=?utf-8?q?{}?=", "{}", "=?utf-8?b?{}?=", "ä{}"]))
def test_no_text_at_all_adds_a_header_or_a_line(words: str, around: str) -> None:
    evil = around.format(words)
    receiver = plain(25, sender="watch@example.com")
    data = mail_bytes(email.message_of(told(evil), receiver))
    assert names(data) == MEANT


def test_an_encoded_word_in_a_name_is_shown_as_it_was_written() -> None:
    words = "=?utf-8?q?a=0D=0ABcc:_evil@x.y?="
    message = BytesParser(policy=compat32).parsebytes(sent(replace(OPENED, product=words)).data)
    shown = str(make_header(decode_header(message["X-Contractwatch-Product"])))
    assert shown == words
    assert words[:20] in str(make_header(decode_header(message["Subject"])))


@pytest.mark.parametrize("name", ["=?utf-8?q?a=0D=0ABcc:_evil@x.y?=", "Jörg =?utf-8?q?a=0AX:_y?="])
def test_a_display_name_is_encoded_too(name: str) -> None:
    mail = sent(
        OPENED, sender=f"{name} <watch@example.com>", recipients=(f"{name} <ana@example.com>",)
    )
    assert names(mail.data) == MEANT
    message = BytesParser(policy=compat32).parsebytes(mail.data)
    for header in ("From", "To"):
        assert name in str(make_header(decode_header(message[header]))).replace("\n", "")


def test_finished_bytes_with_a_line_that_was_not_meant_are_not_sent() -> None:
    good = b"A: 1\r\n more\r\nB: 2\r\n\r\nbody: x\r\n"
    check_headers(good, ["A", "B"])
    for bad in (
        b"A: 1\r\nBcc: x\r\nB: 2\r\n\r\n",
        b"A: 1\nBcc: x\r\nB: 2\r\n\r\n",
        b"A: 1\rBcc: x\r\nB: 2\r\n\r\n",
        b"A: 1\r\nB: 2\r\n",
        b"A: 1\r\nB: 2\0\r\n\r\n",
        b"A: 1\r\nB: " + b"x" * 1_000 + b"\r\n\r\n",
        b"B: 2\r\nA: 1\r\n\r\n",
        b"A: 1\r\n \r\nB: 2\r\n\r\n",
    ):
        with pytest.raises(ChannelError, match="not meant") as failure:
            check_headers(bad, ["A", "B"])
        assert not failure.value.retryable


@pytest.mark.parametrize("words", EVIL, ids=range(len(EVIL)))
def test_neither_slack_nor_pagerduty_nor_a_webhook_takes_words_for_links_or_headers(
    words: str,
) -> None:
    link = f"<https://evil.example|{words}> <!channel> <@U1>"
    body = str(slack.message(told(link)))
    assert "<https://evil.example" not in body
    assert "<!channel>" not in body
    assert "<@U1>" not in body
    assert "\r" not in webhook.event_id(words)
    assert webhook.event_id(words).isascii()
    event = pagerduty.event_of(told(link), told(link).notes[0])
    assert event["links"][0]["text"] == "page"


# ---- addresses


@pytest.mark.parametrize(
    ("written", "envelope"),
    [
        ("Jörg <j@example.com>", "j@example.com"),
        ('"Doe, Jane" <jane@example.com>', "jane@example.com"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("Zoë Ångström <zoe@münchen.example>", "zoe@xn--mnchen-3ya.example"),
        ("日本 <nihon@例え.jp>", "nihon@xn--r8jz45g.jp"),
        ("o'neil+data@example.com", "o'neil+data@example.com"),
    ],
)
def test_every_address_reaches_a_server_that_knows_ascii_only(written: str, envelope: str) -> None:
    with SmtpReceiver(offers_utf8=False) as server:
        SEND(OPENED, plain(server.port, recipients=(written,)), context_with())
        (mail,) = server.mails
    assert bare(*mail.recipients) == [f"TO:<{envelope}>"]
    assert mail.data.partition(b"\r\n\r\n")[0].isascii()
    shown = message_from_bytes(mail.data, policy=policy.default)["To"].addresses
    assert [each.addr_spec for each in shown] == [envelope]
    assert written.partition("<")[0].strip(' "') in (shown[0].display_name, "", written)


def test_a_sender_with_a_name_and_a_domain_of_its_own_alphabet_is_bare_in_the_envelope() -> None:
    with SmtpReceiver(offers_utf8=False) as server:
        SEND(OPENED, plain(server.port, sender="Wächter <w@bücher.example>"), context_with())
        (mail,) = server.mails
    assert bare(mail.sender)[0].startswith("FROM:<w@xn--bcher-kva.example>")


def test_a_name_before_the_at_that_is_not_ascii_needs_a_server_that_can() -> None:
    recipients = ("jörg@example.com",)
    with SmtpReceiver(offers_utf8=False) as server:
        with pytest.raises(ChannelError, match="SMTPUTF8") as failure:
            SEND(OPENED, plain(server.port, recipients=recipients), context_with())
        assert (failure.value.retryable, failure.value.reason) == (False, "config")
        assert server.mails == []
    with SmtpReceiver() as server:
        SEND(OPENED, plain(server.port, recipients=recipients), context_with())
        (mail,) = server.mails
    assert bare(*mail.recipients) == ["TO:<jörg@example.com>"]
    assert "SMTPUTF8" in mail.sender
    assert names(mail.data) == MEANT


@pytest.mark.parametrize(
    "recipient",
    ["a@example.com, b@example.com", "data-owners", "@example.com", "a@", "a@b\r\nBcc: c@d", ""],
)
def test_what_is_not_one_address_is_a_setting_to_mend(recipient: str) -> None:
    with SmtpReceiver() as server:
        with pytest.raises(ChannelError) as failure:
            SEND(OPENED, plain(server.port, recipients=(recipient,)), context_with())
        assert server.mails == []
    assert (failure.value.retryable, failure.value.reason) == (False, "config")


# ---- logins


def test_a_login_where_none_is_offered_is_a_setting_to_mend() -> None:
    with SmtpReceiver(offers_login=False) as server:
        with pytest.raises(ChannelError, match="offers no login") as failure:
            SEND(OPENED, receiver_for(ReceiverKind.EMAIL, server.port), context_with())
        assert server.mails == []
    assert (failure.value.retryable, failure.value.reason) == (False, "config")


def test_a_login_of_another_kind_is_a_setting_to_mend() -> None:
    with (
        SmtpReceiver(offers_login=True, logins="XOAUTH2 GSSAPI") as server,
        pytest.raises(ChannelError, match="PLAIN, LOGIN or CRAM-MD5") as failure,
    ):
        SEND(OPENED, receiver_for(ReceiverKind.EMAIL, server.port), context_with())
    assert (failure.value.retryable, failure.value.reason) == (False, "config")


def test_a_password_that_no_login_can_carry_is_a_setting_to_mend() -> None:
    context = context_with(PASSWORD="schlüssel")
    with (
        SmtpReceiver(offers_login=True) as server,
        pytest.raises(ChannelError, match="not ASCII") as failure,
    ):
        SEND(OPENED, receiver_for(ReceiverKind.EMAIL, server.port), context)
    assert not failure.value.retryable
    assert "schlüssel" not in str(failure.value)


@pytest.mark.parametrize("code", ["530 5.7.0 login first", "550 no", "553 what", "571 no"])
def test_what_a_server_refuses_for_good_is_not_tried_again(code: str) -> None:
    with (
        SmtpReceiver(answers={"ana@example.com": code, "ben@example.com": code}) as server,
        pytest.raises(ChannelError) as failure,
    ):
        SEND(OPENED, plain(server.port), context_with())
    assert (failure.value.retryable, failure.value.reason) == (False, "5xx")
    assert f"answered {code[:3]}" in str(failure.value)


def test_no_failure_is_told_by_the_name_of_a_class() -> None:
    for error in (ValueError("x"), UnicodeEncodeError("ascii", "ä", 0, 1, "no")):
        said = str(email._failure("mail.example.com", error))
        assert type(error).__name__ not in said
