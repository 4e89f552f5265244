import pytest
from checks_values import NOW, answers_to, checks_of, column, contract, judged, only, table

from contractwatch.checks.schema.types import for_server
from contractwatch.model.base.clause import Severity
from contractwatch.model.base.server import ReadPolicy
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import TableSchema, Unparseable
from contractwatch.model.measure.state import ColumnType, TableColumns, Unmeasured
from contractwatch.model.record.check import Outcome

_LENIENT = ReadPolicy(lenient_types=True)


def _judge_type(
    logical_type: LogicalType, kind: str, *, lenient: bool = False, scale: int = 0
) -> Outcome:
    check = only("type", contract(table(column(kind=logical_type))))
    if lenient:
        check = for_server(check, _LENIENT)
    return judged(check, types={"c": ColumnType("c", kind, kind, scale=scale)}).outcome


def test_a_listed_column_is_present_under_its_physical_name() -> None:
    check = only("presence", contract(table(column("id", physical_name="ORDER_ID"))))
    verdict = judged(check, types={"x": ColumnType("ORDER_ID", "string", "string")})
    assert (verdict.outcome, verdict.observed) == (Outcome.PASSED, "present")


def test_a_name_alike_but_for_case_is_present_if_it_is_the_only_one() -> None:
    check = only("presence", contract(table(column("id"))))
    one = {"a": ColumnType("ID", "string", "string")}
    two = one | {"b": ColumnType("Id", "string", "string")}
    assert judged(check, types=one).outcome is Outcome.PASSED
    assert judged(check, types=two).outcome is Outcome.FAILED


def test_an_absent_column_fails_presence_by_its_physical_name() -> None:
    check = only("presence", contract(table(column("id", physical_name="ORDER_ID"))))
    verdict = judged(check, types={})
    assert (verdict.outcome, verdict.observed) == (Outcome.FAILED, "missing")
    assert verdict.reason == "the table has no column 'ORDER_ID'"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((" id",), "; it has ' id', with a blank before or after the name: remove the blank"),
        (
            ("key", "ID\t"),
            "; it has 'ID\t', with a blank before or after the name: remove the blank",
        ),
        (
            ("ID", "Id"),
            "; it has 'ID' and 'Id', which differ by case alone: promise one exactly",
        ),
        (("idx", "i d"), ""),
    ],
)
def test_columns_whose_names_are_nearly_that_of_a_missing_one_are_told(
    names: tuple[str, ...], told: str
) -> None:
    check = only("presence", contract(table(column("id"))))
    types = {name: ColumnType(name, "string", "String") for name in names}
    verdict = judged(check, types=types)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.reason == f"the table has no column 'id'{told}"


def test_a_column_beside_one_that_differs_by_case_alone_is_present_and_that_is_said() -> None:
    check = only("presence", contract(table(column("id"))))
    verdict = judged(
        check, types={name: ColumnType(name, "string", "String") for name in ("id", "ID")}
    )
    told = "the table also has 'ID', which differs by case alone"
    assert (verdict.outcome, verdict.reason) == (Outcome.PASSED, told)


def test_one_column_answers_one_of_two_promised_names() -> None:
    names = contract(table(column("ID"), column("id")))
    types = {"id": ColumnType("id", "string", "String", by_exact_name=True)}
    upper, lower = (judged(check, types=types) for check in checks_of("presence", names))
    assert (upper.outcome, lower.outcome) == (Outcome.FAILED, Outcome.PASSED)
    assert upper.reason == (
        "the table has no column 'ID'; its 'id' is another promised column,"
        " and they differ by case alone"
    )


@pytest.mark.parametrize(
    ("logical_type", "fitting"),
    [
        (LogicalType.STRING, {"string"}),
        (LogicalType.INTEGER, {"integer", "decimal"}),
        (LogicalType.NUMBER, {"integer", "decimal", "float"}),
        (LogicalType.BOOLEAN, {"boolean"}),
        (LogicalType.DATE, {"date"}),
        (LogicalType.TIMESTAMP, {"timestamp"}),
        (LogicalType.TIME, {"time"}),
        (LogicalType.OBJECT, {"object", "map"}),
        (LogicalType.ARRAY, {"array", "map"}),
        (LogicalType.MAP, {"map"}),
        (LogicalType.VECTOR, {"array"}),
    ],
)
def test_only_the_types_of_the_table_fit(logical_type: LogicalType, fitting: set[str]) -> None:
    kinds = "string integer decimal float boolean date timestamp time object array map binary null"
    found = {k for k in kinds.split() if _judge_type(logical_type, k) is Outcome.PASSED}
    assert found == fitting | {"null"}


def test_an_integer_is_a_decimal_of_scale_zero_only_and_never_a_float() -> None:
    assert _judge_type(LogicalType.INTEGER, "decimal", scale=2) is Outcome.FAILED
    assert _judge_type(LogicalType.INTEGER, "float") is Outcome.FAILED


def test_a_lenient_server_takes_integers_and_numbers_for_one_another() -> None:
    assert _judge_type(LogicalType.INTEGER, "float", lenient=True) is Outcome.PASSED
    assert _judge_type(LogicalType.INTEGER, "string", lenient=True) is Outcome.FAILED
    assert _judge_type(LogicalType.STRING, "integer", lenient=True) is Outcome.FAILED


def test_a_type_failure_names_the_type_that_was_found() -> None:
    check = only("type", contract(table(column(kind=LogicalType.INTEGER))))
    verdict = judged(check, types={"c": ColumnType("c", "float", "float64")})
    assert (verdict.observed, verdict.threshold) == ("float64", "integer")
    assert verdict.reason == "the column is of type float64"


def test_the_cells_of_a_text_source_are_counted_where_they_cannot_be_parsed() -> None:
    check = only("type", contract(table(column(kind=LogicalType.INTEGER))))
    text = {"c": ColumnType("c", "string", "string", text=True)}
    verdict = judged(check, types=text, violations=1)
    assert (verdict.outcome, verdict.violations, verdict.rows) == (Outcome.FAILED, 1, 10)
    assert judged(check, types=text).outcome is Outcome.PASSED
    assert judged(check, types=text, rows=0).vacuous


def test_a_typed_source_is_judged_without_any_row() -> None:
    check = only("type", contract(table(column())))
    answers = answers_to([check], types={"c": ColumnType("c", "string", "string")})
    answers[Unparseable("t", "c")] = Unmeasured("no rows were read")
    assert check.judge(answers, NOW).outcome is Outcome.PASSED


def test_a_nested_column_of_a_text_source_cannot_be_verified() -> None:
    check = only("type", contract(table(column(kind=LogicalType.OBJECT))))
    verdict = judged(check, types={"c": ColumnType("c", "string", "string", text=True)})
    assert (verdict.outcome, verdict.reason) == (
        Outcome.SKIPPED,
        "unverifiable: the source is text",
    )


@pytest.mark.parametrize(
    ("promised", "found", "outcome"),
    [
        (True, True, "passed"),
        (False, False, "passed"),
        (True, False, "failed"),
        (False, True, "failed"),
    ],
)
def test_a_missing_or_needless_time_zone_is_a_warning(
    promised: bool, found: bool, outcome: str
) -> None:
    stamp = column(kind=LogicalType.TIMESTAMP, timezone_aware=promised)
    check = only("timezone", contract(table(stamp)))
    assert check.promise.severity is Severity.WARNING
    assert check.promise.clause == only("type", contract(table(stamp))).promise.clause
    types = {"c": ColumnType("c", "timestamp", "Datetime", timezone_aware=found)}
    assert judged(check, types=types).outcome == outcome


def test_a_time_zone_is_not_judged_on_text_or_on_another_type() -> None:
    check = only("timezone", contract(table(column(timezone_aware=True))))
    text = {"c": ColumnType("c", "timestamp", "string", text=True)}
    other = {"c": ColumnType("c", "date", "date")}
    assert judged(check, types=text).outcome is Outcome.SKIPPED
    assert judged(check, types=other).outcome is Outcome.SKIPPED


def test_a_column_without_a_type_is_promised_to_be_present_and_no_more() -> None:
    given = contract(table(column(kind=None)))
    assert checks_of("type", given) == []
    assert len(checks_of("presence", given)) == 1


def test_a_schema_that_could_not_be_read_is_an_error() -> None:
    for kind in ("presence", "type"):
        check = only(kind, contract(table(column())))
        answers = answers_to([check]) | {TableSchema("t"): Unmeasured("truncated file")}
        verdict = check.judge(answers, NOW)
        assert (verdict.outcome, verdict.reason) == (Outcome.ERROR, "truncated file")
    assert TableColumns().find("c") is None
