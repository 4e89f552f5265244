"""When a contract is run: its own schedule, else the frequency that it promises."""

from datetime import datetime, timedelta

from contractwatch.model.contract import Schedule
from contractwatch.odcs.levels import kind_of, length_at
from contractwatch.odcs.place import Findings, Place
from contractwatch.odcs.units import UnitError, iso_length, number_of
from contractwatch.odcs.zones import UTC_NAME, zone_at

_CRON_FIELDS = 5
_SOME_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - only asks whether the expression ever comes true
_YEARS = 8
_LONGEST_CRON = 200


def read_schedule(root: Place, findings: Findings) -> Schedule | None:
    """Return the schedule; None if the contract has neither a schedule nor a frequency."""
    frequency = _frequency(root, findings)
    place = root.custom("schedule")
    if place is None:
        return None if frequency is None else Schedule(interval=frequency)
    cron, interval = _cron(place, findings), duration_at(place, "interval", findings)
    if place.has("jitter"):
        message = "'jitter' is not used: each product has a fixed offset of its own"
        findings.warn(place.at("jitter"), message)
    return Schedule(
        cron=cron,
        interval=interval or (None if cron else frequency),
        timezone=zone_at(place, "timezone", UTC_NAME, findings),
        timeout=duration_at(place, "timeout", findings),
    )


def duration_at(place: Place, key: str, findings: Findings) -> timedelta | None:
    """Return the ISO-8601 duration at a key; it must be more than nothing."""
    return _duration(place.at(key), findings, may_be_zero=False)


def delay_at(place: Place, key: str, findings: Findings) -> timedelta | None:
    """Return the ISO-8601 duration at a key; it may be nothing."""
    return _duration(place.at(key), findings, may_be_zero=True)


def _duration(place: Place, findings: Findings, *, may_be_zero: bool) -> timedelta | None:
    if not isinstance(place.value, str):
        return None
    try:
        length = iso_length(place.value)
    except UnitError as wrong:
        findings.error(place, str(wrong))
        return None
    if length.is_zero and not may_be_zero:
        findings.error(place, "no length of time; expected more than 0")
        return None
    return length.roughly


def _cron(place: Place, findings: Findings) -> str | None:
    written = place.text("cron")
    if not written:
        return None
    if len(written) > _LONGEST_CRON or len(written.split()) != _CRON_FIELDS:
        message = "a cron expression has 5 fields: minute, hour, day, month, weekday"
        findings.error(place.at("cron"), f"{message}; expected a form such as '*/15 * * * *'")
        return None
    # Imported where a cron expression is read: it costs as much as reading a contract.
    from croniter import CroniterError, croniter  # noqa: PLC0415 - see above

    try:
        croniter(written, _SOME_DAY, max_years_between_matches=_YEARS).get_next()
    except (CroniterError, ValueError, KeyError, OverflowError):
        message = f"'{written}' is no cron expression that ever comes true"
        findings.error(place.at("cron"), f"{message}; expected a form such as '*/15 * * * *'")
        return None
    return written


def _frequency(root: Place, findings: Findings) -> timedelta | None:
    """Return the shortest time between two updates that the contract promises."""
    found: list[timedelta] = []
    for level in root.at("slaProperties").each():
        if kind_of(level) != "frequency":
            continue
        length = length_at(level, findings)
        updates = number_of(level.at("valueExt").value) or 1
        if length is not None and not length.is_zero and updates > 0:
            found.append(length.roughly / updates)
    return min((length for length in found if length), default=None)
