"""Build a promise with the dimension and objective of its kind; read severities and dimensions."""

from collections.abc import Mapping

from contractwatch.model.base.clause import Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.promises.kinds import kind_named
from contractwatch.odcs.yaml.node import Findings, Promised, YamlNode, nearest

_SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("info", "trivial"), Severity.INFO),
    **dict.fromkeys(("warning", "warn", "low", "minor"), Severity.WARNING),
    **dict.fromkeys(("error", "major", "high", "critical", "blocker"), Severity.ERROR),
}


def objective_of(kind: str) -> Objective | None:
    """Return the objective that a kind of promise counts for, if any."""
    known = kind_named(kind)
    return None if known.operations else known.objective


def promised(
    kind: str,
    table: str,
    column: str | None = None,
    *,
    severity: Severity = Severity.ERROR,
    rule_id: str = "",
    expected: str = "",
) -> Promised:
    """Return a promise with the dimension and objective of its kind."""
    dimension = kind_named(kind).dimension
    objective = objective_of(kind)
    return Promised(kind, table, column, dimension, objective, severity, rule_id, expected)


def severity_of(place: YamlNode, findings: Findings) -> Severity:
    """Return the severity that a rule declares, by any of its names; `error` if it has none."""
    written = place.text("severity")
    known = _SEVERITIES.get(written.lower())
    if written and known is None:
        near = nearest(written, _SEVERITIES)
        hint = f"; did you mean '{near}'?" if near else ""
        message = (
            f"unknown severity '{written[:60]}' counts as error; expected info, warning, error"
        )
        findings.warn(place.at("severity"), message + hint)
    return known or Severity.ERROR


def dimension_of(place: YamlNode) -> Dimension | None:
    """Return the dimension that a rule declares; None if it declares none of the seven."""
    written = place.text("dimension")
    return Dimension(written) if written in Dimension.__members__.values() else None
