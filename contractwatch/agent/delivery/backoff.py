"""Backoff of undelivered messages, and when to give them up."""

from contractwatch.model.record.incident import Urgency

_HOUR = 3_600.0
_PAGE_WAITS = (0.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
_TICKET_WAITS = (
    *(0.0, 5.0, 300.0, 1_800.0),
    *(hours * _HOUR for hours in (2, 5, 10, 14, 20, 24)),
)
_WAITS = {
    Urgency.PAGE: _PAGE_WAITS,
    Urgency.TICKET: _TICKET_WAITS,
    Urgency.INFO: _TICKET_WAITS,
}
_HORIZON_SECONDS = {
    Urgency.PAGE: 24 * _HOUR,
    Urgency.TICKET: sum(_TICKET_WAITS),
    Urgency.INFO: sum(_TICKET_WAITS),
}


def wait_seconds(
    urgency: Urgency, *, failures: int, age_seconds: float, scale: float = 1.0
) -> float | None:
    """Return the longest wait before the next attempt, or None when the message is given up.

    It is given up only when it is older than its horizon (24 h for a page, about 75 h otherwise)
    and the whole schedule was tried: an agent that was down for a week still tries it all.

    Args:
        urgency: Which schedule.
        failures: Attempts that failed so far, from 1.
        age_seconds: Time since the message was written.
        scale: Factor on waits and horizon, above 0; for demonstrations.

    Raises:
        ValueError: If `failures` is less than 1.
    """
    if failures < 1:
        raise ValueError("a wait comes after a failure")
    waits = _WAITS[urgency]
    tried_all = failures >= len(waits)
    if tried_all and age_seconds >= _HORIZON_SECONDS[urgency] * scale:
        return None
    return waits[-1 if tried_all else failures] * scale


def longest_wait_seconds(urgency: Urgency, *, failures: int, scale: float = 1.0) -> float:
    """Return how far ahead the next attempt can lie after so many failures; 0 before the first."""
    waits = _WAITS[urgency]
    return waits[min(failures, len(waits) - 1)] * scale
