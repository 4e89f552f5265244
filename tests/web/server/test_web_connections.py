"""Tests of clients that are silent, slow or many."""

import logging
import socket
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, closing

import httpx
import pytest
import uvicorn

from contractwatch.web.server.connections import (
    BACKLOG,
    ConnectionLimits,
    LogRateLimit,
    connection_limit,
    limited_protocol,
)


async def _answer(scope, receive, send) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port() -> Generator[int]:
    limits = ConnectionLimits(20, request_seconds=1.0, answer_seconds=2.0)
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    server = uvicorn.Server(
        uvicorn.Config(
            _answer, http=limited_protocol(limits), backlog=BACKLOG, log_config=None, lifespan="off"
        )
    )
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(timeout=10)
    listener.close()


def _open(port: int, sent: bytes = b"") -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port), timeout=5)
    found.sendall(sent)
    return found


def _is_ended(connection: socket.socket) -> bool:
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


HALVES = [
    b"",
    b"GET / HTTP/1.1\r\nHost: a",
    b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost:",
]


@pytest.mark.parametrize("sent", HALVES)
def test_a_request_that_is_not_sent_whole_is_ended(port: int, sent: bytes) -> None:
    with closing(_open(port, sent)) as connection:
        assert _is_ended(connection)


def test_a_request_that_is_sent_byte_by_byte_is_ended(port: int) -> None:
    with closing(_open(port)) as connection:
        began = time.monotonic()
        for _ in range(20):
            try:
                connection.sendall(b"a")
            except OSError:
                break
            time.sleep(0.1)
        assert time.monotonic() - began < 1.9


@pytest.mark.parametrize("sent", HALVES)
def test_however_many_are_silent_somebody_else_is_answered(port: int, sent: bytes) -> None:
    with ExitStack() as opened:
        for _ in range(100):
            opened.enter_context(closing(_open(port, sent)))
        answer = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=5)
        assert answer.text == "ok"


def test_requests_that_come_in_one_piece_are_all_answered(port: int) -> None:
    one = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    with closing(_open(port, one * 5)) as connection:
        connection.settimeout(3)
        got = b""
        while got.count(b"ok") < 5:
            more = connection.recv(4096)
            assert more
            got += more


def test_a_connection_is_used_again_after_an_answer(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for _ in range(4):
            assert client.get("/").text == "ok"
            time.sleep(0.4)


def test_the_limit_leaves_files_for_the_agent() -> None:
    assert 16 <= connection_limit(0) <= 1000
    assert connection_limit(20) == 20


def test_a_message_that_repeats_is_written_ten_times_a_minute() -> None:
    lines, found = LogRateLimit(), list[bool]()
    for number in range(500):
        record = logging.LogRecord("asyncio", 40, "", 1, "socket %s", (number,), None)
        found.append(lines.filter(record))
    assert sum(found) == 10
