"""Reading tables and columns; unsupported clauses are skipped."""

from datetime import UTC, date, datetime

import pytest
from odcs_values import parsed, problems_of, skips_of, table, warnings_of

from contractwatch.model.base.clause import Clause
from contractwatch.model.contract.contract import Column, LogicalType, PrimaryKey, Status
from contractwatch.model.promises.rule import TypeOption, TypeOptionKind

PATH = "schema[0].properties[0]"


def options_of(text: str) -> list[tuple[str, object]]:
    return [(option.kind, option.value) for option in parsed(text).tables[0].columns[0].options]


def test_a_column_is_read_with_the_place_of_every_promise() -> None:
    text = table(
        "name: code, physicalName: CODE, logicalType: string, required: true, unique: true,"
        " classification: internal, criticalDataElement: true, description: The code,"
        " logicalTypeOptions: {maxLength: 3}"
    )
    assert parsed(text).tables[0].columns == (
        Column(
            clause=Clause(PATH, 11),
            name="code",
            physical_name="CODE",
            logical_type=LogicalType.STRING,
            type_clause=Clause(f"{PATH}.logicalType", 11),
            required_clause=Clause(f"{PATH}.required", 11),
            unique_clause=Clause(f"{PATH}.unique", 11),
            options=(
                TypeOption(
                    Clause(f"{PATH}.logicalTypeOptions.maxLength", 11), TypeOptionKind.MAX_LENGTH, 3
                ),
            ),
            classification="internal",
            critical=True,
            description="The code",
        ),
    )


def test_what_is_not_promised_has_no_clause() -> None:
    (column,) = parsed(table("name: code, required: false, unique: false")).tables[0].columns
    assert column == Column(clause=Clause(PATH, 11), name="code", physical_name="code")


def test_the_primary_key_is_ordered_by_position_then_by_place() -> None:
    text = table(
        "name: a, primaryKey: true",
        "name: b, primaryKey: true, primaryKeyPosition: 2",
        "name: c, primaryKey: true, primaryKeyPosition: 1",
        "name: d, primaryKey: true, primaryKeyPosition: -1",
    )
    key = PrimaryKey(Clause(f"{PATH}.primaryKey", 11), ("c", "b", "a", "d"))
    assert parsed(text).tables[0].primary_key == key


@pytest.mark.parametrize(
    ("column", "options"),
    [
        ("logicalType: string, logicalTypeOptions: {pattern: '^\\d$'}", [("pattern", "^[0-9]$")]),
        ("logicalType: string, logicalTypeOptions: {format: UUID}", [("format", "uuid")]),
        ("logicalType: string, logicalTypeOptions: {format: password}", []),
        ("logicalType: integer, logicalTypeOptions: {format: u8}", [("format", "u8")]),
        ("logicalType: number, logicalTypeOptions: {format: f32}", []),
        (
            "logicalType: number, logicalTypeOptions: {minimum: 0, exclusiveMaximum: 1.5}",
            [("minimum", 0), ("exclusiveMaximum", 1.5)],
        ),
        ("logicalType: number, logicalTypeOptions: {multipleOf: 0.01}", [("multipleOf", 0.01)]),
        (
            "logicalType: date, logicalTypeOptions: {minimum: 1900-01-01}",
            [("minimum", date(1900, 1, 1))],
        ),
        (
            "logicalType: date, logicalTypeOptions: {minimum: 31.12.1900, format: dd.MM.yyyy}",
            [("minimum", date(1900, 12, 31))],
        ),
        (
            (
                "logicalType: timestamp, logicalTypeOptions: {maximum: 2026-07-01,"
                " defaultTimezone: Europe/Amsterdam}"
            ),
            [("maximum", datetime(2026, 6, 30, 22, tzinfo=UTC))],
        ),
        (
            "logicalType: timestamp, logicalTypeOptions: {maximum: '2026-07-01T00:00:00+02:00'}",
            [("maximum", datetime(2026, 6, 30, 22, tzinfo=UTC))],
        ),
        ("logicalType: time, logicalTypeOptions: {minimum: 09:30}", [("minimum", "09:30:00")]),
    ],
)
def test_an_option_is_typed_for_its_column(column: str, options: list[tuple[str, object]]) -> None:
    assert options_of(table(f"name: a, {column}")) == options


def test_booleans_as_exclusive_bounds_are_those_of_version_3_0() -> None:
    text = table(
        "name: a, logicalType: integer,"
        " logicalTypeOptions: {maximum: 5, exclusiveMaximum: true, minimum: 1,"
        " exclusiveMinimum: false}"
    ).replace("v3.1.0", "v3.0.2")
    assert options_of(text) == [("minimum", 1), ("exclusiveMaximum", 5)]


def test_a_date_format_is_known_to_the_reader_of_text() -> None:
    text = table(
        "name: a, logicalType: timestamp,"
        " logicalTypeOptions: {format: \"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\", timezone: true}"
    )
    (column,) = parsed(text).tables[0].columns
    assert column.parse_format == "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"
    assert column.timezone_aware is True


def test_the_documented_format_of_the_standard_has_a_t_without_quotes() -> None:
    text = table(
        "name: a, logicalType: timestamp, logicalTypeOptions: {format: 'yyyy-MM-ddTHH:mm:ssZ'}"
    )
    assert parsed(text).tables[0].columns[0].parse_format == "yyyy-MM-ddTHH:mm:ssZ"


def test_the_default_format_of_the_standard_means_iso_8601() -> None:
    text = table(
        "name: a, logicalType: timestamp, logicalTypeOptions: {format: 'YYYY-MM-DDTHH:mm:ss.SSSZ'}"
    )
    assert parsed(text).tables[0].columns[0].parse_format == ""


def test_a_condition_narrows_the_rows_of_a_table_and_takes_no_promise_away() -> None:
    text = table(
        "name: a, physicalName: A1, logicalType: integer, required: true, primaryKey: true",
        above="    quality: [{metric: rowCount, mustBeGreaterThan: 0}]\n"
        "    customProperties: [{property: contractwatch.where, value: a > 1}]\n",
    )
    found = parsed(text).tables[0]
    assert found.where == '"A1" > 1'
    assert (len(found.rules), found.primary_key is not None) == (1, True)
    assert skips_of(text) == []


def test_a_measure_is_no_column() -> None:
    text = table("name: total, semanticType: measure, logicalType: number, required: true")
    assert parsed(text).tables[0].columns == ()
    assert [kind for _, kind, _ in skips_of(text)] == ["required"]


def test_keys_of_nested_types_are_skipped_and_unique_ones_are_not() -> None:
    text = table("name: a, logicalType: array, primaryKey: true, unique: true")
    assert [(kind, reason) for _, kind, reason in skips_of(text)] == [
        ("primaryKey", "unsupported: keys of array columns")
    ]
    assert parsed(text).tables[0].columns[0].unique_clause == Clause(f"{PATH}.unique", 11)


def test_a_key_may_have_members_inside_objects_in_their_position() -> None:
    inner = "{name: b, primaryKey: true, primaryKeyPosition: 1}"
    text = table(
        "name: k, primaryKey: true, primaryKeyPosition: 2",
        f"name: a, logicalType: object, properties: [{inner}]",
    )
    found = parsed(text).tables[0].primary_key
    assert found is not None
    assert found.columns == ("a.b", "k")


def test_a_contract_without_status_counts_as_draft() -> None:
    text = table("name: a").replace("status: active\n", "")
    assert parsed(text).status is Status.DRAFT
    assert "is read as draft" in warnings_of(text)[0]


def test_all_problems_of_a_file_are_reported_in_the_order_of_lines() -> None:
    text = table("name: a, logicalType: strin", "name: a, required: maybe", "nam: c")
    assert [problem.line for problem in problems_of(text)] == [11, 12, 12, 13, 13]
