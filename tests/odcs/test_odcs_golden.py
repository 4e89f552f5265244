"""The exact messages about broken contracts."""

import os
from pathlib import Path

import pytest

from contractwatch.errors import ContractError
from contractwatch.odcs.load import parse_contract

FOLDER = Path(__file__).parent.parent / "golden" / "problems"
BROKEN = sorted(FOLDER.glob("*.yaml"))


def messages(file: Path) -> str:
    try:
        _, problems = parse_contract(file.read_bytes(), file.name)
    except ContractError as wrong:
        problems = wrong.problems
    return "".join(f"{problem.level}: {problem}\n" for problem in problems)


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_golden_messages_of_a_broken_contract_are_as_reviewed(file: Path) -> None:
    found = messages(file)
    expected = file.with_suffix(".txt")
    if os.environ.get("CONTRACTWATCH_GOLDEN") == "write":
        expected.write_text(found, encoding="utf-8")
    assert found, "nothing is wrong with this contract"
    assert found == expected.read_text(encoding="utf-8")


def test_golden_messages_have_no_leftovers() -> None:
    assert {file.stem for file in BROKEN} == {file.stem for file in FOLDER.glob("*.txt")}
