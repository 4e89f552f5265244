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
    ("kind", "violation", "words"),
    [
        ("required", "null", "3 of 10 rows null"),
        ("nullValues", "null", "3 of 10 rows null"),
        ("missingValues", "without a value", "3 of 10 rows without a value"),
        ("invalidValues", "with an invalid value", "3 of 10 rows with an invalid value"),
        ("type", "no integer", "3 of 10 rows are no integer"),
        ("minimum", "below 0", "3 of 10 rows below 0"),
        ("maximum", "above 9", "3 of 10 rows above 9"),
        ("exclusiveMinimum", "not above 0", "3 of 10 rows not above 0"),
        ("multipleOf", "no multiple of 5", "3 of 10 rows no multiple of 5"),
        ("enum", "not one of A, B", "3 of 10 rows not one of A, B"),
        ("pattern", "not like ^a+$", "3 of 10 rows not like ^a+$"),
        ("format", "not of the format uuid", "3 of 10 rows not of the format uuid"),
        ("minLength", "shorter than 3", "3 of 10 rows shorter than 3"),
        ("maxItems", "with an array longer than 3", "3 of 10 rows with an array longer than 3"),
        (
            "uniqueItems",
            "with a value twice within one array",
            "3 of 10 rows with a value twice within one array",
        ),
        ("minProperties", "with fewer entries than 2", "3 of 10 rows with fewer entries than 2"),
        ("requiredProperties", "with an object without a", "3 of 10 rows with an object without a"),
        ("dimensions", "not a vector of length 3", "3 of 10 rows not a vector of length 3"),
        ("unique", "", "3 rows repeat a key"),
        ("newKind", "", "3 rows, promised exactly 0 rows"),
    ],
)
def test_rows_that_break_a_promise_are_said_with_what_is_wrong(
    kind: str, violation: str, words: str
) -> None:
    result = failed(kind=kind, violation=violation, observed=3, rows=10, violations=3, reason="x")
    assert said_of(result) == f"orders.customer_id: {words}"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            failed(kind="type", violation="no integer", observed=1, violations=1),
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
            failed(kind="presence", violation="the column is missing", observed="missing",
                   threshold="present", violations=None),
            "orders.customer_id: the column is missing",
        ),
        (
            failed(violation="null", observed=0.4, threshold="at most 0.1 %"),
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
    ("kind", "violation", "words"),
    [
        ("errorRate", "against a rule", "1 of 1 row against a rule"),
        ("maxLength", "longer than 3", "1 of 1 row longer than 3"),
        ("exclusiveMaximum", "not below 9", "1 of 1 row not below 9"),
        ("minItems", "with an array shorter than 2", "1 of 1 row with an array shorter than 2"),
        ("maxProperties", "with more entries than 2", "1 of 1 row with more entries than 2"),
        ("normalized", "not a vector of length 1", "1 of 1 row not a vector of length 1"),
        ("type", "no date", "1 of 1 row is no date"),
    ],
)
def test_one_row_is_said_of_every_kind(kind: str, violation: str, words: str) -> None:
    one = broken(kind, violation=violation, rows=1, violations=1, observed="1 row")
    assert what_is_wrong(one) == f"orders: {words}"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        # keys
        (broken("unique", rows=9, violations=1), "1 row repeats a key"),
        (broken("unique", rows=9, violations=1_200), "1,200 rows repeat a key"),
        (broken("primaryKey", violations=2, reason="1 keyless row"),
         "2 rows repeat a key or have none"),
        (broken("unique", violation="with a value twice", rows=9, violations=2),
         "2 of 9 rows with a value twice"),
        (broken("duplicateValues", violations=2, observed="1.5 %", threshold="at most 1 %"),
         "2 rows repeat a key (1.5 %), promised at most 1 %"),
        (broken("duplicateValues", violations=2, observed="2 rows", threshold="at most 1 rows"),
         "2 rows repeat a key, promised at most 1 rows"),
        (broken("unique", reason="not counted"), "not counted, promised all is well"),
        # rows that are not counted, or a promise in other words
        (broken("minimum", violation="below 0", rows=9, observed="-1", threshold="at least 0"),
         "-1, promised at least 0"),
        (broken("minimum", "no value below 0", violation="below 0", violations=9),
         "not kept, promised no value below 0"),
        (broken("minimum", "at least 0", rows=9, violations=3), "not kept, promised at least 0"),
        (broken("newKind", rows=9, violations=3), "not kept, promised all is well"),
        (broken("newKind", reason="it is odd"), "it is odd, promised all is well"),
        (broken("newKind", reason="it is odd", observed="7"), "7, promised all is well"),
        (broken("nullValues", violation="null", rows=1_000, violations=1_200),
         "1,200 of 1,000 rows null"),
        (broken("nullValues", violation="null", rows=1, violations=0, observed="0.5 %"),
         "0.5 % of 1 row null"),
        # limits that allow nothing are not repeated
        *(
            (broken("nullValues", violation="null", rows=9, violations=3, threshold=limit),
             "3 of 9 rows null")
            for limit in ("exactly 0 rows", "at most 0 rows", "exactly 0 %", "at most 0 %",
                          "exactly 0 columns", "at most 0 columns")
        ),
        (broken("nullValues", violation="null", rows=9, violations=3, threshold="at most 2 rows"),
         "3 of 9 rows null, promised at most 2 rows"),
        # the column, its type, the number of rows
        (broken("presence", violation="column a is missing"), "column a is missing"),
        (broken("type", "the column is of type date", observed="text"),
         "of type text, promised the column is of type date"),
        (broken("type", violation="no date", observed="text", threshold="date"),
         "of type text, promised date"),
        (broken("presence", reason="the table has no such column"), "the table has no such column"),
        (broken("presence", observed="missing"), "missing"),
        (broken("type", violation="no date", observed="2 rows", rows=3, violations=2),
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
        (broken("nullValues", violation="null", rows=9, violations=3), True),
        (broken("nullValues", violation="null", rows=9), False),
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
