"""Kind of evidence of an answer: metadata, a full scan, or the state of an earlier run."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from contractwatch.model.measure.metric import Metric, RowCount, TableSchema


class Evidence(StrEnum):
    """Kind of evidence that an answer rests on.

    METADATA: what the files say of themselves (columns, row count, statistics); rows were read only
    where that left the answer open. SCAN: every value was read. STATE: what an earlier run kept.
    """

    METADATA = "metadata"
    SCAN = "scan"
    STATE = "state"


_FRAME_OF_REFERENCE = (RowCount, TableSchema)
_WEAKEST_FIRST = (Evidence.METADATA, Evidence.STATE, Evidence.SCAN)


def evidence_of_check(
    metrics: Iterable[Metric], known: Mapping[Metric, Evidence]
) -> Evidence | None:
    """Return the weakest evidence that a check's answers rest on, or None if nothing was read.

    The rows in scope and the columns count only where nothing else is asked.
    """
    asked = tuple(metrics)
    judged = [metric for metric in asked if not isinstance(metric, _FRAME_OF_REFERENCE)] or asked
    found = {known[metric] for metric in judged if metric in known}
    return next((each for each in _WEAKEST_FIRST if each in found), None)
