"""Tests of the tutorial: its commands, and the output that it shows."""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contractwatch.demo.agent_process import free_port

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tutorial.md").read_text()
BLOCKS = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
AFTER = ("    format: csv\n", "        logicalType: timestamp\n", "")  # where a fragment is put
GOOD, BAD = ";8,99;", ";-8,99;"


def _run(line: str, home: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    words = shlex.split(line.split("&&", maxsplit=1)[0].removeprefix("contractwatch "))
    command = [sys.executable, "-m", "contractwatch", *words]
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def _wait_until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.2)
    return False


def walk_the_files(home: Path, environment: dict[str, str]) -> list[str]:
    """Do all that the page says up to the agent; return the commands that were compared."""
    anchors, compared = iter(AFTER), list[str]()
    contract, data = home / "orders.odcs.yaml", home / "shop.csv"
    for kind, name, text in BLOCKS:
        if name:
            (home / name).write_text(text)
        elif kind == "yaml":
            anchor = next(anchors)
            if anchor:
                _replace(contract, anchor, anchor + text)
            else:
                contract.write_text(contract.read_text() + text)
        elif re.match(r"\$ contractwatch (lint|test) ", text):
            line, _, shown = text.removeprefix("$ ").partition("\n")
            breaks = "--samples" in line
            if breaks:
                _replace(data, GOOD, BAD)
            done = _run(line, home, environment)
            assert done.stdout.strip() == shown.strip(), line
            if breaks:
                _replace(data, BAD, GOOD)
            compared.append(line)
    return compared


@pytest.mark.slow
def test_what_the_tutorial_shows_is_what_comes_out(tmp_path: Path) -> None:
    quick = {"CONTRACTWATCH_PORT": str(free_port()), "CONTRACTWATCH_SHORTEST_INTERVAL_SECONDS": "1"}
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "80", **quick}
    environment |= {"XDG_STATE_HOME": str(tmp_path / "state")}
    home = tmp_path / "home"
    home.mkdir()

    assert len(walk_the_files(home, environment)) == 5

    _replace(home / "orders.odcs.yaml", "PT10S", "PT1S")  # the reader's ten seconds are not ours
    command = [sys.executable, "-m", "contractwatch", "run"]
    with (home / "agent.log").open("wb") as log:
        agent = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)
    try:
        status = "contractwatch status"
        gate = "contractwatch gate shop/orders"
        assert _wait_until(lambda: "1 kept" in _run(status, home, environment).stdout)
        _replace(home / "shop.csv", GOOD, BAD)
        assert _wait_until(lambda: _run(gate, home, environment).returncode == 1)
        assert _wait_until(lambda: "kind=opened" in (home / "agent.log").read_text())
        _replace(home / "shop.csv", BAD, GOOD)
        assert _wait_until(lambda: "kind=resolved" in (home / "agent.log").read_text())
    finally:
        agent.terminate()
        assert agent.wait(timeout=20) == 0
    told = (home / "agent.log").read_text()
    assert told.count("kind=opened") == 1
    assert "orders.amount: 1 of 3 rows below 0" in told
