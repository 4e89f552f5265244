"""Contracts that others wrote run unchanged: every clause of each ends in one visible outcome."""

import os
from pathlib import Path

import pytest
from standard_cases import FOLDER, Case, cases, lines_of


def told(case: Case, folder: Path) -> str:
    """Return all that a person is told about a contract."""
    contract, problems = case.read()
    lines = ["lint:", *(f"  {one.level}: {str(one).partition(':')[2]}" for one in problems)]
    if contract is not None:
        run = case.without_data(contract)
        coverage = f"{run.coverage.executed} of {run.coverage.promised}"
        lines += [f"without data: {run.outcome}, coverage {coverage}:"]
        lines += [f"  {line}" for line in lines_of(run)]
    if contract is not None and case.data_file.exists():
        run = case.with_data(contract, folder)
        coverage = f"{run.coverage.executed} of {run.coverage.promised}"
        lines += [f"over {case.data_file.name}: {run.outcome}, coverage {coverage}:"]
        lines += [f"  {line}" for line in lines_of(run)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_golden_outcomes_of_a_contract_of_others_are_as_reviewed(
    case: Case, tmp_path: Path
) -> None:
    found = told(case, tmp_path)
    if os.environ.get("CONTRACTWATCH_GOLDEN") == "write":
        case.golden.write_text(found, encoding="utf-8")
    assert found == case.golden.read_text(encoding="utf-8")


def test_golden_outcomes_have_no_leftovers() -> None:
    assert {case.golden for case in cases()} == set(FOLDER.rglob("*.txt"))
    assert set(FOLDER.rglob("*.data.yaml")) <= {case.data_file for case in cases()}
