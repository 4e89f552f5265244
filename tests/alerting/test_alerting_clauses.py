"""What is wrong is said as a person would say it, for each family of kinds."""

from dataclasses import replace

import pytest
from alerting_values import bad, failed

from contractwatch.alerting.broken import broken_by
from contractwatch.alerting.clauses import what_is_wrong
from contractwatch.model.objective import Objective
from contractwatch.model.run import CheckResult


def said_of(result: CheckResult) -> str:
    (broken,) = broken_by(bad(Objective.VALIDITY, result), product="p")
    return what_is_wrong(broken)


@pytest.mark.parametrize(
    ("kind", "expected", "words"),
    [
        ("required", "no null rows", "3 of 10 rows null"),
        ("nullValues", "no null rows", "3 of 10 rows null"),
        ("missingValues", "no rows with a missing value", "3 of 10 rows without a value"),
        ("invalidValues", "no rows with an invalid value", "3 of 10 rows with an invalid value"),
        ("type", "the column is of type integer", "3 of 10 rows are no integer"),
        ("minimum", "no value below 0", "3 of 10 rows below 0"),
        ("maximum", "no value above 9", "3 of 10 rows above 9"),
        ("exclusiveMinimum", "every value above 0", "3 of 10 rows not above 0"),
        ("multipleOf", "every value a multiple of 5", "3 of 10 rows no multiple of 5"),
        ("enum", "every value one of A, B", "3 of 10 rows not one of A, B"),
        ("pattern", "every text matches ^a+$", "3 of 10 rows not like ^a+$"),
        ("format", "every value has the format uuid", "3 of 10 rows not of the format uuid"),
        ("minLength", "no text shorter than 3", "3 of 10 rows shorter than 3"),
        ("maxItems", "no array longer than 3", "3 of 10 rows with an array longer than 3"),
        (
            "uniqueItems",
            "no value twice within one array",
            "3 of 10 rows with a value twice within one array",
        ),
        ("minProperties", "no fewer entries than 2", "3 of 10 rows with fewer entries than 2"),
        ("requiredProperties", "no object without a", "3 of 10 rows with an object without a"),
        ("dimensions", "every vector of length 3", "3 of 10 rows not a vector of length 3"),
        ("unique", "no duplicate rows", "3 rows repeat a key"),
        ("newKind", "all is well", "3 rows, promised exactly 0 rows"),
    ],
)
def test_rows_that_break_a_promise_are_said_with_what_is_wrong(
    kind: str, expected: str, words: str
) -> None:
    result = failed(kind=kind, expected=expected, observed=3, rows=10, violations=3, reason="x")
    assert said_of(result) == f"orders.customer_id: {words}"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            failed(kind="type", expected="the column is of type integer", observed=1, violations=1),
            "orders.customer_id: 1 of 3,000 rows is no integer",
        ),
        (
            failed(kind="type", observed="string", threshold="integer", violations=None),
            "orders.customer_id: of type string, promised integer",
        ),
        (
            failed(kind="rowCount", observed=15, threshold="exactly 16 rows", violations=None,
                   column=None),
            "orders: 15 rows, promised exactly 16",
        ),
        (
            failed(kind="presence", expected="the column is present", observed="missing",
                   threshold="present", violations=None),
            "orders.customer_id: the column is missing",
        ),
        (
            failed(observed=0.4, threshold="at most 0.1 %"),
            "orders.customer_id: 0.4 % of 3,000 rows null, promised at most 0.1 %",
        ),
        (
            failed(kind="relationship", reason="12 of 90 rows with a key have no match"),
            "orders.customer_id: 12 of 90 rows with a key have no match",
        ),
        (
            failed(kind="reconcile", observed=3, threshold="at most 1 apart", violations=None,
                   reason="the totals are 3 apart"),
            "orders.customer_id: the totals are 3 apart, promised at most 1 apart",
        ),
        (
            failed(kind="primaryKey", column=None, observed=2, violations=1,
                   reason="1 keyless row"),
            "orders: 1 row repeats a key or has none",
        ),
    ],
)  # fmt: skip
def test_other_promises_are_said_against_their_limit(result: CheckResult, words: str) -> None:
    assert said_of(result) == words


def test_data_that_cannot_be_read_is_said_with_its_reason() -> None:
    gone = replace(bad(), failed=(), reason="the file is missing")
    (broken,) = broken_by(gone, product="p")
    assert what_is_wrong(broken) == "not readable: the file is missing"
