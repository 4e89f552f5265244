"""Report each promise that a mistake removed as skipped, with the mistake as its reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from contractwatch.errors import Problem
from contractwatch.model.promises.kinds import OBJECTIVE_OF_DIMENSION
from contractwatch.model.record.check import WRONG
from contractwatch.odcs.rules.rules import rule_id_of
from contractwatch.odcs.schema.affected_clauses import EXTRA_COLUMNS_SUFFIX
from contractwatch.odcs.schema.nested import walk_fields
from contractwatch.odcs.service_levels.levels import level_id_of
from contractwatch.odcs.values.level_names import level_kind
from contractwatch.odcs.values.promises import (
    dimension_of,
    promised,
    severity_of,
)
from contractwatch.odcs.yaml.node import Findings, Promised, YamlNode
from contractwatch.odcs.yaml.path_removal import is_within

_FLAGS = ("required", "unique", "primaryKey")
_VALUED = {"logicalType": "type", "enum": "enum", "physicalType": "physicalType"}
_UNNAMED = "-"
_MAX_SHOWN = 60
_MAX_MISTAKES = 3


def skip_removed(
    root: YamlNode, removed: Mapping[str, Problem], mistakes: Sequence[Problem], findings: Findings
) -> None:
    """Add every promise at a removed path as skipped, with the mistake as its reason.

    Args:
        root: The whole document, with what is wrong in it.
        removed: The paths that are not read, each with the mistake that it was removed for.
        mistakes: All mistakes of the document.
        findings: Receives the skipped clauses.
    """
    reported: set[str] = set()
    mistakes_below = _mistakes_by_path(mistakes)
    for node, promise, path in _promises(root):
        cause = _cause(path, removed)
        if cause is not None:
            reported.add(node.path)
            _add_skipped(node, promise, cause, mistakes_below, findings)
    names = _names_by_path(root)
    for path, cause in _unreported(removed, reported):
        nowhere: tuple[str, str | None] = (_UNNAMED, None)
        table, column = next((names[one] for one in _with_ancestors(path) if one in names), nowhere)
        last = cause.path.rpartition(".")[2][:_MAX_SHOWN]
        promise = promised("clause", table, column, rule_id=last)
        _add_skipped(YamlNode(root.document, path, None), promise, cause, mistakes_below, findings)


def _cause(path: str, removed: Mapping[str, Problem]) -> Problem | None:
    """Return the mistake that removed a path or its nearest ancestor, if there is one."""
    here = path
    while here:
        if here in removed:
            return removed[here]
        here = here[: max(here.rfind("."), here.rfind("["), here.rfind("#"), 0)]
    return None


def _unreported(
    removed: Mapping[str, Problem], reported: set[str]
) -> Iterator[tuple[str, Problem]]:
    """Yield each mistake that no skipped promise names yet, with the removed path it is about."""
    above = {path[:at] for path in reported for at, c in enumerate(path) if c in ".["} | reported
    known: set[str] = set()
    for cause in removed.values():
        ancestors = [cause.path[:at] for at, c in enumerate(cause.path) if c in ".["]
        path = next((one for one in ancestors if one in removed), cause.path)
        if not reported.isdisjoint(ancestors) or cause.path in above or path in known:
            continue
        known.add(path)
        yield path, cause


def _add_skipped(
    node: YamlNode,
    promise: Promised,
    cause: Problem,
    mistakes_below: Mapping[str, Sequence[Problem]],
    findings: Findings,
) -> None:
    own_mistakes = mistakes_below.get(node.path, ())
    messages = "; ".join(map(str, own_mistakes or [cause]))
    is_itself = own_mistakes or is_within(node.path, cause.path)
    reason = WRONG if is_itself else f"{WRONG}, in another clause that this one needs"
    findings.add_skipped(node, promise, f"{reason}: {messages}")


def _names_by_path(root: YamlNode) -> dict[str, tuple[str, str | None]]:
    """Return the names of table and column by the path of each table and each field."""
    found: dict[str, tuple[str, str | None]] = {}
    for table in root.at("schema").each():
        name = table.text("name") or _UNNAMED
        found[table.path] = name, None
        for column in table.at("properties").each():
            found |= {inner.node.path: (name, inner.name or None) for inner in walk_fields(column)}
    return found


def _mistakes_by_path(mistakes: Iterable[Problem]) -> dict[str, list[Problem]]:
    """Return the first mistakes at or below each path."""
    found: dict[str, list[Problem]] = {}
    for mistake in mistakes:
        for path in dict.fromkeys(_with_ancestors(mistake.path)):
            own_mistakes = found.setdefault(path, [])
            if len(own_mistakes) < _MAX_MISTAKES:
                own_mistakes.append(mistake)
    return found


def _with_ancestors(path: str) -> Iterator[str]:
    """Yield the path and every path above it, the nearest first."""
    yield path
    yield from (path[:at] for at in range(len(path) - 1, 0, -1) if path[at] in ".[")


_Located: TypeAlias = tuple[YamlNode, Promised, str]


def _promises(root: YamlNode) -> Iterator[_Located]:
    """Yield every promise of the document, right or wrong, with the path that it depends on."""
    for table in root.at("schema").each():
        if table.mapping():
            yield from _table_promises(table, root)
    for level in root.at("slaProperties").each():
        kind = level_kind(level) if level.mapping() else ""
        if kind:
            yield level, promised(kind, _UNNAMED, rule_id=level_id_of(level)), level.path


def _table_promises(table: YamlNode, root: YamlNode) -> Iterator[_Located]:
    name = table.text("name") or _UNNAMED
    mode = table.extension("schemaMode") or root.extension("schemaMode")
    if mode is not None:
        yield mode, promised("extraColumns", name), f"{table.path}{EXTRA_COLUMNS_SUFFIX}"
    yield from _rule_promises(table, name, None)
    for column in table.at("properties").each():
        for inner in walk_fields(column):
            if inner.node.mapping():
                yield from _column_promises(inner.node, name, inner.name or _UNNAMED)


def _column_promises(column: YamlNode, table: str, name: str) -> Iterator[_Located]:
    if not column.path.endswith((".items", ".key", ".value")):
        yield column, promised("presence", table, name), column.path
    for key in _FLAGS:
        if column.has(key) and column.at(key).value is not False:
            yield column.at(key), promised(key, table, name), column.at(key).path
    for key, kind in _VALUED.items():
        if column.has(key):
            yield column.at(key), promised(kind, table, name), column.at(key).path
    for option in column.at("logicalTypeOptions").entries():
        kind = option.path.rpartition(".")[2][:_MAX_SHOWN]
        yield option, promised(kind, table, name), option.path
    yield from _rule_promises(column, table, name)


def _rule_promises(owner: YamlNode, table: str, column: str | None) -> Iterator[_Located]:
    for rule in owner.at("quality").each():
        if rule.mapping():
            yield rule, _promise_of_rule(rule, table, column), rule.path
    for entry in owner.at("relationships").each():
        if entry.mapping():
            made = promised("relationship", table, column, rule_id=rule_id_of(entry))
            yield entry, made, entry.path


def _promise_of_rule(rule: YamlNode, table: str, column: str | None) -> Promised:
    check = rule.at("implementation").text("check")
    kind = (rule.text("metric") or check or rule.text("type") or "rule")[:_MAX_SHOWN]
    made = promised(
        kind,
        table,
        column,
        severity=severity_of(rule, Findings(rule.document, "")),
        rule_id=rule_id_of(rule)[:_MAX_SHOWN],
        expected=rule.text("description") or rule.text("name"),
    )
    dimension = dimension_of(rule)
    if dimension is None:
        return made
    return replace(made, dimension=dimension, objective=OBJECTIVE_OF_DIMENSION[dimension])
