"""Reading `enum`, closed lists of columns and encrypted twins."""

from odcs_values import parsed, problems_of, skips_of, table, warnings_of

from contractwatch.model.base.clause import Clause
from contractwatch.model.promises.rule import TypeOption, TypeOptionKind

PATH = "schema[0].properties[0]"


def test_an_enumeration_is_typed_as_its_column_and_null_is_always_allowed() -> None:
    text = table("name: a, logicalType: integer, enum: [{value: 1, label: One}, {value: null}]")
    (column,) = parsed(text).tables[0].columns
    assert column.options == (
        TypeOption(Clause(f"{PATH}.enum", 11), TypeOptionKind.ENUM, "1", values=(1,)),
    )
    assert skips_of(text) == []


def test_a_value_of_another_type_than_the_column_is_refused() -> None:
    (problem,) = problems_of(table("name: a, logicalType: integer, enum: [{value: x}]"))
    assert (problem.path, problem.message) == (
        f"{PATH}.enum[0].value",
        "the column is an integer; expected a whole number",
    )


def test_the_enumeration_of_a_nested_type_is_skipped() -> None:
    text = table("name: a, logicalType: object, enum: [{value: x}]")
    assert skips_of(text) == [(f"{PATH}.enum", "enum", "unsupported: enum of object columns")]


def test_an_enumeration_among_the_options_is_read_and_noted() -> None:
    text = table("name: a, logicalType: string, logicalTypeOptions: {maxLength: 3, enum: [x, y]}")
    (column,) = parsed(text).tables[0].columns
    assert [(option.kind, option.values) for option in column.options] == [
        (TypeOptionKind.MAX_LENGTH, ()),
        (TypeOptionKind.ENUM, ("x", "y")),
    ]
    assert warnings_of(text) == [
        "'enum' is no type option; write it beside, as 'enum: [{value: x}]'"
    ]


def test_the_enumeration_of_the_column_wins_over_that_of_its_options() -> None:
    text = table(
        "name: a, logicalType: string, logicalTypeOptions: {enum: [x]}, enum: [{value: y}]"
    )
    assert parsed(text).tables[0].columns[0].options[0].values == ("y",)


def test_a_closed_schema_is_a_promise_of_its_table() -> None:
    mode = "    customProperties: [{property: contractwatch.schemaMode, value: closed}]\n"
    (found,) = parsed(table("name: a", above=mode)).tables
    assert found.closed_clause == Clause("schema[0].customProperties[0].value", 10)
    assert parsed(table("name: a")).tables[0].closed_clause is None


def test_an_encrypted_twin_is_kept_by_its_name() -> None:
    (column,) = parsed(table("name: a, encryptedName: a_enc")).tables[0].columns
    assert (column.optional, column.encrypted_name) == (True, "a_enc")
    assert column.encrypted_name_clause == Clause(f"{PATH}.encryptedName", 11)


def test_a_twin_inside_an_object_is_a_member_beside_by_either_name() -> None:
    inner = (
        "{name: b, encryptedName: c}, {name: c, physicalName: C_ENC},"
        " {name: d, encryptedName: elsewhere}, {name: e, semanticType: measure}"
    )
    text = table(f"name: a, logicalType: object, properties: [{inner}]")
    (column,) = parsed(text).tables[0].columns
    assert [(one.optional, one.encrypted_name) for one in column.nested] == [
        (True, "C_ENC"),
        (False, ""),
        (True, "elsewhere"),
        (True, ""),
    ]
    assert column.nested[0].encrypted_name_clause == Clause(
        f"{PATH}.properties[0].encryptedName", 11
    )


def test_elements_have_no_twin_beside_them() -> None:
    text = table("name: a, logicalType: array, items: {logicalType: string, encryptedName: c}")
    assert [(kind, reason) for _, kind, reason in skips_of(text)] == [
        ("presence", "unsupported: encryptedName of what has no name")
    ]


def test_a_date_of_odcs_3_0_with_a_time_of_day_is_a_timestamp() -> None:
    text = table(
        "name: a, logicalType: date,"
        " logicalTypeOptions: {format: 'yyyy-MM-dd HH:mm:ss', minimum: '2020-01-01 10:00:00'}"
    ).replace("v3.1.0", "v3.0.2")
    assert parsed(text).tables[0].columns[0].logical_type == "timestamp"
    assert warnings_of(text) == [
        "a date with a time of day is a 'timestamp' since ODCS 3.1; it is read as one"
    ]


def test_an_exclusive_flag_without_its_bound_is_noted() -> None:
    text = table("name: a, logicalType: integer, logicalTypeOptions: {exclusiveMinimum: true}")
    assert warnings_of(text) == ["'exclusiveMinimum: true' has no effect without 'minimum'"]
