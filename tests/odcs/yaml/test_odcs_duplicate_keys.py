"""A duplicate key costs the clause that it is in, as any other mistake."""

import pytest

from contractwatch import verify
from contractwatch.errors import ContractError
from contractwatch.odcs.load import parse_contract, parse_valid_part

TEXT = """apiVersion: v3.1.0
kind: DataContract
id: orders-1
name: orders
version: 1.0.0
status: active
schema:
  - name: orders
    properties:
      - {name: order_id, required: true, unique: true}
      - {name: state, required: true}
"""


def judged(text: str) -> set[str]:
    contract, _ = parse_valid_part(text.encode(), "orders.yaml")
    promises = (check.promise for check in verify.plan(contract).checks)
    return {f"{one.column}/{one.kind}" for one in promises}


EVERY = judged(TEXT)


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("unique: true", "unique: true, unique: false", {"order_id/unique"}),
        ("status: active", "status: active\nstatus: draft", set[str]()),
        ("{name: state", "{name: state, name: status", {"state/presence", "state/required"}),
        ("unique: true", "unique: *nothing", {"order_id/unique"}),
    ],
)
def test_a_key_that_stands_there_twice_costs_what_it_says(
    old: str, new: str, lost: set[str]
) -> None:
    text = TEXT.replace(old, new, 1)
    assert judged(text) == EVERY - lost
    contract, problems = parse_valid_part(text.encode(), "orders.yaml")
    assert problems
    assert any(str(problems[0]) in one.reason for one in contract.skipped)
    with pytest.raises(ContractError):
        parse_contract(text.encode(), "orders.yaml")


@pytest.mark.parametrize(
    ("old", "new"),
    [("id: orders-1", "id: a\nid: b"), ("version: 1.0.0", "version: 1.0.0\nversion: 2.0.0")],
)
def test_an_identity_that_stands_there_twice_is_none(old: str, new: str) -> None:
    with pytest.raises(ContractError):
        parse_valid_part(TEXT.replace(old, new).encode(), "orders.yaml")
