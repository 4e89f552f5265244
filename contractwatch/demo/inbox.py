"""Local webhook receiver that remembers every message of the agent."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from contractwatch.model.base.objective import Objective
from contractwatch.model.record.incident import TransitionKind

_BODY_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """One incident transition as received; `key` is the message's idempotency key."""

    key: str
    product: str
    objective: Objective
    kind: TransitionKind
    title: str


class Inbox:
    """Webhook receiver on a free local port; `messages` grows as they arrive."""

    def __init__(self) -> None:
        self._messages: list[ReceivedMessage] = []
        self._lock = threading.Lock()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("content-length", "0")), _BODY_LIMIT)
                inbox.receive(self.rfile.read(length))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (inherited)
                """Log nothing; the demo prints the messages itself."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that was free."""
        return self._server.server_address[1]

    @property
    def messages(self) -> tuple[ReceivedMessage, ...]:
        """Every transition received so far, repeats included."""
        with self._lock:
            return tuple(self._messages)

    def receive(self, body: bytes) -> None:
        """Remember the transitions of one CloudEvents message."""
        event: dict[str, Any] = json.loads(body)
        data = event["data"]
        with self._lock:
            self._messages += [
                ReceivedMessage(
                    key=event["id"],
                    product=event["subject"],
                    objective=Objective(note["objective"]),
                    kind=TransitionKind(note["kind"]),
                    title=data["title"],
                )
                for note in data["incidents"]
            ]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
