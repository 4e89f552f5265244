"""Deadlines of each day and reactions to incidents are judged by values."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from checks_values import NOW, at, column, contract, only, table

from contractwatch.checks.common.watermarks import extend_history
from contractwatch.checks.time.time_of_availability import business_date, deadline_on, latest_day
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import (
    IncidentTimes,
    Metric,
    RowCount,
    TimeSpan,
    UpdateHistory,
)
from contractwatch.model.measure.state import (
    Count,
    IncidentLog,
    IncidentTime,
    Measurement,
    TimeRange,
    Watermark,
    WatermarkLog,
    WatermarkPeriod,
)
from contractwatch.model.promises.service_level import (
    DueTime,
    IncidentStep,
    MaxIncidentTime,
    ServiceLevel,
)
from contractwatch.model.record.check import Check, Outcome, Verdict

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PASSED, FAILED, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED
SPAN, HISTORY = TimeSpan("t", "AT"), UpdateHistory("t", "AT")


def level(promise: Any, kind: str, **more: Any) -> Check:
    stamp = column("at", LogicalType.TIMESTAMP, physical_name="AT", **more)
    loaded = column("loaded", LogicalType.TIMESTAMP, physical_name="LOADED")
    levels = (ServiceLevel(at(50), "s", kind, promise),)
    return only(kind, contract(table(stamp, loaded), service_levels=levels))


def told(verdict: Verdict) -> tuple[Outcome, Any, str]:
    return verdict.outcome, verdict.observed, verdict.reason


# ---- timeOfAvailability

NINE = DueTime("t", "at", time(9))
AMSTERDAM = DueTime("t", "at", time(2, 30), "Europe/Amsterdam")
DUE = datetime(2026, 3, 10, 9, tzinfo=UTC)  # NOW is noon of that Tuesday


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("deadline", "day", "instant"),
    [
        (NINE, date(2026, 3, 10), DUE),
        (AMSTERDAM, date(2026, 3, 28), utc(2026, 3, 28, 1, 30)),
        (AMSTERDAM, date(2026, 3, 29), utc(2026, 3, 29, 1, 30)),  # 02:30 is skipped: it is 03:30
        (AMSTERDAM, date(2026, 10, 25), utc(2026, 10, 25, 0, 30)),  # the earlier of two
        (AMSTERDAM, date(2026, 10, 26), utc(2026, 10, 26, 1, 30)),
        (DueTime("t", "at", time(9), utc_offset=2 * HOUR), date(2028, 2, 29), utc(2028, 2, 29, 7)),
        (DueTime("t", "at", time(0), "America/Sao_Paulo"), date(2018, 11, 4), utc(2018, 11, 4, 3)),
    ],
)
def test_a_deadline_is_one_instant_of_each_day(
    deadline: DueTime, day: date, instant: datetime
) -> None:
    assert deadline_on(deadline, day) == instant
    assert latest_day(deadline, instant) == day
    assert latest_day(deadline, instant - HOUR / 3600) == day - DAY


@pytest.mark.parametrize(
    ("lag", "weekdays", "day", "expected"),
    [
        (0, False, date(2026, 3, 9), date(2026, 3, 9)),
        (1, False, date(2026, 3, 9), date(2026, 3, 8)),
        (1, True, date(2026, 3, 9), date(2026, 3, 6)),  # Monday's data is Friday's
        (2, True, date(2026, 3, 10), date(2026, 3, 6)),
        (1, False, date(2028, 3, 1), date(2028, 2, 29)),
    ],
)
def test_a_business_date_lags_in_the_days_that_count(
    lag: int, weekdays: bool, day: date, expected: date
) -> None:
    deadline = DueTime("t", "at", time(9), lag_days=lag, weekdays=weekdays)
    assert business_date(deadline, day) == expected


def test_at_a_weekend_the_deadline_of_friday_is_the_latest() -> None:
    weekdays = DueTime("t", "at", time(9), weekdays=True)
    assert latest_day(weekdays, utc(2026, 3, 8, 23)) == date(2026, 3, 6)
    assert latest_day(weekdays, utc(2026, 3, 9, 8, 59)) == date(2026, 3, 6)


def looked(*looks: tuple[datetime, datetime | None]) -> WatermarkLog:
    """Return the history of runs at these instants that saw these newest values."""
    history: tuple[WatermarkPeriod, ...] = ()
    for when, newest in looks:
        history = extend_history(history, Watermark(newest, 1), when)
    return WatermarkLog(history)


def by_nine(history: WatermarkLog, promise: DueTime = NINE, now: datetime = NOW) -> Verdict:
    check = level(promise, "timeOfAvailability")
    answers: Mapping[Metric, Measurement] = {
        SPAN: TimeRange(),
        RowCount("t"): Count(1),
        HISTORY: history,
    }
    return check.judge(answers, now)


def test_the_first_run_after_the_deadline_decides_until_the_next_one() -> None:
    yesterday, today = DUE - 20 * HOUR, DUE - HOUR
    in_time = looked((DUE - DAY, yesterday), (DUE, today), (NOW, today))
    kept = by_nine(in_time)
    assert (told(kept), kept.stale_at) == ((PASSED, 0.0, ""), DUE + DAY)
    late = looked((DUE - DAY, yesterday), (DUE, yesterday), (DUE + HOUR / 2, today), (NOW, today))
    assert told(by_nine(late)) == (
        FAILED,
        1800.0,
        "the data of 2026-03-10 came 30 min after the deadline",
    )
    never = looked((DUE - DAY, yesterday), (DUE, yesterday), (NOW, yesterday))
    assert told(by_nine(never)) == (
        FAILED,
        10800.0,
        "no data of 2026-03-10 3 h after the deadline",
    )


def test_what_came_while_nobody_looked_is_not_held_against_the_data() -> None:
    unseen = looked((DUE - DAY, DUE - 20 * HOUR), (NOW, DUE - HOUR))
    assert by_nine(unseen).outcome is PASSED


def test_data_that_is_ready_for_the_next_deadline_does_not_turn_stale() -> None:
    lagged = DueTime("t", "at", time(9), lag_days=1)
    ready = looked((DUE - DAY, NOW), (NOW, NOW))
    assert by_nine(ready, lagged).stale_at is None


def test_before_the_first_deadline_that_is_watched_nothing_is_said() -> None:
    assert told(by_nine(looked((DUE + HOUR, DUE), (NOW, DUE)))) == (
        SKIPPED,
        None,
        "warming up: the first deadline that is watched is 2026-03-11T09:00+00:00",
    )
    unkept = by_nine(WatermarkLog(is_recorded=False))
    assert told(unkept) == (SKIPPED, None, "warming up: needs the agent's record")


def test_dates_are_compared_as_dates() -> None:
    day = column("day", LogicalType.DATE, physical_name="AT", default_timezone="Asia/Tokyo")
    promise = DueTime("t", "day", time(9), lag_days=1)
    levels = (ServiceLevel(at(50), "s", "timeOfAvailability", promise),)
    check = only("timeOfAvailability", contract(table(day), service_levels=levels))
    span, history = (TimeSpan("t", "AT", "Asia/Tokyo"), UpdateHistory("t", "AT", "Asia/Tokyo"))
    midnight = utc(2026, 3, 8, 15)  # 9 March in Tokyo
    looks = looked((DUE - DAY, midnight), (NOW, midnight))
    answers = {span: TimeRange(), RowCount("t"): Count(1), history: looks}
    assert check.judge(answers, NOW).outcome is PASSED


# ---- reactions to incidents


def reacted(reaction: IncidentStep, *incidents: IncidentTime) -> Verdict:
    check = level(MaxIncidentTime(reaction, HOUR), reaction.value)
    assert check.promise.operations
    return check.judge({IncidentTimes(): IncidentLog(incidents)}, NOW)


EARLY = NOW - DAY


@pytest.mark.parametrize(
    ("reaction", "incident", "observed"),
    [
        (IncidentStep.DETECT, IncidentTime(EARLY, EARLY - HOUR), 3600.0),
        (IncidentStep.DETECT, IncidentTime(EARLY, EARLY - 2 * HOUR), 7200.0),
        (IncidentStep.NOTIFY, IncidentTime(EARLY, told_at=EARLY + HOUR / 2), 1800.0),
        (IncidentStep.NOTIFY, IncidentTime(EARLY), 86400.0),
        (IncidentStep.REPAIR, IncidentTime(EARLY, resolved_at=EARLY + HOUR), 3600.0),
        (IncidentStep.REPAIR, IncidentTime(NOW - HOUR / 2), 1800.0),
        (IncidentStep.REPAIR, IncidentTime(EARLY, is_timed=False), 86400.0),
    ],
)
def test_an_incident_is_handled_in_time_or_not(
    reaction: IncidentStep, incident: IncidentTime, observed: float
) -> None:
    verdict = reacted(reaction, incident)
    assert (verdict.outcome, verdict.observed) == (
        PASSED if observed <= 3600 else FAILED,
        observed,
    )


def test_the_slowest_incident_decides() -> None:
    fast = IncidentTime(EARLY, resolved_at=EARLY + HOUR / 2)
    slow = IncidentTime(EARLY, resolved_at=EARLY + 2 * HOUR)
    assert told(reacted(IncidentStep.REPAIR, fast, slow)) == (
        FAILED,
        7200.0,
        "1 of 2 incidents were repaired later; the slowest took 2 h",
    )


def test_without_an_incident_there_is_nothing_to_judge() -> None:
    assert told(reacted(IncidentStep.DETECT)) == (SKIPPED, None, "warming up: no incident yet")
    unknown = IncidentTime(EARLY, is_timed=False)
    for reaction in (IncidentStep.DETECT, IncidentStep.NOTIFY):
        assert reacted(reaction, unknown).outcome is SKIPPED
    check = level(MaxIncidentTime(IncidentStep.DETECT, HOUR), "timeToDetect")
    unkept = check.judge({IncidentTimes(): IncidentLog(is_recorded=False)}, NOW)
    assert told(unkept) == (SKIPPED, None, "warming up: needs the agent's record")
