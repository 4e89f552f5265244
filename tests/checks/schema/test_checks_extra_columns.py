"""What is listed is all there is, where the contract says so; a twin stands in for a column."""

from checks_values import NOW, at, checks_of, column, contract, only, table

from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import CountWhere, IsInvalid, Metric, TableSchema
from contractwatch.model.measure.state import ColumnType, Measurement, TableColumns
from contractwatch.model.promises.rule import TypeOption, TypeOptionKind
from contractwatch.model.record.check import Outcome

CLOSED = at(7, "schema[0].customProperties[0].value")


def found(*names: str) -> dict[Metric, Measurement]:
    types = tuple(ColumnType(name, "string", "string") for name in names)
    return {TableSchema("t"): TableColumns(types)}


def test_a_closed_table_has_the_columns_that_it_lists_and_no_other() -> None:
    given = contract(table(column("a", encrypted_name="b"), column("C"), closed_clause=CLOSED))
    check = only("extraColumns", given)
    assert check.promise.clause == CLOSED
    assert check.judge(found("a", "b", "c"), NOW).outcome is Outcome.PASSED
    verdict = check.judge(found("a", "x", "b", "y"), NOW)
    assert (verdict.outcome, verdict.observed, verdict.reason) == (
        Outcome.FAILED,
        "2 extra columns",
        "not listed: 'x', 'y'",
    )


def test_an_open_table_promises_nothing_of_other_columns() -> None:
    assert checks_of("extraColumns", contract(table(column("a")))) == []


def test_the_twin_of_an_encrypted_column_is_promised_in_its_place() -> None:
    twin = column("a", optional=True, encrypted_name="b", encrypted_name_clause=at(12))
    check = only("presence", contract(table(twin)))
    assert check.promise.promise_id == "k/t/a/presence/encryptedName"
    assert check.judge(found("b"), NOW).outcome is Outcome.PASSED
    assert check.judge(found("a"), NOW).outcome is Outcome.FAILED


def test_an_enumeration_allows_its_values_and_null() -> None:
    limit = TypeOption(at(30), TypeOptionKind.ENUM, "1, 2", values=(1, 2))
    check = only("enum", contract(table(column("a", LogicalType.INTEGER, options=(limit,)))))
    assert check.promise.expected == "every value one of 1, 2"
    assert CountWhere("t", IsInvalid("a", (1, 2))) in check.metrics()
