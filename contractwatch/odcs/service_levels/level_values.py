"""Parse the values of service levels: shares, rates, times of day, counts of updates."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from contractwatch.model.base.clause import Severity
from contractwatch.odcs.values.units import (
    UnitError,
    ambiguous_unit_warning,
    duration_of,
    parse_iso_duration,
    parse_number,
    parse_unit,
)
from contractwatch.odcs.values.zones import UTC_NAME, is_zone
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion

MAX_UPDATES = 900
"""The record keeps a thousand watermarks of a table, so more updates in a period go unseen."""

_PERCENT = frozenset({"", "percent", "percentage", "%"})
_HUNDRED_PERCENT = 100
_SUSPICIOUSLY_SMALL = 1
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?")
_RATE = re.compile(r"(rows?|bytes?)\s*/\s*([a-z]+)", re.IGNORECASE)
_CALENDARS = ("all", "weekdays")


@dataclass(frozen=True, slots=True)
class Modifier:
    """One entry of `contractwatch.sla`: its name and its node."""

    name: str
    node: YamlNode


@dataclass(frozen=True, slots=True)
class DailyTime:
    """A time of day in a zone; `lag_days` is None where the contract does not say."""

    at: time
    timezone: str
    utc_offset: timedelta | None
    lag_days: int | None
    weekdays: bool


MIN_YEAR = 1900
"""The first year of a product's dates; there is no last one, as 9999 is written for never."""


def find_modifier(modifiers: tuple[Modifier, ...], name: str) -> YamlNode | None:
    """Return the node of the modifier with a name, if there is one."""
    return next((one.node for one in modifiers if one.name == name), None)


def percent_at(level: YamlNode, findings: Findings, *, is_small: bool) -> float | None:
    """Read the share that a level promises, in percent; None, with an error, if it is wrong.

    Unless `is_small`, one up to 1 % is reported, as it was likely meant as a ratio.
    """
    unit, value = level.text("unit").lower(), level.at("value")
    written = value.value.rstrip(" %") if isinstance(value.value, str) else value.value
    percent = parse_number(written)
    if unit not in _PERCENT:
        shown = level.text("unit")[:40]
        findings.error(level.at("unit"), f"unknown unit '{shown}'; expected percent")
    if percent is None or not 0 <= percent <= _HUNDRED_PERCENT:
        findings.error(value, "no share; expected a percentage from 0 to 100")
        return None
    if not is_small and 0 < percent <= _SUSPICIOUSLY_SMALL:
        message = f"{percent} is read as {percent} %; expected a percentage from 0 to 100"
        findings.warn(value, message)
    return float(percent)


def updates_at(level: YamlNode, findings: Findings) -> int | None:
    """Read the number of updates in a period, 1 by default; None, with an error, if it is wrong."""
    written = level.at("valueExt")
    if written.value is None:
        return 1
    count = parse_number(written.value)
    if count is None or count < 1 or count != int(count):
        findings.error(written, "no number of updates; expected a whole number from 1 on")
        return None
    return int(count)


def rate_at(level: YamlNode, findings: Findings) -> tuple[float, timedelta] | str | None:
    """Read rows and their period, or why the rate is skipped; None, with an error, if wrong."""
    found = _RATE.fullmatch(level.text("unit"))
    rows = parse_number(level.at("value").value)
    if rows is None or rows < 0:
        findings.error(level.at("value"), "no rate; expected a number of rows, and 'unit: rows/h'")
        return None
    unit = parse_unit(found.group(2)) if found else None
    if found is None or unit is None:
        shown = level.text("unit")[:40]
        message = f"unknown unit '{shown}'; expected rows/s, rows/h or rows/d"
        findings.error(level.at("unit") if level.has("unit") else level, message)
        return None
    doubt = ambiguous_unit_warning(found.group(2))
    if doubt:
        findings.warn(level.at("unit"), doubt)
    if found.group(1).lower().startswith("byte"):
        return "throughput in bytes"
    period = duration_of(1, unit)
    return "throughput per month or year" if period.calendar_months else (rows, period.fixed)


def daily_time_at(
    level: YamlNode, modifiers: tuple[Modifier, ...], findings: Findings
) -> DailyTime | None:
    """Read the time of day of a level; None, with an error, if it is wrong."""
    value = level.at("value")
    found = _TIME.fullmatch(value.value.strip()) if isinstance(value.value, str) else None
    try:
        hour, minute, second = (
            (int(part or 0) for part in found.groups()[:3]) if found else (99,) * 3
        )
        at = time(hour, minute, second)
    except ValueError:
        expected = "expected a text such as '09:00', '09:00:30' or '09:00+02:00'"
        findings.error(value, f"no time of day; {expected}")
        return None
    offset = _offset(found.group(4)) if found else None
    if level.text("unit"):
        findings.warn(level.at("unit"), "a time of day has no unit; remove it")
    calendar = find_modifier(modifiers, "calendar")
    if calendar is not None and calendar.value not in _CALENDARS:
        near = suggestion(str(calendar.value), _CALENDARS)
        findings.error(calendar, f"unknown calendar; expected all or weekdays{near}")
    weekdays = calendar is not None and calendar.value == "weekdays"
    zone = _zone(find_modifier(modifiers, "timezone"), findings)
    lag = _lag(find_modifier(modifiers, "businessDateLag"), findings)
    return DailyTime(at, zone, offset, lag, weekdays)


def quantile_at(node: YamlNode | None, findings: Findings) -> float:
    """Read the quantile; 1, the maximum, by default."""
    if node is None:
        return 1.0
    quantile = parse_number(node.value)
    if quantile is None or not 0 < quantile <= 1:
        findings.error(node, "no quantile; expected a number above 0, and at most 1")
        return 1.0
    return float(quantile)


def severity_at(node: YamlNode | None, default: Severity, findings: Findings) -> Severity:
    """Read the severity of a level."""
    if node is None:
        return default
    if node.value in Severity.__members__.values():
        return Severity(str(node.value))
    findings.error(node, "unknown severity; expected info, warning or error")
    return default


def parse_moment(text: str) -> datetime | None:
    """Parse an ISO-8601 date or time as an instant in UTC; None if it is none.

    One before `MIN_YEAR` is none, because days before it are computed and there is no year 0.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        found = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year >= MIN_YEAR else None


def _offset(written: str | None) -> timedelta | None:
    if written is None:
        return None
    if written == "Z":
        return timedelta(0)
    sign = -1 if written.startswith("-") else 1
    return sign * timedelta(hours=int(written[1:3]), minutes=int(written[4:6]))


def _zone(node: YamlNode | None, findings: Findings) -> str:
    if node is None:
        return UTC_NAME
    if isinstance(node.value, str) and is_zone(node.value):
        return node.value
    shown = str(node.value)[:60]
    message = f"unknown time zone '{shown}'; expected an IANA name such as Europe/Amsterdam"
    findings.error(node, message)
    return UTC_NAME


def _lag(node: YamlNode | None, findings: Findings) -> int | None:
    if node is None:
        return None
    try:
        length = parse_iso_duration(node.value) if isinstance(node.value, str) else None
    except UnitError:
        length = None
    if (
        length is None
        or length.calendar_months
        or not length.whole_days
        or length.fixed.days > _HUNDRED_PERCENT
    ):
        findings.error(node, "no lag; expected whole days such as P1D, at most P100D")
        return None
    return length.fixed.days
