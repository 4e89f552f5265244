from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from checks_values import NOW, at, column, contract, only, table
from hypothesis import given
from hypothesis import strategies as st

from contractwatch.checks.common.ages import add_months, duration_words
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import Probes, TimeSpan
from contractwatch.model.measure.state import ProbeTally, TimeRange, Unmeasured
from contractwatch.model.promises.service_level import (
    Availability,
    MaxAge,
    Retention,
    RetentionMode,
    ServiceLevel,
)
from contractwatch.model.record.check import Check, Outcome, Verdict

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def _level(promise: Any, zone: str = "Etc/UTC") -> Check:
    level = ServiceLevel(at(50), "sla1", "latency", promise)
    stamp = column("at", LogicalType.TIMESTAMP, physical_name="AT", default_timezone=zone)
    kind = {MaxAge: "freshness", Retention: "retention"}.get(type(promise), "availability")
    return only(kind, contract(table(stamp), service_levels=(level,)))


def _max_age(zone: str = "Etc/UTC", **more: Any) -> Check:
    return _level(MaxAge("t", "at", **({"fixed": _HOUR} | more)), zone)


def _judge(check: Check, span: TimeRange, now: datetime = NOW) -> Verdict:
    (metric,) = check.metrics()
    return check.judge({metric: span}, now)


def _newest(at: datetime, **more: Any) -> TimeRange:
    return TimeRange(at, at, **({"rows": 5} | more))


def _oldest(at: datetime) -> TimeRange:
    return TimeRange(at, NOW, rows=5)


def test_freshness_asks_for_the_physical_column_in_its_zone() -> None:
    check = _max_age("Europe/Paris")
    assert check.metrics() == (TimeSpan("t", "AT", "Europe/Paris"),)
    assert check.promise.promise_id == "k/t/at/freshness/sla1"
    assert check.promise.objective is Objective.FRESHNESS
    assert check.promise.physical_columns == ("AT",)


def test_exactly_as_old_as_allowed_is_fresh_and_one_microsecond_more_is_not() -> None:
    on_the_edge = _judge(_max_age(), _newest(NOW - _HOUR))
    assert (on_the_edge.outcome, on_the_edge.observed) == (Outcome.PASSED, 3600.0)
    assert on_the_edge.stale_at == NOW
    over = _judge(_max_age(), _newest(NOW - _HOUR - timedelta(microseconds=1)))
    assert (over.outcome, over.stale_at) == (Outcome.FAILED, None)
    assert over.threshold == "at most 1 h"
    assert over.reason == "the newest value is 1 h old"


def test_a_fresh_verdict_says_when_it_will_be_stale() -> None:
    verdict = _judge(_max_age(), _newest(NOW - timedelta(minutes=10)))
    assert verdict.stale_at == NOW + timedelta(minutes=50)


def test_fractions_of_a_duration_count() -> None:
    check = _max_age(fixed=timedelta(hours=1.5))
    assert _judge(check, _newest(NOW - timedelta(minutes=90))).outcome is Outcome.PASSED
    assert _judge(check, _newest(NOW - timedelta(minutes=91))).outcome is Outcome.FAILED


def test_nothing_to_compare_is_no_data_and_not_fresh() -> None:
    verdict = _judge(_max_age(), TimeRange(rows=0))
    assert (verdict.outcome, verdict.reason, verdict.observed) == (
        Outcome.FAILED,
        "no data",
        None,
    )


def test_rows_in_the_future_are_told_and_never_fresh() -> None:
    only_future = _judge(_max_age(), TimeRange(rows=3, future=3))
    assert only_future.outcome is Outcome.FAILED
    assert only_future.reason == "no data; left out: 3 rows in the future"
    some_future = _judge(_max_age(), _newest(NOW, future=2))
    assert some_future.outcome is Outcome.PASSED
    assert some_future.reason == "left out: 2 rows in the future"


def test_a_clock_that_is_minutes_ahead_is_of_age_zero() -> None:
    verdict = _judge(_max_age(), _newest(NOW + timedelta(minutes=4)))
    assert (verdict.outcome, verdict.observed) == (Outcome.PASSED, 0.0)


def test_a_month_is_a_calendar_month() -> None:
    check = _max_age(fixed=timedelta(0), calendar_months=1)
    newest = datetime(2026, 1, 31, 12, tzinfo=UTC)
    verdict = _judge(check, _newest(newest), datetime(2026, 2, 28, 12, tzinfo=UTC))
    assert (verdict.outcome, verdict.threshold) == (Outcome.PASSED, "at most 1 mo")
    late = _judge(check, _newest(newest), datetime(2026, 2, 28, 12, 1, tzinfo=UTC))
    assert late.outcome is Outcome.FAILED


def test_the_day_after_a_leap_day_comes_a_year_later_on_the_28th() -> None:
    assert add_months(datetime(2024, 2, 29, tzinfo=UTC), 12).date().isoformat() == "2025-02-28"


def test_a_date_is_compared_in_whole_days_of_its_zone() -> None:
    check = _max_age("America/New_York", fixed=_DAY, whole_days=True)
    sunday = _newest(datetime(2026, 3, 8, 5, tzinfo=UTC))  # 2026-03-08 00:00 in New York (EST)
    last_moment = datetime(2026, 3, 10, 3, 59, tzinfo=UTC)  # Monday 23:59 (EDT)
    fresh = _judge(check, sunday, last_moment)
    assert (fresh.outcome, fresh.observed) == (Outcome.PASSED, 86400.0)
    midnight = datetime(2026, 3, 10, 4, tzinfo=UTC)
    assert fresh.stale_at == midnight
    stale = _judge(check, sunday, midnight)
    assert (stale.outcome, stale.observed) == (Outcome.FAILED, 2 * 86400.0)


@given(
    st.timedeltas(timedelta(0), timedelta(days=2200)).map(lambda ago: NOW - ago),
    st.integers(0, 40),
    st.integers(0, 1_000_000),
    st.booleans(),
)
def test_a_fresh_verdict_turns_at_its_own_word(
    newest: datetime, months: int, minutes: int, whole_days: bool
) -> None:
    check = _max_age(
        "Europe/Berlin",
        fixed=timedelta(minutes=minutes),
        calendar_months=months,
        whole_days=whole_days,
    )
    now = _judge(check, _newest(newest), newest)
    assert now.outcome is Outcome.PASSED
    assert now.stale_at is not None
    tick = timedelta(microseconds=1)
    assert _judge(check, _newest(newest), now.stale_at - tick).outcome is Outcome.PASSED
    assert _judge(check, _newest(newest), now.stale_at + tick).outcome is Outcome.FAILED


def test_an_age_beyond_the_calendar_is_never_reached() -> None:
    for more in (
        {"calendar_months": 120_000},
        {"fixed": timedelta.max},
        {"fixed": 9000 * 365 * _DAY},
    ):
        for whole_days in (True, False):
            check = _max_age(whole_days=whole_days, **more)
            assert _judge(check, _newest(NOW - 900 * _DAY)).outcome is Outcome.PASSED


def test_an_unread_column_is_an_error() -> None:
    check = _max_age()
    (metric,) = check.metrics()
    assert check.judge({metric: Unmeasured("not temporal")}, NOW).outcome is Outcome.ERROR


def _retention(mode: RetentionMode, since: datetime | None = None) -> Check:
    return _level(Retention("t", "at", 30 * _DAY, mode=mode, existing_since=since))


def test_old_data_has_a_day_of_grace_to_be_gone() -> None:
    check = _retention(RetentionMode.AT_MOST)
    assert _judge(check, _oldest(NOW - 31 * _DAY)).outcome is Outcome.PASSED
    late = _judge(check, _oldest(NOW - 31 * _DAY - _HOUR))
    assert (late.outcome, late.threshold) == (Outcome.FAILED, "at most 30 d")
    assert late.reason == "the oldest value is 31 d 1 h old"


def test_an_empty_table_keeps_nothing_too_long_but_also_not_long_enough() -> None:
    at_most = _judge(_retention(RetentionMode.AT_MOST), TimeRange())
    at_least = _judge(_retention(RetentionMode.AT_LEAST), TimeRange())
    assert (at_most.outcome, at_least.outcome) == (Outcome.SKIPPED, Outcome.FAILED)


def test_data_must_reach_back_unless_the_product_is_younger() -> None:
    recent = _oldest(NOW - 10 * _DAY)
    young = _retention(RetentionMode.AT_LEAST, NOW - 29 * _DAY)
    grown = _retention(RetentionMode.AT_LEAST, NOW - 30 * _DAY)
    assert _judge(young, recent).outcome is Outcome.SKIPPED
    assert _judge(young, recent).reason == "too young"
    assert _judge(grown, recent).outcome is Outcome.FAILED
    assert _judge(_retention(RetentionMode.AT_LEAST), recent).outcome is Outcome.FAILED
    assert _judge(grown, _oldest(NOW - 30 * _DAY)).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("tally", "outcome", "reason"),
    [
        (ProbeTally(19, 19), "skipped", "warming up (19 of 20 probes)"),
        (ProbeTally(199, 200), "passed", ""),
        (ProbeTally(198, 200), "failed", "2 of 200 probes could not read"),
    ],
)
def test_availability_is_the_share_of_enough_probes(
    tally: ProbeTally, outcome: str, reason: str
) -> None:
    check = _level(Availability(99.5))
    verdict = check.judge({Probes(): tally}, NOW)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.threshold == "at least 99.5 %"
    assert check.promise.promise_id == "k/-/-/availability/sla1"


@pytest.mark.parametrize(
    ("fixed", "months", "words"),
    [
        (timedelta(hours=26), 0, "26 h"),
        (timedelta(days=4), 0, "4 d"),
        (timedelta(minutes=90), 0, "1 h 30 min"),
        (timedelta(days=3, seconds=1.5), 14, "1 y 2 mo 3 d 1.5 s"),
        (timedelta(0), 0, "0 s"),
    ],
)
def test_a_duration_reads_like_a_person_says_it(fixed: timedelta, months: int, words: str) -> None:
    assert duration_words(fixed, months) == words
