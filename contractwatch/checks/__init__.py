"""Each kind of promise is one file: which questions it asks of the data, and which verdict follows.

A file of this shelf has one function, `checks(contract)`, that yields a check for each clause of
its kind. `terms`, `thresholds`, `counts`, `ages`, `formats` and
`spellings` are what the files share.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from contractwatch.checks import (
    availability,
    deadline,
    delay,
    duplicate_values,
    error_rate,
    extra_columns,
    frequency,
    freshness,
    invalid_values,
    null_values,
    options,
    physical_type,
    pii_leak,
    presence,
    reaction_time,
    reconcile,
    reference_coverage,
    relationship,
    required,
    retention,
    row_count,
    segment_completeness,
    sql,
    throughput,
    types,
    unique,
)
from contractwatch.model.check import Check
from contractwatch.model.contract import Contract

Generator: TypeAlias = Callable[[Contract], Iterable[Check]]
"""Yields the checks of one family of kinds; pure, and the same for the same contract."""

CHECKS: Mapping[str, Generator] = {
    "presence": presence.checks,
    "extraColumns": extra_columns.checks,
    "type": types.checks,
    "physicalType": physical_type.checks,
    "required": required.checks,
    "unique": unique.checks,
    "logicalTypeOptions": options.checks,
    "nullValues": null_values.checks,
    "invalidValues": invalid_values.checks,
    "duplicateValues": duplicate_values.checks,
    "rowCount": row_count.checks,
    "segmentCompleteness": segment_completeness.checks,
    "piiLeak": pii_leak.checks,
    "sql": sql.checks,
    "freshness": freshness.checks,
    "latency": delay.checks,
    "frequency": frequency.checks,
    "timeOfAvailability": deadline.checks,
    "throughput": throughput.checks,
    "errorRate": error_rate.checks,
    "retention": retention.checks,
    "availability": availability.checks,
    "relationship": relationship.checks,
    "referenceCoverage": reference_coverage.checks,
    "reconcile": reconcile.checks,
    "timeToRepair": reaction_time.checks,
}
