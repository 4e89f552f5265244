"""Run the demo's agent as a process that can be started, asked and killed."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from contractwatch.demo.demo_folder import DemoFolder
from contractwatch.errors import UsageError

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(slots=True)
class AgentProcess:
    """The process of `contractwatch run` with the demo's settings."""

    demo: DemoFolder
    port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start the agent and wait until `/readyz` answers 200.

        Raises:
            UsageError: If it ends or does not become ready; names its log.
        """
        with self.demo.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (our own interpreter)
                [
                    sys.executable,
                    "-m",
                    "contractwatch",
                    "run",
                    "--config",
                    str(self.demo.settings),
                ],
                stdout=log,
                stderr=log,
                cwd=self.demo.folder,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._is_ready():
                return
            time.sleep(0.1)
        raise UsageError(f"the agent did not start; its log: {self.demo.log}")

    def kill(self) -> None:
        """Kill the agent as `kill -9` does, so that it can log and save nothing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Ask the agent to end; return its exit code."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def get_json(self, path: str) -> Any:
        """Return the JSON that the agent serves at `path`."""
        with urllib.request.urlopen(self.url + path, timeout=5) as response:  # noqa: S310  our own
            return json.load(response)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "readyz", timeout=1) as response:  # noqa: S310
                return response.status == 200  # noqa: PLR2004  (the word for ready in HTTP)
        except (urllib.error.URLError, OSError):
            return False
