"""Read rules of `engine: contractwatch`: validate each, and skip repeated and unsupported ones."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol, TypeVar

from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Table
from contractwatch.model.promises.kinds import OBJECTIVE_OF_DIMENSION
from contractwatch.odcs.jsonschema.schema import implementation_validator
from contractwatch.odcs.jsonschema.schema_error_messages import schema_errors
from contractwatch.odcs.rules.references import UnresolvedReferenceError
from contractwatch.odcs.rules.rules import rule_id_of
from contractwatch.odcs.values.promises import (
    dimension_of,
    promised,
    severity_of,
)
from contractwatch.odcs.yaml.node import Findings, YamlNode


class NativeRule(Protocol):
    """A rule of `engine: contractwatch`."""

    @property
    def clause(self) -> Clause: ...

    @property
    def rule_id(self) -> str: ...


_Rule = TypeVar("_Rule", bound=NativeRule)


def read_native_rules(
    rules: Iterable[YamlNode],
    table: Table,
    findings: Findings,
    *,
    read: Callable[[YamlNode], _Rule | None],
) -> tuple[_Rule, ...]:
    """Read the rules of `engine: contractwatch`; unsupported and repeated ones are skipped.

    Args:
        rules: The nodes of the rules.
        table: The table that they are about.
        findings: Receives the problems and the skipped clauses.
        read: Reads one rule; None if it is wrong. It raises UnresolvedReferenceError for a rule
            that is not executed.
    """
    known: dict[tuple[type, str], _Rule] = {}
    for rule in rules:
        try:
            found = read(rule) if _fits_schema(rule, findings) else None
        except UnresolvedReferenceError as why:
            _skip(rule, table, str(why), findings)
            continue
        if found is None:
            continue
        first = known.setdefault((type(found), found.rule_id), found)
        if first is not found:
            _skip(rule, table, f"the same rule as {first.clause.path}", findings)
    return tuple(known.values())


def _fits_schema(rule: YamlNode, findings: Findings) -> bool:
    implementation = rule.at("implementation")
    wrong = list(
        schema_errors(
            implementation_validator(), implementation.value, rule.document, implementation.path
        )
    )
    for path, message in wrong:
        findings.error(YamlNode(rule.document, path, None), message)
    return not wrong


def _skip(rule: YamlNode, table: Table, why: str, findings: Findings) -> None:
    promise = promised(
        rule.at("implementation").text("check"),
        table.name,
        severity=severity_of(rule, findings),
        rule_id=rule_id_of(rule),
        expected=rule.text("description") or rule.text("name"),
    )
    dimension = dimension_of(rule)
    if dimension is not None:
        objective = OBJECTIVE_OF_DIMENSION[dimension]
        promise = replace(promise, dimension=dimension, objective=objective)
    findings.skip(rule, promise, why)
