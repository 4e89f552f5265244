"""Receivers of every kind, each with a real server that can misbehave."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from typing import Protocol

from benchmarks.messages import NOW
from benchmarks.receiver import OK, Answer, Behaviour, Fault, Script
from benchmarks.receiver import Receiver as HttpServer
from benchmarks.smtp_receiver import SmtpFault, SmtpReceiver
from contractwatch.channels import ChannelContext
from contractwatch.model.base.receiver import Receiver, ReceiverKind, SecretRef, SecretSource

SECRETS = {
    "SIGNING_KEY": "whsec_c2VjcmV0LXNpZ25pbmcta2V5LTEyMw==",
    "OLD_KEY": "swordfish-of-last-year",
    "ROUTING_KEY": "r0ut1ngk3yr0ut1ngk3yr0ut1ngk3y00",
    "PASSWORD": "hunter2hunter2",
}


def ref(name: str) -> SecretRef:
    return SecretRef(SecretSource.ENVIRONMENT, name)


def context_with(**secrets: str) -> ChannelContext:
    everything = {**SECRETS, **secrets}
    return ChannelContext(lambda place: everything[place.name], None, lambda: NOW)


class Server(Protocol):
    """A running server; `delivered` is everything that it took, as one text."""

    port: int

    def delivered(self) -> str: ...

    def connections(self) -> int: ...


@dataclass
class Http:
    server: HttpServer

    @property
    def port(self) -> int:
        return self.server.port

    def delivered(self) -> str:
        parts = [f"{each.headers} {each.body.decode()}" for each in self.server.taken]
        return "\n".join(parts).replace("\\n", "\n")

    def connections(self) -> int:
        return self.server.connections


@dataclass
class Smtp:
    server: SmtpReceiver

    @property
    def port(self) -> int:
        return self.server.port

    def delivered(self) -> str:
        return "\n".join(readable(mail.data) for mail in self.server.mails)

    def connections(self) -> int:
        return self.server.connections


def readable(mail: bytes) -> str:
    """Return headers and text of a mail as a person sees them."""
    message = message_from_bytes(mail, policy=policy.default)
    headers = [f"{name}: {value}" for name, value in message.items()]
    return "\n".join([*headers, message.get_content()])


HTTP_FAULTS: dict[str, Behaviour] = {
    "good": OK,
    "hangs": Fault.HANG,
    "drips": Fault.DRIP_HEADERS,
    "resets": Fault.DROP_AFTER,
    "resets early": Fault.DROP_BEFORE,
    "speaks something else": Fault.NOT_HTTP,
    "busy": Answer(503),
    "refuses for good": Answer(404, body=b"no_service"),
}
SMTP_FAULTS = {
    "good": SmtpFault.NONE,
    "hangs": SmtpFault.HANG,
    "drips": SmtpFault.DRIP,
    "resets": SmtpFault.DROP,
    "resets early": SmtpFault.RESET,
    "speaks something else": SmtpFault.NOT_SMTP,
    "busy": SmtpFault.GREYLIST,
    "refuses for good": SmtpFault.NO_SUCH_USER,
}


@contextmanager
def server_for(kind: ReceiverKind, how: str) -> Generator[Server]:
    """Yield a running server for that kind which behaves in that way."""
    if kind is ReceiverKind.EMAIL:
        with SmtpReceiver(SMTP_FAULTS[how], offers_login=True) as mail:
            yield Smtp(mail)
    else:
        with HttpServer(Script(HTTP_FAULTS[how])) as http:
            yield Http(http)


def receiver_for(kind: ReceiverKind, port: int, *, timeout_seconds: float = 5.0) -> Receiver:
    """Return the operator's receiver of that kind, at that port of this machine."""
    plain = Receiver("owners", kind, allow_private=True, timeout_seconds=timeout_seconds)
    url = f"http://127.0.0.1:{port}/hook"
    match kind:
        case ReceiverKind.WEBHOOK:
            return replace(plain, url=url, key_refs=(ref("SIGNING_KEY"), ref("OLD_KEY")))
        case ReceiverKind.SLACK:
            return replace(plain, url_ref=ref("SLACK_URL"))
        case ReceiverKind.PAGERDUTY:
            return replace(plain, url=url, key_refs=(ref("ROUTING_KEY"),))
        case ReceiverKind.EMAIL:
            return replace(
                plain,
                smtp_host="127.0.0.1",
                smtp_port=port,
                smtp_starttls=False,
                username="watch",
                password_ref=ref("PASSWORD"),
                sender="contractwatch <watch@example.com>",
                recipients=("ana@example.com", "ben@example.com"),
            )
        case ReceiverKind.LOG:
            return plain
