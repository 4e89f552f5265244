"""Plan the questions of a contract, and judge their answers: pure, without input or output.

`plan` returns the checks of a contract and all that they ask, `judge` turns what was read into the
results of a run. `planning`, `judging` and `outcome` hold the three steps.
"""

from contractwatch.verify.judging import forecast, judge
from contractwatch.verify.outcome import has_wrong_clause
from contractwatch.verify.planning import (
    Plan,
    as_of,
    asked_of_data,
    asked_of_record,
    has_ended,
    plan,
    promised_objectives,
    rests_on,
    unread,
    without,
)

__all__ = [
    "Plan",
    "as_of",
    "asked_of_data",
    "asked_of_record",
    "forecast",
    "has_ended",
    "has_wrong_clause",
    "judge",
    "plan",
    "promised_objectives",
    "rests_on",
    "unread",
    "without",
]
