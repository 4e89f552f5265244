"""The agent answers over HTTP: pages, their JSON twins, series, badges and its own health."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from contractwatch import __version__
from contractwatch.errors import Problem
from contractwatch.model.product import ProductCard
from contractwatch.web.api import Api
from contractwatch.web.board import Board
from contractwatch.web.pages import Pages
from contractwatch.web.prometheus import CONTENT_TYPE, Exporter, ExportPolicy, compressed
from contractwatch.web.site import HealthReport, Site

log = structlog.get_logger()

_DEFAULT_EXPORT = ExportPolicy()

_HEADERS = {
    b"content-security-policy": (
        b"default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; "
        b"form-action 'self'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
}

# the shape of an ASGI application; its messages are plain dictionaries by that standard
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Asgi = Callable[[_Message, _Receive, _Send], Awaitable[None]]


def _nobody(product: str) -> ProductCard | None:
    """Await no product."""
    del product
    return None


def create_app(
    board: Board,
    *,
    health: Callable[[], HealthReport],
    registry: CollectorRegistry,
    problems: Callable[[], Sequence[Problem]] = tuple,
    export: ExportPolicy = _DEFAULT_EXPORT,
    awaited: Callable[[str], ProductCard | None] = _nobody,
) -> FastAPI:
    """Build the web application; it reads the board and scans nothing.

    Args:
        board: Started by the caller, who also stops it.
        health: Asked by `/healthz` and `/readyz`; must not block.
        registry: Holds the agent's own series.
        problems: What is wrong with contract files now, shown on the first page.
        export: What `/metrics` tells of each product.
        awaited: The card of a product whose contract is in force, judged or not.
    """
    site = Site(board, health, problems, awaited)
    pages = Pages(site)
    app = FastAPI(title="contractwatch", version=__version__, docs_url=None, redoc_url=None)
    app.include_router(Api(site).router())
    _add_machine_routes(app, site, Exporter(board, registry, export))
    static = StaticFiles(directory=Path(__file__).parent / "static")
    app.mount("/static", static, name="static")
    app.include_router(pages.router())
    _add_error_pages(app, pages)
    return app


class _Edge:
    """Adds the same headers to every answer, and answers for what failed inside.

    Starlette's own handler of failures would raise them again, after which the server drops a
    connection that the client means to keep.
    """

    def __init__(self, app: _Asgi, *, failed: Callable[[str], Response]) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        is_started = False

        async def send_with_headers(message: _Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                message["headers"] = [*message.get("headers", ()), *_HEADERS.items()]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            if is_started or scope["type"] != "http":
                raise
            log.exception("request_failed", path=scope["path"], error=type(error).__name__)
            await self._failed(scope["path"])(scope, receive, send_with_headers)


def _add_machine_routes(app: FastAPI, site: Site, exporter: Exporter) -> None:
    def metrics(request: Request) -> Response:
        return _exposition(request, exporter.render())

    def product_metrics(request: Request) -> Response:
        return _exposition(request, exporter.render(with_own=False))

    def healthz() -> PlainTextResponse:
        report = site.health()
        return PlainTextResponse(f"{report.words}\n", status_code=200 if report.alive else 503)

    def readyz() -> PlainTextResponse:
        report = site.health()
        return PlainTextResponse(f"{report.words}\n", status_code=200 if report.ready else 503)

    for path, answer in (
        ("/metrics", metrics),
        ("/metrics/products", product_metrics),
        ("/healthz", healthz),
        ("/readyz", readyz),
    ):
        app.add_api_route(path, answer, methods=["GET"], include_in_schema=False)


def _exposition(request: Request, body: bytes) -> Response:
    headers = {"Content-Type": CONTENT_TYPE, "Vary": "Accept-Encoding"}
    smaller = compressed(body, request.headers.get("accept-encoding", ""))
    if smaller is not None:
        return Response(smaller, headers={**headers, "Content-Encoding": "gzip"})
    return Response(body, headers=headers)


def _add_error_pages(app: FastAPI, pages: Pages) -> None:
    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if _is_for_programs(request.url.path):
            words = error.detail if isinstance(error, HTTPException) else "refused"
            return JSONResponse({"error": words}, status_code=status)
        if status == 404:  # noqa: PLR2004 - the status itself
            return pages.missing(path=request.url.path)
        return PlainTextResponse(f"{status}\n", status_code=status)

    def failed(path: str) -> Response:
        if _is_for_programs(path):
            return JSONResponse({"error": "the agent failed; see its log"}, status_code=500)
        return pages.broken()

    app.add_exception_handler(HTTPException, refused)
    app.add_middleware(_Edge, failed=failed)


def _is_for_programs(path: str) -> bool:
    return path.startswith(("/api/", "/metrics", "/openapi"))
