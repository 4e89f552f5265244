"""Recognize what unreadable texts are from their shapes, and suggest the format to declare."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from contractwatch.model.base.server import ReadPolicy
from contractwatch.model.contract.contract import LogicalType

_DAYS = (
    "yyyy-MM-dd", "dd.MM.yyyy", "d.M.yyyy", "dd.MM.yy",
    "dd/MM/yyyy", "MM/dd/yyyy", "d/M/yyyy", "M/d/yyyy",
    "dd/MM/yy", "MM/dd/yy", "dd-MM-yyyy", "MM-dd-yyyy", "yyyy/MM/dd", "yyyy.MM.dd", "yyyyMMdd",
    "dd-MMM-yyyy", "dd-MMM-yy", "dd MMM yyyy", "d MMM yyyy", "MMM dd, yyyy", "MMM d, yyyy",
    "yyyy-M-d",
)  # fmt: skip
_CLOCKS = (
    "HH:mm", "HH:mm:ss", "H:mm", "HH:mm:ss.SSS", "HH.mm", "HHmm", "HHmmss",
    "h:mm a", "hh:mm a", "hh:mm:ss a",
)  # fmt: skip
_WIDTHS = {"MMM": "xxx", "a": "xx", "'T'": "x"}
_MOST_FORMATS = 3
_PLAINLY = ReadPolicy()
_NUMERIC = (LogicalType.INTEGER, LogicalType.NUMBER)
_ANY_BLANK = re.compile("[\u00a0\u2009\u202f]")
_NO_VALUE = "if it stands for no value, list the cell in nullValues of contractwatch.read"
_TEXT_WITH_ENUM = "write logicalType: string with an enum of the words"
_MONTHS = "months are read as Jan, Feb, Mar, in English and in this case"


def format_hint(
    shapes: Iterable[str],
    logical_type: LogicalType,
    *,
    written: str = "",
    read: ReadPolicy = _PLAINLY,
) -> str:
    """Describe the first unreadable texts and suggest what to declare, as the end of a sentence.

    Args:
        shapes: With a 9 for each digit and an x for each letter.
        logical_type: Of the column.
        written: Its date format; empty for ISO-8601.
        read: How the server's numbers are written.
    """
    listed = tuple(shapes)
    if not listed:
        return ""
    shown = ", ".join(f"'{one}'" for one in listed)
    hint = _hint(listed, logical_type, written, read)
    return f"; the first look like {shown}{f': {hint}' if hint else ''}"


def _hint(shapes: Sequence[str], logical_type: LogicalType, written: str, read: ReadPolicy) -> str:
    if logical_type is LogicalType.BOOLEAN:
        digits = "write logicalType: integer" if set(shapes) <= {"9"} else _TEXT_WITH_ENUM
        return f"expected true or false; {digits}, or mend the data"
    if logical_type not in (*_FORMATS, *_NUMERIC):
        return ""
    numbered = [shape for shape in shapes if "9" in shape]
    hints: list[str] = []
    if numbered and logical_type in _NUMERIC:
        hints.append(_number_hint(numbered[0], logical_type, read))
    elif numbered:
        hints.append(_date_hint(numbered, logical_type, written))
    if len(numbered) < len(shapes):
        hints.append(_NO_VALUE)
    return "; ".join(dict.fromkeys(hints))


def _number_hint(shape: str, logical_type: LogicalType, read: ReadPolicy) -> str:
    """Suggest what to declare for a shape that has digits."""
    if shape != shape.strip():
        return "blanks stand around it; mend the data"
    shape = _ANY_BLANK.sub(" ", shape).replace("\u2019", "'").lstrip("+-")
    have = read.decimal, _ANY_BLANK.sub(" ", read.thousands).replace("\u2019", "'")
    marks = [one for one in _number_marks(shape) if one != have]
    if (have[0], "") in _number_marks(shape) and have[0] in shape:
        return "it has a fraction: write logicalType: number"
    if not marks:
        return "expected a number with nothing around it; mend the data"
    if logical_type is LogicalType.INTEGER:
        marks = [one for one in marks if one[1]] or marks
    keys = dict.fromkeys(_read_keys(decimal, thousands, have[0]) for decimal, thousands in marks)
    return f"write contractwatch.read: {' or '.join(keys)}"


def _number_marks(shape: str) -> list[tuple[str, str]]:
    """Return the decimal and thousands marks with which a shape is a number."""
    return [
        (decimal, thousands)
        for thousands in (",", ".", " ", "'", "_", "")
        for decimal in ".,"
        if decimal != thousands and _number_pattern(decimal, thousands).fullmatch(shape)
    ]


@cache
def _number_pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    mark, two = re.escape(thousands), "9{1,2}(?:,9{2})*,9{3}|" if thousands == "," else ""
    whole = rf"(?:{two}9{{1,3}}(?:{mark}9{{3}})+)" if thousands else "9+"
    return re.compile(rf"{whole}(?:{re.escape(decimal)}9+)?")


def _read_keys(decimal: str, thousands: str, have: str) -> str:
    """Format the `contractwatch.read` keys of these marks; leave out a decimal mark in use."""
    keys = [f'decimal: "{decimal}"'] if decimal != have else []
    keys += [f'thousands: "{thousands}"'] if thousands else []
    return f"{{{', '.join(keys)}}}"


def _date_hint(shapes: Sequence[str], logical_type: LogicalType, written: str) -> str:
    formats: list[str] = []
    for shape in shapes:
        formats.extend(_FORMATS[logical_type].get(shape, ()))
    if written in formats and "MMM" in written:
        return f"{_MONTHS}; mend the data, or write logicalType: string"
    fitting = [one for one in dict.fromkeys(formats) if one != written][:_MOST_FORMATS]
    if not fitting:
        expected = written or "ISO-8601"
        return f"expected {expected}; write another logicalTypeOptions.format, or mend the data"
    is_whole = logical_type is not LogicalType.TIMESTAMP or "HH" in fitting[0]
    if not written and is_whole and fitting[0] in _ISO:
        return "this is ISO-8601, of a day or a time that does not exist; mend the data"
    if written and fitting[0] in _ISO:
        return "this is ISO-8601; leave logicalTypeOptions.format out"
    named = f"; {_MONTHS}" if "MMM" in fitting[0] else ""
    return f"write logicalTypeOptions.format: {' or '.join(fitting)}{named}"


def _shape_of(form: str) -> str:
    for letters, shape in _WIDTHS.items():
        form = form.replace(letters, shape)
    return "".join("9" if one in "yMdHhmsS" else one for one in form)


def _by_shape(formats: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for form in formats:
        found.setdefault(_shape_of(form), []).append(form)
    return {shape: tuple(forms) for shape, forms in found.items() if shape}


_TIMESTAMPS = (
    *(
        f"{day}{between}{clock}{zone}"
        for day in _DAYS
        for between in ("'T'", " ")
        for clock in _CLOCKS
        for zone in ("", "XXX", " XXX")
        if "X" not in zone or "a" not in clock
    ),
    *_DAYS,
    "yyyyMMddHHmmss",
    "yyyyMMddHHmmssSSS",
)
_ISO = frozenset({"yyyy-MM-dd", "HH:mm", "HH:mm:ss", "HH:mm:ss.SSS"}) | {
    f"yyyy-MM-dd{between}{clock}"
    for between in ("'T'", " ")
    for clock in ("HH:mm", "HH:mm:ss", "HH:mm:ss.SSS")
}
_FORMATS = {
    LogicalType.DATE: _by_shape(_DAYS),
    LogicalType.TIME: _by_shape(_CLOCKS),
    LogicalType.TIMESTAMP: _by_shape(_TIMESTAMPS),
}
