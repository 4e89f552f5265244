"""Turn a metric into what is selected for it in the one aggregate over a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlglot import exp

from contractwatch.model.measure.metric import Metric
from contractwatch.model.measure.state import Measurement

Selected: TypeAlias = Sequence[object]
"""Values that were selected, as the driver gives them: integers, texts or None."""


@dataclass(frozen=True, slots=True)
class Recheck:
    """Question whose first answer leaves it open; it is answered by the rows themselves."""

    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Aggregates that are selected for a metric, and the function that makes its answer of them."""

    metric: Metric
    aggregates: tuple[exp.Expr, ...]
    answer: Callable[[Selected], Measurement | Recheck]


def number(value: object) -> int:
    """Return a selected count; a sum over no row is none."""
    return int(str(value)) if value is not None else 0
