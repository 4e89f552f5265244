"""Reading promises about nested fields, with their paths."""

import pytest
from odcs_values import parsed, skips_of, table

from contractwatch.model.base.path import ArrayItem, StructField
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.promises.rule import RuleMetric, TypeOptionKind
from contractwatch.verify import plan

PATH = "schema[0].properties[0]"


def nested(*columns: str) -> dict[str, Column]:
    """Return what is nested in the first column, by name."""
    return {column.name: column for column in parsed(table(*columns)).tables[0].columns[0].nested}


def test_the_members_of_an_object_are_columns_with_a_way() -> None:
    found = nested(
        "name: a, physicalName: A, logicalType: object, properties: [{name: b, physicalName: B,"
        " logicalType: string, required: true, quality: [{metric: nullValues, mustBe: 0}],"
        " logicalTypeOptions: {maxLength: 3}}]"
    )
    (column,) = found.values()
    assert column.name == "a.b"
    assert (column.physical_name, column.path) == ("A", (StructField("B"),))
    assert column.logical_type is LogicalType.STRING
    assert column.required_clause is not None
    assert column.required_clause.path == f"{PATH}.properties[0].required"
    assert [rule.metric for rule in column.rules] == [RuleMetric.NULL_VALUES]
    assert [option.kind for option in column.options] == [TypeOptionKind.MAX_LENGTH]
    assert not column.optional


def test_elements_at_any_depth_have_a_way() -> None:
    found = nested(
        "name: a, logicalType: array, items: {logicalType: object, properties: [{name: b,"
        " logicalType: array, items: {logicalType: array, items: {logicalType: integer}}}]}"
    )
    assert {name: column.path for name, column in found.items()} == {
        "a[]": (ArrayItem(),),
        "a[].b": (ArrayItem(), StructField("b")),
        "a[].b[]": (ArrayItem(), StructField("b"), ArrayItem()),
        "a[].b[][]": (ArrayItem(), StructField("b"), ArrayItem(), ArrayItem()),
    }
    assert [name for name, column in found.items() if not column.optional] == ["a[].b"]


def test_the_keys_of_a_map_are_there_and_unique_without_a_word() -> None:
    text = table(
        "name: a, logicalType: map, map: {key: {logicalType: string},"
        " value: {logicalType: integer, required: true}}"
    ).replace("v3.1.0", "v3.2.0")
    key, value = parsed(text).tables[0].columns[0].nested
    assert (key.name, key.path) == ("a.key", (ArrayItem(), StructField("key")))
    assert key.required_clause == key.unique_clause == key.clause
    assert value.unique_clause is None
    assert value.required_clause is not None


def test_options_of_nested_types_are_limits() -> None:
    columns = (
        parsed(
            table(
                "name: a, logicalType: array,"
                " logicalTypeOptions: {minItems: 1, maxItems: 9, uniqueItems: true}",
                "name: b, logicalType: object, logicalTypeOptions: {minProperties: 1,"
                " required: [c, d]}, properties: [{name: c, physicalName: C, logicalType: string}]",
                "name: e, logicalType: array, logicalTypeOptions: {uniqueItems: false}",
            )
        )
        .tables[0]
        .columns
    )
    of_array, of_object, of_nothing = (column.options for column in columns)
    assert [(option.kind, option.value) for option in of_array] == [
        (TypeOptionKind.MIN_ITEMS, 1),
        (TypeOptionKind.MAX_ITEMS, 9),
        (TypeOptionKind.UNIQUE_ITEMS, True),
    ]
    assert [option.kind for option in of_object] == [
        TypeOptionKind.MIN_PROPERTIES,
        TypeOptionKind.REQUIRED_PROPERTIES,
    ]
    assert of_object[1].members == ("C", "d")
    assert of_nothing == ()


def test_what_has_no_meaning_inside_an_array_is_skipped() -> None:
    text = table(
        "name: a, logicalType: array, items: {logicalType: array, primaryKey: true,"
        " items: {logicalType: string, quality: [{metric: duplicateValues, mustBe: 0}]}}"
    )
    assert skips_of(text) == [
        (f"{PATH}.items.primaryKey", "primaryKey", "unsupported: keys inside arrays"),
        (
            f"{PATH}.items.items.quality[0]",
            "duplicateValues",
            "unsupported: duplicates inside arrays",
        ),
    ]


@pytest.mark.parametrize("name", ["", "name: part, "])
def test_the_parts_of_arrays_and_maps_are_there_whatever_their_names(name: str) -> None:
    text = table(
        f"name: a, logicalType: array, items: {{{name}logicalType: string}}",
        f"name: m, logicalType: map, map: {{key: {{{name}logicalType: string}},"
        f" value: {{{name}logicalType: string}}}}",
    ).replace("v3.1.0", "v3.2.0")
    checks = plan(parsed(text)).checks
    made = [(check.promise.kind, check.promise.column) for check in checks]
    assert [found for found in made if found[1] not in {"a", "m"}] == [
        ("type", "a[]"),
        ("type", "m.key"),
        ("type", "m.value"),
        ("required", "m.key"),
        ("unique", "m.key"),
    ]
