"""Guard outgoing connections: check every address (SSRF), and bound every wait by one deadline."""

import functools
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from contractwatch.errors import ChannelError
from contractwatch.model.base.address import is_public

Resolve: TypeAlias = Callable[[str, int], tuple[str, ...]]
"""A host name and a port to its addresses; raises OSError when the name has none."""


_SELF_SIGNED, _SELF_SIGNED_ABOVE, _NO_ISSUER, _ALONE = 18, 19, 20, 21
_NOT_YET, _EXPIRED = 9, 10
_OTHER_NAME, _OTHER_ADDRESS = 62, 64
_UNKNOWN = "nobody this machine trusts vouches for it; add its authority to those of the machine"
_MENDS = {
    _SELF_SIGNED: _UNKNOWN,
    _SELF_SIGNED_ABOVE: _UNKNOWN,
    _NO_ISSUER: _UNKNOWN,
    _ALONE: _UNKNOWN,
    _NOT_YET: "it is not valid yet, by the clock of this machine",
    _EXPIRED: "it has expired; its server needs a new one",
    _OTHER_NAME: "it is for another name; write the name that stands in it",
    _OTHER_ADDRESS: "it is for another address; write the name that stands in it",
}
"""What mends a certificate, by OpenSSL's number of what is wrong with it (x509_vfy.h)."""


@dataclass(frozen=True, slots=True)
class SendDeadline:
    """The deadline of a whole send, on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "SendDeadline":
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds left, above 0.

        Raises:
            TimeoutError: If none are left.
        """
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def system_resolve(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses that this machine knows for the host, without repeats."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the context that trusts the bundled authorities and those of this machine."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


@dataclass(frozen=True, slots=True)
class Gate:
    """Open connections for one send: checked addresses, one deadline, TLS."""

    deadline: SendDeadline
    allow_private: bool
    resolve: Resolve
    tls: ssl.SSLContext

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a socket to the first address of the host that answers.

        The name is resolved once, every address is checked, and the checked ones are connected to.

        Raises:
            ChannelError: reason dns, config (an address is not public), refused, timeout or reset.
        """
        addresses = self._addresses(host, port)
        if not self.allow_private and not all(is_public(address) for address in addresses):
            raise ChannelError(
                f"{host} has an address that is not public; set allow_private for this receiver "
                "if that is meant",
                retryable=False,
                reason="config",
            )
        failure = _unreachable(host, port)
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout=self.deadline.left())
            except TimeoutError:
                failure = timed_out(host)
            except ConnectionRefusedError:
                failure = ChannelError(
                    f"{host} refused the connection to port {port}",
                    retryable=True,
                    reason="refused",
                )
            except OSError:
                failure = _unreachable(host, port)
        raise failure

    def secure(self, sock: socket.socket, host: str) -> ssl.SSLSocket:
        """Return the socket under TLS, its certificate checked against the original host name.

        Raises:
            ChannelError: reason tls, timeout or reset. The socket is closed then.
        """
        try:
            sock.settimeout(self.deadline.left())
            return self.tls.wrap_socket(sock, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            # Tried again: a server that is just starting often shows a certificate of its maker's.
            why = _MENDS.get(error.verify_code) or f"it is not valid: {error.verify_message}"
            failure = _tls_failure(host, f"its certificate is refused: {why}")
        except ssl.SSLError as error:
            failure = _tls_failure(host, error.reason or "the handshake failed")
        except TimeoutError:
            failure = timed_out(host)
        except OSError:
            failure = _tls_failure(host, "the connection was closed")
        sock.close()
        raise failure

    def _addresses(self, host: str, port: int) -> tuple[str, ...]:
        answers: queue.SimpleQueue[tuple[str, ...] | None] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self.resolve(host, port))
            except (OSError, UnicodeError):  # UnicodeError: a label that IDNA refuses
                answers.put(None)

        # The resolver of the C library has no deadline, so it may only hold up a thread of its own.
        threading.Thread(target=look_up, name="resolve", daemon=True).start()
        try:
            found = answers.get(timeout=self.deadline.left())
        except (queue.Empty, TimeoutError):
            found = None
        if not found:
            raise ChannelError(f"{host} was not found by name", retryable=True, reason="dns")
        return found


def timed_out(host: str) -> ChannelError:
    """Return the failure of a host that did not answer in time."""
    return ChannelError(f"{host} did not answer in time", retryable=True, reason="timeout")


def _unreachable(host: str, port: int) -> ChannelError:
    return ChannelError(f"{host} port {port} was not reached", retryable=True, reason="reset")


def _tls_failure(host: str, why: str) -> ChannelError:
    return ChannelError(f"no TLS with {host}: {why}", retryable=True, reason="tls")
