"""Reading rules of `engine: contractwatch` about one table."""

from datetime import timedelta

import pytest
from odcs_values import parsed, problems_of, skips_of, table

from contractwatch.model.contract.contract import Table
from contractwatch.model.promises.personal_data import Detector, SearchedColumn
from contractwatch.model.promises.reference import Reference
from contractwatch.model.promises.rule import Operator, Threshold, Unit
from contractwatch.model.promises.segment import (
    ListedSegments,
    Period,
    PeriodUnit,
    RecentSegments,
    ReferencedSegments,
)

COLUMNS = (
    "name: at, logicalType: timestamp",
    "name: region, logicalType: string, physicalName: REGION",
    "name: shop, logicalType: integer",
    "name: price, logicalType: number",
    "name: iban, logicalType: string, classification: Restricted",
)
DAY = timedelta(days=1)


def read(implementation: str, *columns: str, more: str = "") -> str:
    rule = f"type: custom, engine: contractwatch, implementation: {{{implementation}}}{more}"
    return table(*(columns or COLUMNS), above=f"    quality:\n      - {{{rule}}}\n")


def only_table(implementation: str, *columns: str, more: str = "") -> Table:
    return parsed(read(implementation, *columns, more=more)).tables[0]


SEGMENTS = "check: segmentCompleteness, element: at, period: P1D, by: [region]"


def test_a_segment_rule_is_read_with_all_that_it_says() -> None:
    (rule,) = only_table(
        "check: segmentCompleteness, element: orders.at, period: PT6H, lag: PT1H, lookback: P2D,"
        " timezone: Europe/Berlin, calendar: weekdays, by: [region, shop], minRows: 3,"
        " unit: percent, mustBeLessThan: 5, expect: {values: [[N, 1], [S, 2]]}",
        more=", id: g1, severity: warning, dimension: completeness",
    ).segment_rules
    assert (rule.rule_id, rule.severity, rule.dimension) == ("g1", "warning", "completeness")
    assert (rule.element, rule.by) == ("at", ("region", "shop"))
    assert rule.period == Period(PeriodUnit.MINUTE, 360)
    assert (rule.timezone, rule.weekdays_only) == ("Europe/Berlin", True)
    assert (rule.lag, rule.lookback) == (timedelta(hours=1), 2 * DAY)
    assert (rule.expected, rule.least_rows) == (ListedSegments((("N", "1"), ("S", "2"))), 3)
    assert rule.threshold == Threshold(Operator.LESS, 5, None, Unit.PERCENT)


def test_a_segment_rule_that_says_little_allows_nothing_missing_in_a_week() -> None:
    (rule,) = only_table(f"{SEGMENTS}, expect: {{fromHistory: P28D}}").segment_rules
    assert (rule.lookback, rule.lag) == (7 * DAY, timedelta(0))
    assert (rule.expected, rule.least_rows) == (RecentSegments(28 * DAY), 1)
    assert rule.threshold == Threshold(Operator.EQUAL, 0)
    assert rule.timezone == "Etc/UTC"


@pytest.mark.parametrize(
    ("by", "written", "target"),
    [
        ("[region]", "orders.region", Reference("orders", ("region",))),
        ("[region]", "[u.odcs.yaml#shops.id]", Reference("shops", ("id",), "u.odcs.yaml")),
        ("[region, shop]", "[orders.region, orders.shop]", Reference("orders", ("region", "shop"))),
    ],
)
def test_segments_may_be_those_of_a_reference(by: str, written: str, target: Reference) -> None:
    asked = f"{SEGMENTS.replace('[region]', by)}, expect: {{fromReference: {written}}}"
    (rule,) = only_table(asked).segment_rules
    assert rule.expected == ReferencedSegments(target)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("orders.regoin", "unknown column 'orders.regoin'; did you mean 'orders.region'?"),
        (
            "[orders.region, orders.shop]",
            "'by' has 1 and 'fromReference' 2; expected as many columns in both, in the same order",
        ),
        ("region", "'region' is no column; expected table.column"),
    ],
)
def test_a_reference_without_the_segments_is_a_problem(written: str, message: str) -> None:
    text = read(f"{SEGMENTS}, expect: {{fromReference: {written}}}")
    (problem,) = problems_of(text)
    assert problem.path == "schema[0].quality[0].implementation.expect.fromReference"
    assert problem.message == message


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("P1D", Period(PeriodUnit.DAY)),
        ("PT24H", Period(PeriodUnit.DAY)),
        ("P1W", Period(PeriodUnit.WEEK)),
        ("P3M", Period(PeriodUnit.MONTH, 3)),
        ("P1Y", Period(PeriodUnit.MONTH, 12)),
        ("PT15M", Period(PeriodUnit.MINUTE, 15)),
    ],
)
def test_periods_are_those_of_the_calendar(period: str, expected: Period) -> None:
    text = SEGMENTS.replace("P1D", period)
    (rule,) = only_table(f"{text}, expect: {{values: [N]}}").segment_rules
    assert rule.period == expected
    assert rule.lookback >= 7 * DAY


@pytest.mark.parametrize(
    ("implementation", "reason"),
    [
        (
            f"{SEGMENTS.replace('region', 'price')}, expect: {{values: [1]}}",
            "segments of number columns",
        ),
    ],
)
def test_a_segment_rule_that_is_not_executed_is_skipped(implementation: str, reason: str) -> None:
    path = "schema[0].quality[0]"
    assert skips_of(read(implementation)) == [
        (path, "segmentCompleteness", f"unsupported: {reason}")
    ]


def test_a_rule_of_a_whole_table_that_stands_at_a_column_is_skipped() -> None:
    asked = f"{SEGMENTS}, expect: {{values: [N]}}"
    rule = f"type: custom, engine: contractwatch, implementation: {{{asked}}}"
    text = table(*COLUMNS[:2], f"name: x, logicalType: string, quality: [{{{rule}}}]")
    assert [kind for _, kind, _ in skips_of(text)] == ["segmentCompleteness"]


def test_personal_data_is_looked_for_in_texts_that_may_not_hold_it() -> None:
    found = only_table(
        "check: piiLeak, detectors: [email, IBAN, creditCard], sampleRows: 10,"
        " includeUndeclared: true, mustBeLessOrEqualTo: 1",
        *COLUMNS,
        "name: note, customProperties: [{property: contractwatch.pii, value: {allow: [email]}}]",
    )
    (rule,) = found.pii_rules
    wanted = (Detector.EMAIL, Detector.IBAN, Detector.CARD)
    assert rule.columns == (SearchedColumn("REGION", wanted), SearchedColumn("note", wanted[1:]))
    assert rule.declared == ("at", "REGION", "shop", "price", "iban", "note")
    assert (rule.undeclared, rule.sample_rows) == (wanted, 10)
    assert rule.threshold == Threshold(Operator.LESS_OR_EQUAL, 1)


def test_classifications_are_exempt_as_the_rule_lists_them() -> None:
    (rule,) = only_table(
        "check: piiLeak, detectors: [ssn], exemptClassifications: [internal]"
    ).pii_rules
    assert [searched.column for searched in rule.columns] == ["REGION", "iban"]
    assert (rule.undeclared, rule.sample_rows) == ((), 0)
    assert rule.threshold == Threshold(Operator.EQUAL, 0)


def test_the_same_rule_twice_is_executed_once() -> None:
    rule = (
        "{type: custom, engine: contractwatch, implementation: {check: piiLeak, detectors: [ssn]}}"
    )
    text = table(*COLUMNS, above=f"    quality: [{rule}, {rule}]\n")
    assert len(parsed(text).tables[0].pii_rules) == 1
    assert skips_of(text) == [
        (
            "schema[0].quality[1]",
            "piiLeak",
            "unsupported: the same rule as schema[0].quality[0]",
        )
    ]
