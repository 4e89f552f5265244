"""Format durations, instants and numbers for messages, and cut texts to a length."""

from datetime import UTC, datetime

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))

_WHOLE_NUMBERS_BELOW = 1e15


def duration(seconds: float) -> str:
    """Format a duration in its two largest units: `2h14m`, `3d`, `45s`; `0s` for none."""
    left = max(0, round(seconds))
    for index, (unit, size) in enumerate(_UNITS):
        if left >= size:
            count, rest = divmod(left, size)
            finer = _UNITS[index + 1 : index + 2]
            tail = [f"{rest // small}{name}" for name, small in finer if rest >= small]
            return f"{count}{unit}{''.join(tail)}"
    return "0s"


def instant(at: datetime) -> str:
    """Format an instant in UTC, to the second: `2026-11-22 09:30:00 UTC`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def number(value: float) -> str:
    """Format a number with thousands marked and at most four significant decimals."""
    if abs(value) < _WHOLE_NUMBERS_BELOW and value == int(value):
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1 else f"{value:,.4f}".rstrip("0").rstrip(".")


def truncate(text: str, length: int) -> str:
    """Cut a text to a length in code points, with an ellipsis as the last one."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
