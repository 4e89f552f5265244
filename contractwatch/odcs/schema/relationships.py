"""Read the relationships between columns, in one contract or into another."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from contractwatch.model.base.clause import Severity
from contractwatch.model.base.path import ArrayItem, up_to_last_item
from contractwatch.model.contract.contract import Table, TableIndex
from contractwatch.model.promises.reference import Reference, Relationship
from contractwatch.model.promises.rule import Operator, Threshold
from contractwatch.odcs.jsonschema.schema import OPERATORS
from contractwatch.odcs.rules.references import (
    UnresolvedReferenceError,
    parse_reference,
    resolve_local,
)
from contractwatch.odcs.rules.rules import read_threshold
from contractwatch.odcs.schema.nested import walk_fields
from contractwatch.odcs.values.literals import NESTED
from contractwatch.odcs.values.promises import promised
from contractwatch.odcs.yaml.node import Findings, YamlNode

RELATIONSHIP = "relationship"
_NO_ORPHANS = Threshold(Operator.EQUAL, 0)


def with_relationships(
    nodes: Sequence[YamlNode], tables: Sequence[Table], findings: Findings
) -> tuple[Table, ...]:
    """Return the tables with their relationships; `nodes` are those of the tables, in order."""
    names = TableIndex(tables)
    found: dict[str, dict[tuple[str | None, str], Relationship]] = {}
    for node, table in zip(nodes, tables, strict=True):
        for entry, column in _entries(node):
            read = _read_relationship(entry, table, column, names, findings)
            if read is None:
                continue
            source, relationship = read
            identity = (relationship.column, relationship.rule_id)
            first = found.setdefault(source.name, {}).setdefault(identity, relationship)
            if first is not relationship:
                _skip(
                    entry, table, column, f"the same relationship as {first.clause.path}", findings
                )
    return tuple(
        replace(table, relationships=tuple(found.get(table.name, {}).values())) for table in tables
    )


def _entries(node: YamlNode) -> Iterator[tuple[YamlNode, str | None]]:
    """Yield each relationship of a table and of its columns, at any depth, with their names."""
    yield from ((entry, None) for entry in node.at("relationships").each())
    for column in node.at("properties").each():
        for one in walk_fields(column) if column.text("name") else ():
            yield from ((entry, one.name) for entry in one.node.at("relationships").each())


def _read_relationship(
    entry: YamlNode, table: Table, column: str | None, tables: TableIndex, findings: Findings
) -> tuple[Table, Relationship] | None:
    kind = entry.text("type")
    if kind not in {"", "foreignKey"}:
        return None  # the official schema reports it
    written, at = _texts(entry, "to"), entry.at("to")
    try:
        target = parse_reference(written, tables)
        at = entry.at("from")
        source, columns = _source(entry, table, column, tables)
    except UnresolvedReferenceError as wrong:
        if wrong.is_wrong:
            findings.warn(at, f"the relationship cannot be resolved: {wrong}")
        _skip(entry, table, column, str(wrong), findings)
        return None
    skip_reason = _skip_reason(source, columns)
    if skip_reason:
        _skip(entry, table, column, skip_reason, findings)
        return None
    if len(columns) != len(target.columns):
        counts = f"{len(columns)} columns refer to {len(target.columns)}"
        findings.error(entry.at("to"), f"{counts}; expected as many in 'to' as in 'from'")
        return None
    _warn_unknown_target(entry, target, tables, findings)
    threshold = _read_tolerance(entry, findings)
    return source, Relationship(
        clause=entry.clause,
        rule_id=entry.text("id") or _relationship_id(columns, written),
        column=column,
        columns=columns,
        target=target,
        threshold=threshold,
        severity=Severity.WARNING if target.contract else Severity.ERROR,
    )


def _source(
    entry: YamlNode, table: Table, column: str | None, tables: TableIndex
) -> tuple[Table, tuple[str, ...]]:
    if column is not None:
        return table, (column,)
    return resolve_local(parse_reference(_texts(entry, "from"), tables, in_arrays=True), tables)


def _skip_reason(table: Table, columns: Sequence[str]) -> str:
    known = [column for name in columns if (column := table.find(name)) is not None]
    if len(known) < len(columns):
        return "keys of measures"
    arrays = {
        (one.physical_name, up_to_last_item(one.path)) for one in known if ArrayItem() in one.path
    }
    if len(arrays) > 1:
        return "keys inside several arrays"
    nested = [one.logical_type for one in known if one.logical_type in NESTED]
    return f"keys of {nested[0]} columns" if nested else ""


def _warn_unknown_target(
    entry: YamlNode, target: Reference, tables: TableIndex, findings: Findings
) -> None:
    """Warn if the target is in this contract and does not exist."""
    if target.contract:
        return
    try:
        resolve_local(target, tables)
    except UnresolvedReferenceError as wrong:
        findings.warn(entry.at("to"), f"the relationship cannot be resolved: {wrong}")


def _read_tolerance(entry: YamlNode, findings: Findings) -> Threshold:
    node = entry.extension("tolerance")
    if node is None or not node.mapping():
        return _NO_ORPHANS
    if not any(node.has(name) for name in OPERATORS):
        findings.error(node, "the tolerance has no operator; expected mustBeLessOrEqualTo")
    return read_threshold(node, findings) or _NO_ORPHANS


def _texts(entry: YamlNode, key: str) -> tuple[str, ...]:
    return entry.texts(key) or tuple(filter(None, (entry.text(key),)))


def _relationship_id(columns: Sequence[str], to: Sequence[str]) -> str:
    return hashlib.sha256(repr((tuple(columns), tuple(to))).encode()).hexdigest()[:8]


def _skip(entry: YamlNode, table: Table, column: str | None, why: str, findings: Findings) -> None:
    words = f"every key exists in {', '.join(_texts(entry, 'to'))}"
    findings.skip(entry, promised(RELATIONSHIP, table.name, column, expected=words), why)
