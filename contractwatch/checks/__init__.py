"""Index of the checks: which metrics each kind of promise asks for, and how it is judged.

Each module has one function, `checks(contract)`, that yields a check for each clause of its kind.
What the modules share is in `common`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from contractwatch.checks.operations import availability, error_rate, incident_times
from contractwatch.checks.references import reconcile, reference_coverage, relationship
from contractwatch.checks.schema import extra_columns, physical_type, presence, types
from contractwatch.checks.time import frequency, freshness, latency, retention, time_of_availability
from contractwatch.checks.uniqueness import duplicate_values, unique
from contractwatch.checks.values import (
    invalid_values,
    monotonic_increase,
    null_values,
    options,
    pii_leak,
    required,
    sql,
)
from contractwatch.checks.volume import row_count, segment_completeness, throughput
from contractwatch.model.contract.contract import Contract
from contractwatch.model.record.check import Check

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
    "monotonicIncrease": monotonic_increase.checks,
    "sql": sql.checks,
    "freshness": freshness.checks,
    "latency": latency.checks,
    "frequency": frequency.checks,
    "timeOfAvailability": time_of_availability.checks,
    "throughput": throughput.checks,
    "errorRate": error_rate.checks,
    "retention": retention.checks,
    "availability": availability.checks,
    "relationship": relationship.checks,
    "referenceCoverage": reference_coverage.checks,
    "reconcile": reconcile.checks,
    "timeToRepair": incident_times.checks,
}
