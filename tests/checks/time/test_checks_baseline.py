"""A count is compared with the one that was there so long ago, whatever runs there were."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.checks.common.watermarks import extend_history, rows_before
from contractwatch.model.measure.state import Watermark, WatermarkLog, WatermarkPeriod

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)

RUNS = st.lists(
    st.tuples(st.integers(-20, -1), st.integers(0, 2)), max_size=10, unique_by=lambda run: run[0]
).map(sorted)


def history(runs: list[tuple[int, int]]) -> WatermarkLog:
    seen: tuple[WatermarkPeriod, ...] = ()
    for day, rows in runs:
        seen = extend_history(seen, Watermark(None, rows), NOW + day * DAY)
    return WatermarkLog(seen)


@given(RUNS, st.integers(0, 2), st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_the_baseline_of_a_period_is_the_last_count_up_to_then(
    runs: list[tuple[int, int]], present: int, days: int
) -> None:
    found = rows_before(history([*runs, (0, present)]), NOW - days * DAY)
    counted = [rows for day, rows in runs if day <= -days]
    assert found == (counted[-1] if counted else None)


@given(RUNS, st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_the_count_before_is_the_last_other_one_or_itself_if_there_was_never_another(
    runs: list[tuple[int, int]], present: int
) -> None:
    found = rows_before(history([*runs, (0, present)]), NOW)
    others = [rows for _, rows in runs if rows != present]
    if others:
        assert found == others[-1]
    else:
        assert found == (present if runs else None)
