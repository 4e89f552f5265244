"""An e-mail goes out by SMTP, within one deadline, with the same Message-ID over all attempts."""

import contextlib
import hashlib
import smtplib
import socket
import threading
import time
from collections.abc import Generator
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from contractwatch.alerting import text
from contractwatch.channels.guard import Gate, timed_out
from contractwatch.channels.world import World
from contractwatch.errors import ChannelError
from contractwatch.model.incident import Notification
from contractwatch.model.receiver import Receiver

_IMPLICIT_TLS_PORT = 465
_SUBJECT_CHARACTERS = 200
_LINE_CHARACTERS = 2_000
_LINES = 500
_READY = 220
_PERMANENT = 500


def send(notification: Notification, receiver: Receiver, world: World) -> str:
    """Hand the message to the server; accepted by it is delivered.

    Raises:
        ChannelError: If it was not accepted for every recipient. Where it was for some, a repeat
            carries the same Message-ID.
    """
    _check(receiver)
    gate = world.gate(receiver)
    password = world.secret(receiver.password_ref) if receiver.password_ref else ""
    message = message_of(notification, receiver)
    with _spoken_to(receiver, gate) as client:
        if receiver.username:
            client.login(receiver.username, password)
        sender = parseaddr(receiver.sender)[1]
        refused = client.send_message(message, sender, receiver.recipients)
        with contextlib.suppress(smtplib.SMTPException, OSError):
            client.quit()  # it is accepted already, whatever is said now
    if refused:
        raise _refused(receiver, refused)
    return f"accepted it for {len(receiver.recipients)} recipients"


def message_of(notification: Notification, receiver: Receiver) -> EmailMessage:
    """Return the mail. No text of a contract can add a header to it."""
    message = EmailMessage()
    digest = hashlib.sha256(notification.key.encode()).hexdigest()
    domain = parseaddr(receiver.sender)[1].rpartition("@")[2]
    message["Message-ID"] = f"<{digest[:40]}@{domain}>"
    message["From"] = receiver.sender
    message["To"] = ", ".join(receiver.recipients)
    message["Subject"] = _one_line(text.title(notification))[:_SUBJECT_CHARACTERS]
    message["Date"] = format_datetime(notification.created_at)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Contractwatch-Key"] = _one_line(notification.key)
    message["X-Contractwatch-Product"] = _one_line(notification.product)
    lines = (_one_line(line)[:_LINE_CHARACTERS] for line in text.lines(notification)[:_LINES])
    message.set_content("\n".join((*lines, "", notification.page_url, notification.key)))
    return message


def _check(receiver: Receiver) -> None:
    problem = ""
    if not receiver.smtp_host or not receiver.recipients:
        problem = "has no SMTP host or no recipients"
    elif "@" not in parseaddr(receiver.sender)[1]:
        problem = "has no sender address"
    elif receiver.username and not _is_encrypted(receiver) and not receiver.allow_private:
        problem = "would send its password without TLS"
    if problem:
        raise ChannelError(f"receiver {receiver.name} {problem}", retryable=False, reason="config")


def _is_encrypted(receiver: Receiver) -> bool:
    return receiver.smtp_starttls or receiver.smtp_port == _IMPLICIT_TLS_PORT


@contextlib.contextmanager
def _spoken_to(receiver: Receiver, gate: Gate) -> Generator[smtplib.SMTP]:
    """Yield a client that has greeted the server, and turn its failures into ours."""
    host = receiver.smtp_host
    sock = gate.connect(host, receiver.smtp_port)
    if receiver.smtp_port == _IMPLICIT_TLS_PORT:
        sock = gate.secure(sock, host)
    client = smtplib.SMTP(local_hostname=_own_name())
    client.sock = sock
    late = threading.Event()
    left = max(gate.deadline.at - time.monotonic(), 0.001)
    sock.settimeout(left)
    # smtplib waits anew for each piece; only cutting the connection bounds the whole.
    clock = threading.Timer(left, _cut_off, (client, late))
    clock.daemon = True
    clock.start()
    try:
        _greet(client, receiver, gate)
        yield client
    except TimeoutError:
        raise timed_out(host) from None
    except (smtplib.SMTPException, MessageError, OSError, ValueError) as error:
        # `from None`: the error may hold addresses or the server's repetition of the password
        # smtplib tells a wait that was over as a connection that was closed
        is_late = late.is_set() or isinstance(error.__context__, TimeoutError)
        raise (timed_out(host) if is_late else _failure(host, error)) from None
    finally:
        clock.cancel()
        client.close()


def _greet(client: smtplib.SMTP, receiver: Receiver, gate: Gate) -> None:
    code, words = client.getreply()
    if code != _READY:
        raise smtplib.SMTPConnectError(code, words)
    client.ehlo_or_helo_if_needed()
    if not receiver.smtp_starttls or receiver.smtp_port == _IMPLICIT_TLS_PORT:
        return
    code, words = client.docmd("STARTTLS")
    if code != _READY or client.sock is None:
        raise ChannelError(
            f"{receiver.smtp_host} offers no STARTTLS", retryable=False, reason="tls"
        )
    client.sock = gate.secure(client.sock, receiver.smtp_host)
    client.file = None  # what was said in the clear is forgotten (RFC 3207)
    client.ehlo()


def _cut_off(client: smtplib.SMTP, late: threading.Event) -> None:
    late.set()
    if client.sock is not None:
        with contextlib.suppress(OSError):
            # Not SSLSocket.shutdown: that would take the session away under the reader's feet.
            socket.socket.shutdown(client.sock, socket.SHUT_RDWR)


def _failure(host: str, error: Exception) -> ChannelError:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _of_code(host, _worst(error.recipients))
    if isinstance(error, smtplib.SMTPResponseException):
        return _of_code(host, int(error.smtp_code))
    if isinstance(error, smtplib.SMTPServerDisconnected | OSError):
        return ChannelError(f"{host} closed the connection", retryable=True, reason="reset")
    return ChannelError(
        f"{host} cannot take this mail: {type(error).__name__}", retryable=False, reason="config"
    )


def _of_code(host: str, code: int) -> ChannelError:
    """Return the failure of an SMTP code: 4yz is for now, 5yz for good, -1 nothing readable."""
    if code < 0:
        return ChannelError(f"{host} spoke no SMTP", retryable=True, reason="reset")
    permanent = code >= _PERMANENT
    return ChannelError(
        f"{host} answered {code}", retryable=not permanent, reason="5xx" if permanent else "4xx"
    )


def _refused(receiver: Receiver, refused: dict[str, tuple[int, bytes]]) -> ChannelError:
    failure = _of_code(receiver.smtp_host, _worst(refused))
    return ChannelError(
        f"{failure} for {len(refused)} of {len(receiver.recipients)} recipients",
        retryable=failure.retryable,
        reason=failure.reason,
    )


def _worst(refused: dict[str, tuple[int, bytes]]) -> int:
    """Return the code that can be mended by a retry, if there is one."""
    return min(code for code, _ in refused.values())


def _own_name() -> str:
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _one_line(words: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())
