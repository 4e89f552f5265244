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
_OLD = ("v3.0.0", "v3.0.1", "v3.0.2")
_OPEN_SECTIONS = re.compile(
    r"(.*\.)?(servers|quality|support|team|members|roles|slaProperties|customProperties"
    r"|authoritativeDefinitions)\[\d+\]\.[^.\[\]]+|price\.[^.\[\]]+"
)
_KEPT = frozenset(
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
_PHYSICAL = {
    **dict.fromkeys(("timestamp", "timestamptz", "timestampltz", "datetime"), "timestamp"),
    **dict.fromkeys(("time", "timetz"), "time"),
}
_EXCLUSIVE_BOUNDS = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))

_Change = Callable[[YamlNode, Findings], dict[str, object]]


def modern(document: Document, findings: Findings) -> dict[str, object]:
    """Return the document's data in today's forms; a deprecated name is noted.

    Booleans as exclusive bounds (3.0), `rule` instead of `metric` (3.0) and short dimension names
    are rewritten. A rule of 3.0 by a name that is no metric becomes one of another engine: it is
    kept and skipped.
    """
    root = YamlNode(document, "", document.data)
    changed = dict(document.data)
    if isinstance(changed.get("schema"), list):
        changed["schema"] = _mapped(root.at("schema"), findings, _table)
    return changed


def is_free(document: Document, path: str) -> bool:
    """Whether any key may stand there: 3.0 closed its tables, columns and options only."""
    is_old = document.data.get("apiVersion") in _OLD
    return is_old and _OPEN_SECTIONS.fullmatch(path) is not None


def _mapped(places: YamlNode, findings: Findings, change: _Change) -> list[object]:
    return [
        change(place, findings) if isinstance(place.value, dict) else place.value
        for place in places.each()
    ]


def _table(place: YamlNode, findings: Findings) -> dict[str, object]:
    return {**place.mapping(), **dict(_lists(place, findings))}


def _lists(place: YamlNode, findings: Findings) -> Iterator[tuple[str, object]]:
    if isinstance(place.at("quality").value, list):
        yield "quality", _mapped(place.at("quality"), findings, _rule)
    if isinstance(place.at("properties").value, list):
        yield "properties", _mapped(place.at("properties"), findings, _column)


def _column(place: YamlNode, findings: Findings) -> dict[str, object]:
    changed = {**place.mapping(), **dict(_lists(place, findings))}
    changed |= _with_time(place, findings)
    if isinstance(place.at("logicalTypeOptions").value, dict):
        options = _options(place.at("logicalTypeOptions"), findings)
        changed |= _enumerated(place, options, findings)
        changed["logicalTypeOptions"] = options
    if isinstance(place.at("items").value, dict):
        changed["items"] = _column(place.at("items"), findings)
    if isinstance(place.at("map").value, dict):
        parts = place.at("map")
        changed["map"] = parts.mapping() | {
            part: _column(parts.at(part), findings)
            for part in ("key", "value")
            if isinstance(parts.at(part).value, dict)
        }
    return changed


def _enumerated(
    place: YamlNode, options: dict[str, object], findings: Findings
) -> dict[str, object]:
    """Take the list `enum` out of the options, where another tool writes it."""
    entry = place.at("logicalTypeOptions").at("enum")
    if not entry.each():
        return {}
    del options["enum"]
    findings.warn(entry, "'enum' is no type option; write it beside, as 'enum: [{value: x}]'")
    return {} if place.has("enum") else {"enum": [{"value": item.value} for item in entry.each()]}


def _with_time(place: YamlNode, findings: Findings) -> dict[str, object]:
    """Read a date of 3.0, which had no other type, as the type that its other words show."""
    is_old = place.document.data.get("apiVersion") in _OLD
    if not is_old or place.text("logicalType") != "date":
        return {}
    written = place.at("logicalTypeOptions").text("format")
    physical = _LETTERS.match(place.text("physicalType").lower())
    if _HOURS.search(written):
        meant = "timestamp"
    elif physical and physical[0] in _PHYSICAL and not written:
        meant = _PHYSICAL[physical[0]]
    else:
        return {}
    message = f"a date with a time of day is a '{meant}' since ODCS 3.1; it is read as one"
    findings.warn(place.at("logicalType"), message)
    return {"logicalType": meant}


def _options(place: YamlNode, findings: Findings) -> dict[str, object]:
    changed = dict(place.mapping())
    for exclusive, inclusive in _EXCLUSIVE_BOUNDS:
        flag = changed.get(exclusive)
        if not isinstance(flag, bool):
            continue
        del changed[exclusive]
        if flag and inclusive in changed:
            changed[exclusive] = changed.pop(inclusive)
        elif flag:
            message = f"'{exclusive}: true' says nothing without '{inclusive}'"
            findings.warn(place.at(exclusive), message)
    return changed


def _rule(place: YamlNode, findings: Findings) -> dict[str, object]:
    changed = dict(place.mapping())
    dimension = changed.get("dimension")
    if isinstance(dimension, str):
        word = dimension.strip().lower()
        full = DIMENSION_SYNONYMS.get(word, word)
        # what is no dimension stays as it is written, for the message to show
        changed["dimension"] = full if full in DIMENSION_SYNONYMS.values() else dimension
    is_library = changed.get("type", "library") == "library"
    name = place.text("rule")
    if not is_library or not name or "metric" in changed:
        return changed
    if (
        name not in RuleMetric.__members__.values()
        and place.document.data.get("apiVersion") in _OLD
    ):
        message = f"'{name[:60]}' is no metric since ODCS 3.1; the rule is kept and not executed"
        findings.warn(place.at("rule"), message)
        kept = {key: value for key, value in changed.items() if key in _KEPT}
        return {**kept, "type": "custom", "engine": "ODCS 3.0", "implementation": name}
    changed["metric"] = changed.pop("rule")
    findings.warn(place.at("rule"), "'rule' was renamed in ODCS 3.1; write 'metric'")
    return changed
