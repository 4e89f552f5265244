"""Rewrite the forms of ODCS 3.0 in a document as those of the newest version."""

import re
from collections.abc import Callable, Iterator

from contractwatch.model.promises.rule import RuleMetric
from contractwatch.odcs.yaml.document import Document
from contractwatch.odcs.yaml.node import Findings, YamlNode

DIMENSION_SYNONYMS = {
    "ac": "accuracy",
    "cp": "completeness",
    "cf": "conformity",
    "cs": "consistency",
    "cv": "coverage",
    "tm": "timeliness",
    "uq": "uniqueness",
}
_OLD_VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2")
_OPEN_SECTIONS = re.compile(
    r"(.*\.)?(servers|quality|support|team|members|roles|slaProperties|customProperties"
    r"|authoritativeDefinitions)\[\d+\]\.[^.\[\]]+|price\.[^.\[\]]+"
)
_KEPT_KEYS = frozenset(
    [
        "id",
        "name",
        "description",
        "dimension",
        "severity",
        "businessImpact",
        "method",
        "tags",
        "schedule",
        "scheduler",
        "authoritativeDefinitions",
        "customProperties",
    ]
)
_HOURS = re.compile("[HhKk]")
_LETTERS = re.compile("[a-z]+")
_TYPE_OF_PHYSICAL = {
    **dict.fromkeys(("timestamp", "timestamptz", "timestampltz", "datetime"), "timestamp"),
    **dict.fromkeys(("time", "timetz"), "time"),
}
_EXCLUSIVE_BOUNDS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))

_Change = Callable[[YamlNode, Findings], dict[str, object]]


def upgraded_data(document: Document, findings: Findings) -> dict[str, object]:
    """Return the document's data in the forms of the newest version; warn about deprecated names.

    Booleans as exclusive bounds (3.0), `rule` instead of `metric` (3.0) and short dimension names
    are rewritten. A rule of 3.0 by a name that is no metric becomes one of another engine: it is
    kept and skipped.
    """
    root = YamlNode(document, "", document.data)
    changed = dict(document.data)
    if isinstance(changed.get("schema"), list):
        changed["schema"] = _change_each(root.at("schema"), findings, _upgrade_table)
    return changed


def allows_any_key(document: Document, path: str) -> bool:
    """Return whether ODCS 3.0 allowed any key there: it closed tables, columns and options only."""
    is_old = document.data.get("apiVersion") in _OLD_VERSIONS
    return is_old and _OPEN_SECTIONS.fullmatch(path) is not None


def _change_each(nodes: YamlNode, findings: Findings, change: _Change) -> list[object]:
    return [
        change(node, findings) if isinstance(node.value, dict) else node.value
        for node in nodes.each()
    ]


def _upgrade_table(node: YamlNode, findings: Findings) -> dict[str, object]:
    return {**node.mapping(), **dict(_upgraded_lists(node, findings))}


def _upgraded_lists(node: YamlNode, findings: Findings) -> Iterator[tuple[str, object]]:
    if isinstance(node.at("quality").value, list):
        yield "quality", _change_each(node.at("quality"), findings, _upgrade_rule)
    if isinstance(node.at("properties").value, list):
        yield "properties", _change_each(node.at("properties"), findings, _upgrade_column)


def _upgrade_column(node: YamlNode, findings: Findings) -> dict[str, object]:
    changed = {**node.mapping(), **dict(_upgraded_lists(node, findings))}
    changed |= _retyped_date(node, findings)
    if isinstance(node.at("logicalTypeOptions").value, dict):
        options = _upgrade_options(node.at("logicalTypeOptions"), findings)
        changed |= _lifted_enum(node, options, findings)
        changed["logicalTypeOptions"] = options
    if isinstance(node.at("items").value, dict):
        changed["items"] = _upgrade_column(node.at("items"), findings)
    if isinstance(node.at("map").value, dict):
        parts = node.at("map")
        changed["map"] = parts.mapping() | {
            part: _upgrade_column(parts.at(part), findings)
            for part in ("key", "value")
            if isinstance(parts.at(part).value, dict)
        }
    return changed


def _lifted_enum(
    node: YamlNode, options: dict[str, object], findings: Findings
) -> dict[str, object]:
    """Move `enum` from the type options, where another tool writes it, to the column."""
    entry = node.at("logicalTypeOptions").at("enum")
    if not entry.each():
        return {}
    del options["enum"]
    findings.warn(entry, "'enum' is no type option; write it beside, as 'enum: [{value: x}]'")
    return {} if node.has("enum") else {"enum": [{"value": item.value} for item in entry.each()]}


def _retyped_date(node: YamlNode, findings: Findings) -> dict[str, object]:
    """Retype a date of 3.0 as timestamp or time if its format or physical type says so."""
    is_old = node.document.data.get("apiVersion") in _OLD_VERSIONS
    if not is_old or node.text("logicalType") != "date":
        return {}
    written = node.at("logicalTypeOptions").text("format")
    physical = _LETTERS.match(node.text("physicalType").lower())
    if _HOURS.search(written):
        meant = "timestamp"
    elif physical and physical[0] in _TYPE_OF_PHYSICAL and not written:
        meant = _TYPE_OF_PHYSICAL[physical[0]]
    else:
        return {}
    message = f"a date with a time of day is a '{meant}' since ODCS 3.1; it is read as one"
    findings.warn(node.at("logicalType"), message)
    return {"logicalType": meant}


def _upgrade_options(node: YamlNode, findings: Findings) -> dict[str, object]:
    changed = dict(node.mapping())
    for exclusive, inclusive in _EXCLUSIVE_BOUNDS:
        flag = changed.get(exclusive)
        if not isinstance(flag, bool):
            continue
        del changed[exclusive]
        if flag and inclusive in changed:
            changed[exclusive] = changed.pop(inclusive)
        elif flag:
            message = f"'{exclusive}: true' has no effect without '{inclusive}'"
            findings.warn(node.at(exclusive), message)
    return changed


def _upgrade_rule(node: YamlNode, findings: Findings) -> dict[str, object]:
    changed = dict(node.mapping())
    dimension = changed.get("dimension")
    if isinstance(dimension, str):
        word = dimension.strip().lower()
        full = DIMENSION_SYNONYMS.get(word, word)
        # an unknown dimension stays as it is, for the message
        changed["dimension"] = full if full in DIMENSION_SYNONYMS.values() else dimension
    is_library = changed.get("type", "library") == "library"
    name = node.text("rule")
    if not is_library or not name or "metric" in changed:
        return changed
    if (
        name not in RuleMetric.__members__.values()
        and node.document.data.get("apiVersion") in _OLD_VERSIONS
    ):
        message = f"'{name[:60]}' is no metric since ODCS 3.1; the rule is kept and not executed"
        findings.warn(node.at("rule"), message)
        kept = {key: value for key, value in changed.items() if key in _KEPT_KEYS}
        return {**kept, "type": "custom", "engine": "ODCS 3.0", "implementation": name}
    changed["metric"] = changed.pop("rule")
    findings.warn(node.at("rule"), "'rule' was renamed in ODCS 3.1; write 'metric'")
    return changed
