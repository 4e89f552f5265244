"""Kinds of promises: the quality dimension and the objective that each belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contractwatch.model.base.clause import Dimension
from contractwatch.model.base.objective import Objective
from contractwatch.model.promises.rule import TypeOptionKind


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of promise: its name, and the default dimension and objective of its clauses.

    `objective` is None for what no objective can follow. A kind of `operations` is about those who
    run the product, not about its data: it is judged and shown, and its objective ignores it.
    """

    name: str
    dimension: Dimension
    objective: Objective | None
    operations: bool = False


OBJECTIVE_OF_DIMENSION: Mapping[Dimension, Objective] = {
    Dimension.ACCURACY: Objective.VALIDITY,
    Dimension.CONFORMITY: Objective.VALIDITY,
    Dimension.CONSISTENCY: Objective.VALIDITY,
    Dimension.COMPLETENESS: Objective.COMPLETENESS,
    Dimension.UNIQUENESS: Objective.UNIQUENESS,
    Dimension.COVERAGE: Objective.VOLUME,
    Dimension.TIMELINESS: Objective.FRESHNESS,
}
"""The objective of a rule that declares its own dimension."""


def _kinds(
    dimension: Dimension,
    objective: Objective | None,
    names: Iterable[str],
    *,
    operations: bool = False,
) -> dict[str, Kind]:
    return {name: Kind(name, dimension, objective, operations) for name in names}


KINDS: Mapping[str, Kind] = {
    **_kinds(Dimension.CONFORMITY, Objective.VALIDITY, (kind.value for kind in TypeOptionKind)),
    **_kinds(
        Dimension.CONFORMITY,
        Objective.SCHEMA,
        ("presence", "type", "timezone", "physicalType", "extraColumns"),
    ),
    **_kinds(
        Dimension.COMPLETENESS,
        Objective.COMPLETENESS,
        ("required", "nullValues", "missingValues"),
    ),
    **_kinds(
        Dimension.UNIQUENESS,
        Objective.UNIQUENESS,
        ("unique", "primaryKey", "duplicateValues", "uniqueItems"),
    ),
    **_kinds(Dimension.CONFORMITY, Objective.VALIDITY, ("invalidValues", "piiLeak", "errorRate")),
    **_kinds(
        Dimension.CONSISTENCY,
        Objective.VALIDITY,
        ("relationship", "reconcile", "sql", "monotonicIncrease"),
    ),
    **_kinds(
        Dimension.COVERAGE,
        Objective.VOLUME,
        ("rowCount", "segmentCompleteness", "referenceCoverage"),
    ),
    **_kinds(
        Dimension.TIMELINESS,
        Objective.FRESHNESS,
        ("freshness", "latency", "frequency", "timeOfAvailability"),
    ),
    **_kinds(Dimension.TIMELINESS, Objective.VOLUME, ("throughput",)),
    **_kinds(Dimension.TIMELINESS, Objective.VALIDITY, ("retention", "endOfLife")),
    **_kinds(Dimension.TIMELINESS, Objective.AVAILABILITY, ("availability",)),
    **_kinds(
        Dimension.TIMELINESS,
        Objective.AVAILABILITY,
        ("timeToDetect", "timeToNotify", "timeToRepair"),
        operations=True,
    ),
    **_kinds(Dimension.TIMELINESS, None, ("serviceLevel",)),
    **_kinds(Dimension.CONFORMITY, None, ("slo", "clause")),
}
"""Every kind by its name. `serviceLevel`, `slo` and `clause` name clauses that are skipped."""


def kind_named(name: str) -> Kind:
    """Return a kind; one that is not known, such as a metric of a later standard, is validity."""
    return KINDS.get(name) or Kind(name, Dimension.CONFORMITY, Objective.VALIDITY)
