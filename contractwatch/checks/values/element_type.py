"""Check the element type of a vector column."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contractwatch.checks.common.nested_paths import NO_VALUE
from contractwatch.checks.common.promise_builder import measured, unmeasured_verdict
from contractwatch.model.base.path import ArrayItem
from contractwatch.model.measure.metric import Metric, TableSchema
from contractwatch.model.measure.state import Measurement, TableColumns
from contractwatch.model.record.check import Outcome, Promise, Verdict

_UNVERIFIABLE = "unverifiable: the source is text"


@dataclass(frozen=True, slots=True)
class ElementTypeCheck:
    """Check that the elements have the type `expected` in each file: `float32`, `int8`."""

    promise: Promise
    expected: str

    def metrics(self) -> tuple[Metric, ...]:
        return (TableSchema(self.promise.table),)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        error = unmeasured_verdict(answers, self.metrics(), self.expected)
        if error is not None:
            return error
        columns = measured(answers, TableSchema(self.promise.table), TableColumns)
        column = columns.find(self.promise.physical_columns[0])
        element = column.follow((*self.promise.path, ArrayItem())) if column else None
        if element is None:
            return Verdict(Outcome.FAILED, "no array", self.expected, reason="not an array")
        if element.text:
            return Verdict(Outcome.SKIPPED, threshold=self.expected, reason=_UNVERIFIABLE)
        if element.kind == "null":
            return Verdict(Outcome.PASSED, element.physical, self.expected, reason=NO_VALUE)
        kept = all(one.exact == self.expected for one in element.in_files)
        reason = "" if kept else f"the elements are of type {element.physical}"
        outcome = Outcome.PASSED if kept else Outcome.FAILED
        return Verdict(outcome, element.physical, self.expected, reason=reason)
