"""Format numbers, times and durations for people."""

from datetime import UTC, datetime

from contractwatch.alerting.words import duration
from contractwatch.model.record.run import Timing

_NOW_SECONDS = 2
_WHOLE_MINUTES_FROM = 120


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago the moment was: `4m ago`, `1h14m ago`; `just now` within two seconds."""
    seconds = (now - moment).total_seconds()
    if abs(seconds) < _NOW_SECONDS:
        return "just now"
    return (
        f"{duration_words(abs(seconds))} ago"
        if seconds > 0
        else f"in {duration_words(abs(seconds))}"
    )


def duration_words(seconds: float) -> str:
    """Return the length of time, in whole minutes from two of them on."""
    return duration(seconds - seconds % 60 if seconds >= _WHOLE_MINUTES_FROM else seconds)


def clock_time(moment: datetime) -> str:
    """Return the instant in UTC, to the minute."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def to_minute(moment: datetime) -> str:
    """Return the instant as ISO-8601 in UTC, to the minute, ending in Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def judged_words(timing: Timing) -> str:
    """Return when a promise with a schedule of its own was judged, and when it is due again."""
    return f"judged {to_minute(timing.judged_at)}, next {to_minute(timing.next_at)}"


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
    return f"{text}\N{NO-BREAK SPACE}%"


def count_of(number: int, noun: str) -> str:
    """Return the number with its noun in the right form: `1 product`, `2 products`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
