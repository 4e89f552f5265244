"""Map each kind of promise to its quality dimension and objective; read severities."""

from collections.abc import Mapping

from contractwatch.model.base.clause import Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.odcs.yaml.node import Findings, Promised, YamlNode, nearest

OBJECTIVE_OF_DIMENSION: Mapping[Dimension, Objective] = {
    Dimension.ACCURACY: Objective.VALIDITY,
    Dimension.CONFORMITY: Objective.VALIDITY,
    Dimension.CONSISTENCY: Objective.VALIDITY,
    Dimension.COMPLETENESS: Objective.COMPLETENESS,
    Dimension.UNIQUENESS: Objective.UNIQUENESS,
    Dimension.COVERAGE: Objective.VOLUME,
    Dimension.TIMELINESS: Objective.FRESHNESS,
}
_SCHEMA = (Dimension.CONFORMITY, Objective.SCHEMA)
_VALIDITY = (Dimension.CONFORMITY, Objective.VALIDITY)
_COMPLETENESS = (Dimension.COMPLETENESS, Objective.COMPLETENESS)
_UNIQUENESS = (Dimension.UNIQUENESS, Objective.UNIQUENESS)
_CONSISTENCY = (Dimension.CONSISTENCY, Objective.VALIDITY)
_FRESHNESS = (Dimension.TIMELINESS, Objective.FRESHNESS)
_KINDS: Mapping[str, tuple[Dimension, Objective | None]] = {
    "presence": _SCHEMA,
    "type": _SCHEMA,
    "extraColumns": _SCHEMA,
    "required": _COMPLETENESS,
    "nullValues": _COMPLETENESS,
    "missingValues": _COMPLETENESS,
    "unique": _UNIQUENESS,
    "primaryKey": _UNIQUENESS,
    "duplicateValues": _UNIQUENESS,
    "uniqueItems": _UNIQUENESS,
    "segmentCompleteness": (Dimension.COVERAGE, Objective.VOLUME),
    "referenceCoverage": (Dimension.COVERAGE, Objective.VOLUME),
    "reconcile": _CONSISTENCY,
    "rowCount": (Dimension.COVERAGE, Objective.VOLUME),
    "relationship": _CONSISTENCY,
    "sql": _CONSISTENCY,
    "freshness": _FRESHNESS,
    "frequency": _FRESHNESS,
    "timeOfAvailability": _FRESHNESS,
    "throughput": (Dimension.TIMELINESS, Objective.VOLUME),
    "errorRate": _VALIDITY,
    "retention": (Dimension.TIMELINESS, Objective.VALIDITY),
    "availability": (Dimension.TIMELINESS, Objective.AVAILABILITY),
    "timeToDetect": (Dimension.TIMELINESS, None),
    "timeToNotify": (Dimension.TIMELINESS, None),
    "timeToRepair": (Dimension.TIMELINESS, None),
    "serviceLevel": (Dimension.TIMELINESS, None),
    "slo": (Dimension.CONFORMITY, None),
    "clause": (Dimension.CONFORMITY, None),
}
_SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("info", "trivial"), Severity.INFO),
    **dict.fromkeys(("warning", "warn", "low", "minor"), Severity.WARNING),
    **dict.fromkeys(("error", "major", "high", "critical", "blocker"), Severity.ERROR),
}


def objective_of(kind: str) -> Objective | None:
    """Return the objective that a kind of promise counts for, if any."""
    return _KINDS.get(kind, _VALIDITY)[1]


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
    dimension, objective = _KINDS.get(kind, _VALIDITY)
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
