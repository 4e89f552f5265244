"""ASGI middleware: ETags and 304 answers."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders

from contractwatch.web.server.address import Asgi, Message, Receive, Send

_OK = 200
_MARKED = ("text/html", "application/json", "image/svg+xml")


class ETagMiddleware:
    """Middleware that adds ETags to pages and JSON, and answers 304."""

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None
        body = bytearray()

        async def send_marked(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_marked(message):
                start = message
                return
            if start is None:
                await send(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            headers = MutableHeaders(raw=list(start["headers"]))
            digest = hashlib.sha256(body).hexdigest()[:24]
            mark = headers.setdefault("etag", f'W/"{digest}"')
            headers.setdefault("cache-control", "no-cache")
            is_same = _is_same(mark, asked)
            if is_same:
                del headers["content-length"]
            status = 304 if is_same else _OK
            await send({**start, "status": status, "headers": headers.raw})
            await send({"type": "http.response.body", "body": b"" if is_same else bytes(body)})

        await self._app(scope, receive, send_marked)


def _is_marked(start: Message) -> bool:
    kind = Headers(raw=list(start["headers"])).get("content-type", "")
    return start["status"] == _OK and kind.startswith(_MARKED)


def _is_same(mark: str, asked: str) -> bool:
    """Return whether a list of marks has this one; weak and strong ones are compared as one."""
    marks = [one.strip().removeprefix("W/") for one in asked.split(",")]
    return asked.strip() == "*" or mark.removeprefix("W/") in marks
