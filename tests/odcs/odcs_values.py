"""Small contracts as text, for the tests of odcs."""

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from contractwatch.errors import ContractError, Problem
from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.load import parse_contract

EXAMPLES = sorted((Path(__file__).parents[2] / "contracts" / "healthcare").glob("*.odcs.yaml"))
CONTRACTS: list[Any] = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in EXAMPLES]

HEAD = """apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
domain: sales
"""


def table(*columns: str, above: str = "", below: str = "") -> str:
    """Return a contract with the table `orders`; each column is a flow mapping's content."""
    listed = "".join(f"      - {{{column}}}\n" for column in columns)
    properties = f"    properties:\n{listed}" if columns else ""
    return f"{HEAD}schema:\n  - name: orders\n{above}{properties}{below}"


def parsed(text: str) -> Contract:
    """Return the contract that a text says."""
    return parse_contract(text.encode(), "orders.yaml")[0]


def warnings_of(text: str) -> list[str]:
    """Return the warnings of a contract that is read."""
    return [problem.message for problem in parse_contract(text.encode(), "orders.yaml")[1]]


def problems_of(text: str | bytes) -> tuple[Problem, ...]:
    """Return the problems of a contract that is refused."""
    data = text.encode() if isinstance(text, str) else text
    try:
        parse_contract(data, "orders.yaml")
    except ContractError as wrong:
        return wrong.problems
    raise AssertionError("the contract is not refused")


def skips_of(text: str) -> list[tuple[str, str, str]]:
    """Return path, kind and reason of every clause that is not executed."""
    return [(one.clause.path, one.kind, one.reason) for one in parsed(text).skipped]


KEYS = ["logicalType", "type", "metric", "required", "mustBe", "server", "name", "foo", "unit"]
VALUES = st.sampled_from(
    [None, "", "string", "map", "local", "custom", 3, 3.5, True, [], {}, ["a"]]
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    contract = copy.deepcopy(draw(st.sampled_from(CONTRACTS)))
    for _ in range(draw(st.integers(1, 3))):
        at = contract
        for _ in range(draw(st.integers(0, 6))):
            inner = list(at.values()) if isinstance(at, dict) else at
            inner = [entry for entry in inner if isinstance(entry, dict | list) and entry]
            if not inner:
                break
            at = draw(st.sampled_from(inner))
        if isinstance(at, dict):
            key = draw(st.sampled_from([*at, *KEYS]))
            if draw(st.booleans()):
                at.pop(key, None)
            else:
                at[key] = copy.deepcopy(draw(VALUES))
        elif at:
            at[draw(st.integers(0, len(at) - 1))] = copy.deepcopy(draw(VALUES))
    return contract
