"""Test bench of the agent: a folder with a contract and data, an agent, and a receiver."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl

PATIENCE = 60.0

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
name: {name}
domain: shop
version: {version}
status: active
servers:
  - {{server: live, environment: prod, type: local, path: ../data/orders.parquet, format: parquet}}
team: {{name: shop-team}}
schema:
  - name: orders
    logicalType: object
    properties:
      - {{name: id, logicalType: integer, required: true}}
      - {{name: city, logicalType: string}}
customProperties:
  - property: contractwatch.schedule
    value: {{interval: {interval}}}
"""

SETTINGS = """\
contracts = ["contracts"]
roots = ["data"]
store_url = "sqlite:///record.db"
port = {port}
workers = 1
reprobe_seconds = 1
rescan_seconds = 1
shortest_interval_seconds = 1
heartbeat_seconds = 0.5
log_format = "json"
export_level = 2

[alerts]
default = ["inbox"]

[receivers.inbox]
kind = "webhook"
url = "http://127.0.0.1:{inbox}/"
allow_private = true
"""


def contract_text(name: str = "orders", version: str = "1.0.0", interval: str = "PT1S") -> str:
    return CONTRACT.format(name=name, version=version, interval=interval)


def wait_until(fact: Callable[[], bool], what: str, *, seconds: float = PATIENCE) -> None:
    """Wait for a fact of another process, and fail by its name when it does not come true."""
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            raise AssertionError(f"in {seconds:g} s it did not come true that {what}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Inbox:
    """A webhook receiver that answers 200 and keeps every event."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        events = self.events

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                events.append(json.loads(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def keys(self, kind: str) -> list[str]:
        """The idempotency keys of the messages of a kind, in the order they came."""
        told = [event["data"] for event in tuple(self.events)]
        return [one["key"] for one in told if one["kind"] == kind]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Place:
    """A folder that an agent runs on."""

    folder: Path
    inbox_port: int = 9
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        (self.folder / "contracts").mkdir()
        (self.folder / "data").mkdir()
        self.settings.write_text(SETTINGS.format(port=self.port, inbox=self.inbox_port))
        self.publish(has_null=False)

    @property
    def settings(self) -> Path:
        return self.folder / "contractwatch.toml"

    @property
    def contract(self) -> Path:
        return self.folder / "contracts" / "orders.odcs.yaml"

    def publish(self, *, has_null: bool) -> None:
        """Write the data anew, in one step, with or without a broken promise."""
        frame = pl.DataFrame({"id": [1, None if has_null else 2, 3], "city": ["a", "b", "c"]})
        new = self.folder / "data" / "new.tmp"
        frame.write_parquet(new)
        new.replace(self.folder / "data" / "orders.parquet")


class AgentProcess:
    """`contractwatch run` on a place, and what it says."""

    def __init__(self, place: Place, *options: str) -> None:
        self.place = place
        self.log = place.folder / f"agent-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "contractwatch",
                    "run",
                    "--config",
                    place.settings,
                    *options,
                ],
                stdout=log,
                stderr=log,
                cwd=place.folder,
                env=os.environ | {"NO_COLOR": "1"},
            )

    def said(self, event: str) -> list[dict[str, Any]]:
        """The events of that name in the log."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        said = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [one for one in said if one.get("event") == event]

    def runs(self, outcome: str) -> int:
        return sum(1 for one in self.said("run_finished") if one["outcome"] == outcome)

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.place.port}{path}", timeout=5
            ) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def wait_ready(self) -> None:
        def is_ready() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"the agent ended: {self.log.read_text(encoding='utf-8')}")
            return self.get("/readyz")[0] == 200

        wait_until(is_ready, "the agent is ready")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> tuple[int, float]:
        """Ask it to end; return its exit code and the seconds it took."""
        began = time.monotonic()
        self.process.terminate()
        try:
            code = self.process.wait(30)
        finally:
            if self.process.poll() is None:
                self.kill()
        return code, time.monotonic() - began
