"""What is wrong is said as a person would say it, for each family of kinds."""

from dataclasses import replace
from typing import Any

import pytest
from alerting_values import bad, failed

from contractwatch.alerting.broken_promises import broken_promises
from contractwatch.alerting.finding_text import place_of, says_all, what_is_wrong
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.record.incident import BrokenPromise
from contractwatch.model.record.run import CheckResult


def said_of(result: CheckResult) -> str:
    (broken,) = broken_promises(bad(Objective.VALIDITY, result), product="p")
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


def broken(kind: str, expected: str = "all is well", **more: Any) -> BrokenPromise:
    known: dict[str, Any] = {
        "promise_id": "p",
        "clause_path": "schema[0]",
        "clause_line": 4,
        "table": "orders",
        "column": None,
        "observed": "",
        "severity": Severity.ERROR,
        "kind": kind,
        "expected": expected,
    }
    return BrokenPromise(**(known | more))


@pytest.mark.parametrize(
    ("kind", "expected", "words"),
    [
        ("errorRate", "no rows against the rule", "1 of 1 row against a rule"),
        ("maxLength", "no text longer than 3", "1 of 1 row longer than 3"),
        ("exclusiveMaximum", "every value below 9", "1 of 1 row not below 9"),
        ("minItems", "no array shorter than 2", "1 of 1 row with an array shorter than 2"),
        ("maxProperties", "no more entries than 2", "1 of 1 row with more entries than 2"),
        ("normalized", "every vector of length 1", "1 of 1 row not a vector of length 1"),
        ("type", "the column is of type date", "1 of 1 row is no date"),
    ],
)
def test_one_row_is_said_of_every_kind(kind: str, expected: str, words: str) -> None:
    one = broken(kind, expected, rows=1, violations=1, observed="1 row")
    assert what_is_wrong(one) == f"orders: {words}"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        # keys
        (broken("unique", rows=9, violations=1), "1 row repeats a key"),
        (broken("unique", rows=9, violations=1_200), "1,200 rows repeat a key"),
        (broken("primaryKey", violations=2, reason="1 keyless row"),
         "2 rows repeat a key or have none"),
        (broken("unique", "no value twice in an array", violations=1),
         "1 row repeats a value in its array"),
        (broken("unique", "no value twice in an array", violations=2),
         "2 rows repeat a value in their array"),
        (broken("duplicateValues", violations=2, observed="1.5 %", threshold="at most 1 %"),
         "2 rows repeat a key (1.5 %), promised at most 1 %"),
        (broken("duplicateValues", violations=2, observed="2 rows", threshold="at most 1 rows"),
         "2 rows repeat a key, promised at most 1 rows"),
        (broken("unique", reason="not counted"), "not counted, promised all is well"),
        # rows that are not counted, or a promise in other words
        (broken("minimum", "no value below 0", rows=9, observed="-1", threshold="at least 0"),
         "-1, promised at least 0"),
        (broken("minimum", "no value below 0", violations=9),
         "not kept, promised no value below 0"),
        (broken("minimum", "at least 0", rows=9, violations=3), "not kept, promised at least 0"),
        (broken("newKind", rows=9, violations=3), "not kept, promised all is well"),
        (broken("newKind", reason="it is odd"), "it is odd, promised all is well"),
        (broken("newKind", reason="it is odd", observed="7"), "7, promised all is well"),
        (broken("nullValues", rows=1_000, violations=1_200), "1,200 of 1,000 rows null"),
        (broken("nullValues", rows=1, violations=0, observed="0.5 %"), "0.5 % of 1 row null"),
        # limits that allow nothing are not repeated
        *(
            (broken("nullValues", rows=9, violations=3, threshold=limit), "3 of 9 rows null")
            for limit in ("exactly 0 rows", "at most 0 rows", "exactly 0 %", "at most 0 %",
                          "exactly 0 columns", "at most 0 columns")
        ),
        (broken("nullValues", rows=9, violations=3, threshold="at most 2 rows"),
         "3 of 9 rows null, promised at most 2 rows"),
        # the column, its type, the number of rows
        (broken("presence", "column a is present"), "column a is missing"),
        (broken("type", "the column is of type date", observed="text"),
         "of type text, promised the column is of type date"),
        (broken("type", "the column is of type date", observed="text", rows=3, violations=3,
                threshold="date"), "of type text, promised date"),
        (broken("type", "the column is of type date", observed="2 rows", rows=3, violations=2),
         "2 of 3 rows are no date"),
        (broken("rowCount", "some rows", observed="0 rows"), "0 rows, promised some rows"),
        (broken("rowCount", observed="3 rows", threshold="at least 5 rows"),
         "3 rows, promised at least 5"),
        # the reason says it
        *(
            (broken(kind, reason="so it is", observed="3", threshold="at most 2"),
             "so it is, promised at most 2")
            for kind in ("frequency", "reconcile", "referenceCoverage", "relationship",
                         "segmentCompleteness", "throughput", "piiLeak")
        ),
        (broken("throughput", observed="3", threshold="at least 5"), "3, promised at least 5"),
        (broken("piiLeak", reason="2 rows", threshold="exactly 0 rows"), "2 rows"),
    ],
)  # fmt: skip
def test_every_family_of_promises_has_its_words(one: BrokenPromise, words: str) -> None:
    assert what_is_wrong(one) == f"orders: {words}"
    assert what_is_wrong(replace(one, column="a")) == f"orders.a: {words}"


@pytest.mark.parametrize(
    ("table", "more", "words"),
    [
        ("", {"observed": "not readable"}, "not readable, promised all is well"),
        ("-", {"observed": "not readable", "reason": "no file"}, "not readable: no file"),
        ("-", {"reason": "no file"}, "no file, promised all is well"),
        ("-", {"observed": "no file", "reason": "no file"}, "no file, promised all is well"),
        ("-", {}, "not kept, promised all is well"),
    ],
)
def test_what_has_no_place_is_said_without_one(
    table: str, more: dict[str, str], words: str
) -> None:
    one = broken("", table=table, column="a", **more)
    assert (place_of(one), what_is_wrong(one), says_all(one)) == ("", words, True)


@pytest.mark.parametrize(
    ("one", "is_all"),
    [
        (broken("nullValues", rows=9, violations=3), True),
        (broken("nullValues", rows=9), False),
        (broken("unique", rows=9, violations=3), False),
        (broken("newKind", rows=9, violations=3), False),
        *(
            (broken(kind, reason="x"), True)
            for kind in ("frequency", "reconcile", "referenceCoverage", "relationship",
                         "segmentCompleteness", "throughput", "piiLeak", "freshness",
                         "retention", "rowCount", "type", "physicalType", "presence")
        ),
    ],
)  # fmt: skip
def test_what_is_not_all_said_is_told_in_a_second_line(one: BrokenPromise, is_all: bool) -> None:
    assert says_all(one) is is_all


def test_data_that_cannot_be_read_is_said_with_its_reason() -> None:
    gone = replace(bad(), failed=(), reason="the file is missing")
    (broken,) = broken_promises(gone, product="p")
    assert what_is_wrong(broken) == "not readable: the file is missing"
