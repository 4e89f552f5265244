"""The healthcare contracts, which refer to one another, run by the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from healthcare_values import Frames, publish

from contractwatch.cli import main

Edit = Callable[[Frames], Frames]


def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """Return the checks on two tables, by contract and kind."""
    with pytest.raises(SystemExit):
        main(["test", str(folder), "--format", "json"])
    runs = json.loads(capsys.readouterr().out)["runs"]
    kinds = {"relationship", "referenceCoverage", "reconcile"}
    return {
        f"{run['contract']['name']} {check['kind']}": check
        for run in runs
        for check in run["checks"] or ()
        if check["kind"] in kinds
    }


def test_data_that_keeps_the_contracts_is_told_as_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = told(publish(tmp_path), capsys)
    assert {name: check["outcome"] for name, check in checks.items()} == {
        "claims_events relationship": "passed",
        "clinic_visits relationship": "passed",
        "patient_care relationship": "passed",
        "patient_care referenceCoverage": "passed",
        "patient_care reconcile": "passed",
    }
    assert checks["clinic_visits relationship"]["severity"] == "warning"
    assert checks["patient_care referenceCoverage"]["observed"] == 100


def _strangers(frames: Frames) -> Frames:
    """Two claims, one of sixty visits (0.5 % are allowed) and one month are of a stranger."""
    for name, count in (("claims_events", 2), ("clinic_visits", 1), ("patient_care", 1)):
        frame = frames[name].with_row_index("at")
        changed = pl.when(pl.col("at") < count).then(pl.lit("M999999999")).otherwise("member_id")
        frames[name] = frame.with_columns(member_id=changed).drop("at")
    return frames


def _few(frames: Frames) -> Frames:
    frames["patient_care"] = frames["patient_care"].head(98)
    return frames


def _repeated(frames: Frames) -> Frames:
    members = frames["members"]
    frames["members"] = pl.concat([members, members.head(3)])
    return frames


@pytest.mark.parametrize(
    ("edit", "name", "outcome", "reason"),
    [
        (_strangers, "claims_events relationship", "failed", "2 of 440"),
        (_strangers, "clinic_visits relationship", "failed", "1 of 59"),
        (_strangers, "patient_care relationship", "failed", "1 of 100"),
        (_few, "patient_care referenceCoverage", "failed", "98 of 100 keys appear here"),
        (_few, "patient_care reconcile", "failed", "the totals are"),
        (
            _repeated,
            "claims_events relationship",
            "passed",
            "the key is not unique there: 3 duplicate rows",
        ),
    ],
)
def test_broken_data_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    edit: Edit,
    name: str,
    outcome: str,
    reason: str,
) -> None:
    check = told(publish(tmp_path, edit=edit), capsys)[name]
    assert (check["outcome"], check["reason"][: len(reason)]) == (outcome, reason)


def test_other_data_that_cannot_be_read_is_an_error_and_never_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(tmp_path)
    (tmp_path / "data" / "members" / "part-0.parquet").unlink()
    check = told(tmp_path, capsys)["claims_events relationship"]
    assert check["outcome"] == "error"
    assert "members.odcs.yaml cannot be read: no file matches" in check["reason"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no contract is known as 'members.odcs.yaml'"),
        ("kind: DataContract\n", "the contract 'members.odcs.yaml' is broken"),
    ],
)
def test_another_contract_that_is_missing_or_broken_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, reason: str
) -> None:
    publish(tmp_path)
    (tmp_path / "members.odcs.yaml").unlink()
    if text is not None:
        (tmp_path / "members.odcs.yaml").write_text(text)
    check = told(tmp_path / "claims_events.odcs.yaml", capsys)["claims_events relationship"]
    assert check["outcome"] == "error"
    assert check["reason"].startswith(reason)


def test_one_contract_alone_finds_its_neighbours_in_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(tmp_path)
    checks = told(tmp_path / "patient_care.odcs.yaml", capsys)
    assert {check["outcome"] for check in checks.values()} == {"passed"}
    assert len(checks) == 3
