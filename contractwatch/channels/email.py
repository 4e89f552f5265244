"""Send e-mail by SMTP within one deadline, with a stable Message-ID."""

import contextlib
import smtplib
import socket
import threading
import time
from collections.abc import Generator, Iterable
from email.errors import MessageError

from contractwatch.channels.context import ChannelContext
from contractwatch.channels.guard import Gate, timed_out
from contractwatch.channels.mailbox import Mailbox, parse_mailbox
from contractwatch.channels.mime_message import Mail, build_mail, mail_bytes
from contractwatch.errors import ChannelError
from contractwatch.model.base.receiver import Receiver
from contractwatch.model.record.incident import Notification

_IMPLICIT_TLS_PORT = 465
_READY = 220
_PERMANENT = 500
_HINTS = {
    530: "it wants a login or TLS first; see username, password and smtp_starttls",
    534: "it wants another way to log in",
    535: "it does not accept the user name or the password",
    538: "it wants TLS before a login; see smtp_starttls",
    550: "it does not take mail for this recipient, or from this sender",
    553: "it does not accept an address as it is written",
}


def send(notification: Notification, receiver: Receiver, context: ChannelContext) -> str:
    """Send the mail by SMTP; accepted by the server is delivered.

    Raises:
        ChannelError: If it was not accepted for every recipient. Where it was for some, a repeat
            carries the same Message-ID.
    """
    _check(receiver)
    gate = context.gate(receiver)
    sender = parse_mailbox(receiver.sender)
    recipients = tuple(parse_mailbox(each) for each in receiver.recipients)
    password = context.secret(receiver.password_ref) if receiver.password_ref else ""
    addressed = _addressed(notification, receiver, recipients)
    with _smtp_session(receiver, gate) as client:
        _log_in(client, receiver, password)
        options = _options(client, receiver, (sender, *addressed))
        shown = recipients if options else [each for each in recipients if not each.needs_utf8]
        data = mail_bytes(build_mail(notification, sender, shown))
        addresses = [each.address for each in addressed]
        refused = client.sendmail(sender.address, addresses, data, options)
        with contextlib.suppress(smtplib.SMTPException, OSError):
            client.quit()  # it is accepted already, whatever is said now
    if refused:
        raise _refused(receiver, refused, len(addressed))
    return f"accepted it for {len(addressed)} recipient{'s' * (len(addressed) != 1)}"


def addresses_of(receiver: Receiver) -> tuple[str, ...]:
    """Return the bare addresses of a receiver's mailboxes.

    Raises:
        ChannelError: If one of them is none.
    """
    return tuple(dict.fromkeys(parse_mailbox(each).address for each in receiver.recipients))


def message_of(notification: Notification, receiver: Receiver) -> Mail:
    """Return the mail to all recipients of the receiver."""
    recipients = [parse_mailbox(each) for each in receiver.recipients]
    return build_mail(notification, parse_mailbox(receiver.sender), recipients)


def _check(receiver: Receiver) -> None:
    problem = ""
    if not receiver.smtp_host or not receiver.recipients:
        problem = "has no SMTP host or no recipients"
    elif not receiver.sender:
        problem = "has no sender address"
    elif receiver.username and not _is_encrypted(receiver) and not receiver.allow_private:
        problem = "would send its password without TLS"
    if problem:
        raise _unusable(f"receiver {receiver.name} {problem}")


def _addressed(
    notification: Notification, receiver: Receiver, recipients: tuple[Mailbox, ...]
) -> tuple[Mailbox, ...]:
    """Return whom the message is for: one of the recipients, or all of them."""
    wanted = notification.recipient
    found = {each.address: each for each in recipients if wanted in ("", each.address)}
    if not found:
        raise _unusable(f"receiver {receiver.name} has no recipient {wanted} any more")
    return tuple(found.values())


def _log_in(client: smtplib.SMTP, receiver: Receiver, password: str) -> None:
    """Log in if the settings have a user name; what a retry cannot mend is said in words."""
    if not receiver.username:
        return
    host = receiver.smtp_host
    if not client.has_extn("auth"):
        raise _unusable(
            f"{host} offers no login (AUTH) on port {receiver.smtp_port}; take username and "
            "password out of this receiver, or give the port on which it offers one"
        )
    if not receiver.username.isascii() or not password.isascii():
        raise _unusable(f"the user name or the password for {host} is not ASCII")
    try:
        client.login(receiver.username, password)
    except smtplib.SMTPResponseException:
        raise
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        raise _unusable(
            f"{host} offers no way to log in with a user name and a password "
            "(PLAIN, LOGIN or CRAM-MD5)"
        ) from None


def _options(
    client: smtplib.SMTP, receiver: Receiver, envelope: Iterable[Mailbox]
) -> tuple[str, ...]:
    """Return what MAIL FROM must say; nothing for addresses that every server understands."""
    special = [each.address for each in envelope if each.needs_utf8]
    if not special:
        return ()
    if not client.has_extn("smtputf8"):
        raise _unusable(
            f"{receiver.smtp_host} takes only ASCII before the @ (it offers no SMTPUTF8), "
            f"and {special[0]} has more; give another address of this recipient"
        )
    return ("SMTPUTF8", "BODY=8BITMIME")


def _is_encrypted(receiver: Receiver) -> bool:
    return receiver.smtp_starttls or receiver.smtp_port == _IMPLICIT_TLS_PORT


@contextlib.contextmanager
def _smtp_session(receiver: Receiver, gate: Gate) -> Generator[smtplib.SMTP]:
    """Yield a client that has greeted the server, and turn its failures into ours."""
    host = receiver.smtp_host
    sock = gate.connect(host, receiver.smtp_port)
    if receiver.smtp_port == _IMPLICIT_TLS_PORT:
        sock = gate.secure(sock, host)
    client = smtplib.SMTP(local_hostname=_ehlo_name())
    client.sock = sock
    late = threading.Event()
    left = max(gate.deadline.at - time.monotonic(), 0.001)
    sock.settimeout(left)
    # smtplib waits anew for each piece; only cutting the connection bounds the whole.
    clock = threading.Timer(left, _connection_lost, (client, late))
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


def _connection_lost(client: smtplib.SMTP, late: threading.Event) -> None:
    late.set()
    if client.sock is not None:
        with contextlib.suppress(OSError):
            # Not SSLSocket.shutdown: that would take the session away under the reader's feet.
            socket.socket.shutdown(client.sock, socket.SHUT_RDWR)


def _failure(host: str, error: Exception) -> ChannelError:
    # All exceptions of smtplib are OSErrors, too: those that are not about the connection first.
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _failure_of_code(host, _worst(error.recipients))
    if isinstance(error, smtplib.SMTPResponseException):
        return _failure_of_code(host, int(error.smtp_code))
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _closed(host)
    if isinstance(error, smtplib.SMTPException):
        return _unusable(f"{host} does not offer what this mail needs")
    if isinstance(error, OSError):
        return _closed(host)
    return _unusable(f"{host} cannot be given this mail: an address or a text of it is not valid")


def _closed(host: str) -> ChannelError:
    return ChannelError(f"{host} closed the connection", retryable=True, reason="reset")


def _unusable(words: str) -> ChannelError:
    """Return the failure of settings that no retry mends."""
    return ChannelError(words, retryable=False, reason="config")


def _failure_of_code(host: str, code: int) -> ChannelError:
    """Return the failure of an SMTP code: 4yz is for now, 5yz for good, -1 nothing readable."""
    if code < 0:
        return ChannelError(f"{host} spoke no SMTP", retryable=True, reason="reset")
    permanent = code >= _PERMANENT
    hint = f": {_HINTS[code]}" if code in _HINTS else ""
    return ChannelError(
        f"{host} answered {code}{hint}",
        retryable=not permanent,
        reason="5xx" if permanent else "4xx",
    )


def _refused(receiver: Receiver, refused: dict[str, tuple[int, bytes]], count: int) -> ChannelError:
    failure = _failure_of_code(receiver.smtp_host, _worst(refused))
    return ChannelError(
        f"{failure} for {len(refused)} of {count} recipients",
        retryable=failure.retryable,
        reason=failure.reason,
    )


def _worst(refused: dict[str, tuple[int, bytes]]) -> int:
    """Return the code that can be mended by a retry, if there is one."""
    return min(code for code, _ in refused.values())


def _ehlo_name() -> str:
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"
