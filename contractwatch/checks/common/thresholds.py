"""Compare a number with a threshold, and word thresholds, counts and numbers."""

from collections.abc import Callable, Mapping

from contractwatch.model.promises.rule import Operator, Threshold, Unit

NONE_AT_ALL = Threshold(Operator.EQUAL, 0)
"""The threshold of every promise that allows no violation."""

PERCENT_TOLERANCE = 5e-7
"""`mustBe` and `mustNotBe` of a percentage compare within this (the reference rounds to 6)."""

_WORDS: Mapping[Operator, str] = {
    Operator.EQUAL: "exactly {low}",
    Operator.NOT_EQUAL: "anything but {low}",
    Operator.GREATER: "more than {low}",
    Operator.GREATER_OR_EQUAL: "at least {low}",
    Operator.LESS: "less than {low}",
    Operator.LESS_OR_EQUAL: "at most {low}",
    Operator.BETWEEN: "{low} to {high}",
    Operator.NOT_BETWEEN: "below {low} or above {high}",
}

_HOLDS: Mapping[Operator, Callable[[float, float, float, float], bool]] = {
    Operator.EQUAL: lambda value, low, _, tolerance: abs(value - low) <= tolerance,
    Operator.NOT_EQUAL: lambda value, low, _, tolerance: abs(value - low) > tolerance,
    Operator.GREATER: lambda value, low, _high, _tolerance: value > low,
    Operator.GREATER_OR_EQUAL: lambda value, low, _high, _tolerance: value >= low,
    Operator.LESS: lambda value, low, _high, _tolerance: value < low,
    Operator.LESS_OR_EQUAL: lambda value, low, _high, _tolerance: value <= low,
    Operator.BETWEEN: lambda value, low, high, _: low <= value <= high,
    Operator.NOT_BETWEEN: lambda value, low, high, _: not low <= value <= high,
}

_WHOLE_NUMBERS_BELOW = 1e15


def is_met(threshold: Threshold, value: float) -> bool:
    """Return whether a value is within the threshold; both ends of an interval are included."""
    tolerance = PERCENT_TOLERANCE if threshold.unit is Unit.PERCENT else 0
    high = threshold.low if threshold.high is None else threshold.high
    return _HOLDS[threshold.operator](value, threshold.low, high, tolerance)


def promised_words(threshold: Threshold, noun: str) -> str:
    """Word the threshold as a promise: `at most 0.5 % null rows`, `no null rows`."""
    allows_none = threshold.operator in {Operator.EQUAL, Operator.LESS_OR_EQUAL}
    if allows_none and threshold.low == 0:
        return f"no {noun}"
    unit = "% " if threshold.unit is Unit.PERCENT else ""
    one = not unit and threshold.low == 1 and threshold.high is None
    return f"{_amount(threshold)} {unit}{noun.removesuffix('s') if one else noun}"


def limit_words(threshold: Threshold, noun: str = "rows") -> str:
    """Word the threshold beside an observed value: `at most 0.5 %`, `exactly 0 rows`."""
    return f"{_amount(threshold)} {'%' if threshold.unit is Unit.PERCENT else noun}"


def count_words(count: int, noun: str) -> str:
    """Format a count with its noun: `1 row`, `2,000 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def number_words(value: float) -> str:
    """Format a number with thousands marked and without a needless fraction."""
    if abs(value) < _WHOLE_NUMBERS_BELOW and value == int(value):
        return f"{int(value):,}"
    return repr(value)


def _amount(threshold: Threshold) -> str:
    low = number_words(threshold.low)
    high = low if threshold.high is None else number_words(threshold.high)
    return _WORDS[threshold.operator].format(low=low, high=high)
