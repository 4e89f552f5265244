"""`contractwatch test --state-dir` and the agent read only what is new, and say so."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from contractwatch.cli import main
from contractwatch.cli.testing.state_folder import StateFolder
from contractwatch.engines.cache import file_answers
from contractwatch.errors import UsageError

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
servers:
  - {server: local, type: local, path: "data/*.csv", format: csv}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, required: true, unique: true}
"""


@pytest.fixture
def contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file_answers, "_SETTLING_TIME", timedelta(0))  # a test's files are young
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("id\n1\n2\n")
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    return path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["test", *map(str, words)])
    return int(ended.value.code or 0), capsys.readouterr().out


def evidence(printed: str) -> dict[str, str]:
    (only,) = json.loads(printed)["runs"]
    return {check["kind"]: check["evidence"] for check in only["checks"]}


def test_the_next_run_reads_only_what_is_new(
    contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (contract, "--state-dir", tmp_path / "kept" / "here", "--format", "json")
    known = {"presence": "state", "type": "state", "required": "state", "unique": "state"}
    read = {"presence": "metadata", "type": "scan", "required": "scan", "unique": "scan"}
    assert evidence(run(capsys, *words)[1]) == read
    assert evidence(run(capsys, *words)[1]) == known
    (kept,) = (tmp_path / "kept" / "here").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert evidence(run(capsys, *words, "--evidence", "scan")[1]) == read
    code, printed = run(capsys, contract, "--state-dir", tmp_path / "kept" / "here")
    assert (code, printed.strip().splitlines()[-1].split("; ")[1]) == (
        0, "4 used answers of earlier runs",
    )  # fmt: skip
    (tmp_path / "data" / "b.csv").write_text("id\n2\n")
    code, printed = run(capsys, *words)
    assert code == 1
    assert evidence(printed)["required"] == "state"


def test_a_selection_leaves_what_is_kept_as_it_is(
    contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (contract, "--state-dir", tmp_path / "kept")
    run(capsys, *words)
    (file,) = (tmp_path / "kept").iterdir()
    before = file.read_bytes()
    run(capsys, *words, "--checks", "schema")
    run(capsys, *words, "--filter", "id > 1")
    assert file.read_bytes() == before


def test_without_the_option_nothing_is_kept(
    contract: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, contract)
    assert {path.name for path in tmp_path.iterdir()} == {"data", "orders.odcs.yaml"}


def test_a_folder_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"--state-dir .*file/in: .*; name a folder"):
        StateFolder(tmp_path / "file" / "in", is_written=True)
