"""Local times as instants, and limits on instants as limits on local times."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from contractwatch.engines.sql.zones import (
    instant_of,
    instant_of_day,
    is_steady,
    last_local_until,
)

ZONES = st.sampled_from(
    ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Cairo", "Etc/UTC"]
)
START = datetime(2017, 1, 1)  # noqa: DTZ001
LOCALS = st.datetimes(START, datetime(2027, 1, 1)) | st.sampled_from(  # noqa: DTZ001
    [datetime(2025, 10, 26, 2, 30), datetime(2025, 3, 30, 2, 30), datetime(2018, 11, 4)]  # noqa: DTZ001
)


def test_a_repeated_hour_is_the_earlier_instant_and_a_skipped_one_is_none() -> None:
    repeated, skipped = datetime(2025, 10, 26, 2, 30), datetime(2025, 3, 30, 2, 30)  # noqa: DTZ001
    assert instant_of(repeated, "Europe/Berlin") == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert instant_of(skipped, "Europe/Berlin") is None


def test_a_day_begins_after_the_hour_that_its_zone_skips() -> None:
    first = instant_of_day(date(2018, 11, 4), "America/Sao_Paulo")
    assert first == datetime(2018, 11, 4, 3, tzinfo=UTC)


@given(ZONES, LOCALS, LOCALS, st.booleans())
def test_a_limit_on_instants_is_one_on_local_times(
    zone: str, local: datetime, at: datetime, second_pass: bool
) -> None:
    limit = at.replace(tzinfo=ZoneInfo(zone), fold=second_pass).astimezone(UTC)
    instant = instant_of(local, zone)
    if instant is not None:
        assert (instant <= limit) == (local <= last_local_until(limit, zone))


@given(ZONES, LOCALS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_a_zone_is_steady_only_where_no_local_time_is_skipped(
    zone: str, local: datetime, length: timedelta
) -> None:
    start = local.replace(tzinfo=UTC)
    if is_steady(zone, start, start + length):
        hours = range(int(length / timedelta(hours=1)) + 1)
        assert all(instant_of(local + timedelta(hours=hour), zone) for hour in hours)
