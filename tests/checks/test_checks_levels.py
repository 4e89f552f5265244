"""Waits, rates, updates, deadlines and reactions are judged by values."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from checks_values import NOW, at, column, contract, only, option, rule, table
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.checks.deadline import business_date, deadline_on, latest_day
from contractwatch.checks.watermarks import sighted
from contractwatch.model.check import Check, Outcome, Verdict
from contractwatch.model.clause import Severity
from contractwatch.model.contract import LogicalType
from contractwatch.model.metric import (
    BadRows,
    Delays,
    IncidentTimes,
    IsInvalid,
    IsNull,
    IsShorter,
    Metric,
    RecentRows,
    RowCount,
    TableSchema,
    TimeSpan,
    UpdateHistory,
)
from contractwatch.model.objective import Objective
from contractwatch.model.rule import OptionKind, RuleMetric
from contractwatch.model.service_level import (
    Deadline,
    ErrorRate,
    Frequency,
    MaxDelay,
    Reaction,
    ReactionTime,
    ServiceLevel,
    Throughput,
)
from contractwatch.model.state import (
    Columns,
    ColumnType,
    Count,
    DelayTally,
    IncidentLog,
    IncidentTime,
    Measurement,
    Sighting,
    Sightings,
    Span,
    Watermark,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PASSED, FAILED, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED
LATER = "rows later; the longest took 2 h 30 min"
SPAN, HISTORY = TimeSpan("t", "AT"), UpdateHistory("t", "AT")


def level(promise: Any, kind: str, **more: Any) -> Check:
    stamp = column("at", LogicalType.TIMESTAMP, physical_name="AT", **more)
    loaded = column("loaded", LogicalType.TIMESTAMP, physical_name="LOADED")
    levels = (ServiceLevel(at(50), "s", kind, promise),)
    return only(kind, contract(table(stamp, loaded), service_levels=levels))


def told(verdict: Verdict) -> tuple[Outcome, Any, str]:
    return verdict.outcome, verdict.observed, verdict.reason


# ---- latency between two columns


@pytest.mark.parametrize(
    ("quantile", "tally", "expected"),
    [
        (1.0, DelayTally(100, 0, 3600.0), (PASSED, 3600.0, "")),
        (
            1.0,
            DelayTally(100, 1, 3601.0),
            (FAILED, 3601.0, "1 of 100 rows later; the longest took 1 h 1 s"),
        ),
        (0.95, DelayTally(100, 5, 9e3), (PASSED, 95.0, "")),
        (
            0.95,
            DelayTally(100, 6, 9e3),
            (FAILED, 94.0, f"6 of 100 {LATER}"),
        ),
        (0.5, DelayTally(3, 1, 9e3), (PASSED, 100 * 2 / 3, "")),
        (
            0.5,
            DelayTally(3, 2, 9e3),
            (FAILED, 100 / 3, f"2 of 3 {LATER}"),
        ),
    ],
)
def test_so_many_rows_are_as_fast_as_the_quantile_says(
    quantile: float, tally: DelayTally, expected: tuple[Outcome, float, str]
) -> None:
    check = level(MaxDelay("t", "at", "loaded", HOUR, quantile), "latency")
    assert check.metrics() == (Delays("t", "AT", "LOADED", HOUR),)
    assert told(check.judge({check.metrics()[0]: tally}, NOW)) == expected


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 7200), min_size=1, max_size=30),
    st.integers(1, 100),
)
def test_counting_late_rows_decides_as_the_sorted_waits_do(waits: list[int], percent: int) -> None:
    check = level(MaxDelay("t", "at", "loaded", HOUR, percent / 100), "latency")
    late = sum(wait > 3600 for wait in waits)
    verdict = check.judge({check.metrics()[0]: DelayTally(len(waits), late, max(waits))}, NOW)
    rank = -(-percent * len(waits) // 100)
    assert (verdict.outcome is PASSED) == (sorted(waits)[rank - 1] <= 3600)


def test_no_rows_wait_for_nothing() -> None:
    check = level(MaxDelay("t", "at", "loaded", HOUR), "latency")
    verdict = check.judge({check.metrics()[0]: DelayTally()}, NOW)
    assert (verdict.outcome, verdict.vacuous) == (PASSED, True)


# ---- throughput


@pytest.mark.parametrize(
    ("rows", "expected"),
    [(10, (PASSED, 10, "")), (9, (FAILED, 9, "9 rows in the last 1 h"))],
)
def test_rows_of_the_last_period_are_compared(
    rows: int, expected: tuple[Outcome, int, str]
) -> None:
    check = level(Throughput("t", "at", 10, HOUR), "throughput")
    assert told(check.judge({RecentRows("t", "AT", HOUR): Count(rows)}, NOW)) == expected
    assert check.promise.objective is Objective.VOLUME


# ---- errorRate


def rated(promise: ErrorRate, **columns: Any) -> Check:
    rules = (
        rule(RuleMetric.INVALID_VALUES, values=("a",), rule_id="x"),
        rule(RuleMetric.INVALID_VALUES, values=("b",), rule_id="y", severity=Severity.INFO),
    )
    first = column("c", required_clause=at(12), rules=rules)
    short = option(OptionKind.MIN_LENGTH, 2)
    second = table(column("d", options=(short,)), name="u", physical_name="u")
    levels = (ServiceLevel(at(50), "s", "errorRate", promise),)
    return only("errorRate", contract(table(first), second, service_levels=levels))


BAD_T = BadRows("t", (IsNull("c"), IsInvalid("c", ("a",))))
BAD_U = BadRows("u", (IsShorter("d", 2),))
TYPES = {
    TableSchema(name): Columns((ColumnType(of, "string", "String"),))
    for name, of in (("t", "c"), ("u", "d"))
}


def test_a_rate_pools_all_tables_and_every_row_rule_of_severity_error() -> None:
    check = rated(ErrorRate(10))
    assert set(check.metrics()) == {RowCount("t"), RowCount("u"), BAD_T, BAD_U, *TYPES}
    answers: dict[Metric, Measurement] = {
        RowCount("t"): Count(90),
        RowCount("u"): Count(10),
        BAD_T: Count(8),
        BAD_U: Count(2),
        **TYPES,
    }
    assert told(check.judge(answers, NOW)) == (PASSED, 10.0, "")
    answers[BAD_T] = Count(9)
    assert told(check.judge(answers, NOW)) == (FAILED, 11.0, "11 of 100 rows break a rule")
    answers[TableSchema("t")] = Columns(())
    assert told(check.judge(answers, NOW)) == (SKIPPED, None, "column missing")


def test_a_rate_of_no_rows_is_vacuous_and_one_without_rules_is_skipped() -> None:
    check = rated(ErrorRate(0, ("u",)))
    answers = {RowCount("u"): Count(0), BAD_U: Count(0), **TYPES}
    verdict = check.judge(answers, NOW)
    assert (verdict.outcome, verdict.vacuous, verdict.reason) == (PASSED, True, "no rows")
    bare = level(ErrorRate(0), "errorRate")
    assert told(bare.judge({}, NOW)) == (
        SKIPPED,
        None,
        "unsupported: no row rule of severity error",
    )


# ---- frequency


def seen(*changes: datetime, until: datetime = NOW, looks: int = 50) -> Sightings:
    """Return a history whose watermark changed at these instants, the first begins it."""
    ends = (*changes[1:], until)
    return Sightings(
        tuple(
            Sighting(Watermark(start, n), start, max(start, end - HOUR / 60), looks)
            for n, (start, end) in enumerate(zip(changes, ends, strict=True))
        )
    )


def frequency(history: Sightings, newest: datetime | None = NOW, **more: Any) -> Verdict:
    check = level(Frequency("t", "at", **({"fixed": DAY} | more)), "frequency")
    assert check.metrics() == (SPAN, RowCount("t"), HISTORY)
    span = Span(newest, newest, 1)
    return check.judge({SPAN: span, RowCount("t"): Count(1), HISTORY: history}, NOW)


def test_updates_of_the_last_period_are_counted() -> None:
    history = seen(NOW - 3 * DAY, NOW - 20 * HOUR, NOW - 2 * HOUR)
    kept = frequency(history, updates=2)
    assert (told(kept), kept.stale_at) == ((PASSED, 2, ""), NOW + 4 * HOUR)
    assert told(frequency(history, updates=3)) == (FAILED, 2, "2 updates in the last 24 h")
    assert told(frequency(seen(NOW - 3 * DAY, NOW - 25 * HOUR))) == (
        FAILED,
        0,
        "0 updates in the last 24 h",
    )


def test_an_update_exactly_a_period_ago_is_no_longer_in_it() -> None:
    assert frequency(seen(NOW - 3 * DAY, NOW - DAY)).outcome is FAILED
    assert frequency(seen(NOW - 3 * DAY, NOW - DAY + HOUR / 3600)).outcome is PASSED


def test_months_of_a_period_are_months_of_the_calendar() -> None:
    old = seen(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 2, 11, tzinfo=UTC))
    month = {"fixed": timedelta(0), "calendar_months": 1}
    assert frequency(old, **month).outcome is PASSED  # since 10 February
    older = seen(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 2, 10, 11, tzinfo=UTC))
    assert frequency(older, **month).outcome is FAILED


def test_until_a_period_was_watched_the_age_decides_for_one_update() -> None:
    young = seen(NOW - HOUR)
    fresh = frequency(young, NOW - DAY)
    assert (fresh.outcome, fresh.stale_at) == (PASSED, NOW)
    assert told(frequency(young, NOW - DAY - HOUR)) == (
        FAILED,
        None,
        "the newest value is 25 h old",
    )
    assert told(frequency(Sightings(is_kept=False), None)) == (FAILED, None, "no data")
    waiting = (SKIPPED, None, "warming up: a whole period was not watched yet")
    assert told(frequency(young, updates=2)) == waiting


def test_what_runs_cannot_see_is_not_held_against_the_data() -> None:
    rare = seen(NOW - 3 * DAY, NOW - 2 * HOUR, looks=2)
    assert told(frequency(rare, updates=9)) == (
        SKIPPED,
        1,
        "unsupported: 4 runs cannot see so many updates",
    )


def test_the_same_again_lengthens_a_sighting_and_another_begins_one() -> None:
    first, second = Watermark(NOW, 1), Watermark(NOW, 2)
    history = sighted((), first, NOW)
    history = sighted(history, first, NOW + HOUR)
    history = sighted(history, second, NOW + 2 * HOUR)
    assert history == (
        Sighting(first, NOW, NOW + HOUR, 2),
        Sighting(second, NOW + 2 * HOUR, NOW + 2 * HOUR),
    )


# ---- timeOfAvailability

NINE = Deadline("t", "at", time(9))
AMSTERDAM = Deadline("t", "at", time(2, 30), "Europe/Amsterdam")
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
        (Deadline("t", "at", time(9), utc_offset=2 * HOUR), date(2028, 2, 29), utc(2028, 2, 29, 7)),
        (Deadline("t", "at", time(0), "America/Sao_Paulo"), date(2018, 11, 4), utc(2018, 11, 4, 3)),
    ],
)
def test_a_deadline_is_one_instant_of_each_day(
    deadline: Deadline, day: date, instant: datetime
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
    deadline = Deadline("t", "at", time(9), lag_days=lag, weekdays=weekdays)
    assert business_date(deadline, day) == expected


def test_at_a_weekend_the_deadline_of_friday_is_the_latest() -> None:
    weekdays = Deadline("t", "at", time(9), weekdays=True)
    assert latest_day(weekdays, utc(2026, 3, 8, 23)) == date(2026, 3, 6)
    assert latest_day(weekdays, utc(2026, 3, 9, 8, 59)) == date(2026, 3, 6)


def looked(*looks: tuple[datetime, datetime | None]) -> Sightings:
    """Return the history of runs at these instants that saw these newest values."""
    history: tuple[Sighting, ...] = ()
    for when, newest in looks:
        history = sighted(history, Watermark(newest, 1), when)
    return Sightings(history)


def by_nine(history: Sightings, promise: Deadline = NINE, now: datetime = NOW) -> Verdict:
    check = level(promise, "timeOfAvailability")
    answers: Mapping[Metric, Measurement] = {
        SPAN: Span(),
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
    lagged = Deadline("t", "at", time(9), lag_days=1)
    ready = looked((DUE - DAY, NOW), (NOW, NOW))
    assert by_nine(ready, lagged).stale_at is None


def test_before_the_first_deadline_that_is_watched_nothing_is_said() -> None:
    assert told(by_nine(looked((DUE + HOUR, DUE), (NOW, DUE)))) == (
        SKIPPED,
        None,
        "warming up: the first deadline that is watched is 2026-03-11T09:00+00:00",
    )
    unkept = by_nine(Sightings(is_kept=False))
    assert told(unkept) == (SKIPPED, None, "warming up: needs the agent's record")


def test_dates_are_compared_as_dates() -> None:
    day = column("day", LogicalType.DATE, physical_name="AT", default_timezone="Asia/Tokyo")
    promise = Deadline("t", "day", time(9), lag_days=1)
    levels = (ServiceLevel(at(50), "s", "timeOfAvailability", promise),)
    check = only("timeOfAvailability", contract(table(day), service_levels=levels))
    span, history = (TimeSpan("t", "AT", "Asia/Tokyo"), UpdateHistory("t", "AT", "Asia/Tokyo"))
    midnight = utc(2026, 3, 8, 15)  # 9 March in Tokyo
    looks = looked((DUE - DAY, midnight), (NOW, midnight))
    answers = {span: Span(), RowCount("t"): Count(1), history: looks}
    assert check.judge(answers, NOW).outcome is PASSED


# ---- reactions to incidents


def reacted(reaction: Reaction, *incidents: IncidentTime) -> Verdict:
    check = level(ReactionTime(reaction, HOUR), reaction.value)
    assert check.promise.operations
    return check.judge({IncidentTimes(): IncidentLog(incidents)}, NOW)


EARLY = NOW - DAY


@pytest.mark.parametrize(
    ("reaction", "incident", "observed"),
    [
        (Reaction.DETECT, IncidentTime(EARLY, EARLY - HOUR), 3600.0),
        (Reaction.DETECT, IncidentTime(EARLY, EARLY - 2 * HOUR), 7200.0),
        (Reaction.NOTIFY, IncidentTime(EARLY, told_at=EARLY + HOUR / 2), 1800.0),
        (Reaction.NOTIFY, IncidentTime(EARLY), 86400.0),
        (Reaction.REPAIR, IncidentTime(EARLY, resolved_at=EARLY + HOUR), 3600.0),
        (Reaction.REPAIR, IncidentTime(NOW - HOUR / 2), 1800.0),
        (Reaction.REPAIR, IncidentTime(EARLY, is_timed=False), 86400.0),
    ],
)
def test_an_incident_is_handled_in_time_or_not(
    reaction: Reaction, incident: IncidentTime, observed: float
) -> None:
    verdict = reacted(reaction, incident)
    assert (verdict.outcome, verdict.observed) == (
        PASSED if observed <= 3600 else FAILED,
        observed,
    )


def test_the_slowest_incident_decides() -> None:
    fast = IncidentTime(EARLY, resolved_at=EARLY + HOUR / 2)
    slow = IncidentTime(EARLY, resolved_at=EARLY + 2 * HOUR)
    assert told(reacted(Reaction.REPAIR, fast, slow)) == (
        FAILED,
        7200.0,
        "1 of 2 incidents were repaired later; the slowest took 2 h",
    )


def test_without_an_incident_there_is_nothing_to_judge() -> None:
    assert told(reacted(Reaction.DETECT)) == (SKIPPED, None, "warming up: no incident yet")
    unknown = IncidentTime(EARLY, is_timed=False)
    for reaction in (Reaction.DETECT, Reaction.NOTIFY):
        assert reacted(reaction, unknown).outcome is SKIPPED
    check = level(ReactionTime(Reaction.DETECT, HOUR), "timeToDetect")
    unkept = check.judge({IncidentTimes(): IncidentLog(is_kept=False)}, NOW)
    assert told(unkept) == (SKIPPED, None, "warming up: needs the agent's record")
