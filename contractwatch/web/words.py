"""Numbers and times become words that a person reads at a glance."""

from datetime import UTC, datetime

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_UNITS = (("d", _DAY), ("h", _HOUR), ("min", _MINUTE), ("s", 1))


def duration(seconds: float) -> str:
    """Return the length in its two largest units: `3 d 4 h`, `12 min`, `8 s`; signs are dropped."""
    whole = int(abs(seconds))
    if whole < 1:
        return "0 s"
    parts: list[str] = []
    first = next(index for index, (_, size) in enumerate(_UNITS) if whole >= size)
    for unit, size in _UNITS[first : first + 2]:
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}")
        if unit == "min" and first == _UNITS.index(("min", _MINUTE)):
            break
    return " ".join(parts)


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago the moment was; `just now` within two seconds."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < 2:  # noqa: PLR2004 - two seconds are now
        return "just now"
    return f"{duration(seconds)} ago" if seconds > 0 else f"in {duration(seconds)}"


def clock_time(moment: datetime) -> str:
    """Return the instant in UTC, to the minute."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def iso(moment: datetime) -> str:
    """Return the instant as ISO-8601 in UTC, to the second, ending in Z."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def percent(ratio: float, *, digits: int = 1) -> str:
    """Return a ratio as percent, never rounded up to a full 100 or down to 0.

    A record that is not perfect must not look perfect: 0.99999 is `99.9 %`.
    """
    value = ratio * 100
    step = 10.0**-digits
    shown = round(value, digits)
    if shown >= 100 > value:  # noqa: PLR2004 - percent
        shown = 100 - step
    elif shown == 0 and value != 0:
        shown = step if value > 0 else -step
    text = f"{shown:,.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} %"


def amount(value: float | int | str | None) -> str:
    """Return an observed number with thousands apart and without a useless fraction."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}"


def count_of(number: int, noun: str) -> str:
    """Return the number with its noun in the right form: `1 product`, `2 products`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
