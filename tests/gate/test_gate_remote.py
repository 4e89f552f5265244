"""Tests of `contractwatch gate --url`; what cannot be asked is never allowed."""

import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client import CollectorRegistry

from contractwatch.web.app import create_app
from contractwatch.web.server.site import HealthReport
from contractwatch.web.snapshot_cache import SnapshotCache
from tests.web.serving import served
from tests.web.web_reader import Clock, Memory
from tests.web.web_values import fleet


@pytest.fixture
def agent() -> Generator[str]:
    snapshots = SnapshotCache(Memory(fleet()), Clock())
    snapshots.refresh()
    well = HealthReport(alive=True, ready=True, words="well")
    with served(create_app(snapshots, health=lambda: well, registry=CollectorRegistry())) as url:
        yield url


@contextmanager
def answering(status: int, body: str, *, location: str = "") -> Generator[str]:
    """A server that gives the same answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(5)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("finance/refunds",), 0),
        (("finance/orders",), 1),
        (("finance/orders", "--require", "schema"), 0),
        (("logistics/shipments",), 2),
        (("logistics/shipments", "--on-unknown", "pass"), 0),
        (("finance/refunds", "--min-score", "99"), 1),
        (("finance/refunds", "--max-evaluation-age", "1m"), 2),
    ],
)
def test_the_agent_decides_as_the_store_would(
    words: tuple[str, ...], expected: int, cli, agent: str
) -> None:
    code, out, err = cli("gate", *words, "--url", agent)
    assert (code, err) == (expected, "")
    assert json.loads(out)["exit_code"] == expected


def test_a_product_that_the_agent_does_not_know_is_wrong_usage(cli, agent: str) -> None:
    code, out, err = cli("gate", "finance/order", "--url", f"{agent}/")
    assert (code, out) == (64, "")
    assert "did you mean finance/orders" in err


def test_nobody_there_is_3(cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, out, _ = cli("gate", "finance/orders", "--url", f"http://127.0.0.1:{port}")
    body = json.loads(out)
    assert (code, body["allow"], body["decision"]) == (3, False, "unreachable")
    assert "refused" in body["reasons"][0]


def test_an_agent_that_does_not_answer_in_time_is_3(cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        code, out, _ = cli("gate", "finance/orders", "--url", url, "--timeout-seconds", "0.3")
    assert code == 3
    assert "timed out" in json.loads(out)["reasons"][0]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, '{"allow": true}'),
        (502, "<html>bad gateway</html>"),
        (200, "<html>a page of somebody else</html>"),
        (200, '{"allow": true}'),
        (200, '{"product": "finance/orders", "decision": "allow", "exit_code": 1, "allow": true}'),
        (200, '{"product": "other", "decision": "allow", "exit_code": 0, "allow": true}'),
        (200, '["allow"]'),
        (404, "not found"),
    ],
)
def test_an_answer_that_is_no_decision_never_reads_as_allow(status: int, body: str, cli) -> None:
    with answering(status, body) as url:
        code, out, _ = cli("gate", "finance/orders", "--url", url)
    assert code == 3
    assert json.loads(out)["allow"] is False


def test_a_redirect_is_not_followed(cli, agent: str) -> None:
    with answering(302, "", location=f"{agent}/api/v1/products/finance/refunds/gate") as url:
        code, out, _ = cli("gate", "finance/refunds", "--url", url)
    assert code == 3
    assert "status 302" in json.loads(out)["reasons"][0]
