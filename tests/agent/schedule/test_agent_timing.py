from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contractwatch.agent.schedule.timing import early_run_at, first_run_at, timetable_of
from contractwatch.model.base.clause import Clause, Severity
from contractwatch.model.base.objective import Objective, ObjectiveState, Standing
from contractwatch.model.contract.contract import Contract, PromiseSchedule, Schedule, Status
from contractwatch.model.record.incident import Cause, Incident, Phase
from contractwatch.timetable import AnyOf, Cron, Every

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)


def contract(name: str = "orders", schedule: Schedule | None = None) -> Contract:
    return Contract(
        file="orders.odcs.yaml",
        fingerprint="f",
        contract_id="c",
        name=name,
        version="1.0.0",
        status=Status.ACTIVE,
        api_version="v3.1.0",
        schedule=schedule,
    )


def standing(stale_at: datetime | None) -> Standing:
    return Standing(
        objective=Objective.FRESHNESS,
        state=ObjectiveState.GOOD,
        since=NOW,
        observed_at=NOW,
        accrued_until=NOW,
        horizon=NOW + 2 * HOUR,
        stale_at=stale_at,
    )


def incident(phase: Phase) -> Incident:
    return Incident(
        incident_id="i",
        product="orders",
        objective=Objective.SCHEMA,
        cause=Cause.BREACH,
        phase=phase,
        severity=Severity.ERROR,
        since=NOW,
    )


def test_a_contract_without_a_schedule_runs_at_the_default_interval() -> None:
    table = timetable_of(contract(), default_interval=HOUR)

    ticks = [table.after(NOW)]
    ticks.append(table.after(ticks[0]))

    assert ticks[1] - ticks[0] == HOUR
    assert NOW < ticks[0] <= NOW + HOUR


def test_the_offset_is_the_same_after_a_restart_and_differs_between_products() -> None:
    offsets = [
        timetable_of(contract(name), default_interval=HOUR).after(NOW) for name in ("a", "b", "a")
    ]

    assert offsets[0] == offsets[2] != offsets[1]


def test_offsets_are_spread_over_the_whole_interval() -> None:
    ticks = [
        timetable_of(contract(str(name)), default_interval=HOUR).after(NOW) - NOW
        for name in range(600)
    ]

    tenths = [sum(1 for tick in ticks if tick // (HOUR / 10) == tenth) for tenth in range(10)]
    assert min(tenths) > 30


def test_an_interval_in_seconds_is_kept() -> None:
    table = timetable_of(
        contract(schedule=Schedule(interval=timedelta(seconds=2))), default_interval=HOUR
    )

    assert table.after(table.after(NOW)) - table.after(NOW) == timedelta(seconds=2)


@pytest.mark.parametrize("weekday", ["0", "7", "sun"])
def test_sunday_is_sunday_in_every_spelling(weekday: str) -> None:
    tick = Cron(f"0 0 * * {weekday}", "Etc/UTC").after(NOW)

    assert tick == datetime(2026, 3, 8, tzinfo=UTC)


def test_a_cron_is_read_in_its_own_zone_and_follows_its_summer_time() -> None:
    cron = Cron("0 8 * * *", "Europe/Berlin")

    assert cron.after(datetime(2026, 3, 28, 0, tzinfo=UTC)).hour == 7
    assert cron.after(datetime(2026, 3, 29, 0, tzinfo=UTC)).hour == 6


def test_an_hour_that_does_not_exist_is_not_lost() -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin")

    tick = cron.after(datetime(2026, 3, 29, 0, 0, tzinfo=UTC))

    assert tick == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_observation_before_a_weekend_must_hold_over_it() -> None:
    friday = datetime(2026, 3, 6, 3, 0, 5, tzinfo=UTC)

    assert Cron("0 3 * * 1-5", "Etc/UTC").interval_at(friday) > timedelta(days=2, hours=23)


def test_new_products_are_looked_at_soon_and_not_all_at_once() -> None:
    looks = [first_run_at(str(name), now=NOW, products=200) for name in range(200)]

    assert all(NOW <= look <= NOW + timedelta(seconds=10) for look in looks)
    assert len(set(looks)) == 200


def test_the_instant_of_going_stale_is_confirmed_a_second_later() -> None:
    stale_at = NOW + timedelta(minutes=7)
    table = Every(2 * HOUR, HOUR)

    look = early_run_at(table, [standing(stale_at)], [], now=NOW, reprobe=FIVE_MINUTES)

    assert look == stale_at + timedelta(seconds=1)


def test_nothing_is_looked_at_early_when_the_tick_comes_first() -> None:
    table = Every(timedelta(minutes=1), timedelta(0))
    stale_at = NOW + timedelta(minutes=7)

    assert (
        early_run_at(
            table, [standing(stale_at)], [incident(Phase.PENDING)], now=NOW, reprobe=FIVE_MINUTES
        )
        is None
    )


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.RECOVERING])
def test_an_incident_that_wants_evidence_is_looked_at_again_soon(phase: Phase) -> None:
    table = Every(24 * HOUR, HOUR)

    look = early_run_at(table, [], [incident(phase)], now=NOW, reprobe=FIVE_MINUTES)

    assert look == NOW + FIVE_MINUTES


@pytest.mark.parametrize("phase", [Phase.OPEN, Phase.RESOLVED])
def test_an_incident_that_is_decided_waits_for_the_tick(phase: Phase) -> None:
    table = Every(24 * HOUR, HOUR)

    assert early_run_at(table, [], [incident(phase)], now=NOW, reprobe=FIVE_MINUTES) is None


def test_a_contract_is_also_run_at_the_times_of_its_scheduled_clauses() -> None:
    whole = contract(schedule=Schedule(cron="0 * * * *"))
    clause = Clause("slaProperties[0]", 3)
    own = (PromiseSchedule(clause, "20 12 * * *"), PromiseSchedule(clause, "0 * * * *"))
    table = timetable_of(replace(whole, promise_schedules=own), default_interval=HOUR)

    assert table == AnyOf((Cron("0 * * * *", "Etc/UTC"), Cron("20 12 * * *", "Etc/UTC")))
    assert table.after(NOW) == NOW + timedelta(minutes=20)
    assert table.after(NOW + timedelta(minutes=20)) == NOW + HOUR
    assert table.interval_at(NOW) == timedelta(minutes=40)
    assert table.interval_at(NOW + HOUR) == HOUR
