"""`contractwatch test --state-dir` says when a verdict is about a window only."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contractwatch.cli import main
from contractwatch.engines.cache import file_answers

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: orders.csv, format: csv}
schema:
  - name: orders
    customProperties:
      - {property: contractwatch.incremental, value: {column: day, mode: partition, lookback: P2D}}
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
      - {name: day, logicalType: date}
"""


@pytest.fixture
def contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file_answers, "_SETTLING_TIME", timedelta(0))  # a test's files are young
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    return path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as ended:
        main(["test", "--format", "json", *map(str, words)])
    (only,) = json.loads(capsys.readouterr().out)["runs"]
    return int(ended.value.code or 0), {check["kind"]: check for check in only["checks"]}


def write(folder: Path, *rows: tuple[int, int]) -> None:
    """Write numbers, each so many days old."""
    today = datetime.now(UTC).date()
    lines = (f"{number},{today - timedelta(days=days)}\n" for number, days in rows)
    (folder / "orders.csv").write_text("id,day\n" + "".join(lines))


def test_a_verdict_about_a_window_says_so_and_others_rest_on_what_was_kept(
    contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = [(number, 30 - number) for number in range(28)]
    write(tmp_path, *old, (90, 0))
    words = (contract, "--state-dir", tmp_path / "kept")
    assert run(capsys, *words)[1]["unique"]["reason"] == ""
    write(tmp_path, *old, (90, 0), (91, 0), (5, 0))
    code, checks = run(capsys, *words)
    assert code == 0
    assert checks["unique"]["reason"].startswith("in the window since 20")
    assert checks["unique"]["evidence"] == "scan"
    assert (checks["required"]["evidence"], checks["required"]["rows"]) == ("state", 31)
    code, checks = run(capsys, contract)
    assert (code, checks["unique"]["evidence"]) == (1, "scan")


def test_a_breach_in_a_window_moves_nothing(
    contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, (1, 9), (2, 0))
    words = (contract, "--state-dir", tmp_path / "kept")
    run(capsys, *words)
    (file,) = (tmp_path / "kept").iterdir()
    before = file.read_bytes()
    write(tmp_path, (1, 9), (2, 0), (2, 0))
    assert run(capsys, *words)[0] == 1
    assert file.read_bytes() == before
    write(tmp_path, (1, 9), (2, 0), (3, 0))
    assert run(capsys, *words)[0] == 0
    assert file.read_bytes() != before
