"""Waits, rates, updates, deadlines and reactions are judged by values."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from checks_values import NOW, at, column, contract, only, option, rule, table
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.checks.common.thresholds import NONE_AT_ALL
from contractwatch.checks.common.watermarks import extend_history
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import (
    BadRows,
    BadRowsAcross,
    Delays,
    ForeignKey,
    IsInvalid,
    IsLarger,
    IsNull,
    IsShorter,
    IsSmaller,
    Metric,
    RecentRows,
    RowCount,
    TableSchema,
    TimeSpan,
    UpdateHistory,
)
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    DelayTally,
    Measurement,
    TableColumns,
    TimeRange,
    Unmeasured,
    Watermark,
    WatermarkLog,
    WatermarkPeriod,
)
from contractwatch.model.promises.reference import Reference, Relationship
from contractwatch.model.promises.rule import RuleMetric, TypeOptionKind
from contractwatch.model.promises.service_level import (
    ErrorRate,
    Frequency,
    MaxDelay,
    ServiceLevel,
    Throughput,
)
from contractwatch.model.record.check import Check, Outcome, Verdict

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PASSED, FAILED, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED
ERROR = Outcome.ERROR
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
    short = option(TypeOptionKind.MIN_LENGTH, 2)
    second = table(column("d", options=(short,)), name="u", physical_name="u")
    levels = (ServiceLevel(at(50), "s", "errorRate", promise),)
    return only("errorRate", contract(table(first), second, service_levels=levels))


BAD_T = BadRows("t", (IsNull("c"), IsInvalid("c", ("a",))))
BAD_U = BadRows("u", (IsShorter("d", 2),))
TYPES = {
    TableSchema(name): TableColumns((ColumnType(of, "string", "string"),))
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
    answers[TableSchema("t")] = TableColumns(())
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


def related(severity: Severity) -> Check:
    elsewhere = Reference("u", ("d",), "u.odcs.yaml")
    key = Relationship(at(33), "f1", "c", ("c",), elsewhere, NONE_AT_ALL, severity)
    first = replace(table(column("c", required_clause=at(12))), relationships=(key,))
    levels = (ServiceLevel(at(50), "s", "errorRate", ErrorRate(10)),)
    return only("errorRate", contract(first, service_levels=levels))


BAD_KEYS = BadRowsAcross(
    "t", (IsNull("c"),), (ForeignKey(("c",), Reference("u", ("d",), "u.odcs.yaml")),)
)


def test_a_key_without_a_match_counts_where_its_relationship_is_an_error() -> None:
    answers: dict[Metric, Measurement] = {
        RowCount("t"): Count(9),
        BAD_KEYS: Count(1),
        TableSchema("t"): TYPES[TableSchema("t")],
    }
    check = related(Severity.ERROR)
    assert set(check.metrics()) == answers.keys()
    assert told(check.judge(answers, NOW)) == (FAILED, 100 / 9, "1 of 9 rows break a rule")
    assert BAD_KEYS not in related(Severity.WARNING).metrics()


def test_a_rate_over_a_target_that_cannot_be_read_is_an_error_and_never_a_fail() -> None:
    answers: dict[Metric, Measurement] = {
        RowCount("t"): Count(9),
        TableSchema("t"): TYPES[TableSchema("t")],
        BAD_KEYS: Unmeasured("the data of u.odcs.yaml cannot be read"),
    }
    verdict = related(Severity.ERROR).judge(answers, NOW)
    assert told(verdict) == (ERROR, None, "the data of u.odcs.yaml cannot be read")


def test_a_rate_is_skipped_with_the_reason_of_the_rule_that_is() -> None:
    check = related(Severity.ERROR)
    missing = check.judge({TableSchema("t"): TableColumns()}, NOW)
    assert told(missing) == (SKIPPED, None, "column missing")


def test_the_type_of_a_vectors_elements_is_no_rule_of_rows_and_hides_no_others() -> None:
    kinds = (option(TypeOptionKind.DIMENSIONS, 3), option(TypeOptionKind.ELEMENT_TYPE, "float32"))
    vector = column("c", logical_type=LogicalType.VECTOR, options=kinds)
    levels = (ServiceLevel(at(50), "s", "errorRate", ErrorRate(10)),)
    check = only("errorRate", contract(table(vector), service_levels=levels))
    assert check.metrics()[-1] == BadRows("t", (IsSmaller("c", 3), IsLarger("c", 3)))


# ---- frequency


def seen(*changes: datetime, until: datetime = NOW, looks: int = 50) -> WatermarkLog:
    """Return a history whose watermark changed at these instants, the first begins it."""
    ends = (*changes[1:], until)
    return WatermarkLog(
        tuple(
            WatermarkPeriod(Watermark(start, n), start, max(start, end - HOUR / 60), looks)
            for n, (start, end) in enumerate(zip(changes, ends, strict=True))
        )
    )


def frequency(history: WatermarkLog, newest: datetime | None = NOW, **more: Any) -> Verdict:
    check = level(Frequency("t", "at", **({"fixed": DAY} | more)), "frequency")
    assert check.metrics() == (SPAN, RowCount("t"), HISTORY)
    span = TimeRange(newest, newest, 1)
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
    assert told(frequency(WatermarkLog(is_recorded=False), None)) == (FAILED, None, "no data")
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
    history = extend_history((), first, NOW)
    history = extend_history(history, first, NOW + HOUR)
    history = extend_history(history, second, NOW + 2 * HOUR)
    assert history == (
        WatermarkPeriod(first, NOW, NOW + HOUR, 2),
        WatermarkPeriod(second, NOW + 2 * HOUR, NOW + 2 * HOUR),
    )
