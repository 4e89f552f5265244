"""Local proxy that connects to one object store and refuses every other host.

The readers (Polars, obstore) resolve names themselves, follow redirects to any host and cannot be
told not to. So they are given a proxy of this process instead: it connects to the one endpoint that
was allowed, at an address that it has checked, and refuses every other host.
"""

import ipaddress
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.address import is_forbidden, is_public

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 20.0
"""A store that leaves a request without a byte for so long is given up."""

_HEAD_BYTES = 64 * 1024
_CHUNK_BYTES = 256 * 1024
_DEFAULT_PORTS = {"http": 80, "https": 443}

Resolve: TypeAlias = Callable[[str, int], tuple[str, ...]]
HostPort: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class RelayTarget:
    """The host that a relay connects to, and whether it may have a private address.

    `credential_hosts` are named by the agent's environment and connected to wherever they are.
    """

    place: HostPort
    allows_private: bool
    credential_hosts: tuple[HostPort, ...] = ()


def host_and_port(address: str | SplitResult) -> HostPort:
    """Return the host and port of an address; port 0 if it is unknown."""
    parts = urlsplit(address) if isinstance(address, str) else address
    host = (parts.hostname or "").lower()
    with suppress(ValueError):  # a number has several spellings, a name has one
        host = str(ipaddress.ip_address(host))
    return host, parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def system_resolve(host: str, port: int) -> tuple[str, ...]:
    """Resolve a host by the system's resolver, without repeats."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def relay_to(destination: RelayTarget) -> "Relay":
    """Return the relay to a destination, which lives as long as the process."""
    relay = Relay(destination)
    _relays[relay.address] = relay
    return relay


def relay_failure(address: str) -> SourceError | None:
    """Return the first failure of the relay at an address since its last `forget`."""
    relay = _relays.get(address)
    return relay.trouble if relay is not None else None


_relays: dict[str, "Relay"] = {}


class Relay:
    """A proxy on this machine to one destination.

    `trouble` is why a connection last failed. After a store that did not answer in time nothing
    more is sent to it until `forget`: the readers try each request several times.
    """

    def __init__(self, destination: RelayTarget, resolve: Resolve = system_resolve) -> None:
        self._destination = destination
        self._resolve = resolve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._has_given_up = False
        self.trouble: SourceError | None = None
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    @property
    def address(self) -> str:
        """The URL of the proxy."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def forget(self) -> None:
        """Forget earlier failures."""
        self.trouble, self._has_given_up = None, False

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # One side hung up, or spoke no HTTP: the other one is told by the closed end.
        with client, suppress(OSError, ValueError):
            client.settimeout(IDLE_SECONDS)
            head, rest = _read_head(client)
            try:
                self._forward(client, head, rest)
            except SourceError as error:
                self.trouble = error
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    def _forward(self, client: socket.socket, head: bytes, rest: bytes) -> None:
        method, target, headers = _parse_head(head)
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        with self._connect(host_and_port(parts)) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = parts._replace(scheme="", netloc="").geturl() or "/"
                server.sendall(_request(method, path, headers))
            server.sendall(rest)
            self._pass_on(client, server)

    def _connect(self, place: HostPort) -> socket.socket:
        """Return a connection to a checked address of the destination.

        Raises:
            SourceError: If there is none.
        """
        host, port = place
        is_own = place in self._destination.credential_hosts
        if place != self._destination.place and not is_own:
            raise _refused_error(f"a redirect to another host ({host[:80]}) is not followed")
        if self._has_given_up:
            raise self.trouble or _timeout_error(host)
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise _connect_error(f"{host} was not found by name", Blame.AGENT) from None
        if not is_own:
            self._check(host, addresses)
        for address in addresses:
            with suppress(OSError):
                return socket.create_connection((address, port), timeout=CONNECT_SECONDS)
        raise _connect_error(f"{host} does not take connections at port {port}", Blame.AMBIGUOUS)

    def _check(self, host: str, addresses: tuple[str, ...]) -> None:
        if any(map(is_forbidden, addresses)):
            raise _refused_error(f"{host} has an address that is never connected to")
        if not self._destination.allows_private and not all(map(is_public, addresses)):
            raise _refused_error(
                f"{host} has a private address; name the host in s3_endpoints to allow"
            )

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Copy bytes both ways until one side closes, or the server does not answer in time."""
        server.settimeout(IDLE_SECONDS)
        other = {client: server, server: client}
        is_asked = True
        while True:
            ready = _readable(client, server)
            if not ready:
                if is_asked:
                    self.trouble, self._has_given_up = (
                        _timeout_error(self._destination.place[0]),
                        True,
                    )
                return
            for one in ready:
                data = one.recv(_CHUNK_BYTES)
                if not data:
                    return
                other[one].sendall(data)
                is_asked = one is client


def _timeout_error(host: str) -> SourceError:
    return _connect_error(f"{host} did not answer in time", Blame.AMBIGUOUS)


def _connect_error(why: str, blame: Blame) -> SourceError:
    return SourceError(why, retryable=False, blame=blame)


def _refused_error(why: str) -> SourceError:
    return SourceError(why, retryable=False, blame=Blame.AGENT)


def _readable(client: socket.socket, server: socket.socket) -> list[socket.socket]:
    poll = select.poll()  # select() itself refuses the descriptors of a busy process
    by_number = {one.fileno(): one for one in (client, server)}
    for number in by_number:
        poll.register(number, select.POLLIN)
    return [by_number[number] for number, _ in poll.poll(IDLE_SECONDS * 1000)]


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return the head of a request, and the bytes after it.

    Raises:
        ValueError: If there is no end to it.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(_HEAD_BYTES)
        if not more or len(data) > _HEAD_BYTES:
            raise ValueError("no whole request")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _parse_head(head: bytes) -> tuple[str, str, list[bytes]]:
    first, *headers = head.split(b"\r\n")
    method, target, _ = first.decode("ascii").split(" ")
    return method, target, headers


def _request(method: str, path: str, headers: list[bytes]) -> bytes:
    """Return the head for the server: one request a connection, without proxy headers."""
    dropped = (b"proxy-", b"connection:")
    kept = [one for one in headers if not one.lower().startswith(dropped)]
    lines = [f"{method} {path} HTTP/1.1".encode("ascii"), *kept, b"Connection: close"]
    return b"\r\n".join(lines) + b"\r\n\r\n"
