"""Read `schedule` and `scheduler` of single rules and service levels.

An unusable one is a warning, and the rule is judged with its contract.
"""

from collections.abc import Iterable, Iterator

from contractwatch.model.contract.contract import PromiseSchedule
from contractwatch.model.promises.service_level import ServiceLevel
from contractwatch.odcs.values.crons import cron_problem
from contractwatch.odcs.values.zones import UTC_NAME, is_zone
from contractwatch.odcs.yaml.node import Findings, YamlNode

MAX_CRONS = 100
"""So many different ones a contract may have: every run asks each of them when it is due."""

_CRON = "cron"
_MAX_SHOWN = 60


def read_promise_schedules(
    root: YamlNode, levels: Iterable[ServiceLevel], findings: Findings
) -> tuple[PromiseSchedule, ...]:
    """Read the schedules of rules and service levels that are executed, in their order."""
    zone = _zone(root)
    crons: set[str] = set()
    found: list[PromiseSchedule] = []
    for node in _executed(root, levels, findings):
        cron = _cron(node, findings)
        if not cron:
            continue
        if len({*crons, cron}) > MAX_CRONS:
            message = f"more than {MAX_CRONS} different schedules; expected fewer"
            findings.warn(node.at("schedule"), f"{message}; {_with_contract(node)}")
            continue
        crons.add(cron)
        found.append(PromiseSchedule(node.clause, cron, zone))
    return tuple(found)


def _zone(root: YamlNode) -> str:
    """Return the time zone of the contract's schedule, UTC if it is unknown."""
    node = root.extension("schedule")
    name = node.text("timezone") if node is not None else ""
    return name if name and is_zone(name) else UTC_NAME


def _executed(
    root: YamlNode, levels: Iterable[ServiceLevel], findings: Findings
) -> Iterator[YamlNode]:
    """Yield every rule and service level with a schedule or a scheduler that is executed."""
    skipped = {clause.clause.path for clause in findings.skipped}
    executed = {level.clause.path for level in levels}
    for level in root.at("slaProperties").each():
        if level.path in executed and _is_scheduled(level):
            yield level
    for table in root.at("schema").each():
        for rule in _rules(table):
            if rule.path not in skipped and _is_scheduled(rule):
                yield rule


def _rules(node: YamlNode) -> Iterator[YamlNode]:
    """Yield the quality rules of a table or of a value, and of all that is below it."""
    yield from node.at("quality").each()
    entries = node.at("map")
    below = (*node.at("properties").each(), node.at("items"), entries.at("key"))
    for inner in (*below, entries.at("value")):
        yield from _rules(inner) if inner.mapping() else ()


def _is_scheduled(node: YamlNode) -> bool:
    return bool(node.text("schedule") or node.text("scheduler"))


def _cron(node: YamlNode, findings: Findings) -> str:
    """Return the cron expression of a rule or a service level; empty if unusable."""
    written, scheduler = node.text("schedule"), node.text("scheduler")
    if scheduler and scheduler.lower() != _CRON:
        message = f"the scheduler '{scheduler[:_MAX_SHOWN]}' is not asked; expected 'cron'"
        findings.warn(node.at("scheduler"), f"{message}; {_with_contract(node)}")
        return ""
    if not written:
        message = "a scheduler without a schedule; expected a cron expression of 5 fields"
        findings.warn(node.at("scheduler"), f"{message}; {_with_contract(node)}")
        return ""
    problem = cron_problem(written)
    if problem:
        findings.warn(node.at("schedule"), f"{problem}; {_with_contract(node)}")
        return ""
    return written


def _with_contract(node: YamlNode) -> str:
    what = "service level" if node.path.startswith("slaProperties") else "rule"
    return f"the {what} is judged with its contract"
