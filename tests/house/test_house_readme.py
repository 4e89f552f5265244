"""The README's commands run, as they are written."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contractwatch.demo.agent_process import free_port
from contractwatch.demo.flights_data import read_flights_data
from contractwatch.demo.publisher import Publisher

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ".venv/bin/contractwatch "
LINES = [
    line.removeprefix("$ ").split("#")[0].split("&&")[0].strip()
    for line in (ROOT / "README.md").read_text().splitlines()
    if line.startswith("$ ")
]
EXPECTED = {"lint": 0, "test": 0, "status": 0, "trust": 0, "gate": 0, "export": 0}


def _command(line: str) -> list[str]:
    return [sys.executable, "-m", "contractwatch", *shlex.split(line.removeprefix(COMMAND))]


def _word(line: str) -> str:
    return line.removeprefix(COMMAND).split()[0]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder as a user has it: the contracts, and the outputs that they name."""
    shutil.copytree(ROOT / "contracts" / "flights", tmp_path / "contracts" / "flights")
    live = tmp_path / "contracts" / "live"
    Publisher(read_flights_data(), live, timedelta(minutes=1)).start(datetime.now(UTC))
    return tmp_path


def _run(line: str, home: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(line),
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def environment() -> dict[str, str]:
    return os.environ | {"CONTRACTWATCH_PORT": str(free_port()), "NO_COLOR": "1"}


@pytest.fixture
def agent(home: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    (line,) = [line for line in LINES if line.startswith(f"{COMMAND}run ")]
    with (home / "agent.log").open("wb") as log:
        process = subprocess.Popen(
            _command(line), cwd=home, env=environment, stdout=log, stderr=log
        )
    yield process
    process.terminate()
    assert process.wait(timeout=20) == 0


def test_the_make_words_of_the_readme_are_targets() -> None:
    makefile = (ROOT / "Makefile").read_text()
    words = [line.split()[1] for line in LINES if line.startswith("make ")]
    assert words == ["demo", "test"]
    assert all(f"\n{word}:" in makefile for word in words)


@pytest.mark.slow
def test_every_command_of_the_readme_runs(
    home: Path, environment: dict[str, str], agent: subprocess.Popen[bytes]
) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and agent.poll() is None:
        status = _run(f"{COMMAND}status", home, environment)
        if "5 products: 5 kept" in status.stdout:
            break
    assert "5 products: 5 kept" in status.stdout, status.stdout + status.stderr
    asked = [line for line in LINES if line.startswith(COMMAND) and _word(line) != "run"]
    assert {_word(line) for line in asked} == set(EXPECTED)
    for line in asked:
        done = _run(line, home, environment)
        assert done.returncode == EXPECTED[_word(line)], line + done.stdout + done.stderr
