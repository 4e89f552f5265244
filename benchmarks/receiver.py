"""An HTTP receiver that misbehaves on purpose, in each way in which a delivery can fail.

Run as a process it misbehaves at random and prints what it took:

    python -m benchmarks.receiver --port 9099 --seed 7
"""

import argparse
import json
import random
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer. `takes` says whether the receiver took the message."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    delay_seconds: float = 0.0

    @property
    def takes(self) -> bool:
        return 200 <= self.status < 300


class Fault(Enum):
    """An answer that is none, or none that is complete."""

    HANG = "reads, then never answers"
    DRIP_HEADERS = "answers a byte at a time, in the head"
    DRIP_BODY = "answers 200, then its body a byte at a time"
    DROP_BEFORE = "resets before reading"
    DROP_AFTER = "resets after reading, having taken nothing"
    TAKE_AND_DROP = "takes the message, then closes without a word"
    RESET_IN_BODY = "answers 200 and resets in the middle of the body"
    ENDLESS_BODY = "answers 200 and never stops sending"
    NOT_HTTP = "speaks first, something that is not HTTP"

    @property
    def takes(self) -> bool:
        return self in _TAKING


_TAKING = frozenset({Fault.DRIP_BODY, Fault.TAKE_AND_DROP, Fault.RESET_IN_BODY, Fault.ENDLESS_BODY})
Behaviour = Answer | Fault
OK = Answer(200, body=b"ok")


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that was read whole, and whether it was taken."""

    path: str
    headers: dict[str, str]
    body: bytes
    taken: bool

    def json(self) -> dict[str, object]:
        """Return the body, read as JSON."""
        return json.loads(self.body)


def misbehaving(seed: int, *, longest_wait_seconds: int = 1) -> Callable[[], Behaviour]:
    """Return a source of behaviours at random, about half of them good."""
    chance = random.Random(seed)
    lock = threading.Lock()
    busy = Answer(429, (("Retry-After", str(longest_wait_seconds)),))
    faults: tuple[tuple[Behaviour, int], ...] = (
        (OK, 50),
        (Answer(500), 12),
        (Answer(503), 4),
        (Answer(429), 6),
        (busy, 2),
        (Answer(200, body=b"ok", delay_seconds=0.05), 6),
        (Fault.HANG, 2),
        (Fault.DRIP_HEADERS, 1),
        (Fault.DROP_BEFORE, 6),
        (Fault.DROP_AFTER, 6),
        (Fault.TAKE_AND_DROP, 8),
        (Fault.RESET_IN_BODY, 3),
    )
    choices, weights = [each for each, _ in faults], [weight for _, weight in faults]

    def choose() -> Behaviour:
        with lock:
            return chance.choices(choices, weights)[0]

    return choose


class Script:
    """These behaviours one after the other, then the last one for ever."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._left = deque(behaviours)

    def __call__(self) -> Behaviour:
        return self._left.popleft() if len(self._left) > 1 else self._left[0]


@dataclass
class Receiver:
    """A server on 127.0.0.1 while its context is open; `seen` holds what it read, in order."""

    choose: Callable[[], Behaviour] = lambda: OK
    on_seen: Callable[[Seen], None] | None = None
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    tls: Callable[[socket.socket], socket.socket] | None = None

    def __enter__(self) -> "Receiver":
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="receiver", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def taken(self) -> list[Seen]:
        """What it took, in order, repeats included."""
        return [each for each in list(self.seen) if each.taken]

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        try:
            if self.tls is not None:
                connection = self.tls(connection)
            self._answer(connection)
        except OSError:
            pass  # the other side went away: a killed sender does
        finally:
            connection.close()

    def _answer(self, connection: socket.socket) -> None:
        behaviour = self.choose()
        if behaviour is Fault.DROP_BEFORE:
            _reset(connection)
            return
        if behaviour is Fault.NOT_HTTP:
            connection.sendall(b"220 mail.example.com ESMTP\r\n")
            return
        request = _read(connection)
        if request is None:
            return
        if isinstance(behaviour, Answer):
            self._closing.wait(behaviour.delay_seconds)
        path, headers, body = request
        seen = Seen(path, headers, body, behaviour.takes)
        with self._lock:
            self.seen.append(seen)
            if self.on_seen is not None:
                self.on_seen(seen)
        if isinstance(behaviour, Answer):
            _send_answer(connection, behaviour)
        else:
            self._fail(connection, behaviour)

    def _fail(self, connection: socket.socket, fault: Fault) -> None:
        connection.sendall(_BEGINNINGS.get(fault, b""))
        if fault is Fault.HANG:
            self._closing.wait(30)
        elif fault in (Fault.DRIP_HEADERS, Fault.DRIP_BODY):
            self._drip(connection, b"a" * 3_000)
        elif fault is Fault.ENDLESS_BODY:
            while not self._closing.is_set():
                connection.sendall(b"a" * 65_536)
        elif fault in (Fault.RESET_IN_BODY, Fault.DROP_AFTER):
            _reset(connection)

    def _drip(self, connection: socket.socket, data: bytes) -> None:
        for byte in data:
            if self._closing.wait(0.05):
                return
            connection.sendall(bytes([byte]))


def _read(connection: socket.socket) -> tuple[str, dict[str, str], bytes] | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    while len(body) < int(headers.get("content-length", "0")):
        part = connection.recv(65_536)
        if not part:
            return None  # killed in the middle of its sentence
        body += part
    return first.split(" ")[1], headers, body


def _head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} Because", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


_BEGINNINGS = {
    Fault.DRIP_HEADERS: b"HTTP/1.1 200 OK\r\nX-Slow: ",
    Fault.DRIP_BODY: _head(200, (("Content-Length", "3000"),)),
    Fault.RESET_IN_BODY: _head(200, (("Content-Length", "3000"),)) + b"half",
    Fault.ENDLESS_BODY: _head(200, ()),
}


def _send_answer(connection: socket.socket, answer: Answer) -> None:
    length = ("Content-Length", str(len(answer.body)))
    connection.sendall(_head(answer.status, (*answer.headers, length)) + answer.body)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _print(seen: Seen) -> None:
    key = seen.headers.get("webhook-id", "")
    print(json.dumps({"taken": seen.taken, "key": key, "path": seen.path}), flush=True)


def main() -> None:
    """Misbehave until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with Receiver(misbehaving(options.seed), _print, options.port) as receiver:
        print(json.dumps({"url": receiver.url}), flush=True)
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main()
