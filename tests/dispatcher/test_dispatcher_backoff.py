"""Tests of the backoff, against the table of waits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.agent.delivery.backoff import wait_seconds
from contractwatch.model.record.incident import Urgency

HOUR = 3_600.0


def waits(urgency: Urgency, count: int, scale: float = 1.0) -> list[float | None]:
    return [
        wait_seconds(urgency, failures=failures, age_seconds=0.0, scale=scale)
        for failures in range(1, count + 1)
    ]


def test_a_page_waits_for_seconds_first_and_then_five_minutes() -> None:
    assert waits(Urgency.PAGE, 8) == [5, 15, 30, 60, 120, 300, 300, 300]


@pytest.mark.parametrize("urgency", [Urgency.TICKET, Urgency.INFO])
def test_a_ticket_waits_for_minutes_first_and_then_for_hours(urgency: Urgency) -> None:
    hours = [2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
    assert waits(urgency, 9) == [5, 300, 1_800, *hours]


def test_a_page_is_given_up_after_a_day() -> None:
    assert wait_seconds(Urgency.PAGE, failures=200, age_seconds=24 * HOUR - 1) == 300
    assert wait_seconds(Urgency.PAGE, failures=200, age_seconds=24 * HOUR) is None


def test_a_ticket_is_given_up_after_three_days() -> None:
    assert wait_seconds(Urgency.TICKET, failures=10, age_seconds=75 * HOUR) == 24 * HOUR
    assert wait_seconds(Urgency.TICKET, failures=10, age_seconds=76 * HOUR) is None


def test_an_old_message_still_gets_its_whole_schedule() -> None:
    assert wait_seconds(Urgency.PAGE, failures=1, age_seconds=7 * 24 * HOUR) == 5
    assert wait_seconds(Urgency.PAGE, failures=6, age_seconds=7 * 24 * HOUR) == 300
    assert wait_seconds(Urgency.PAGE, failures=7, age_seconds=7 * 24 * HOUR) is None


def test_a_scale_shortens_waits_and_horizon() -> None:
    assert waits(Urgency.PAGE, 3, scale=0.01) == pytest.approx([0.05, 0.15, 0.3])
    assert wait_seconds(Urgency.PAGE, failures=7, age_seconds=864.0, scale=0.01) is None


def test_there_is_no_wait_before_a_failure() -> None:
    with pytest.raises(ValueError, match="after a failure"):
        wait_seconds(Urgency.PAGE, failures=0, age_seconds=0.0)


@given(
    st.sampled_from(list(Urgency)),
    st.integers(1, 1_000),
    st.floats(0, 1e7),
)
@settings(max_examples=60)
def test_a_wait_never_shrinks_with_failures_and_age_only_ever_ends_it(
    urgency: Urgency, failures: int, age: float
) -> None:
    wait = wait_seconds(urgency, failures=failures, age_seconds=age)
    young = wait_seconds(urgency, failures=failures, age_seconds=0.0)
    after = wait_seconds(urgency, failures=failures + 1, age_seconds=0.0)
    assert young is not None
    assert wait in (young, None)
    assert after is not None
    assert after >= young > 0
