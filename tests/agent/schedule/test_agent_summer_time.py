"""Tests of cron schedules on nights when the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.timetable import Cron


def ticks(expression: str, zone: str, start: str, count: int) -> list[str]:
    cron, at, found = Cron(expression, zone), datetime.fromisoformat(start), list[str]()
    for _ in range(count):
        at = cron.after(at)
        found.append(at.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %z"))
    return found


@pytest.mark.parametrize(
    ("expression", "zone", "start", "expected"),
    [
        (
            *("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z"),
            ["25 02:30 +0200", "26 02:30 +0100"],
        ),
        (
            *("*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z"),
            ["25 02:00 +0200", "25 02:30 +0200", "26 02:00 +0100"],
        ),
        (
            *("0 1-3 * * *", "America/New_York", "2026-10-31T12:00Z"),
            ["01 01:00 -0400", "01 02:00 -0500", "01 03:00 -0500"],
        ),
        (
            *("0 0 * * *", "America/Havana", "2026-10-31T12:00Z"),
            ["01 00:00 -0400", "02 00:00 -0500"],
        ),
        (
            *("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T03:00Z"),
            ["05 01:45 +1100", "06 01:45 +1030"],
        ),
        (*("30 5 * * *", "Asia/Kolkata", "2026-10-24T12:00Z"), ["25 05:30 +0530"]),
    ],
)
def test_a_time_that_the_clocks_show_twice_is_run_once(
    expression: str, zone: str, start: str, expected: list[str]
) -> None:
    assert ticks(expression, zone, start, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "zone", "start", "expected"),
    [
        (
            *("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z"),
            ["29 03:00 +0200", "30 02:30 +0200"],
        ),
        (
            *("*/15 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z"),
            ["29 03:00 +0200", "30 02:00 +0200"],
        ),
        (
            *("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00Z"),
            ["29 03:00 +0200", "30 02:00 +0200"],
        ),
        (
            *("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T03:00Z"),
            ["04 02:30 +1100", "05 02:15 +1100"],
        ),
        (
            *("0 12 * * *", "Pacific/Apia", "2011-12-30T00:00Z"),
            ["31 00:00 +1400", "31 12:00 +1400"],
        ),
    ],
)
def test_a_time_that_the_clocks_skip_is_run_once_when_it_was_skipped(
    expression: str, zone: str, start: str, expected: list[str]
) -> None:
    assert ticks(expression, zone, start, len(expected)) == expected


def test_a_cron_of_every_hour_follows_the_time_that_passes() -> None:
    cron = Cron("30 * * * *", "Europe/Berlin")
    for start in ("2026-03-28T20:10Z", "2026-10-24T20:10Z"):
        at = cron.after(datetime.fromisoformat(start))
        for _ in range(10):
            assert cron.after(at) - at == timedelta(hours=1)
            at = cron.after(at)


def test_an_observation_bridges_the_longer_night() -> None:
    cron, night = Cron("30 2 * * *", "Europe/Berlin"), datetime(2026, 10, 24, 0, 30, tzinfo=UTC)
    assert cron.interval_at(night) == timedelta(hours=25)


@settings(max_examples=80, deadline=None)
@given(
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
    ),
    day=st.integers(0, 3 * 365),
)
def test_a_daily_cron_runs_once_on_every_day(hour: int, minute: int, zone: str, day: int) -> None:
    cron = Cron(f"{minute} {hour} * * *", zone)
    at = cron.after(datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day))
    for _ in range(8):
        following = cron.after(at)
        days = following.astimezone(ZoneInfo(zone)).date() - at.astimezone(ZoneInfo(zone)).date()
        assert days == timedelta(days=1)
        at = following
