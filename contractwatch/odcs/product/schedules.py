"""Read when a contract is run: its own schedule, else the frequency that it promises."""

from datetime import timedelta

from contractwatch.model.contract.contract import Schedule
from contractwatch.odcs.service_levels.levels import level_duration
from contractwatch.odcs.values.crons import cron_problem
from contractwatch.odcs.values.level_names import level_kind
from contractwatch.odcs.values.units import UnitError, parse_iso_duration, parse_number
from contractwatch.odcs.values.zones import UTC_NAME, zone_at
from contractwatch.odcs.yaml.node import Findings, YamlNode

_NONE = timedelta(0)


def read_schedule(root: YamlNode, findings: Findings) -> Schedule | None:
    """Read the schedule; None if the contract has neither a schedule nor a frequency."""
    frequency = _frequency(root, findings)
    node = root.extension("schedule")
    if node is None:
        return frequency
    cron, interval = (
        cron_at(node, "cron", findings),
        positive_duration_at(node, "interval", findings),
    )
    if node.has("jitter"):
        message = "'jitter' is not used: each product has a fixed offset of its own"
        findings.warn(node.at("jitter"), message)
    promised = frequency if frequency is not None and not (cron or interval) else Schedule()
    here = node.at("cron" if cron else "interval").clause
    return Schedule(
        cron=cron,
        interval=interval or promised.interval,
        clause=promised.clause or here,
        timezone=zone_at(node, "timezone", UTC_NAME, findings),
        timeout=positive_duration_at(node, "timeout", findings),
    )


def positive_duration_at(node: YamlNode, key: str, findings: Findings) -> timedelta | None:
    """Return the ISO-8601 duration at a key; zero is an error."""
    return _duration(node.at(key), findings, may_be_zero=False)


def duration_at(node: YamlNode, key: str, findings: Findings) -> timedelta | None:
    """Return the ISO-8601 duration at a key; zero is allowed."""
    return _duration(node.at(key), findings, may_be_zero=True)


def cron_at(node: YamlNode, key: str, findings: Findings) -> str | None:
    """Return the five-field cron expression at a key; None, with an error, if it is invalid."""
    written = node.text(key)
    problem = cron_problem(written) if written else ""
    if problem:
        findings.error(node.at(key), problem)
    return written if written and not problem else None


def _duration(node: YamlNode, findings: Findings, *, may_be_zero: bool) -> timedelta | None:
    if not isinstance(node.value, str):
        return None
    try:
        length = parse_iso_duration(node.value)
    except UnitError as wrong:
        findings.error(node, str(wrong))
        return None
    if length.is_zero and not may_be_zero:
        findings.error(node, "no length of time; expected more than 0")
        return None
    return length.approximate


def _frequency(root: YamlNode, findings: Findings) -> Schedule | None:
    """Return the shortest time between two updates that the contract promises."""
    found: list[Schedule] = []
    for level in root.at("slaProperties").each():
        if level_kind(level) != "frequency":
            continue
        length = level_duration(level, findings)
        updates = parse_number(level.at("valueExt").value) or 1
        if length is not None and not length.is_zero and updates > 0:
            found.append(Schedule(interval=length.approximate / updates, clause=level.clause))
    return min(
        (one for one in found if one.interval), key=lambda one: one.interval or _NONE, default=None
    )
