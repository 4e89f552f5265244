"""Warn about what breaks no rule of the standard and is most likely a slip."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from contractwatch.model.promises.rule import Bound, TypeOption, TypeOptionKind
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion

_SCOPES = ("interactive", "announcements", "issues", "notifications")
_TOOLS = ("email", "slack", "teams", "discord", "ticket", "googlechat", "other")
_ABOVE: Mapping[TypeOptionKind, tuple[TypeOptionKind, ...]] = {
    TypeOptionKind.MINIMUM: (TypeOptionKind.MAXIMUM, TypeOptionKind.EXCLUSIVE_MAXIMUM),
    TypeOptionKind.EXCLUSIVE_MINIMUM: (TypeOptionKind.MAXIMUM, TypeOptionKind.EXCLUSIVE_MAXIMUM),
    TypeOptionKind.MIN_LENGTH: (TypeOptionKind.MAX_LENGTH,),
    TypeOptionKind.MIN_ITEMS: (TypeOptionKind.MAX_ITEMS,),
    TypeOptionKind.MIN_PROPERTIES: (TypeOptionKind.MAX_PROPERTIES,),
}
_EXCLUSIVE = frozenset({TypeOptionKind.EXCLUSIVE_MINIMUM, TypeOptionKind.EXCLUSIVE_MAXIMUM})
_MAX_SHOWN = 40
_DEPRECATED: Mapping[str, str] = {
    "dataProduct": "a product is known by 'domain' and 'name'",
    "slaDefaultElement": "expected 'element' at each service level",
}
"""Keys that ODCS 3.1 deprecates, with what is expected instead."""


def warn_deprecated(root: YamlNode, findings: Findings) -> None:
    """Warn about keys that are deprecated since ODCS 3.1, unless the contract is older."""
    if root.text("apiVersion").startswith("v3.0"):
        return
    found = {key: why for key, why in _DEPRECATED.items() if root.has(key)}
    if isinstance(root.at("team").value, list):
        found["team"] = "expected an object whose 'members' are this list"
    for key, expected in found.items():
        findings.warn(root.at(key), f"deprecated since ODCS 3.1, and read all the same; {expected}")


def warn_unknown_support(nodes: Iterable[YamlNode], findings: Findings) -> None:
    """Warn about scopes and tools of support entries that the standard does not know."""
    for node in nodes:
        _warn_unknown_word(node, "scope", _SCOPES, findings)
        _warn_unknown_word(node, "tool", _TOOLS, findings)


def _warn_unknown_word(node: YamlNode, key: str, known: Sequence[str], findings: Findings) -> None:
    word = node.text(key)
    if word and word.lower() not in known:
        expected = f"expected one of {', '.join(known)}{suggestion(word, known)}"
        findings.warn(node.at(key), f"unknown {key} '{word[:_MAX_SHOWN]}'; {expected}")


def warn_contradicting_limits(
    node: YamlNode, limits: Sequence[TypeOption], findings: Findings
) -> None:
    """Warn about limits of a column that no value can meet together."""
    by_kind = {limit.kind: limit for limit in limits}
    for lower, uppers in _ABOVE.items():
        for upper in uppers:
            if lower not in by_kind or upper not in by_kind:
                continue
            low, high = by_kind[lower].value, by_kind[upper].value
            is_open = not _EXCLUSIVE.isdisjoint({lower, upper})
            if _is_above(low, high) or (is_open and low == high):
                article = "an" if lower.startswith("e") else "a"
                wanted = "below it" if is_open else "not above it"
                expected = f"expected {article} {lower} that is {wanted}"
                written = [str(node.at(kind).value)[:_MAX_SHOWN] for kind in (lower, upper)]
                message = f"no value meets {lower} {written[0]} and {upper} {written[1]}"
                findings.warn(node.at(lower), f"{message}; {expected}")


def _is_above(low: Bound, high: Bound) -> bool:
    try:
        return bool(cast("Any", low) > high)  # both are of the column's type
    except TypeError:
        return False


def warn_short_lookback(
    node: YamlNode, period: timedelta, *, lookback: timedelta, lag: timedelta, findings: Findings
) -> None:
    """Warn if no period can both start within the look-back and be due."""
    if lookback <= period + lag:
        expected = "expected a look-back of two periods and the lag, or longer"
        findings.warn(node, f"no period is ever due so soon; {expected}")
