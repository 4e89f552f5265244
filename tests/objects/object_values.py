"""A store that speaks S3, one that misbehaves, and contracts with servers in them."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.object_store_access import ObjectStoreAccess
from contractwatch.model.base.server import DataFormat, ReadPolicy, Server
from contractwatch.model.contract.contract import Column, LogicalType, Table
from contractwatch.model.measure.metric import Metric, RowCount, TableSchema
from contractwatch.scan.scan import ScanJob
from tests.stores import ANY

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def server(
    endpoint: str, location: str, data_format: DataFormat = DataFormat.PARQUET, **more: object
) -> Server:
    return Server(
        Clause("servers[0]", 1),
        "live",
        "s3",
        path=location,
        data_format=data_format,
        endpoint=endpoint,
        **more,
    )


def table(name: str, *columns: str) -> Table:
    clause = Clause("schema[0]", 1)
    found = tuple(Column(clause, one, one, LogicalType.INTEGER) for one in columns)
    return Table(clause, name, name, found)


def job(where: Server, *tables: Table, reach: ObjectStoreAccess = ANY) -> ScanJob:
    metrics: frozenset[Metric] = frozenset(
        metric for one in tables for metric in (RowCount(one.name), TableSchema(one.name))
    )
    return ScanJob(where, tables, metrics, (), None, NOW, reach=reach)


def parquet(**columns: object) -> bytes:
    held = io.BytesIO()
    pl.DataFrame(columns).write_parquet(held)
    return held.getvalue()


LATIN = ReadPolicy(encoding="latin-1", separator=";")


@contextmanager
def store_that(answer: object) -> Iterator[str]:
    """A store that answers each request by `answer(handler)`; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        found.daemon_threads = True
        found.block_on_close = False
        threading.Thread(target=found.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{found.server_port}"
        finally:
            found.shutdown()


def refuse(handler: BaseHTTPRequestHandler, status: int, code: str, location: str = "") -> None:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
    handler.send_response(status)
    if location:
        handler.send_header("Location", location)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)
