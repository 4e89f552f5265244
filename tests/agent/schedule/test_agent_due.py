"""Tests of which promises are due, and which verdicts are in force."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractwatch.agent.schedule.stamp_schedule import (
    crons_of,
    due_plan,
    is_due,
    last_passes,
    stamp_schedule,
)
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import Contract
from contractwatch.model.measure.metric import CountWhere, Metric, RowCount, TableSchema
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    Measurement,
    TableColumns,
    Unmeasured,
)
from contractwatch.model.record.check import Outcome, Promise, Verdict
from contractwatch.model.record.incident import BrokenPromise, Cause, Incident, Phase
from contractwatch.model.record.product import LastPass, ProductState
from contractwatch.model.record.run import CheckResult, Reading, RunResult, Timing
from contractwatch.odcs.load import parse_contract
from contractwatch.store.record.results import pack_results, plan_of, unpack_results
from contractwatch.timetable import Cron
from contractwatch.verify import judge, plan

NIGHT = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
LAST = CheckResult(
    Promise(
        "c/orders/id/nullValues/r",
        "nullValues",
        Clause("schema[0].properties[0].quality[0]", 9),
        "orders",
        "id",
        Severity.ERROR,
        Dimension.COMPLETENESS,
        Objective.COMPLETENESS,
        "no null rows",
    ),
    Verdict(Outcome.PASSED),
    Timing(NIGHT, NIGHT + DAY),
)


def found(outcome: Outcome, reason: str = "", stale_at: datetime | None = None) -> CheckResult:
    return replace(LAST, verdict=Verdict(outcome, reason=reason, stale_at=stale_at))


def test_a_promise_is_due_from_the_instant_of_its_next_tick_on() -> None:
    assert not is_due(LAST, NIGHT)
    assert not is_due(LAST, NIGHT + DAY - timedelta(microseconds=1))
    assert is_due(LAST, NIGHT + DAY)


def test_what_was_judged_later_than_now_is_due_for_the_clock_was_wrong() -> None:
    assert is_due(LAST, NIGHT - MINUTE)


def test_what_was_never_judged_by_a_schedule_is_due() -> None:
    assert is_due(replace(LAST, timing=None), NIGHT + MINUTE)


@pytest.mark.parametrize(
    ("last", "due_again"),
    [
        (found(Outcome.FAILED), False),
        (found(Outcome.ERROR, "the server is away"), True),
        (found(Outcome.SKIPPED, "column missing"), True),
        (found(Outcome.SKIPPED, "warming up: no incident yet"), False),
    ],
)
def test_what_leaves_its_objective_unknown_is_asked_again(
    last: CheckResult, due_again: bool
) -> None:
    assert is_due(last, NIGHT + MINUTE) is due_again


def test_an_age_that_was_young_enough_is_due_once_it_is_not() -> None:
    turns = found(Outcome.PASSED, stale_at=NIGHT + 5 * MINUTE)
    assert not is_due(turns, NIGHT + 5 * MINUTE)
    assert is_due(turns, NIGHT + 5 * MINUTE + timedelta(seconds=1))


def contract_of(crons: Mapping[str, str], zone: str = "Etc/UTC") -> Contract:
    """Return a contract of one line a column, each with a rule; one without a cron is usual."""
    columns = "".join(
        f"      - {{name: {name}, quality: [{{id: r, metric: nullValues, mustBe: 0"
        f"{f', schedule: {cron!r}' if cron else ''}}}]}}\n"
        for name, cron in crons.items()
    )
    text = (
        "apiVersion: v3.1.0\nkind: DataContract\nid: c\nname: orders\nversion: 1.0.0\n"
        "status: active\nservers: [{server: live, type: local, path: a.parquet, format: parquet}]\n"
        f"schema:\n  - name: orders\n    properties:\n{columns}"
        "customProperties:\n"
        f"  - {{property: contractwatch.schedule, value: {{interval: PT15M, timezone: {zone}}}}}\n"
    )
    return parse_contract(text.encode(), "orders.odcs.yaml")[0]


class Replay:
    """Runs of one contract, each of which remembers what the last one left in the record."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.plan = plan(contract)
        self.crons = crons_of(self.plan)
        self.memory = ProductState()
        self.asked: frozenset[Metric] = frozenset()

    def run(
        self, at: datetime, nulls: Mapping[str, int | None], *, server: str = "live"
    ) -> RunResult:
        """Run at an instant with so many nulls in each column; None: nobody can tell."""
        asked = due_plan(self.plan, self.crons, self.memory, server=server, now=at)
        self.asked = asked.metrics
        answers = {one: _answer(one, nulls) for one in asked.metrics}
        reading = Reading(server, at + timedelta(seconds=1), answers, readable=True)
        judged = judge(asked, reading, now=at + timedelta(seconds=20))
        run = stamp_schedule(judged, self.crons, self.memory, began=at)
        stored = unpack_results(pack_results(run.results, plan_of(run)), plan_of(run))
        self.memory = replace(self.memory, last_run=replace(run, results=stored))
        return run

    def asked_columns(self) -> set[str]:
        return {one.predicate.column for one in self.asked if isinstance(one, CountWhere)}


def _answer(metric: Metric, nulls: Mapping[str, int | None]) -> Measurement:
    match metric:
        case TableSchema():
            return TableColumns(tuple(ColumnType(name, "string", "string") for name in nulls))
        case RowCount():
            return Count(10)
        case CountWhere():
            many = nulls[metric.predicate.column]
            return Unmeasured("nobody can tell") if many is None else Count(many)
        case _:
            raise AssertionError(metric)


def outcomes(run: RunResult) -> dict[str | None, Outcome]:
    rules = (one for one in run.results if one.promise.kind == "nullValues")
    return {one.promise.column: one.outcome for one in rules}


TWO = {"id": "", "city": "0 3 * * *"}


def test_what_is_not_due_is_not_asked_and_its_last_verdict_says_when_it_was_judged() -> None:
    replay = Replay(contract_of(TWO))
    first = replay.run(NIGHT, {"id": 0, "city": 0})
    later = replay.run(NIGHT + 15 * MINUTE, {"id": 1, "city": 1})

    assert outcomes(first) == {"id": Outcome.PASSED, "city": Outcome.PASSED}
    assert outcomes(later) == {"id": Outcome.FAILED, "city": Outcome.PASSED}
    assert replay.asked_columns() == {"id"}
    assert [one.timing for one in later.results if one.promise.kind == "nullValues"] == [
        None,
        Timing(NIGHT, NIGHT + DAY),
    ]
    assert first.coverage == later.coverage
    assert [one.promise for one in first.results] == [one.promise for one in later.results]


def test_a_tick_while_the_data_is_read_is_still_to_come() -> None:
    replay = Replay(contract_of(TWO))
    replay.run(NIGHT - timedelta(seconds=10), {"id": 0, "city": 0})  # it ends 20 s later
    assert outcomes(replay.run(NIGHT + 15 * MINUTE, {"id": 0, "city": 1}))["city"] is Outcome.FAILED


def test_a_failure_stays_in_force_until_the_next_tick_and_is_judged_after_a_pause() -> None:
    replay = Replay(contract_of(TWO))
    replay.run(NIGHT, {"id": 0, "city": 1})
    mended = {"id": 0, "city": 0}
    assert outcomes(replay.run(NIGHT + 23 * 60 * MINUTE, mended))["city"] is Outcome.FAILED
    assert outcomes(replay.run(NIGHT + DAY + 5 * 60 * MINUTE, mended))["city"] is Outcome.PASSED


def test_another_version_of_the_contract_or_another_server_is_judged_at_once() -> None:
    replay = Replay(contract_of(TWO))
    replay.run(NIGHT, {"id": 0, "city": 0})
    broken = {"id": 0, "city": 1}
    assert outcomes(replay.run(NIGHT + MINUTE, broken, server="other"))["city"] is Outcome.FAILED

    changed = Replay(replace(replay.contract, fingerprint="another"))
    changed.memory = replay.memory
    replay.run(NIGHT + 2 * MINUTE, {"id": 0, "city": 0})
    assert outcomes(changed.run(NIGHT + 3 * MINUTE, broken))["city"] is Outcome.FAILED


def test_what_had_no_answer_is_asked_at_the_next_run() -> None:
    replay = Replay(contract_of(TWO))
    assert outcomes(replay.run(NIGHT, {"id": 0, "city": None}))["city"] is Outcome.ERROR
    assert outcomes(replay.run(NIGHT + MINUTE, {"id": 0, "city": 0}))["city"] is Outcome.PASSED
    assert outcomes(replay.run(NIGHT + 2 * MINUTE, {"id": 0, "city": 1}))["city"] is Outcome.PASSED


def test_rows_that_were_not_counted_are_not_said_to_be_those_of_a_run() -> None:
    replay = Replay(contract_of({"city": "0 3 * * *"}))
    assert replay.run(NIGHT, {"city": 0}).rows == 10
    assert replay.run(NIGHT + MINUTE, {"city": 0}).rows is None


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.RECOVERING])
def test_an_incident_that_waits_for_evidence_gets_it_from_the_promise_itself(phase: Phase) -> None:
    replay = Replay(contract_of(TWO))
    first = replay.run(NIGHT, {"id": 0, "city": 1})
    broken = next(one.promise for one in first.results if one.outcome is Outcome.FAILED)
    incident = incident_of(phase, broken.promise_id)
    replay.memory = replace(replay.memory, incidents=(incident,))
    assert outcomes(replay.run(NIGHT + MINUTE, {"id": 0, "city": 0}))["city"] is Outcome.PASSED


def test_an_open_incident_asks_for_nothing_unless_it_became_worse_than_what_was_told() -> None:
    replay = Replay(contract_of(TWO))
    first = replay.run(NIGHT, {"id": 0, "city": 1})
    broken = next(one.promise for one in first.results if one.outcome is Outcome.FAILED)
    is_open = incident_of(Phase.OPEN, broken.promise_id)
    replay.memory = replace(replay.memory, incidents=(is_open,))
    assert outcomes(replay.run(NIGHT + MINUTE, {"id": 0, "city": 0}))["city"] is Outcome.FAILED

    worse = replace(is_open, told_severity=Severity.WARNING)
    replay.memory = replace(replay.memory, incidents=(worse,))
    assert outcomes(replay.run(NIGHT + MINUTE, {"id": 0, "city": 0}))["city"] is Outcome.PASSED


def incident_of(phase: Phase, promise_id: str) -> Incident:
    broken = BrokenPromise(promise_id, "", 0, "orders", "city", "", "", Severity.ERROR)
    return Incident(
        incident_id="i",
        product="orders",
        objective=Objective.COMPLETENESS,
        cause=Cause.BREACH,
        phase=phase,
        severity=Severity.ERROR,
        since=NIGHT,
        told_severity=Severity.ERROR,
        broken=(broken,),
    )


def test_the_last_pass_of_what_is_found_broken_is_when_it_was_last_judged() -> None:
    replay = Replay(contract_of(TWO))
    replay.run(NIGHT, {"id": 0, "city": 0})
    replay.run(NIGHT + 12 * 60 * MINUTE, {"id": 0, "city": 0})
    before = replay.memory
    run = replay.run(NIGHT + DAY, {"id": 1, "city": 1})
    promise_id = next(one.promise.promise_id for one in run.results if one.timing is not None)
    assert last_passes(run, before) == (LastPass(promise_id, NIGHT),)


ZONES = ("Etc/UTC", "Asia/Kolkata", "America/Phoenix")
minute_fields = st.sampled_from(["0", "*/7", "30", "5,50", "10-20", "*"])
hour_fields = st.sampled_from(["*", "3", "*/6", "0,23", "9-17"])
schedules = st.tuples(minute_fields, hour_fields)


def ticks(schedule: tuple[str, str], zone: str, since: datetime, until: datetime) -> bool:
    """Whether the schedule ticks in (since, until], tried minute by minute."""
    minutes, hours = (_numbers(field, top) for field, top in zip(schedule, (60, 24), strict=True))
    at = since.replace(second=0, microsecond=0)
    while at <= until:
        local = at.astimezone(ZoneInfo(zone))
        if at > since and local.minute in minutes and local.hour in hours:
            return True
        at += MINUTE
    return False


def _numbers(field: str, top: int) -> set[int]:
    if field.startswith("*"):
        return set(range(0, top, int(field.removeprefix("*").removeprefix("/") or 1)))
    return {number for part in field.split(",") for number in _span(part)}


def _span(part: str) -> Iterator[int]:
    low, _, high = part.partition("-")
    yield from range(int(low), int(high or low) + 1)


@given(
    st.dictionaries(st.sampled_from(["a", "b"]), st.none() | schedules, min_size=1),
    st.sampled_from(ZONES),
    st.lists(
        st.tuples(
            st.integers(1, 9_000), st.lists(st.sampled_from([0, 1, None]), min_size=2, max_size=2)
        ),
        min_size=1,
        max_size=10,
    ),
)
def test_the_verdict_in_force_is_that_of_a_naive_replay(
    own: dict[str, tuple[str, str] | None],
    zone: str,
    steps: Sequence[tuple[int, Sequence[int | None]]],
) -> None:
    written = {name: f"{one[0]} {one[1]} * * *" if one else "" for name, one in own.items()}
    replay = Replay(contract_of(written, zone))
    in_force: dict[str, tuple[datetime, Outcome]] = {}
    now = NIGHT
    for seconds, truth in steps:
        now += timedelta(seconds=seconds)
        nulls = dict(zip(sorted(own), truth, strict=False))
        run = replay.run(now, nulls)
        for name, schedule in own.items():
            before = in_force.get(name)
            if (
                before is None
                or schedule is None
                or before[1] is Outcome.ERROR
                or ticks(schedule, zone, before[0], now)
            ):
                in_force[name] = (now, _outcome_of(nulls[name]))
        assert outcomes(run) == {name: outcome for name, (_, outcome) in in_force.items()}


def _outcome_of(nulls: int | None) -> Outcome:
    if nulls is None:
        return Outcome.ERROR
    return Outcome.FAILED if nulls else Outcome.PASSED


def test_a_cron_is_in_the_zone_of_the_contracts_schedule() -> None:
    contract = contract_of(TWO, "America/Phoenix")
    (cron,) = crons_of(plan(contract)).values()
    assert cron == Cron("0 3 * * *", "America/Phoenix")
    assert cron.after(NIGHT) == NIGHT + 7 * 60 * MINUTE
