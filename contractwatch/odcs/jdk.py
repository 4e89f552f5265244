"""A date format of the JDK is known to chrono and to Python, by a fixed table."""

import re
from collections.abc import Mapping

_CHRONO: Mapping[str, str] = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%m",
    "DDD": "%j",
    "dd": "%d",
    "d": "%d",
    "EEEE": "%A",
    "EEE": "%a",
    "HH": "%H",
    "H": "%H",
    "hh": "%I",
    "h": "%I",
    "a": "%p",
    "mm": "%M",
    "m": "%M",
    "ss": "%S",
    "s": "%S",
    ".SSS": "%.3f",
    ".SSSSSS": "%.6f",
    ".SSSSSSSSS": "%.9f",
    **dict.fromkeys(("X", "XX", "XXX", "Z", "ZZZZZ"), "%#z"),
}
"""All offsets are read alike: only `%#z` knows the Z for none, which the JDK's X letters and the
standard's own examples of `Z` have."""
_PYTHON = {"%.3f": ".%f", "%.6f": ".%f", "%.9f": ".%f", "%#z": "%z"}
_ISO_BY_MISTAKE = "YYYY-MM-DDTHH:mm:ss.SSSZ"
"""The default that ODCS documents; by the letter it would mean week-year and day of year."""
_PART = re.compile(r"'(?:[^']|'')*'|\.?(?P<letter>[A-Za-z])(?P=letter)*|[^A-Za-z']", re.DOTALL)
_OFTEN_MEANT = {"YYYY": "yyyy", "DD": "dd", "D": "d", "YY": "yy"}


class FormatError(ValueError):
    """The format has a letter that is not read; the message says which."""


def chrono_format(jdk: str) -> str:
    """Return the JDK pattern in chrono's directives; empty for ISO-8601.

    Raises:
        FormatError: If a letter has no directive.
    """
    if jdk == _ISO_BY_MISTAKE:
        return ""
    out: list[str] = []
    at = 0
    while at < len(jdk):
        found = _PART.match(jdk, at)
        if found is None:
            raise FormatError("a quote is not closed")
        out.append(_directive(found.group(), is_letters=found.group("letter") is not None))
        at = found.end()
    return "".join(out)


def python_format(chrono: str) -> str:
    """Return the chrono format as Python's strptime reads it."""
    for directive, python in _PYTHON.items():
        chrono = chrono.replace(directive, python)
    return chrono


def _directive(part: str, *, is_letters: bool) -> str:
    if part.startswith("'"):
        return (part[1:-1].replace("''", "'") or "'").replace("%", "%%")
    if not is_letters:
        return part.replace("%", "%%")
    if part in _CHRONO:
        return _CHRONO[part]
    letters = part.lstrip(".")
    if letters in _CHRONO:
        return part.removesuffix(letters) + _CHRONO[letters]
    if letters == "T":
        return part  # no letter of the JDK: between date and time the standard means it itself
    meant = _OFTEN_MEANT.get(letters)
    hint = f"; did you mean '{meant}'?" if meant else ""
    raise FormatError(f"'{letters[:20]}' of a date format is not read{hint}")
