"""Any bytes give a contract or all of its problems, within the time limit."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odcs_values import EXAMPLES, mutated, problems_of, table

from contractwatch.errors import MOST_PROBLEMS, ContractError, Level, Problem
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.jsonschema.validate import validate
from contractwatch.odcs.load import load_contract, parse_contract
from contractwatch.odcs.yaml.document import load_yaml

TEXTS = [file.read_bytes() for file in EXAMPLES]


def outcome(data: bytes) -> Contract | tuple[Problem, ...]:
    """Return what comes out; any other exception than a refusal fails the test."""
    try:
        return parse_contract(data, "f.yaml")[0]
    except ContractError as wrong:
        return tuple(problem for problem in wrong.problems if problem.level is Level.ERROR)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_examples_are_read_without_a_problem(file: Path) -> None:
    contract, problems = load_contract(file)
    assert problems == ()
    assert contract.product.endswith(contract.name)
    assert contract.tables[0].columns
    assert contract.owners
    assert contract.skipped == ()


def test_what_the_example_of_claims_promises_is_read() -> None:
    contract, _ = load_contract(EXAMPLES[0])
    (table,) = contract.tables
    assert [rule.rule_id for rule in table.segment_rules] == ["every_region_every_day"]
    assert [rule.rule_id for rule in table.pii_rules] == ["no_pii_leak"]
    levels = {level.level_id for level in contract.service_levels}
    assert levels >= {"latency_2h", "avail", "keep_7y"}


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_end_in_a_contract_or_its_problems(data: bytes) -> None:
    assert outcome(data)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,? \n\t01.~", max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_text_that_looks_like_yaml_ends_in_a_contract_or_its_problems(text: str) -> None:
    assert outcome(text.encode())


PIECES = st.sampled_from(
    [
        b"",
        b"x",
        b"null",
        b"[]",
        b"{}",
        b"-1",
        b".nan",
        b"1e999",
        b"true",
        b"''",
        b"[[1]]",
        b"{a: b}",
        b"\n",
        b": ",
        b"- ",
        b"P1M",
        b"2026-02-30",
        b"${X}",
        b"9" * 60,
        b"\xf0\x9f\x98\x80",
    ]
)


@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 12), PIECES), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_any_damaged_contract_ends_in_a_contract_or_its_problems(
    text: bytes, damages: list[tuple[int, int, bytes]]
) -> None:
    for at, length, piece in damages:
        start = at % (len(text) + 1)
        text = text[:start] + piece + text[start + length :]
    assert outcome(text)


@given(st.sampled_from(TEXTS), st.integers(0, 10**6), PIECES)
@settings(max_examples=60, deadline=None)
def test_any_value_in_any_place_ends_in_a_contract_or_its_problems(
    text: bytes, which: int, piece: bytes
) -> None:
    parts = text.split(b": ")
    at = which % (len(parts) - 1) + 1
    end = min((i for i in map(parts[at].find, [b"\n", b",", b"}"]) if i >= 0), default=0)
    parts[at] = (piece or b"x").strip() + parts[at][end:]
    assert outcome(b": ".join(parts))


@pytest.mark.parametrize(
    "hostile",
    [
        b"schema: [" + b"{name: a, properties: [{name: b}]}," * 2_000 + b"]",
        b"tags: [" + b"1," * 50_000 + b"]",
        b"schema: [{name: a, properties: ["
        + b"{name: b, quality: [{metric: x}]}," * 2_000
        + b"]}]",
        b"x: " + b"k" * 1_000_000,
        b"schema: [{name: a, properties: [{name: b, logicalType: string, logicalTypeOptions:"
        b" {pattern: '" + b"(a{9})" * 700 + b"'}}]}]",
        b"customProperties: [{property: contractwatch.schedule, value: {cron: '"
        + b"1," * 50_000
        + b"1 * * * *'}}]",
        b"team: ["
        + b"{username: a, role: owner, dateOut: x, replacedByUsername: a}," * 3_000
        + b"]",
    ],
    ids=["tables", "tags", "rules", "text", "pattern", "cron", "team"],
)
def test_a_large_contract_does_not_take_for_ever(hostile: bytes) -> None:
    head = b"apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: '1'\n"
    assert outcome(head + hostile)


def test_a_file_that_is_not_there_is_a_problem_of_that_file(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="cannot be read: no such file"):
        load_contract(tmp_path / "none.yaml")
    with pytest.raises(ContractError, match="cannot be read: is a directory"):
        load_contract(tmp_path)


def test_validate_returns_what_the_schema_says() -> None:
    document = load_yaml(
        "apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: '1'\nfoo: 1\n", "f"
    )
    (problem,) = validate(document)
    assert (problem.line, problem.path) == (5, "foo")


def test_of_very_many_problems_the_first_are_reported() -> None:
    head = b"apiVersion: v3.1.0\nkind: DataContract\nid: a\nversion: '1'\n"
    found = outcome(head + b"tags: [" + b"1," * 5_000 + b"]")
    assert isinstance(found, tuple)
    assert len(found) == MOST_PROBLEMS + 1
    assert "are not listed" in found[-1].message


@given(mutated())
@settings(max_examples=60, deadline=None)
def test_any_other_shape_ends_in_a_contract_or_its_problems(contract: Any) -> None:
    assert outcome(json.dumps(contract).encode())


@pytest.mark.parametrize(
    "rule", ["null", "[]", "x", "3", "{type: []}", "{metric: {}}", "{rule: 1}"]
)
def test_a_rule_of_any_shape_is_a_problem_of_that_rule(rule: str) -> None:
    paths = {problem.path for problem in problems_of(table(f"name: a, quality: [{rule}]"))}
    assert all(path.startswith("schema[0].properties[0].quality[0]") for path in paths)
