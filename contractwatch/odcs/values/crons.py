"""Check cron expressions: five fields, a next time, and no field that is drawn by chance."""

import re
from datetime import datetime

_FIELDS = 5
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - only asks whether the expression ever comes true
_YEARS = 8
_MAX_LENGTH = 200
_RANDOM_FIELD = re.compile(r"\b[rh]\b", re.IGNORECASE)
"""`R` and `H` stand for a number that somebody else draws: two readers would not agree on it."""

_EXPECTED = "expected a form such as '*/15 * * * *'"


def cron_problem(written: str) -> str:
    """Return what is wrong with a cron expression and what is expected; empty if it is valid."""
    if len(written) > _MAX_LENGTH or len(written.split()) != _FIELDS:
        return f"a cron expression has 5 fields: minute, hour, day, month, weekday; {_EXPECTED}"
    if _RANDOM_FIELD.search(written) or not _ever_matches(written):
        return f"'{written}' is no cron expression that ever comes true; {_EXPECTED}"
    return ""


def _ever_matches(written: str) -> bool:
    # Imported where a cron expression is read: it costs as much as reading a contract.
    from croniter import CroniterError, croniter  # noqa: PLC0415 - see above

    try:
        croniter(written, _ANY_DAY, max_years_between_matches=_YEARS).get_next()
    except (CroniterError, ValueError, KeyError, OverflowError):
        return False
    return True
