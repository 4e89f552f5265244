"""Tests of `with_history`: answers from the record, and what a run adds to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contractwatch.agent.run.history import observed_watermarks, with_history
from contractwatch.checks.common.watermarks import extend_history
from contractwatch.model.base.clause import Clause, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import Column, Contract, LogicalType, Status, Table
from contractwatch.model.measure.metric import (
    IncidentTimes,
    Probes,
    RowCount,
    TimeSpan,
    UpdateHistory,
)
from contractwatch.model.measure.state import (
    Count,
    IncidentLog,
    IncidentTime,
    ProbeTally,
    TimeRange,
    Unmeasured,
    Watermark,
    WatermarkLog,
    WatermarkPeriod,
)
from contractwatch.model.promises.rule import Baseline, Operator, Rule, RuleMetric, Threshold, Unit
from contractwatch.model.promises.service_level import (
    Frequency,
    IncidentStep,
    MaxIncidentTime,
    ServiceLevel,
)
from contractwatch.model.record.check import Outcome
from contractwatch.model.record.product import ObservedWatermark, ProductState, WatermarkHistory
from contractwatch.model.record.run import Reading, RunOutcome
from contractwatch.slo.observe import observe
from contractwatch.verify import judge, plan, promised_objectives

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HERE = Clause("slaProperties[0]", 9)
LEVELS = (
    ServiceLevel(HERE, "f", "frequency", Frequency("t", "at", 24 * HOUR)),
    ServiceLevel(
        HERE,
        "r",
        "timeToRepair",
        MaxIncidentTime(IncidentStep.REPAIR, HOUR),
        severity=Severity.ERROR,
    ),
)
STAMP = Column(HERE, "at", "AT", LogicalType.TIMESTAMP)
CONTRACT = Contract(
    "orders.odcs.yaml",
    "00",
    "k",
    "orders",
    "1.0.0",
    Status.ACTIVE,
    "v3.1.0",
    tables=(Table(HERE, "t", "t", (STAMP,)),),
    service_levels=LEVELS,
)
SPAN, HISTORY = TimeSpan("t", "AT"), UpdateHistory("t", "AT")
READ = Reading("s", NOW, {SPAN: TimeRange(NOW, NOW, 1), RowCount("t"): Count(1)}, True, "v2")
BEFORE = WatermarkPeriod(Watermark(NOW - HOUR, 1, "v1"), NOW - HOUR, NOW - HOUR)
SLOW = IncidentLog((IncidentTime(NOW - 2 * HOUR),))
MEMORY = ProductState((), (), ProbeTally(3, 4), (WatermarkHistory("t", "AT", (BEFORE,)),), SLOW)


def test_a_run_adds_its_watermark_and_its_probe_to_what_is_remembered() -> None:
    reading = with_history(READ, MEMORY, plan(CONTRACT), now=NOW)
    mark = Watermark(NOW, 1, "v2")
    assert reading.measurements == {
        **READ.measurements,
        Probes(): ProbeTally(4, 5),
        IncidentTimes(): SLOW,
        HISTORY: WatermarkLog((BEFORE, WatermarkPeriod(mark, NOW, NOW))),
    }
    assert observed_watermarks(reading, now=NOW) == (ObservedWatermark("t", "AT", mark),)


def test_a_run_that_could_not_read_adds_no_watermark() -> None:
    unread = Reading("s", NOW, {SPAN: Unmeasured("gone"), RowCount("t"): Count(1)}, False)
    reading = with_history(unread, MEMORY, plan(CONTRACT), now=NOW)
    assert reading.measurements[HISTORY] == WatermarkLog((BEFORE,))
    assert observed_watermarks(reading, now=NOW) == ()


def test_a_slow_repair_fails_its_check_and_turns_no_objective() -> None:
    planned = plan(CONTRACT)
    promised = promised_objectives(planned)
    assert Objective.AVAILABILITY not in promised
    run = judge(planned, with_history(READ, MEMORY, planned, now=NOW), now=NOW)
    assert run.outcome is RunOutcome.FAILED
    every = observe(run, promised | {Objective.AVAILABILITY})
    assert [one for one in every if one.failed] == []


WEEK = timedelta(days=7)
GROWTH = Rule(
    HERE,
    "g",
    RuleMetric.ROW_COUNT,
    Threshold(Operator.BETWEEN, 80, 130, Unit.PERCENT),
    Severity.ERROR,
    baseline=Baseline(WEEK),
)
GROWING = replace(CONTRACT, tables=(Table(HERE, "t", "t", (), rules=(GROWTH,)),), service_levels=())


def run_after(hours: float, rows: int, memory: ProductState) -> tuple[Outcome, ProductState]:
    """Judge a run and remember its look, as a store does."""
    now, planned = NOW + hours * HOUR, plan(GROWING)
    read = Reading("s", now, {RowCount("t"): Count(rows)}, True)
    reading = with_history(read, memory, planned, now=now)
    (found,) = judge(planned, reading, now=now).results
    seen = {(one.table, one.column): one.seen for one in memory.watched}
    for look in observed_watermarks(reading, now=now):
        key = (look.table, look.column)
        seen[key] = extend_history(seen.get(key, ()), look.watermark, now)
    watched = tuple(WatermarkHistory(*key, lines) for key, lines in seen.items())
    return found.outcome, replace(memory, watched=watched)


def test_a_volume_is_compared_with_that_of_a_week_ago_once_there_is_one() -> None:
    memory, outcomes = ProductState(), []
    for day, rows in enumerate((100, 200, 300, 300, 300, 300, 300, 100, 100)):
        outcome, memory = run_after(24 * day, rows, memory)
        outcomes.append(outcome)
    assert outcomes == [Outcome.SKIPPED] * 7 + [Outcome.PASSED, Outcome.FAILED]


def test_a_run_every_minute_keeps_a_line_for_every_quarter_of_an_hour_of_a_week() -> None:
    memory = ProductState()
    for minute in range(120):
        _, memory = run_after(minute / 60, minute, memory)
    (watched,) = memory.watched
    assert 5 <= len(watched.seen) <= 8
