"""Tell from the shapes of cells that cannot be read what they look like, and what to write."""

from collections.abc import Iterable, Mapping

from contractwatch.model.contract import LogicalType

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


def words_of(shapes: Iterable[str], logical_type: LogicalType, *, written: str = "") -> str:
    """Return what the first cells look like and what to write, as the end of a sentence.

    Args:
        shapes: With a 9 for each digit and an x for each letter.
        logical_type: Of the column.
        written: Its date format; empty for ISO-8601.
    """
    told = tuple(shapes)
    if not told:
        return ""
    shown = ", ".join(f"'{one}'" for one in told)
    hint = _hint(told, logical_type, written)
    return f"; the first look like {shown}{f': {hint}' if hint else ''}"


def _hint(shapes: Iterable[str], logical_type: LogicalType, written: str) -> str:
    if logical_type not in _FORMATS:
        return ""
    formats: list[str] = []
    for shape in shapes:
        formats.extend(_FORMATS[logical_type].get(shape, ()))
    fitting = [one for one in dict.fromkeys(formats) if one != written][:_MOST_FORMATS]
    if not fitting:
        expected = written or "ISO-8601"
        return f"expected {expected}; write another logicalTypeOptions.format, or mend the data"
    is_whole = logical_type is not LogicalType.TIMESTAMP or "HH" in fitting[0]
    if not written and is_whole and fitting[0] in _ISO:
        return "this is ISO-8601, of a day or a time that does not exist; mend the data"
    if written and fitting[0] in _ISO:
        return "this is ISO-8601; leave logicalTypeOptions.format out"
    return f"write logicalTypeOptions.format: {' or '.join(fitting)}"


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
