"""A cell that cannot be read is told by its shape, with what to write, and never by its value."""

import pytest
from checks_values import NOW, column, contract, table

from contractwatch.checks.common.text_shapes import format_hint
from contractwatch.checks.schema.types import TypeCheck, checks
from contractwatch.model.base.server import ReadPolicy
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.state import (
    ColumnType,
    Count,
    TableColumns,
    Unmeasured,
    UnparseableCells,
)
from contractwatch.model.record.check import Outcome

DATE, TIMESTAMP = LogicalType.DATE, LogicalType.TIMESTAMP
TIME, INTEGER = LogicalType.TIME, LogicalType.INTEGER


@pytest.mark.parametrize(
    ("kind", "shapes", "written", "told"),
    [
        (DATE, ("99.99.9999",), "", "write logicalTypeOptions.format: dd.MM.yyyy"),
        (DATE, ("99/99/9999",), "", "write logicalTypeOptions.format: dd/MM/yyyy or MM/dd/yyyy"),
        (DATE, ("99-xxx-9999",), "", "write logicalTypeOptions.format: dd-MMM-yyyy"),
        (DATE, ("9999-99-99",), "dd.MM.yyyy", "this is ISO-8601"),
        (DATE, ("xxx", "9"), "", "expected ISO-8601"),
        (DATE, ("9/9/99",), "dd/MM/yyyy", "expected dd/MM/yyyy"),
        (TIMESTAMP, ("99.99.9999 99:99",), "", "format: dd.MM.yyyy HH:mm"),
        (TIMESTAMP, ("9999-99-99",), "", "format: yyyy-MM-dd"),
        (TIME, ("9:99",), "", "format: H:mm"),
    ],
)  # fmt: skip
def test_the_shape_tells_the_format(
    kind: LogicalType, shapes: tuple[str, ...], written: str, told: str
) -> None:
    words = format_hint(shapes, kind, written=written)
    assert told in words
    assert all(f"'{shape}'" in words for shape in shapes)


NUMBER, BOOLEAN = LogicalType.NUMBER, LogicalType.BOOLEAN
GERMAN = ReadPolicy(decimal=",", thousands=".")


@pytest.mark.parametrize(
    ("kind", "shapes", "read", "told"),
    [
        (INTEGER, ("9.9",), ReadPolicy(), "it has a fraction: write logicalType: number"),
        (INTEGER, ("-999.99",), ReadPolicy(), "write logicalType: number"),
        (INTEGER, ("9,9",), GERMAN, "write logicalType: number"),
        (NUMBER, ("9,99",), ReadPolicy(), """write contractwatch.read: {decimal: ","}"""),
        (NUMBER, ("9.999,99",), ReadPolicy(), """{decimal: ",", thousands: "."}"""),
        (NUMBER, ("-9 999,99",), ReadPolicy(), """{decimal: ",", thousands: " "}"""),
        (NUMBER, ("9\u00a0999\u00a0999",), ReadPolicy(), """{thousands: " "}"""),
        (NUMBER, ("9\u2019999.99",), ReadPolicy(), """{thousands: "'"}"""),
        (NUMBER, ("99,99,999.99",), ReadPolicy(), """{thousands: ","}"""),
        (NUMBER, ("9,999",), ReadPolicy(), """{thousands: ","} or {decimal: ","}"""),
        (INTEGER, ("9,999",), ReadPolicy(), """{thousands: ","}"""),
        (NUMBER, ("9,999.99",), GERMAN, """{decimal: ".", thousands: ","}"""),
        (NUMBER, ("9.9",), ReadPolicy(decimal=","), """{decimal: "."}"""),
        (NUMBER, ("x/x",), ReadPolicy(), "if it stands for no value, list the cell in nullValues"),
        (NUMBER, ("9,9", "x/x"), ReadPolicy(), """{decimal: ","}; if it stands for no value"""),
        (INTEGER, ("-",), ReadPolicy(), "if it stands for no value"),
        (DATE, ("x/x",), ReadPolicy(), "if it stands for no value"),
        (TIME, ("--:--",), ReadPolicy(), "if it stands for no value"),
        (NUMBER, (" 9",), ReadPolicy(), "blanks stand around it; mend the data"),
        (NUMBER, ("9 %",), ReadPolicy(), "expected a number with nothing around it"),
        (NUMBER, ("€9.99",), ReadPolicy(), "expected a number with nothing around it"),
        (NUMBER, ("(9.99)",), ReadPolicy(), "expected a number with nothing around it"),
        (BOOLEAN, ("xxx", "xx"), ReadPolicy(), "expected true or false; write logicalType: string"),
        (BOOLEAN, ("9",), ReadPolicy(), "expected true or false; write logicalType: integer"),
        (DATE, ("99-xxx-99",), ReadPolicy(), "dd-MMM-yy; months are read as Jan, Feb, Mar"),
    ],
)  # fmt: skip
def test_the_shape_of_any_type_tells_what_to_write(
    kind: LogicalType, shapes: tuple[str, ...], read: ReadPolicy, told: str
) -> None:
    assert told in format_hint(shapes, kind, read=read)


def test_the_names_of_months_are_told_where_the_format_is_right_but_they_are_not() -> None:
    told = format_hint(("99-xxx-99",), DATE, written="dd-MMM-yy")
    assert "months are read as Jan, Feb, Mar, in English and in this case" in told
    assert "write logicalTypeOptions.format" not in told


def test_of_types_that_are_not_parsed_the_shape_is_told_without_a_guess() -> None:
    assert format_hint(("9,9", "x"), LogicalType.OBJECT) == "; the first look like '9,9', 'x'"


def test_without_a_shape_nothing_is_added() -> None:
    assert format_hint((), DATE) == ""


def type_of(parse_format: str = "") -> TypeCheck:
    days = contract(table(column("a", DATE, parse_format=parse_format)))
    (check,) = checks(days)
    assert isinstance(check, TypeCheck)
    return check


def test_the_verdict_of_a_type_tells_shapes_and_what_to_write() -> None:
    check = type_of()
    schema, cells, rows = check.metrics()
    answers = {
        schema: TableColumns((ColumnType("a", "string", "string", text=True),)),
        cells: UnparseableCells(2, ("99.99.9999",)),
        rows: Count(3),
    }
    verdict = check.judge(answers, NOW)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.violations == 2
    assert verdict.reason == (
        "2 of 3 rows; the first look like '99.99.9999': write logicalTypeOptions.format: dd.MM.yyyy"
    )


def test_a_format_that_is_not_executed_skips_the_type_of_texts_with_the_reason() -> None:
    check = type_of("dd.mm.yyyy")
    schema, cells, rows = check.metrics()
    answers = {
        schema: TableColumns((ColumnType("a", "string", "string", text=True),)),
        cells: Unmeasured("the date format 'dd.mm.yyyy' has no month (MM)"),
        rows: Count(3),
    }
    verdict = check.judge(answers, NOW)
    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.reason == "the date format 'dd.mm.yyyy' has no month (MM)"
    typed = {**answers, schema: TableColumns((ColumnType("a", "date", "date"),))}
    assert check.judge(typed, NOW).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ("9999-99-99", LogicalType.DATE),
        ("99:99:99", LogicalType.TIME),
        ("9999-99-99 99:99:99", LogicalType.TIMESTAMP),
    ],
)
def test_a_cell_of_the_right_shape_is_of_a_day_or_time_that_does_not_exist(
    shape: str, kind: LogicalType
) -> None:
    told = format_hint([shape], kind)
    assert told.endswith("of a day or a time that does not exist; mend the data")
