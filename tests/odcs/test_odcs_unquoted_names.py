"""A name without quotes that looks like a number is read as text, and reported."""

from typing import Any

import pytest

from contractwatch import verify
from contractwatch.errors import ContractError, Level
from contractwatch.odcs.load import parse_contract, parse_valid_part

TEXT = """\
apiVersion: v3.1.0
kind: DataContract
id: {id}
name: {name}
version: {version}
status: active
domain: {domain}
servers:
  - {{server: {server}, type: local, path: a.csv, format: csv}}
schema:
  - name: {table}
    properties:
      - {{name: {column}, logicalType: integer, required: true}}
"""
QUOTED = {
    "id": '"k"',
    "name": '"n"',
    "version": '"1.0.0"',
    "domain": '"d"',
    "server": '"s"',
    "table": '"t"',
    "column": '"c"',
}


@pytest.mark.parametrize(
    ("key", "written", "line"),
    [
        ("version", "1.0", 5),
        ("version", "1.10", 5),
        ("version", "2", 5),
        ("version", "1e3", 5),
        ("id", "12", 3),
        ("id", "0012", 3),
        ("id", "0x1F", 3),
        ("id", "true", 3),
        ("name", "2024", 4),
        ("domain", "7.50", 7),
    ],
)
def test_it_is_read_as_it_is_written_and_reported_with_its_line(
    key: str, written: str, line: int
) -> None:
    given = TEXT.format(**QUOTED | {key: written})
    right = TEXT.format(**QUOTED | {key: f'"{written}"'})
    contract, problems = parse_valid_part(given.encode(), "k.yaml")
    meant, _ = parse_contract(right.encode(), "k.yaml")
    assert plain(contract) == plain(meant)
    (problem,) = [one for one in problems if one.level is Level.ERROR]
    assert problem.line == line
    assert f'write "{written}" in quotes' in str(problem)
    with pytest.raises(ContractError):
        parse_contract(given.encode(), "k.yaml")


def plain(contract: Any) -> Any:
    plan = verify.plan(contract)
    return (
        (contract.contract_id, contract.name, contract.version, contract.domain),
        [(one.name, one.path, one.unsupported) for one in contract.servers],
        contract.tables,
        contract.skipped,
        [check.promise for check in plan.checks],
    )


def test_several_names_are_each_reported_once_beside_a_wrong_clause() -> None:
    given = TEXT.format(**QUOTED | {"id": "12", "version": "1.0"})
    given = given.replace("required: true", "required: perhaps, unique: true")
    contract, problems = parse_valid_part(given.encode(), "k.yaml")
    told = [str(one) for one in problems if one.level is Level.ERROR]
    assert len(told) == 3
    assert (contract.contract_id, contract.version) == ("12", "1.0")
    assert [one.promise_id for one in contract.skipped] == ["12/t/c/required"]


@pytest.mark.parametrize("key", ["id", "version"])
@pytest.mark.parametrize("written", ["", "~", "null", "[1]", "{a: 1}"])
def test_a_contract_that_names_nothing_is_refused_still(key: str, written: str) -> None:
    with pytest.raises(ContractError):
        parse_valid_part(TEXT.format(**QUOTED | {key: written}).encode(), "k.yaml")
