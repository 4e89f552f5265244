from dataclasses import replace
from typing import Any

import pytest
from checks_values import (
    NOW,
    answers_to,
    checks_of,
    column,
    contract,
    judged,
    key,
    only,
    option,
    rule,
    table,
)
from hypothesis import given
from hypothesis import strategies as st

from contractwatch.checks.common.thresholds import is_met, limit_words, promised_words
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import CountWhere, IsAbove, IsBelow, IsNull, RowCount
from contractwatch.model.measure.state import Count, DuplicateCounts, Unmeasured
from contractwatch.model.promises.rule import Operator, RuleMetric, Threshold, TypeOptionKind, Unit
from contractwatch.model.record.check import Outcome


def _nulls(*args: Any, **more: Any) -> Any:
    nulls = rule(RuleMetric.NULL_VALUES, *args, **more)
    return only("nullValues", contract(table(column(rules=(nulls,)))))


def test_one_null_breaks_a_required_column() -> None:
    check = only("required", contract(table(column(required_clause=Clause("c.required", 12)))))
    verdict = judged(check, violations=1)
    assert (verdict.outcome, verdict.observed, verdict.threshold) == (
        Outcome.FAILED,
        1,
        "exactly 0 rows",
    )
    assert (verdict.rows, verdict.violations, verdict.reason) == (10, 1, "1 of 10 rows")


def test_a_percentage_is_of_all_rows() -> None:
    check = _nulls(Operator.LESS_OR_EQUAL, 10, percent=True)
    verdict = judged(check, violations=1)
    assert (verdict.outcome, verdict.observed, verdict.threshold) == (
        Outcome.PASSED,
        10.0,
        "at most 10 %",
    )


def test_a_percentage_of_no_rows_is_zero_and_vacuous() -> None:
    verdict = judged(_nulls(Operator.LESS, 1, percent=True), rows=0)
    assert (verdict.outcome, verdict.observed) == (Outcome.PASSED, 0.0)
    assert (verdict.vacuous, verdict.reason) == (True, "no rows")


def test_a_promise_that_no_rows_break_is_failed_and_not_vacuous() -> None:
    verdict = judged(_nulls(Operator.GREATER, 1, percent=True), rows=0)
    assert (verdict.outcome, verdict.vacuous) == (Outcome.FAILED, False)


def test_an_unmeasured_answer_is_an_error_with_its_reason() -> None:
    check = _nulls()
    answers = {RowCount("t"): Count(1), CountWhere("t", IsNull("c")): Unmeasured("unplannable")}
    verdict = check.judge(answers, NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "unplannable")


def test_a_question_nobody_answered_is_an_error() -> None:
    assert _nulls().judge({}, NOW).reason == "not measured"


def test_must_be_a_percentage_has_a_tolerance_and_greater_has_none() -> None:
    third = 100 / 3
    equal = Threshold(Operator.EQUAL, 33.333333, unit=Unit.PERCENT)
    assert is_met(equal, third)
    assert not is_met(Threshold(Operator.NOT_EQUAL, 33.333333, unit=Unit.PERCENT), third)
    assert is_met(Threshold(Operator.GREATER, 33.333333, unit=Unit.PERCENT), third)
    assert not is_met(Threshold(Operator.EQUAL, 33.333333), third)


def test_both_ends_of_an_interval_are_inside() -> None:
    between = Threshold(Operator.BETWEEN, 1, 3)
    outside = Threshold(Operator.NOT_BETWEEN, 1, 3)
    assert [is_met(between, n) for n in (0, 1, 2, 3, 4)] == [False, True, True, True, False]
    assert [is_met(outside, n) for n in (0, 1, 2, 3, 4)] == [True, False, False, False, True]


@given(st.sampled_from(Operator), st.floats(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_each_operator_and_its_opposite_never_agree(
    operator: Operator, low: float, width: float, value: float
) -> None:
    opposite = {
        Operator.EQUAL: Operator.NOT_EQUAL,
        Operator.GREATER: Operator.LESS_OR_EQUAL,
        Operator.GREATER_OR_EQUAL: Operator.LESS,
        Operator.BETWEEN: Operator.NOT_BETWEEN,
    }
    other = opposite.get(operator) or {b: a for a, b in opposite.items()}[operator]
    for unit in Unit:
        one, two = (Threshold(op, low, low + width, unit) for op in (operator, other))
        assert is_met(one, value) is not is_met(two, value)


@pytest.mark.parametrize(
    ("threshold", "promised", "limit"),
    [
        (Threshold(Operator.EQUAL, 0), "no null rows", "exactly 0 rows"),
        (Threshold(Operator.LESS_OR_EQUAL, 0), "no null rows", "at most 0 rows"),
        (Threshold(Operator.LESS, 1), "less than 1 null row", "less than 1 rows"),
        (
            Threshold(Operator.LESS_OR_EQUAL, 0.5, unit=Unit.PERCENT),
            "at most 0.5 % null rows",
            "at most 0.5 %",
        ),
        (
            Threshold(Operator.GREATER_OR_EQUAL, 300000),
            "at least 300,000 null rows",
            "at least 300,000 rows",
        ),
        (Threshold(Operator.BETWEEN, 1, 2.5), "1 to 2.5 null rows", "1 to 2.5 rows"),
        (
            Threshold(Operator.NOT_BETWEEN, 1, 2),
            "below 1 or above 2 null rows",
            "below 1 or above 2 rows",
        ),
    ],
)
def test_a_threshold_reads_like_a_sentence(threshold: Threshold, promised: str, limit: str) -> None:
    assert (promised_words(threshold, "null rows"), limit_words(threshold)) == (promised, limit)


def test_unique_counts_surplus_rows_and_tells_all_three_counts() -> None:
    check = only("unique", contract(table(column(unique_clause=Clause("c.unique", 13)))))
    verdict = judged(check, rows=6, repeats=DuplicateCounts(rows=4, surplus=2, keys=1, affected=3))
    assert (verdict.outcome, verdict.violations, verdict.rows) == (Outcome.FAILED, 2, 6)
    assert verdict.reason == "2 duplicate rows, 1 repeated key, 3 affected rows"


def test_a_percentage_of_duplicates_is_of_the_rows_that_have_a_value() -> None:
    duplicates = rule(RuleMetric.DUPLICATE_VALUES, Operator.LESS, 50, percent=True)
    check = only("duplicateValues", contract(table(column(rules=(duplicates,)))))
    verdict = judged(check, rows=6, repeats=DuplicateCounts(rows=4, surplus=2, keys=1, affected=3))
    assert (verdict.outcome, verdict.observed) == (Outcome.FAILED, 50.0)
    assert judged(check, rows=6, repeats=DuplicateCounts()).observed == 0.0


def test_a_column_of_nulls_only_has_no_duplicates_and_is_not_vacuous() -> None:
    check = only("unique", contract(table(column(unique_clause=Clause("c.unique", 13)))))
    verdict = judged(check, rows=6, repeats=DuplicateCounts())
    assert (verdict.outcome, verdict.vacuous) == (Outcome.PASSED, False)


def test_a_primary_key_is_one_check_over_its_physical_columns_and_hates_nulls() -> None:
    columns = (column("a", physical_name="A"), column("b"))
    check = only("primaryKey", contract(table(*columns, primary_key=key("a", "b"))))
    assert check.promise.physical_columns == ("A", "b")
    assert check.promise.promise_id == "k/t/-/primaryKey"
    verdict = judged(check, rows=10, repeats=DuplicateCounts(rows=7, surplus=1, keys=1, affected=2))
    assert (verdict.outcome, verdict.violations) == (Outcome.FAILED, 4)
    assert judged(check, rows=10, repeats=DuplicateCounts(rows=10)).outcome is Outcome.PASSED


def test_duplicates_of_a_table_without_named_columns_are_of_its_key() -> None:
    duplicates = rule(RuleMetric.DUPLICATE_VALUES)
    keyed = table(column("a"), column("b"), primary_key=key("b"), rules=(duplicates,))
    named = table(
        column("a"),
        column("b"),
        rules=(rule(RuleMetric.DUPLICATE_VALUES, columns=("a", "b")),),
    )
    assert only("duplicateValues", contract(keyed)).promise.physical_columns == ("b",)
    check = only("duplicateValues", contract(named))
    assert check.promise.physical_columns == ("a", "b")
    assert check.promise.expected == "no duplicate rows over (a, b)"


def test_zero_rows_are_a_row_count_and_never_vacuous() -> None:
    rows = rule(RuleMetric.ROW_COUNT, Operator.GREATER, 0)
    check = only("rowCount", contract(table(rules=(rows,))))
    verdict = judged(check, rows=0)
    assert (verdict.outcome, verdict.observed, verdict.vacuous) == (Outcome.FAILED, 0, False)
    assert judged(check, rows=1).outcome is Outcome.PASSED


def test_a_number_of_rows_is_told_as_that_of_the_rows_in_scope() -> None:
    rows = rule(RuleMetric.ROW_COUNT, Operator.GREATER, 3)
    of_some = replace(table(rules=(rows,)), where="a = 1")
    reasons = [
        judged(only("rowCount", contract(one)), rows=2).reason
        for one in (table(rules=(rows,)), of_some)
    ]
    assert reasons == ["the table has 2 rows", "the table has 2 rows in scope"]


def test_two_rules_on_one_metric_and_column_are_two_checks() -> None:
    rules = (
        rule(RuleMetric.NULL_VALUES, rule_id="warn", severity=Severity.WARNING),
        rule(RuleMetric.NULL_VALUES, Operator.LESS, 5, rule_id="bad"),
    )
    found = checks_of("nullValues", contract(table(column(rules=rules))))
    assert [check.promise.promise_id for check in found] == [
        "k/t/c/nullValues/warn",
        "k/t/c/nullValues/bad",
    ]
    assert [judged(check, violations=1).outcome for check in found] == [
        Outcome.FAILED,
        Outcome.PASSED,
    ]


def test_a_rules_own_dimension_decides_its_objective() -> None:
    default = _nulls().promise
    own = _nulls(dimension=Dimension.ACCURACY).promise
    assert (default.dimension, default.objective) == (
        Dimension.COMPLETENESS,
        Objective.COMPLETENESS,
    )
    assert (own.dimension, own.objective) == (Dimension.ACCURACY, Objective.VALIDITY)


def test_an_integer_format_is_a_range_of_both_ends() -> None:
    small = column(kind=LogicalType.INTEGER, options=(option(TypeOptionKind.FORMAT, "i8"),))
    check = only("format", contract(table(small)))
    assert check.metrics() == (
        RowCount("t"),
        CountWhere("t", IsBelow("c", -128)),
        CountWhere("t", IsAbove("c", 127)),
    )
    assert judged(check, violations=2).violations == 4
    assert check.promise.severity is Severity.ERROR


def test_a_text_format_is_a_warning() -> None:
    text = column(options=(option(TypeOptionKind.FORMAT, "uuid"),))
    assert only("format", contract(table(text))).promise.severity is Severity.WARNING


WITHOUT_A_NUMBER = {
    TypeOptionKind.FORMAT,
    TypeOptionKind.UNIQUE_ITEMS,
    TypeOptionKind.ELEMENT_TYPE,
    TypeOptionKind.NORMALIZED,
}


@pytest.mark.parametrize("kind", [k for k in TypeOptionKind if k not in WITHOUT_A_NUMBER])
def test_each_option_is_a_check_of_its_own_name(kind: TypeOptionKind) -> None:
    value = "^a$" if kind is TypeOptionKind.PATTERN else 3
    check = only(kind.value, contract(table(column(options=(option(kind, value),)))))
    assert check.promise.promise_id == f"k/t/c/{kind.value}"
    assert check.promise.objective is Objective.VALIDITY
    assert str(value) in check.promise.expected
    assert judged(check, violations=1).outcome is Outcome.FAILED
    assert judged(check).outcome is Outcome.PASSED


def test_missing_values_count_the_listed_ones() -> None:
    missing = rule(RuleMetric.MISSING_VALUES, values=("", "n/a"))
    check = only("missingValues", contract(table(column(rules=(missing,)))))
    (_, count) = check.metrics()
    assert isinstance(count, CountWhere)
    assert count.predicate.values == ("", "n/a")  # type: ignore[union-attr]
    assert answers_to([check])[count] == Count(0)
