"""Segments are missed in due periods only; personal data is told by column, kind and rate."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from checks_values import at, column, contract, only, table

from contractwatch.checks.common.periods import due_starts
from contractwatch.model.base.clause import Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import Contract, LogicalType
from contractwatch.model.measure.state import Measurement, Unmeasured
from contractwatch.model.promises.personal_data import Detector, DetectorHits, PersonalData, PiiRule
from contractwatch.model.promises.reference import Reference, Segments, SegmentsOf
from contractwatch.model.promises.rule import Operator, Threshold, Unit
from contractwatch.model.promises.segment import (
    ListedSegments,
    Period,
    PeriodUnit,
    RecentSegments,
    ReferencedSegments,
    RowsPerCell,
    SegmentCounts,
    SegmentRows,
    SegmentRule,
)
from contractwatch.model.record.check import Outcome, Verdict

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)  # a Tuesday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NONE = Threshold(Operator.EQUAL, 0)


def segments(**more: Any) -> SegmentRule:
    given: dict[str, Any] = {
        "element": "at",
        "period": Period(PeriodUnit.DAY),
        "timezone": "Etc/UTC",
        "by": ("region",),
        "threshold": NONE,
        "severity": Severity.ERROR,
        "lookback": 3 * DAY,
        "expected": ListedSegments((("NORTH",), ("SOUTH",))),
    }
    return SegmentRule(at(20), "g1", **(given | more))


def starts(rule: SegmentRule, now: datetime = NOW) -> list[str]:
    return [f"{start:%d %H:%M}" for start in due_starts(rule, now)]


def test_a_period_is_due_once_its_lag_is_over() -> None:
    assert starts(segments()) == ["08 00:00", "09 00:00"]
    assert starts(segments(lag=12 * HOUR)) == ["08 00:00", "09 00:00"]
    assert starts(segments(lag=13 * HOUR)) == ["08 00:00"]


def test_days_end_where_the_clocks_of_the_zone_say() -> None:
    late = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    assert starts(segments(), late)[-1] == "08 00:00"
    assert starts(segments(timezone="Europe/Berlin"), late)[-1] == "09 00:00"


def test_weekends_are_dropped_where_the_calendar_says() -> None:
    rule = segments(lookback=5 * DAY, weekdays_only=True)
    assert starts(rule) == ["06 00:00", "09 00:00"]


@pytest.mark.parametrize(
    ("period", "lookback", "expected"),
    [
        (Period(PeriodUnit.MINUTE, 360), DAY, ["09 12:00", "09 18:00", "10 00:00", "10 06:00"]),
        (Period(PeriodUnit.WEEK), 15 * DAY, ["02 00:00"]),
        (Period(PeriodUnit.MONTH), 70 * DAY, ["01 00:00", "01 00:00"]),
        (Period(PeriodUnit.MONTH, 3), 170 * DAY, ["01 00:00"]),
    ],
)
def test_periods_are_those_of_the_calendar(
    period: Period, lookback: timedelta, expected: list[str]
) -> None:
    assert starts(segments(period=period, lookback=lookback)) == expected


def test_an_hour_that_the_clocks_skip_is_not_expected() -> None:
    rule = segments(
        period=Period(PeriodUnit.MINUTE, 60), lookback=6 * HOUR, timezone="Europe/Berlin"
    )
    found = starts(rule, datetime(2026, 3, 29, 4, 0, tzinfo=UTC))
    assert found == ["29 00:00", "29 01:00", "29 03:00", "29 04:00", "29 05:00"]


def given_segments(rule: SegmentRule) -> Contract:
    columns = (
        column("at", LogicalType.TIMESTAMP, physical_name="AT", default_timezone="Asia/Tokyo"),
        column("region"),
    )
    return contract(table(*columns, segment_rules=(rule,)))


def verdict(rule: SegmentRule, *cells: tuple[str, str | None, int]) -> Verdict:
    check = only("segmentCompleteness", given_segments(rule))
    (metric,) = check.metrics()
    counts = SegmentCounts(
        tuple(SegmentRows(f"2026-03-{start}", (name,), rows) for start, name, rows in cells)
    )
    return check.judge({metric: counts}, NOW)


FULL = [
    (start, name, 5)
    for start in ("08T00:00", "09T00:00", "10T00:00")
    for name in ("NORTH", "SOUTH")
]


def test_every_segment_in_every_due_period_is_a_pass() -> None:
    found = verdict(segments(), *FULL)
    assert found == Verdict(Outcome.PASSED, observed=0, threshold="exactly 0 cells")


def test_missing_cells_are_named_as_the_contract_names_them() -> None:
    found = verdict(segments(least_rows=5), *FULL[:2], ("09T00:00", "NORTH", 4))
    assert (found.outcome, found.observed) == (Outcome.FAILED, 2)
    assert found.reason == "2 of 4 cells: NORTH 2026-03-09, SOUTH 2026-03-09"


def test_cells_of_segments_that_the_data_names_are_only_counted() -> None:
    rule = segments(expected=RecentSegments(28 * DAY))
    found = verdict(rule, *FULL[:3], ("09T00:00", None, 3))
    assert found.outcome is Outcome.FAILED
    assert found.reason == "1 of 4 cells: 1 in 2026-03-09; 3 rows without a segment"


def referred(known: Measurement) -> Verdict:
    target = Reference("regions", ("id",))
    check = only(
        "segmentCompleteness", given_segments(segments(expected=ReferencedSegments(target)))
    )
    of_cells, of_target = check.metrics()
    assert of_target == SegmentsOf("t", ("region",), target)
    counts = tuple(SegmentRows(f"2026-03-{start}", (name,), rows) for start, name, rows in FULL)
    return check.judge({of_cells: SegmentCounts(counts), of_target: known}, NOW)


def test_segments_of_a_reference_are_expected_and_only_counted() -> None:
    assert referred(Segments((("NORTH",), ("SOUTH",)))).outcome is Outcome.PASSED
    assert referred(Segments((("NORTH",), ("WEST",)))).reason == (
        "2 of 4 cells: 1 in 2026-03-08, 1 in 2026-03-09"
    )
    assert referred(Segments()).vacuous


def test_a_reference_that_cannot_be_read_is_an_error_and_never_a_fail() -> None:
    found = referred(Unmeasured("the data of regions cannot be read"))
    assert (found.outcome, found.reason) == (Outcome.ERROR, "the data of regions cannot be read")


def test_a_percentage_is_of_all_expected_cells() -> None:
    limit = Threshold(Operator.LESS_OR_EQUAL, 25, unit=Unit.PERCENT)
    found = verdict(segments(threshold=limit), *FULL[:3])
    assert (found.outcome, found.observed, found.reason) == (Outcome.PASSED, 25.0, "")


def test_without_a_due_period_or_a_segment_the_verdict_is_vacuous() -> None:
    for rule in (segments(lag=30 * DAY), segments(expected=RecentSegments(28 * DAY))):
        found = verdict(rule)
        assert found.outcome is Outcome.PASSED
        assert found.vacuous


def test_long_lists_are_cut() -> None:
    rule = segments(expected=ListedSegments(tuple((f"s{number}",) for number in range(9))))
    assert verdict(rule).reason.endswith("s4 2026-03-08, and 13 more")


def test_a_segment_rule_asks_for_its_columns_and_counts_as_volume() -> None:
    check = only("segmentCompleteness", given_segments(segments(expected=RecentSegments(9 * DAY))))
    period = Period(PeriodUnit.DAY)
    asked = RowsPerCell("t", "AT", ("region",), period, 9 * DAY, "Etc/UTC", "Asia/Tokyo")
    assert check.metrics() == (asked,)
    promise = check.promise
    assert (promise.dimension, promise.objective) == (Dimension.COVERAGE, Objective.VOLUME)
    assert promise.physical_columns == ("AT", "region")
    assert promise.expected == "every region has 1 row or more in every day of the last 3 d"


def pii(threshold: Threshold = NONE) -> PiiRule:
    return PiiRule(at(21), "p1", (), ("a", "b"), (), threshold, Severity.ERROR)


def leak(
    *hits: tuple[str, Detector, int], texts: int = 1000, rule: PiiRule | None = None
) -> Verdict:
    check = only("piiLeak", contract(table(column("a"), pii_rules=(rule or pii(),))))
    (metric,) = check.metrics()
    found = tuple(DetectorHits(name, detector, texts, count) for name, detector, count in hits)
    return check.judge({metric: PersonalData(found)}, NOW)


def test_a_hit_below_the_floor_is_an_accident() -> None:
    found = leak(("a", Detector.PHONE, 10), ("a", Detector.EMAIL, 1))
    assert found == Verdict(Outcome.PASSED, observed=0, threshold="exactly 0 columns")


def test_a_leak_is_told_by_column_detector_and_rate() -> None:
    found = leak(("a", Detector.PHONE, 11), ("a", Detector.EMAIL, 1000), ("b", Detector.SSN, 6))
    assert (found.outcome, found.observed) == (Outcome.FAILED, 2)
    assert found.reason == (
        "a: phone in 1.1 % of 1,000 texts; a: email in 100 % of 1,000 texts;"
        " b: ssn in 0.6 % of 1,000 texts"
    )


def test_as_many_columns_as_the_rule_allows_are_a_pass() -> None:
    allowed = pii(Threshold(Operator.LESS_OR_EQUAL, 1))
    found = leak(("a", Detector.EMAIL, 9), rule=allowed)
    assert found.outcome is Outcome.PASSED
    assert leak(("a", Detector.EMAIL, 9), ("b", Detector.EMAIL, 9), rule=allowed).observed == 2


def test_a_table_without_texts_leaks_nothing_and_proves_nothing() -> None:
    found = leak(("a", Detector.EMAIL, 0), texts=0)
    assert (found.outcome, found.vacuous, found.reason) == (Outcome.PASSED, True, "no texts")


def test_a_leak_counts_for_validity_unless_the_rule_has_a_dimension() -> None:
    check = only("piiLeak", contract(table(pii_rules=(pii(),))))
    assert check.promise.objective is Objective.VALIDITY
    other = replace(pii(), dimension=Dimension.ACCURACY)
    assert only("piiLeak", contract(table(pii_rules=(other,)))).promise.dimension == "accuracy"
