"""Build the FastAPI application: pages, API, /metrics, badges and health."""

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from contractwatch import __version__
from contractwatch.errors import Problem
from contractwatch.model.record.product import ProductCard
from contractwatch.web.api.api import Api
from contractwatch.web.pages.pages import Pages
from contractwatch.web.series.prometheus import CONTENT_TYPE, Exporter, ExportPolicy, compressed
from contractwatch.web.server.address import (
    Address,
    AddressMiddleware,
    Asgi,
    Message,
    Receive,
    Send,
    local_path,
)
from contractwatch.web.server.etag import ETagMiddleware
from contractwatch.web.server.json_response import EscapedJSONResponse
from contractwatch.web.server.site import HealthReport, Site
from contractwatch.web.snapshot_cache import SnapshotCache

log = structlog.get_logger()

_DEFAULT_EXPORT = ExportPolicy()
_ANYWHERE = Address()
_GZIP_FROM_BYTES = 1000

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


def _nobody(product: str) -> ProductCard | None:
    """Await no product."""
    del product
    return None


def create_app(  # noqa: PLR0913 - each is another part of the agent
    snapshots: SnapshotCache,
    *,
    health: Callable[[], HealthReport],
    registry: CollectorRegistry,
    problems: Callable[[], Sequence[Problem]] = tuple,
    export: ExportPolicy = _DEFAULT_EXPORT,
    awaited: Callable[[str], ProductCard | None] = _nobody,
    address: Address = _ANYWHERE,
) -> FastAPI:
    """Build the web application over the snapshots; it scans nothing.

    Args:
        snapshots: Started by the caller, who also stops it.
        health: Asked by `/healthz` and `/readyz`; must not block.
        registry: Holds the agent's own series.
        problems: What is wrong with contract files now, shown on the first page.
        export: What `/metrics` tells of each product.
        awaited: The card of a product whose contract is in force, judged or not.
        address: Under which hosts and path the agent is reached.
    """
    site = Site(snapshots, health, problems, awaited)
    pages = Pages(site)
    app = FastAPI(title="contractwatch", version=__version__, docs_url=None, redoc_url=None)
    app.router.redirect_slashes = False  # such a redirect would be built from Host
    app.include_router(Api(site).router())
    _add_machine_routes(app, site, Exporter(snapshots, registry, export))
    static = StaticFiles(directory=Path(__file__).parent / "static")
    app.mount("/static", static, name="static")
    app.include_router(pages.router())
    app.add_middleware(ETagMiddleware)
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES, compresslevel=5)
    app.add_middleware(AddressMiddleware, address=address)
    _add_error_pages(app, pages)
    return app


class _SecurityHeaders:
    """Middleware: security headers on every answer, and an answer for unhandled errors.

    Starlette's own handler of failures would raise them again, after which the server drops a
    connection that the client means to keep.
    """

    def __init__(self, app: Asgi, *, failed: Callable[[str], Response]) -> None:
        self._app = app
        self._failed = failed

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        is_started = False

        async def send_with_headers(message: Message) -> None:
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
        path = local_path(request.scope["path"])
        if _is_for_programs(path):
            words = error.detail if isinstance(error, HTTPException) else "refused"
            return EscapedJSONResponse({"error": words}, status_code=status)
        if status == 404:  # noqa: PLR2004 - the status itself
            return pages.missing(path=path)
        return PlainTextResponse(f"{status}\n", status_code=status)

    def failed(path: str) -> Response:
        if _is_for_programs(local_path(path)):
            return EscapedJSONResponse({"error": "the agent failed; see its log"}, status_code=500)
        return pages.broken()

    app.add_exception_handler(HTTPException, refused)
    app.add_middleware(_SecurityHeaders, failed=failed)


def _is_for_programs(path: str) -> bool:
    return path.startswith(("/api/", "/metrics", "/openapi"))
