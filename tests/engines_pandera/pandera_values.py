"""Contracts of one table `t`, made from the YAML of its columns and rules."""

from textwrap import dedent, indent

from contractwatch.model.contract.contract import Contract
from contractwatch.odcs.load import parse_contract

_HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: c
name: c
version: 1.0.0
status: active
schema:
"""


def table_of(columns: str, rules: str = "", name: str = "t") -> str:
    """Return one entry of `schema`."""
    text = f"- name: {name}\n  properties:\n" + indent(dedent(columns).strip(), "    ") + "\n"
    if rules:
        text += "  quality:\n" + indent(dedent(rules).strip(), "    ") + "\n"
    return indent(text, "  ")


def contract_of(columns: str, rules: str = "", *, more: str = "") -> Contract:
    """Return the contract with that table; `more` is appended to the document."""
    contract, _ = parse_contract((_HEAD + table_of(columns, rules) + more).encode(), "c.odcs.yaml")
    return contract
