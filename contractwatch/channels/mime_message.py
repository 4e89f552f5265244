"""Build the bytes of a mail, safe from header injection.

The standard library decodes encoded words (RFC 2047) of whatever is assigned to a header of its
modern message, line breaks among them. So the older message is used, to which nothing is assigned
but what `Header` encoded, or plain ASCII in which nobody can see an encoded word.
"""

import hashlib
from collections.abc import Iterable
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime
from typing import TypeAlias

from contractwatch.alerting import text
from contractwatch.channels.mailbox import Mailbox
from contractwatch.errors import ChannelError
from contractwatch.model.record.incident import Notification

Mail: TypeAlias = "Message[str, str]"

_POLICY = compat32.clone(linesep="\r\n", mangle_from_=False, cte_type="8bit")
_HEADER_CHARACTERS = 200
_LINE_CHARACTERS = 2_000
_LINES = 500
_LONGEST_HEADER_LINE = 998  # RFC 5322, 2.1.1
_ENCODED_WORD = "=?"


def build_mail(notification: Notification, sender: Mailbox, recipients: Iterable[Mailbox]) -> Mail:
    """Return the mail. No text of a contract can add a header to it."""
    mail: Mail = Message(policy=_POLICY)
    digest = hashlib.sha256(notification.message_key.encode(errors="replace")).hexdigest()
    mail["Message-ID"] = f"<{digest[:40]}@{sender.domain}>"
    mail["From"] = _mailboxes("From", (sender,))
    mail["To"] = _mailboxes("To", tuple(recipients))
    mail["Subject"] = _words("Subject", text.title(notification))
    mail["Date"] = format_datetime(notification.created_at)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Contractwatch-Key"] = _words("X-Contractwatch-Key", notification.message_key)
    mail["X-Contractwatch-Product"] = _words("X-Contractwatch-Product", notification.product)
    lines = (one_line(line)[:_LINE_CHARACTERS] for line in text.lines(notification)[:_LINES])
    body = (*lines, "", one_line(notification.page_url), one_line(notification.message_key), "")
    readable = Charset("utf-8")
    readable.body_encoding = QP
    mail.set_payload("\n".join(body).encode(errors="replace").decode(), readable)
    return mail


def mail_bytes(mail: Mail) -> bytes:
    """Return the mail as it is sent.

    Raises:
        ChannelError: If its header is not exactly the lines that were meant.
    """
    data = mail.as_bytes(policy=_POLICY)
    check_headers(data, mail.keys())
    return data


def check_headers(data: bytes, names: Iterable[str]) -> None:
    """Check that the bytes have these headers, in this order, and no other line.

    Raises:
        ChannelError: If anything else stands there.
    """
    head, blank, _ = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    begun = [line.partition(b":")[0].decode("latin-1") for line in lines if line[:1] not in b" \t"]
    is_clean = not any(set(line) & set(b"\r\n\0") for line in lines) and all(
        line.strip() and len(line) <= _LONGEST_HEADER_LINE for line in lines
    )
    if not blank or not is_clean or begun != list(names):
        raise ChannelError(
            "this mail would have a header that was not meant, and is not sent",
            retryable=False,
            reason="config",
        )


def one_line(words: str) -> str:
    """Return the words on one line, without what moves a cursor or cannot be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _words(name: str, words: str) -> str:
    """Return the value of a header that says these words and nothing else."""
    line = one_line(words)[:_HEADER_CHARACTERS]
    if line.isascii() and _ENCODED_WORD not in line:
        return Header(line, "us-ascii", header_name=name).encode()
    return Header(line, "utf-8", header_name=name).encode()


def _mailboxes(name: str, mailboxes: tuple[Mailbox, ...]) -> str:
    """Return the value of an address header; names are encoded, addresses are bare."""
    if any(each.needs_utf8 for each in mailboxes):  # only a server that can take raw UTF-8 gets it
        raw = ", ".join(f"<{each.address}>" for each in mailboxes)
        return raw.encode().decode("ascii", "surrogateescape")
    value = Header(header_name=name)
    for number, each in enumerate(mailboxes, start=1):
        shown = one_line(each.name)[:_HEADER_CHARACTERS]
        comma = "," if number < len(mailboxes) else ""
        if shown and shown.isascii() and _ENCODED_WORD not in shown:
            quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
            value.append(f'"{quoted}"', "us-ascii")
        elif shown:
            value.append(shown, "utf-8")
        value.append(f"<{each.address}>{comma}", "us-ascii")
    return value.encode()
