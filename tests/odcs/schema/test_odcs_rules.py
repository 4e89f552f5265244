"""Reading quality rules; unsupported ones are skipped."""

from datetime import timedelta

import pytest
from odcs_values import parsed, problems_of, skips_of, table, warnings_of

from contractwatch.errors import ContractError
from contractwatch.model.base.clause import Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.promises.rule import (
    Baseline,
    DuplicateCounting,
    Operator,
    Rule,
    RuleMetric,
    Threshold,
    Unit,
)


def of_column(rule: str, column: str = "logicalType: string") -> str:
    return table(f"name: a, {column}, quality: [{{{rule}}}]", "name: b, logicalType: integer")


def of_table(rule: str) -> str:
    return table("name: a", "name: b", above=f"    quality: [{{{rule}}}]\n")


def only_rule(text: str) -> Rule:
    found = parsed(text).tables[0]
    (rule,) = (*found.rules, *(rule for column in found.columns for rule in column.rules))
    return rule


@pytest.mark.parametrize(
    ("written", "threshold"),
    [
        ("mustBe: 0", Threshold(Operator.EQUAL, 0)),
        ("mustNotBe: 1", Threshold(Operator.NOT_EQUAL, 1)),
        ("mustBeGreaterThan: 1.5", Threshold(Operator.GREATER, 1.5)),
        ("mustBeGreaterOrEqualTo: 1", Threshold(Operator.GREATER_OR_EQUAL, 1)),
        ("mustBeLessThan: 5, unit: percent", Threshold(Operator.LESS, 5, None, Unit.PERCENT)),
        (
            "mustBeLessOrEqualTo: 5, unit: '%'",
            Threshold(Operator.LESS_OR_EQUAL, 5, None, "percent"),
        ),
        ("mustBeBetween: [1, 2], unit: rows", Threshold(Operator.BETWEEN, 1, 2)),
        ("mustNotBeBetween: [-1, 2]", Threshold(Operator.NOT_BETWEEN, -1, 2)),
    ],
)
def test_each_operator_is_read(written: str, threshold: Threshold) -> None:
    assert only_rule(of_column(f"metric: nullValues, {written}")).threshold == threshold


@pytest.mark.parametrize(
    ("written", "severity"),
    [
        ("trivial", Severity.INFO),
        ("Warn", Severity.WARNING),
        ("minor", Severity.WARNING),
        ("blocker", Severity.ERROR),
        ("whatever", Severity.ERROR),
    ],
)
def test_severity_has_many_names(written: str, severity: Severity) -> None:
    text = of_column(f"metric: nullValues, mustBe: 0, severity: {written}")
    assert only_rule(text).severity is severity


def test_short_names_of_dimensions_are_read() -> None:
    text = of_column("metric: nullValues, mustBe: 0, dimension: CP")
    assert only_rule(text).dimension is Dimension.COMPLETENESS


def test_the_id_of_a_rule_without_one_does_not_change_with_its_description() -> None:
    first = only_rule(of_column("metric: nullValues, mustBe: 0, description: a"))
    again = only_rule(of_column("description: b, mustBe: 0, metric: nullValues"))
    other = only_rule(of_column("metric: nullValues, mustBe: 1"))
    assert first.rule_id == again.rule_id != other.rule_id
    assert len(first.rule_id) == 8


def test_an_older_rule_is_read_with_a_warning() -> None:
    text = of_column("rule: nullValues, mustBe: 0")
    assert only_rule(text).metric is RuleMetric.NULL_VALUES
    assert warnings_of(text) == ["'rule' was renamed in ODCS 3.1; write 'metric'"]


@pytest.mark.parametrize(
    ("column", "listed", "values"),
    [
        ("logicalType: string", "[NO, 1, null]", ("NO", "1")),
        ("logicalType: integer", "[1, 2.0, '3']", (1, 2, 3)),
        ("logicalType: number", "[1, 2.5, .nan]", None),
        ("logicalType: boolean", "[true, 'False']", (True, False)),
        ("logicalType: date", "[2026-01-31]", ("2026-01-31",)),
        ("logicalType: timestamp", "['2026-01-31T01:00:00+01:00']", ("2026-01-31T00:00:00+00:00",)),
        ("logicalType: time", "[09:30]", ("09:30:00",)),
        ("description: x", "[1, 2.5]", (1, 2.5)),
    ],
)
def test_listed_values_are_cast_to_the_columns_type(
    column: str, listed: str, values: tuple[object, ...] | None
) -> None:
    rule = f"metric: missingValues, mustBe: 0, arguments: {{missingValues: {listed}}}"
    found = only_rule(of_column(rule, column)).values
    assert found is not None
    if values is None:
        assert len(found) == 3
    else:
        assert found == values


def test_duplicates_of_a_table_are_counted_over_the_columns_or_the_key() -> None:
    named = of_table("metric: duplicateValues, mustBe: 0, arguments: {properties: [b, a]}")
    assert only_rule(named).columns == ("b", "a")
    by_key = of_table("metric: duplicateValues, mustBe: 0").replace(
        "{name: b}", "{name: b, primaryKey: true}"
    )
    assert only_rule(by_key).columns == ("b",)
    assert only_rule(of_column("metric: duplicateValues, mustBe: 0")).columns == ("a",)


@pytest.mark.parametrize(
    ("rule", "kind", "reason"),
    [
        ("type: text, description: hello", "text", "text rules"),
        ("description: hello", "text", "text rules"),
        ("type: custom, engine: soda, implementation: x", "custom", "rules of the engine 'soda'"),
        (
            (
                "type: custom, engine: contractwatch,"
                " implementation: {check: piiLeak, detectors: [email]}"
            ),
            "piiLeak",
            "the check 'piiLeak'",
        ),
    ],
)
def test_a_rule_that_is_not_executed_is_skipped_with_its_reason(
    rule: str, kind: str, reason: str
) -> None:
    text = of_column(rule)
    path = "schema[0].properties[0].quality[0]"
    assert skips_of(text) == [(path, kind, f"unsupported: {reason}")]


def volume(baseline: str, unit: str = "percent") -> str:
    return of_table(
        f"metric: rowCount, unit: {unit}, mustBeBetween: [80, 130], customProperties:"
        f" [{{property: contractwatch.baseline, value: {{{baseline}}}}}]"
    )


@pytest.mark.parametrize(
    ("written", "baseline"),
    [
        ("kind: previousRun", Baseline()),
        ("kind: samePeriod, offset: P7D", Baseline(timedelta(days=7))),
        ("kind: samePeriod, offset: PT36H", Baseline(timedelta(hours=36))),
    ],
)
def test_a_volume_in_percent_has_its_baseline(written: str, baseline: Baseline) -> None:
    (rule,) = parsed(volume(written)).tables[0].rules
    assert rule.baseline == baseline


@pytest.mark.parametrize(
    ("written", "unit", "reason"),
    [
        (
            "kind: samePeriod, offset: P1M",
            "percent",
            "in months or years, which vary; say days, such as P28D",
        ),
        (
            "kind: previousRun",
            "rows",
            "in rows; say 'unit: percent', where 100 is as many as before",
        ),
    ],
)
def test_a_baseline_that_cannot_be_asked_is_skipped(written: str, unit: str, reason: str) -> None:
    told = skips_of(volume(written, unit))[0][2]
    assert told == f"unsupported: contractwatch.baseline {reason}"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("kind: samePeriod", "samePeriod needs an offset; expected a length such as P7D"),
        ("kind: samePeriod, offset: P0D", "no length of time; expected more than 0"),
        (
            "kind: samePeriod, offset: P91D",
            "the record keeps 90 days; expected an offset of P90D or less",
        ),
    ],
)
def test_a_baseline_that_is_none_is_an_error(written: str, message: str) -> None:
    with pytest.raises(ContractError) as refused:
        parsed(volume(written))
    assert [problem.message for problem in refused.value.problems] == [message]


def test_a_rule_counts_duplicates_as_it_says() -> None:
    rule = "metric: duplicateValues, mustBe: 0, customProperties: "
    counting = "[{property: contractwatch.duplicateCounting, value: affected}]"
    (read,) = parsed(of_column(rule + counting)).tables[0].columns[0].rules
    assert read.counting is DuplicateCounting.AFFECTED


def test_values_of_nested_columns_are_skipped() -> None:
    rule = "metric: invalidValues, mustBe: 0, arguments: {validValues: [x]}"
    text = of_column(rule, "logicalType: array")
    assert skips_of(text)[0][2] == "unsupported: values of array columns"


def test_a_skipped_rule_keeps_its_identity_severity_and_dimension() -> None:
    text = of_column("id: r1, type: text, description: x, severity: low, dimension: tm")
    (skipped,) = parsed(text).skipped
    assert skipped.promise_id == "orders-1/orders/a/text/r1"
    assert (skipped.severity, skipped.dimension) == (Severity.WARNING, Dimension.TIMELINESS)
    assert skipped.objective is Objective.FRESHNESS


def test_two_rules_on_one_metric_are_two_and_the_same_rule_twice_is_one() -> None:
    rule = "{metric: nullValues, mustBe: 0}"
    other = "{metric: nullValues, mustBeLessThan: 5, severity: warning}"
    text = table(f"name: a, quality: [{rule}, {other}, {rule}]")
    contract = parsed(text)
    assert len(contract.tables[0].columns[0].rules) == 2
    (again,) = contract.skipped
    assert again.reason == "unsupported: the same rule as schema[0].properties[0].quality[0]"
    assert again.promise_id.split("/")[-1].endswith("-2")


def test_the_same_rule_of_another_severity_is_judged_too() -> None:
    rules = "metric: nullValues, mustBe: 0, severity: warning}, {metric: nullValues, mustBe: 0"
    (first, second) = parsed(of_column(rules)).tables[0].columns[0].rules
    assert (first.severity, second.severity) == (Severity.WARNING, Severity.ERROR)
    assert second.rule_id == f"{first.rule_id}-1"
    sql = "{type: sql, query: SELECT 1, mustBe: 1, severity: %s}"
    listed = f"    quality: [{sql % 'info'}, {sql % 'error'}, {sql % 'info'}]\n"
    contract = parsed(table("name: a", above=listed))
    assert [rule.severity for rule in contract.tables[0].queries] == [Severity.INFO, Severity.ERROR]
    assert [one.clause.path for one in contract.skipped] == ["schema[0].quality[2]"]


def test_promise_ids_are_unique() -> None:
    text = table("name: a, logicalType: array, relationships: [{to: x.a}, {to: y.a}]")
    assert [one.promise_id for one in parsed(text).skipped] == [
        "orders-1/orders/a/relationship",
        "orders-1/orders/a/relationship-2",
    ]


def test_a_rule_says_nothing_about_a_value_of_the_contract_it_does_not_quote() -> None:
    (problem,) = problems_of(of_column("metric: nullValues, mustBe: 0, unit: kilo"))
    assert problem.message == "unknown unit 'kilo'; expected rows or percent"


def test_a_rule_of_3_0_by_another_name_is_kept_and_skipped() -> None:
    text = of_column("type: library, rule: between, description: 0 to 500").replace(
        "v3.1.0", "v3.0.2"
    )
    assert [reason for *_, reason in skips_of(text)] == [
        "unsupported: rules of the engine 'ODCS 3.0'"
    ]
    assert "is no metric since ODCS 3.1" in warnings_of(text)[0]
