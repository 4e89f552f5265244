"""What channels are given of the outside: secrets, clock, name resolution, network."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from contractwatch.channels.guard import Gate, Resolve, SendDeadline, system_resolve, tls_context
from contractwatch.errors import ChannelError, ContractwatchError
from contractwatch.model.base.receiver import Receiver, SecretRef


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What channels are given: secrets, transport, clock, resolver, TLS.

    `reveal` reads a secret at the moment of use. `transport` None is the guarded one; another is
    for tests. `tls` None trusts the usual authorities.
    """

    reveal: Callable[[SecretRef], str]
    transport: httpx.BaseTransport | None
    now: Callable[[], datetime]
    resolve: Resolve = system_resolve
    tls: ssl.SSLContext | None = None

    def gate(self, receiver: Receiver) -> Gate:
        """Return the way out for one send to the receiver; its time starts to run now."""
        return Gate(
            SendDeadline.after(receiver.timeout_seconds),
            receiver.allow_private,
            self.resolve,
            self.tls or tls_context(),
        )

    def secret(self, ref: SecretRef) -> str:
        """Return the secret without surrounding blanks.

        Raises:
            ChannelError: If it cannot be read or is empty; retryable, since it may be put in place.
        """
        try:
            value = self.reveal(ref).strip()
        except (ContractwatchError, OSError):
            value = ""
        if not value:
            raise ChannelError(
                f"the secret {ref.source}:{ref.name} is not there", retryable=True, reason="config"
            )
        return value

    def url(self, receiver: Receiver, default: str = "") -> str:
        """Return the receiver's address, which may hold a secret.

        Raises:
            ChannelError: If it has none, or the secret place of it cannot be read.
        """
        if receiver.url_ref is not None:
            return self.secret(receiver.url_ref)
        if receiver.url or default:
            return receiver.url or default
        raise ChannelError(f"receiver {receiver.name} has no url", retryable=False, reason="config")
