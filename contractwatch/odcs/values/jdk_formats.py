"""Suggest a JDK date format in place of one that cannot be executed."""

import re

from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.contract.date_format import (
    MOST_LETTERS,
    DateFormatError,
    compile_format,
    is_epoch_format,
)

ISO = frozenset({"YYYY-MM-DDTHH:mm:ss.SSSZ"})
"""Formats that are read as ISO-8601. It is the default that the standard documents; by its letters
it would mean the year of weeks and the day of the year."""

_NAMES_OF_ISO = frozenset({"date", "time", "datetime", "date-time", "timestamp", "iso", "iso8601"})
_EXAMPLES = {
    LogicalType.DATE: "yyyy-MM-dd",
    LogicalType.TIMESTAMP: "yyyy-MM-dd HH:mm:ss",
    LogicalType.TIME: "HH:mm:ss",
}
_OF_STRFTIME = {
    "%Y": "yyyy", "%y": "yy", "%m": "MM", "%d": "dd", "%e": "d", "%j": "DDD",
    "%b": "MMM", "%B": "MMMM", "%a": "EEE", "%A": "EEEE",
    "%H": "HH", "%I": "hh", "%M": "mm", "%S": "ss", "%p": "a", "%f": "SSSSSS",
    "%z": "XX", "%:z": "XXX", "%F": "yyyy-MM-dd", "%T": "HH:mm:ss", "%%": "'%'",
}  # fmt: skip
_STRFTIME = re.compile("|".join(sorted(map(re.escape, _OF_STRFTIME), key=len, reverse=True)))
_RUN = re.compile(r"'[^']*'|([A-Za-z])\1*|[^A-Za-z']+|'")
_SHORTENED = {
    "MON": "MMM",
    "Mon": "MMM",
    "mon": "MMM",
    "MONTH": "MMMM",
    "Month": "MMMM",
    "AM": "a",
    "PM": "a",
    "tt": "a",
    "HH24": "HH",
    "hh24": "HH",
    "HH12": "hh",
    "MI": "mm",
    "mi": "mm",
}
_LONG_WORDS = re.compile("|".join(sorted(_SHORTENED, key=len, reverse=True)))


def format_suggestion(written: str, logical_type: LogicalType) -> str:
    """Return what to write instead of a date format, as the end of a message."""
    if len(written) > MOST_LETTERS:  # parsing it would take minutes
        return f"expected a form such as {_EXAMPLES[logical_type]}"
    if is_epoch_format(written):
        return "write logicalType: integer and no format"
    if written.lower().replace("_", "-").replace(" ", "") in _NAMES_OF_ISO | {"iso-8601"}:
        return "leave the format out: text is read as ISO-8601 without one"
    for meant in (_from_strftime(written), _with_corrected_case(written)):
        if meant and meant != written and _is_executable(meant, logical_type):
            return f"did you mean '{meant}'?"
    return f"expected a form such as {_EXAMPLES[logical_type]}"


def _is_executable(written: str, logical_type: LogicalType) -> bool:
    try:
        compile_format(written, logical_type)
    except DateFormatError:
        return False
    return True


def _from_strftime(written: str) -> str:
    """Translate a strftime format into one of the JDK; empty if it is none."""
    if "%" not in written:
        return ""
    found = _STRFTIME.sub(lambda one: _OF_STRFTIME[one.group()], written)
    return "" if "%" in found.replace("'%'", "") else found


def _with_corrected_case(written: str) -> str:
    """Return the format with each letter in the case that its position calls for.

    `m` is the month before the hour and the minute after it; `y`, `d`, `H` and `s` are known in
    either case.
    """
    shortened = _LONG_WORDS.sub(lambda one: _SHORTENED[one.group()], written)
    runs = [(one.group(), one.group(1)) for one in _RUN.finditer(shortened)]
    hour = "h" if any(text == "a" for text, _ in runs) else "H"
    found: list[str] = []
    for text, letter in runs:
        before = "".join(found)
        lower = letter.lower() if letter else ""
        if lower == "m":
            is_minute = hour in before and "m" not in before
            found.append("m" * min(len(text), _TWO) if is_minute else "M" * len(text))
        elif lower in {"s", "f"}:
            is_fraction = lower == "f" or len(text) > _TWO or "s" in before
            found.append(("S" if is_fraction else "s") * len(text))
        elif lower == "d":
            found.append(text if text == "DDD" else "d" * min(len(text), _TWO))
        else:
            letters = {"y": "y" * len(text), "h": hour * len(text), "z": "XXX"}
            found.append(letters.get(lower, text))
    return "".join(found)


_TWO = 2
