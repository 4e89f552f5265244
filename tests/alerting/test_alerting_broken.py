"""What is broken, as a message may carry it: words and counts, the worst first."""

import pytest
from alerting_values import BAD, COMPLETENESS, GOOD, SCHEMA, UNKNOWN, failed

from contractwatch.alerting.broken_promises import broken_promises, observed_words, worst_severity
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.objective import Objective, ObjectiveState
from contractwatch.model.record.incident import BrokenPromise
from contractwatch.model.record.run import CheckResult, Observation

CONFORMANCE = Objective.CONFORMANCE


@pytest.mark.parametrize(
    ("objective", "state", "expected", "observed", "severity"),
    [
        (SCHEMA, BAD, "data that can be read", "not readable", Severity.ERROR),
        (SCHEMA, UNKNOWN, "data that can be read", "not known", Severity.WARNING),
        (CONFORMANCE, BAD, "promises that can be judged", "not readable", Severity.ERROR),
        (CONFORMANCE, UNKNOWN, "promises that can be judged", "not known", Severity.WARNING),
    ],
)
def test_without_a_failed_check_the_objective_as_a_whole_is_broken(
    objective: Objective,
    state: ObjectiveState,
    expected: str,
    observed: str,
    severity: Severity,
) -> None:
    seen = Observation(objective, state, reason="the disk is gone")
    assert broken_promises(seen, product="finance/orders") == (
        BrokenPromise(
            promise_id=f"finance/orders/-/-/{objective.value}",
            clause_path="",
            clause_line=0,
            table="-",
            column=None,
            expected=expected,
            observed=observed,
            severity=severity,
            reason="the disk is gone",
        ),
    )


def test_a_failed_check_keeps_its_place_its_counts_and_its_limit() -> None:
    first = failed()
    second = failed(severity=Severity.WARNING, column=None, rows=None, violations=None, line=7)
    told = broken_promises(Observation(COMPLETENESS, BAD, (first, second)), product="p")
    assert told == (
        BrokenPromise(
            promise_id="orders/orders/customer_id/nullValues/r1",
            clause_path="schema[0].properties[2].quality[0]",
            clause_line=41,
            table="orders",
            column="customer_id",
            expected="no null rows",
            observed="12 rows",
            severity=Severity.ERROR,
            rows=3000,
            violations=12,
            reason="12 of 3,000 rows",
            threshold="exactly 0 rows",
            kind="nullValues",
            violation="null",
        ),
        BrokenPromise(
            promise_id="orders/orders/-/nullValues/r1",
            clause_path="schema[0].properties[2].quality[0]",
            clause_line=7,
            table="orders",
            column=None,
            expected="no null rows",
            observed="12 rows",
            severity=Severity.WARNING,
            rows=None,
            violations=None,
            reason="12 of 3,000 rows",
            threshold="exactly 0 rows",
            kind="nullValues",
            violation="null",
        ),
    )


def test_what_is_information_is_not_listed_as_broken() -> None:
    info = failed(severity=Severity.INFO, line=1)
    seen = Observation(COMPLETENESS, BAD, (info, failed(line=2)))
    assert [one.clause_line for one in broken_promises(seen, product="p")] == [2]
    (whole,) = broken_promises(Observation(COMPLETENESS, BAD, (info,)), product="p")
    assert (whole.promise_id, whole.table) == ("p/-/-/completeness", "-")


@pytest.mark.parametrize(
    ("state", "severities", "worst"),
    [
        (GOOD, [], Severity.INFO),
        (UNKNOWN, [], Severity.INFO),
        (BAD, [], Severity.ERROR),
        (GOOD, [Severity.INFO], Severity.INFO),
        (GOOD, [Severity.INFO, Severity.WARNING], Severity.WARNING),
        (GOOD, [Severity.WARNING, Severity.INFO], Severity.WARNING),
        (UNKNOWN, [Severity.WARNING, Severity.ERROR, Severity.INFO], Severity.ERROR),
        (BAD, [Severity.INFO], Severity.ERROR),
    ],
)
def test_the_worst_failed_check_or_a_bad_state_decides_the_severity(
    state: ObjectiveState, severities: list[Severity], worst: Severity
) -> None:
    checks = tuple(failed(severity=severity) for severity in severities)
    assert worst_severity(Observation(COMPLETENESS, state, checks)) is worst


def seen(kind: str, observed: float | str | None, threshold: str = "") -> CheckResult:
    return failed(kind=kind, observed=observed, threshold=threshold)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (seen("freshness", 90), "1m30s old"),
        (seen("freshness", 90, "at most 5 %"), "1m30s old"),
        (seen("retention", 86_400, "at most 1 d"), "1d old"),
        (seen("latency", 90, "at most 1 m"), "1m30s"),
        (seen("timeOfAvailability", 3600, "at most 1 h"), "1h"),
        (seen("timeToDetect", 61), "1m1s"),
        (seen("timeToNotify", 61), "1m1s"),
        (seen("timeToRepair", 61), "1m1s"),
        (seen("nullValues", 12.5, "at most 10 %"), "12.5 %"),
        (seen("rowCount", 0, "at least 1 rows"), "0 rows"),
        (seen("rowCount", 1, "at least 2 rows"), "1 row"),
        (seen("rowCount", 1_200, "at least 2000 rows"), "1,200 rows"),
        (seen("throughput", 3, "at least 5"), "3"),
        (seen("type", "integer", "text"), "integer"),
        (seen("freshness", "no rows", "at most 1 h"), "no rows"),
        (seen("rowCount", "", "at least 1 rows"), ""),
        (seen("rowCount", None, "at least 1 rows"), ""),
    ],
)
def test_what_was_observed_is_said_in_the_unit_of_the_promise(
    result: CheckResult, words: str
) -> None:
    assert observed_words(result) == words
