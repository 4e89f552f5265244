"""Tests of due times at the instants where one second decides."""

from datetime import UTC, datetime, timedelta

import pytest

from contractwatch.agent.schedule.timing import early_run_at, timetable_of
from contractwatch.model.record.incident import Phase
from contractwatch.timetable import AnyOf, Cron
from tests.agent.schedule.test_agent_timing import HOUR, NOW, contract, incident, standing

SECOND = timedelta(seconds=1)
NOON = Cron("0 12 * * 1-5", "UTC")


@pytest.mark.parametrize(
    ("instant", "wait"),
    [
        # Friday at noon: the longest wait is the one over the weekend, seen before it and in it
        (datetime(2026, 3, 6, 12, tzinfo=UTC), timedelta(days=3)),
        (datetime(2026, 3, 6, 11, tzinfo=UTC), timedelta(days=3)),
        (datetime(2026, 3, 6, 13, tzinfo=UTC), timedelta(days=2, hours=23)),
        # late on Sunday the next wait is short, and the one after it counts
        (datetime(2026, 3, 8, 23, tzinfo=UTC), timedelta(days=1)),
        (datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(days=1)),
    ],
)
def test_an_observation_bridges_the_wait_for_the_next_tick_or_the_one_after(
    instant: datetime, wait: timedelta
) -> None:
    assert NOON.interval_at(instant) == wait


def test_a_look_at_the_instant_of_the_tick_is_the_tick_itself() -> None:
    table = timetable_of(contract(), default_interval=HOUR)
    tick = table.after(NOW)
    at_the_tick = early_run_at(
        timetable=table, standings=(), incidents=(), now=NOW, reprobe=HOUR, dates=(tick - SECOND,)
    )
    assert at_the_tick is None
    before = early_run_at(
        timetable=table,
        standings=(),
        incidents=(),
        now=NOW,
        reprobe=HOUR,
        dates=(tick - 2 * SECOND,),
    )
    assert before == tick - SECOND


def test_what_has_turned_already_or_is_told_already_wants_no_look() -> None:
    table = timetable_of(contract(), default_interval=HOUR)
    turned = early_run_at(
        timetable=table,
        standings=(standing(NOW - SECOND),),
        incidents=(),
        now=NOW,
        reprobe=HOUR,
        dates=(NOW - SECOND, NOW - HOUR),
    )
    assert turned is None


def test_the_earliest_of_all_reasons_to_look_decides() -> None:
    table = timetable_of(contract(), default_interval=HOUR)
    minute = timedelta(minutes=1)
    found = early_run_at(
        timetable=table,
        standings=(standing(NOW + 3 * minute),),
        incidents=(incident(Phase.PENDING),),
        now=NOW,
        reprobe=2 * minute,
        dates=(NOW + 4 * minute,),
    )
    assert found == min(NOW + 2 * minute, table.after(NOW))


def test_of_several_schedules_the_longest_wait_is_bridged_too() -> None:
    both = AnyOf((Cron("0 * * * *", "UTC"), Cron("20 12 * * *", "UTC")))
    day = datetime(2026, 3, 6, tzinfo=UTC)
    assert both.interval_at(day + 11 * HOUR) == HOUR
    assert both.interval_at(day + 12 * HOUR) == timedelta(minutes=40)
    assert both.interval_at(day + 12 * HOUR + timedelta(minutes=20)) == HOUR


@pytest.mark.parametrize(
    ("late", "look"),
    [
        (-SECOND, 1),
        (timedelta(0), 1),
        (SECOND - timedelta(microseconds=1), 1),
        (SECOND, None),
        (2 * SECOND, None),
    ],
)
def test_what_turns_bad_is_looked_at_a_second_later_and_not_twice(
    late: timedelta, look: int | None
) -> None:
    turns = NOW + timedelta(minutes=1)
    found = early_run_at(
        Cron("0 0 * * *", "UTC"), [standing(turns)], [], now=turns + late, reprobe=HOUR
    )
    assert found == (None if look is None else turns + look * SECOND)
