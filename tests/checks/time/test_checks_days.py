"""A date that comes as a timestamp breaks its type, at midnight with a warning only."""

import pytest
from checks_values import NOW, checks_of, column, contract, only, table

from contractwatch.checks.common.promise_ids import with_unique_ids
from contractwatch.checks.schema.types import for_server
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.server import ReadPolicy
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import Metric, RowCount, TableSchema, Unparseable
from contractwatch.model.measure.state import ColumnType, Count, Measurement, TableColumns
from contractwatch.model.record.check import Outcome

PLAINLY = ReadPolicy()


def found(kind: str, physical: str, timed: int = 0) -> dict[Metric, Measurement]:
    return {
        TableSchema("t"): TableColumns((ColumnType("c", kind, physical),)),
        Unparseable("t", "c"): Count(timed),
        RowCount("t"): Count(10),
    }


@pytest.mark.parametrize(
    ("timed", "severity", "words"),
    [
        (0, Severity.WARNING, "every row at midnight"),
        (3, Severity.ERROR, "3 of 10 rows have a time of day"),
    ],
)
def test_timestamps_where_dates_are_promised(timed: int, severity: Severity, words: str) -> None:
    answers = found("timestamp", "Datetime", timed)
    check = for_server(
        only("type", contract(table(column("c", LogicalType.DATE)))), PLAINLY, answers
    )
    verdict = check.judge(answers, NOW)
    assert (check.promise.severity, verdict.outcome) == (severity, Outcome.FAILED)
    assert verdict.reason == f"the column is of type Datetime: {words}"


def test_a_string_of_bytes_is_one_where_its_format_says_so() -> None:
    answers = found("binary", "Binary")
    for binary, outcome in ((True, Outcome.PASSED), (False, Outcome.FAILED)):
        check = only("type", contract(table(column("c", binary=binary))))
        assert check.judge(answers, NOW).outcome is outcome


def test_a_column_that_is_spelt_otherwise_is_present_and_said() -> None:
    answers = found("string", "String")
    check = only("presence", contract(table(column("C"))))
    verdict = check.judge(answers, NOW)
    assert (verdict.outcome, verdict.reason) == (Outcome.PASSED, "the table spells it 'c'")


def test_names_with_a_slash_do_not_share_an_identity() -> None:
    given = contract(table(column("x"), name="t/x"), table(column("x/x")))
    ids = [check.promise.promise_id for check in with_unique_ids(checks_of("presence", given), ())]
    assert ids == ["k/t/x/x/presence", "k/t/x/x/presence-2"]
    skipped = [
        check.promise.promise_id for check in with_unique_ids(checks_of("presence", given), ids)
    ]
    assert skipped == ["k/t/x/x/presence-3", "k/t/x/x/presence-4"]
