"""Check that the data of each business date is there by its daily deadline."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from contractwatch.checks.common.ages import duration_words, time_element
from contractwatch.checks.common.promise_builder import (
    measured,
    promise_of,
    unmeasured_verdict,
)
from contractwatch.checks.common.watermarks import (
    NO_RECORD,
    first_period_seen_after,
    watermark_metrics,
)
from contractwatch.checks.time.frequency import update_history
from contractwatch.model.contract.contract import Contract, LogicalType
from contractwatch.model.measure.metric import Metric, UpdateHistory
from contractwatch.model.measure.state import Measurement, WatermarkLog
from contractwatch.model.promises.kinds import KINDS
from contractwatch.model.promises.service_level import DueTime
from contractwatch.model.record.check import Check, Outcome, Promise, Verdict

DEADLINE = KINDS["timeOfAvailability"]

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class TimeOfAvailabilityCheck:
    """Check at the first run after each deadline that the data of the business date is there.

    The verdict stands until the next deadline.

    `in_days` says that the column has dates: they are compared as dates of its own zone.
    """

    promise: Promise
    deadline: DueTime
    history: UpdateHistory
    in_days: bool = False

    def metrics(self) -> tuple[Metric, ...]:
        return (*watermark_metrics(self.history), self.history)

    def judge(self, answers: Mapping[Metric, Measurement], now: datetime) -> Verdict:
        threshold = _deadline_words(self.deadline)
        error = unmeasured_verdict(answers, self.metrics(), threshold)
        if error is not None:
            return error
        history = measured(answers, self.history, WatermarkLog)
        if not history.is_recorded or not history.seen:
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=NO_RECORD)
        day = latest_day(self.deadline, now)
        due = deadline_on(self.deadline, day)
        following = next_day(self.deadline, day)
        if history.seen[0].first_seen > due:
            when = deadline_on(self.deadline, following).isoformat(timespec="minutes")
            reason = f"warming up: the first deadline that is watched is {when}"
            return Verdict(Outcome.SKIPPED, threshold=threshold, reason=reason)
        seen = first_period_seen_after(history, due)
        assert seen is not None, "this run is in the history, and is later than the deadline"
        if self._has(seen.watermark.newest, business_date(self.deadline, day)):
            last = history.seen[-1].watermark.newest
            is_ready = self._has(last, business_date(self.deadline, following))
            turns = None if is_ready else deadline_on(self.deadline, following)
            return Verdict(Outcome.PASSED, 0.0, threshold, stale_at=turns)
        return self._late(history, day, now)

    def _late(self, history: WatermarkLog, day: date, now: datetime) -> Verdict:
        due, wanted = deadline_on(self.deadline, day), business_date(self.deadline, day)
        after = [one for one in history.seen if one.last_seen >= due]
        came = [one.first_seen for one in after if self._has(one.watermark.newest, wanted)]
        late = ((came or [now])[0] - due).total_seconds()
        words = duration_words(timedelta(seconds=round(late)))
        what = "the data of {} came" if came else "no data of {}"
        reason = f"{what.format(wanted.isoformat())} {words} after the deadline"
        return Verdict(Outcome.FAILED, late, _deadline_words(self.deadline), reason=reason)

    def _has(self, newest: datetime | None, day: date) -> bool:
        """Return whether the data reaches into a business date."""
        if newest is None:
            return False
        if self.in_days:
            return newest.astimezone(ZoneInfo(self.history.timezone)).date() >= day
        return newest >= datetime.combine(day, time(0), _zone(self.deadline)).astimezone(UTC)


def checks(contract: Contract) -> Iterator[Check]:
    """Yield a check for each `timeOfAvailability` service level."""
    for level in contract.service_levels:
        if isinstance(level.promise, DueTime):
            deadline = level.promise
            element = time_element(contract, deadline.table, deadline.column)
            in_days = element.logical_type is LogicalType.DATE
            promise = promise_of(
                DEADLINE,
                element.subject,
                clause=level.clause,
                expected=f"each day's data {_deadline_words(deadline)}",
                severity=level.severity,
                level_id=level.level_id,
            )
            yield TimeOfAvailabilityCheck(promise, deadline, update_history(element), in_days)


def latest_day(deadline: DueTime, now: datetime) -> date:
    """Return the last day whose deadline has passed."""
    day = now.astimezone(_zone(deadline)).date() + _DAY
    while deadline_on(deadline, day) > now or not _has_deadline(deadline, day):
        day -= _DAY
    return day


def next_day(deadline: DueTime, day: date) -> date:
    """Return the next day that has a deadline."""
    day += _DAY
    while not _has_deadline(deadline, day):
        day += _DAY
    return day


def deadline_on(deadline: DueTime, day: date) -> datetime:
    """Return the instant (UTC) of a day's deadline.

    A local time that comes twice is the earlier one; one that its zone skips lies as long after
    midnight as the clock would have shown.
    """
    return datetime.combine(day, deadline.at, _zone(deadline)).astimezone(UTC)


def business_date(deadline: DueTime, day: date) -> date:
    """Return the date whose data is due on a day; its lag is counted in days with a deadline."""
    for _ in range(deadline.lag_days):
        day -= _DAY
        while not _has_deadline(deadline, day):
            day -= _DAY
    return day


def _has_deadline(deadline: DueTime, day: date) -> bool:
    return not deadline.weekdays or day.weekday() < _SATURDAY


def _zone(deadline: DueTime) -> tzinfo:
    if deadline.utc_offset is not None:
        return timezone(deadline.utc_offset)
    return ZoneInfo(deadline.timezone)


def _deadline_words(deadline: DueTime) -> str:
    zone = _zone(deadline) if deadline.utc_offset is not None else deadline.timezone
    days = " on weekdays" if deadline.weekdays else ""
    return f"by {deadline.at.isoformat()} {zone}{days}"
