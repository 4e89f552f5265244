"""Read `contractwatch.slo` and `contractwatch.alerts`: targets, routes, receivers."""

from collections.abc import Mapping
from datetime import timedelta

from contractwatch.model.base.clause import Dimension, Severity
from contractwatch.model.base.objective import Objective, Target
from contractwatch.model.contract.contract import AlertPolicy, Route, SupportChannel
from contractwatch.model.promises.kinds import OBJECTIVE_OF_DIMENSION
from contractwatch.odcs.compat.upgrade import DIMENSION_SYNONYMS
from contractwatch.odcs.product.schedules import duration_at, positive_duration_at
from contractwatch.odcs.values.level_names import level_kind
from contractwatch.odcs.values.promises import (
    dimension_of,
    objective_of,
    promised,
)
from contractwatch.odcs.values.units import parse_number
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion

_RECORD_KEEPS = timedelta(days=90)
_HUNDRED_PERCENT = 100
_EXECUTED_MATCHES = frozenset({"severity"})
_UNUSED: Mapping[str, str] = {
    "budgetPolicy": "alerts and the trust score follow fixed rules of the error budget",
    "trust": "the trust score is made alike for all products",
}


def read_targets(root: YamlNode, findings: Findings) -> tuple[Target, ...]:
    """Read the targets of `contractwatch.slo`: the strictest one of each objective."""
    node = root.extension("slo")
    strictest: dict[Objective, Target] = {}
    _warn_of_unused(root, findings)
    for entry in node.each() if node is not None else ():
        if entry.text("budgeting") == "timeslices":
            message = "'timeslices' is not used: a budget is counted in the time that was bad"
            findings.warn(entry.at("budgeting"), message)
        objective = _objective(entry, root, findings)
        percent = parse_number(entry.at("objective").value)
        window = positive_duration_at(entry, "window", findings)
        if window is not None and window > _RECORD_KEEPS:
            message = "the record keeps 90 days; expected a window of P90D or less"
            findings.error(entry.at("window"), message)
        if (
            objective is None
            or percent is None
            or not 0 < percent < _HUNDRED_PERCENT
            or window is None
        ):
            continue
        target = Target(objective, round(percent / _HUNDRED_PERCENT, 12), window, is_default=False)
        known = strictest.get(objective)
        if known is None or known.ratio < target.ratio:
            strictest[objective] = target
    return tuple(strictest.values())


def _warn_of_unused(root: YamlNode, findings: Findings) -> None:
    for name, instead in _UNUSED.items():
        node = root.extension(name)
        if node is not None:
            findings.warn(node, f"'contractwatch.{name}' is not used: {instead}")


def _objective(entry: YamlNode, root: YamlNode, findings: Findings) -> Objective | None:
    sli = entry.at("sli")
    if sli.has("sla"):
        return _objective_of_level(sli.at("sla"), root, findings)
    if sli.has("quality"):
        return _objective_of_rule(sli.at("quality"), root, findings)
    if sli.has("dimension"):
        return _objective_of_dimension(sli, findings)
    if sli.text("kind") == "schema":
        return Objective.SCHEMA
    words = f"{entry.at('objective').value} % for the table {sli.text('object')[:60]}"
    promise = promised("slo", "-", rule_id=entry.text("id"), expected=words)
    findings.skip(entry, promise, "an objective for a whole table")
    return None


def _objective_of_level(node: YamlNode, root: YamlNode, findings: Findings) -> Objective | None:
    by_id = {level.text("id"): level for level in root.at("slaProperties").each()}
    level = by_id.get(str(node.value))
    if level is None or not node.value:
        return _unresolved(node, "service level", by_id, findings)
    kind = level_kind(level)
    objective = objective_of(kind) if kind else None
    if objective is None:
        name = level.text("property")[:40]
        findings.warn(node, f"no record is kept for '{name}'; the objective is not used")
    return objective


def _objective_of_rule(node: YamlNode, root: YamlNode, findings: Findings) -> Objective | None:
    by_id = {rule.text("id"): rule for rule in _rules(root)}
    rule = by_id.get(str(node.value))
    if rule is None or not node.value:
        return _unresolved(node, "rule", by_id, findings)
    dimension = dimension_of(rule)
    if dimension is not None:
        return OBJECTIVE_OF_DIMENSION[dimension]
    own_check = rule.at("implementation").text("check")
    return objective_of(rule.text("metric") or own_check or rule.text("type"))


def _objective_of_dimension(sli: YamlNode, findings: Findings) -> Objective | None:
    word = sli.text("dimension").lower()
    word = DIMENSION_SYNONYMS.get(word, word)
    if word in Dimension.__members__.values():
        return OBJECTIVE_OF_DIMENSION[Dimension(word)]
    if word in Objective.__members__.values():
        return Objective(word)
    hint = suggestion(word, (*Dimension, *Objective))
    expected = ", ".join(Dimension)
    message = f"unknown dimension '{word[:40]}'; expected one of {expected}{hint}"
    findings.error(sli.at("dimension"), message)
    return None


def _unresolved(
    node: YamlNode, what: str, known: Mapping[str, YamlNode], findings: Findings
) -> None:
    shown = str(node.value)[:60]
    hint = suggestion(shown, filter(None, known))
    findings.error(node, f"no {what} has the id '{shown}'; expected one that has{hint}")


def _rules(root: YamlNode) -> list[YamlNode]:
    found: list[YamlNode] = []
    waiting = list(root.at("schema").each())
    while waiting:
        node = waiting.pop(0)
        found.extend(node.at("quality").each())
        waiting.extend(node.at("properties").each())
        if node.has("items"):
            waiting.append(node.at("items"))
    return found


def read_alerts(
    root: YamlNode, support: tuple[SupportChannel, ...], findings: Findings
) -> AlertPolicy:
    """Read `contractwatch.alerts`; a route must lead to a support channel of the contract."""
    node = root.extension("alerts")
    if node is None:
        return AlertPolicy()
    if node.has("silence"):
        message = "silences are not kept yet; alerts are sent at all times"
        findings.warn(node.at("silence"), message)
    if node.has("groupBy"):
        message = "'groupBy' is not used: one message tells of all that breaks in a product"
        findings.warn(node.at("groupBy"), message)
    routes = [_read_route(entry, support, findings) for entry in node.at("routes").each()]
    return AlertPolicy(
        grace=duration_at(node, "grace", findings) or timedelta(0),
        routes=tuple(route for route in routes if route is not None),
    )


def _read_route(
    entry: YamlNode, support: tuple[SupportChannel, ...], findings: Findings
) -> Route | None:
    to, match = entry.text("to"), entry.at("match")
    known = [name for one in support for name in (one.channel_id, one.channel) if name]
    if to and _plain(to) not in map(_plain, known):
        expected = f"expected the id or channel of a 'support' entry{suggestion(to, known)}"
        message = f"no support entry is called '{to[:60]}'; {expected}"
        findings.error(entry.at("to"), message)
    if entry.has("repeat"):
        message = "'repeat' is not used: each incident is told once, and once when it ends"
        findings.warn(entry.at("repeat"), message)
    others = [key for key in match.mapping() if key not in _EXECUTED_MATCHES]
    if others:
        # a route that also asks for a driver would match too much if that were left out
        names = ", ".join(others)[:60]
        findings.warn(match, f"routes are matched by severity only, not by {names}; left out")
        return None
    return Route(to, _severities(match), duration_at(entry, "grace", findings))


def _plain(name: str) -> str:
    return name.strip().lstrip("#").casefold()


def _severities(match: YamlNode) -> frozenset[Severity]:
    written = match.texts("severity") or (match.text("severity"),)
    return frozenset(Severity(word) for word in written if word in Severity.__members__.values())
