"""Tests of the commands in the README."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from contractwatch.demo.agent_process import free_port

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
    """A folder with the contracts of the repository, and no data that only a demo wrote."""
    hidden = shutil.ignore_patterns("live")
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts", ignore=hidden)
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


def test_the_page_for_owners_starts_with_the_example() -> None:
    contract = (ROOT / "contracts" / "example" / "orders.odcs.yaml").read_text()
    _, _, after = (ROOT / "docs" / "owners.md").read_text().partition("```")
    assert after.startswith(f"yaml\n{contract}```")


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
        if "1 product: 1 kept" in status.stdout:
            break
    assert "1 product: 1 kept" in status.stdout, status.stdout + status.stderr
    asked = [line for line in LINES if line.startswith(COMMAND) and _word(line) != "run"]
    assert {_word(line) for line in asked} == set(EXPECTED)
    for line in asked:
        done = _run(line, home, environment)
        assert done.returncode == EXPECTED[_word(line)], line + done.stdout + done.stderr
