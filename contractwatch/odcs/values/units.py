"""Parse numbers, units, durations and shares, in every spelling that is allowed."""

import math
import re
from dataclasses import dataclass
from datetime import timedelta

_DAY_SECONDS = 86_400.0
_MAX_DAYS = 366_000.0
_MAX_MONTHS = 12_000
_MAX_DIGITS = 40

_FIXED_SECONDS = {
    "ms": 0.001,
    "s": 1.0,
    "min": 60.0,
    "h": 3_600.0,
    "d": _DAY_SECONDS,
    "w": 7 * _DAY_SECONDS,
}
_CALENDAR_MONTHS = {"mo": 1, "y": 12}
_SPELLINGS = {
    "ms": "ms msec msecs milli millis millisecond milliseconds",
    "s": "s sec secs second seconds",
    "min": "min mins minute minutes",
    "h": "h hr hrs hour hours",
    "d": "d day days",
    "w": "w wk wks week weeks",
    "mo": "mo mos mon mth mths month months",
    "y": "y yr yrs year years annum",
}
_UNITS = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
_ONE_LETTER = {
    "m": ("min", "minutes", "mo", "months"),
    "M": ("mo", "months", "min", "minutes"),
}
_MAX_SHOWN = 40
_WHOLE_DAY_UNITS = frozenset({"d", "w", "mo", "y"})

_NUMBER = r"(\d+(?:\.\d+)?)"
_ISO = re.compile(
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:(T)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)
_ISO_UNITS = ("y", "mo", "w", "d", "", "h", "min", "s")
_DECIMAL = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?")
_WITH_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


_SHARE = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*%")


class UnitError(ValueError):
    """The text is no duration or number; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration: calendar months and a fixed rest.

    `whole_days` is whether it was written in days or longer units.
    """

    fixed: timedelta
    calendar_months: int = 0
    whole_days: bool = False

    @property
    def is_zero(self) -> bool:
        """Return whether the duration is zero."""
        return not self.fixed and not self.calendar_months

    @property
    def approximate(self) -> timedelta:
        """The duration with months of 30 days."""
        return self.fixed + timedelta(days=30 * self.calendar_months)


def parse_number(value: object) -> float | int | None:
    """Parse a finite number, also from text; None if it is none."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        value = float(value) if not value.strip().lstrip("+-").isdigit() else _parse_integer(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if _is_finite(value) else None


def bound_error(operator: str, value: object) -> str:
    """Return what is wrong with the bound of an operator, and what to write."""
    if operator.endswith("Between"):
        expected = "expected a list of two different numbers, the lower one first"
        return f"{expected}, as {operator}: [0, 100]"
    if not isinstance(value, str):
        return "expected a finite number"
    share, number = _SHARE.fullmatch(value.strip()), parse_number(value)
    if share is not None:
        return f"expected a number: write '{operator}: {share[1]}' and 'unit: percent'"
    if number is not None:
        return f"expected a number: write '{operator}: {number}' without quotes"
    return "expected a finite number"


def parse_unit(name: str) -> str | None:
    """Return the canonical unit (ms, s, min, h, d, w, mo, y) of a name; None if it is unknown.

    `m` is a minute and `M` a month, as in date formats; see `ambiguous_unit_warning`.
    """
    word = name.strip().rstrip(".")
    if word in _ONE_LETTER:
        return _ONE_LETTER[word][0]
    return _UNITS.get(word.lower().replace("(s)", "s"))


def ambiguous_unit_warning(name: str) -> str:
    """Return how an ambiguous unit is read and what to write; empty if it is unambiguous."""
    known = _ONE_LETTER.get(name.strip().rstrip("."))
    if known is None:
        return ""
    unit, words, other, other_words = known
    return (
        f"'{name.strip()[:_MAX_SHOWN]}' is read as {words}; "
        f"write '{unit}', or '{other}' if {other_words} are meant"
    )


def split_unit(text: str) -> tuple[str, str]:
    """Return the number and unit of a text such as `1h` or `30 minutes`; else the text and ""."""
    found = _WITH_UNIT.fullmatch(text.strip())
    return (found[1], found[2]) if found else (text, "")


def duration_of(amount: float, unit: str) -> Duration:
    """Return the duration of an amount of a canonical unit.

    Raises:
        UnitError: If it is negative, too long, or a fraction of a month.
    """
    if amount < 0:
        raise UnitError("expected a length of time that is not negative")
    whole_days = unit in _WHOLE_DAY_UNITS
    if unit in _CALENDAR_MONTHS:
        months = amount * _CALENDAR_MONTHS[unit]
        if months > _MAX_MONTHS:
            raise UnitError("expected at most 1,000 years")
        if months != int(months):
            raise UnitError("a fraction of a month has no fixed length; expected days")
        return Duration(timedelta(0), int(months), whole_days)
    seconds = amount * _FIXED_SECONDS[unit]
    if seconds > _MAX_DAYS * _DAY_SECONDS:
        raise UnitError("expected at most 1,000 years")
    return Duration(timedelta(seconds=seconds), 0, whole_days)


def is_iso_duration(text: str) -> bool:
    """Return whether the text looks like an ISO-8601 duration."""
    return text.strip().upper().startswith("P")


def parse_iso_duration(text: str) -> Duration:
    """Parse an ISO-8601 duration such as P1DT6H; every part may have a fraction.

    Raises:
        UnitError: If it is no such duration.
    """
    found = _ISO.fullmatch(text.strip().upper())
    if found is None or not any(found.groups()) or found.group(0).endswith("T"):
        raise UnitError(
            f"'{text}' is no ISO-8601 duration; expected a form such as PT15M or P1DT6H"
        )
    fixed, months = timedelta(0), 0
    for unit, amount in zip(_ISO_UNITS, found.groups(), strict=True):
        if amount is None or not unit:
            continue
        part = duration_of(float(amount), unit)
        fixed, months = fixed + part.fixed, months + part.calendar_months
    return Duration(fixed, months, found.group(5) is None)


def _parse_integer(text: str) -> int | float:
    """Return a whole number; one of absurd length becomes a float, which may be infinite."""
    return int(text) if len(text) <= _MAX_DIGITS else float(text)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
