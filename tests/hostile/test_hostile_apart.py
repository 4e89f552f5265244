"""The command survives data that kill the process which reads them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: bombs-1
name: bombs
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: "{object}.parquet", format: parquet}
schema:
  - name: rows
    properties:
      - {name: id, logicalType: integer, unique: true}
"""


def _python(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        timeout=60,
    )


def test_a_file_that_fills_the_memory_is_an_answer(tmp_path: Path) -> None:
    rows = pl.select(pl.repeat(7, 60_000_000, dtype=pl.Int64).alias("id"))
    rows.write_parquet(tmp_path / "rows.parquet", row_group_size=60_000_000)
    assert (tmp_path / "rows.parquet").stat().st_size < 1_000_000
    (tmp_path / "bombs.odcs.yaml").write_text(CONTRACT)
    words = ("-m", "contractwatch", "test", tmp_path, "--memory-mb", "256", "--format", "json")
    ended = _python(*words)
    (run,) = json.loads(ended.stdout)["runs"]
    assert (ended.returncode, run["outcome"]) == (2, "error")
    assert run["error"] == "worker ended (memory limit of 256 MB)"


ENDS = """
import os, time
from contractwatch.cli.testing.isolated_process import IsolatedProcess
process = IsolatedProcess(deadline_seconds=1)
for job, argument in ((time.sleep, 60), (os._exit, 3), (os.system, "kill -SEGV $PPID"), (abs, -2)):
    answer = process.call(job, argument)
    print(getattr(answer, "reason", answer))
process.close()
"""


def test_a_reader_that_hangs_crashes_or_leaves_is_an_answer() -> None:
    ended = _python("-c", ENDS)
    assert ended.stdout.splitlines() == [
        "deadline of 1 s passed",
        "worker ended (exit code 3)",
        "worker ended (exit code -11)",
        "2",
    ]
