"""ASGI middleware: allowed hosts, the path prefix of a proxy, and HEAD requests."""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

# the shape of an ASGI application; its messages are plain dictionaries by that standard
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

ANY_HOST = "*"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_LONGEST_PREFIX = 200
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{0,5})?", re.ASCII)
_root: ContextVar[str] = ContextVar("root", default="")


@dataclass(frozen=True, slots=True)
class Address:
    """Host names, path prefix and proxies of the agent.

    `hosts` are names that it answers to (`*.example.com` for all below one, `*` for any), besides
    the address at which a connection comes in. `root` is the path in front of every address, and
    `proxies` are addresses or networks whose `X-Forwarded-Prefix` replaces it.
    """

    hosts: tuple[str, ...] = (ANY_HOST,)
    root: str = ""
    proxies: tuple[str, ...] = ()


def address_of(
    base_url: str, *, host: str, allowed_hosts: Iterable[str], proxies: Iterable[str]
) -> Address:
    """Return the address of an agent that people reach at `base_url` and that listens on `host`."""
    parts = urlsplit(base_url)
    hosts = (*_LOCAL, host, parts.hostname or "", *allowed_hosts)
    known = dict.fromkeys(one.lower().strip("[]").rstrip(".") for one in hosts if one)
    return Address(tuple(known), parts.path.rstrip("/"), tuple(proxies))


def root() -> str:
    """Return the path in front of every address of the request that is being answered."""
    return _root.get()


def local_path(path: str) -> str:
    """Return a path of the request that is being answered, without what stands in front."""
    rest = path.removeprefix(root())
    return rest if rest.startswith("/") else path


class AddressMiddleware:
    """Middleware that refuses unknown hosts, and sets `root_path` from the proxy's prefix."""

    def __init__(self, app: Asgi, *, address: Address) -> None:
        self._app = app
        self._address = address
        self._networks = tuple(ip_network(one, strict=False) for one in address.proxies)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        prefix = self._prefix(scope, headers)
        _root.set(prefix)
        if not self._is_ours(headers.get("host", ""), scope.get("server")):
            words = "this agent does not answer to that host; add it to allowed_hosts\n"
            await PlainTextResponse(words, status_code=400)(scope, receive, send)
            return
        path = scope["path"]
        if prefix and path != prefix and not path.startswith(f"{prefix}/"):
            path = prefix + path  # the proxy took it away
        is_head = scope["method"] == "HEAD"
        inner = {
            **scope,
            "method": "GET" if is_head else scope["method"],
            "root_path": prefix,
            # a slash at the end is no other page, and no reason for a redirect
            "path": prefix + (path[len(prefix) :].rstrip("/") or "/"),
        }
        await self._app(inner, receive, _without_body(send) if is_head else send)

    def _prefix(self, scope: Message, headers: Headers) -> str:
        given = headers.get("x-forwarded-prefix", "").rstrip("/")
        is_sound = len(given) <= _LONGEST_PREFIX and _PREFIX.fullmatch(given)
        if is_sound and self._is_proxy(scope.get("client")):
            return given
        return self._address.root

    def _is_proxy(self, client: tuple[str, int] | None) -> bool:
        try:
            peer = ip_address(client[0]) if client else None
        except ValueError:
            return False
        return peer is not None and any(peer in network for network in self._networks)

    def _is_ours(self, host: str, server: tuple[str, int] | None) -> bool:
        """Return whether the agent answers to a Host; one that is not said misleads nobody."""
        name = _name_of(host)
        hosts = self._address.hosts
        if not host:
            return True
        if not name:
            return False
        if ANY_HOST in hosts or name in hosts:
            return True
        if server is not None and name == server[0]:
            return True
        return any(one.startswith("*.") and name.endswith(one[1:]) for one in hosts)


def _name_of(host: str) -> str:
    """Return the name or address of a Host header, without its port; empty if it is not one.

    A part of it alone proves nothing: others may read `127.0.0.1:80@evil` to its end.
    """
    found = _HOST.fullmatch(host)
    return (found[1] or found[2].rstrip(".")).lower() if found else ""


def _without_body(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
