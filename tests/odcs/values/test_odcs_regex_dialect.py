"""A pattern of ECMA-262 goes to an engine that can run it."""

import pytest
from odcs_values import parsed, problems_of, skips_of, table

from contractwatch.odcs.values.regex_dialect import Pattern, executable_pattern
from contractwatch.odcs.values.regex_translation import PatternError


@pytest.mark.parametrize("pattern", [r"(?=a)", r"(?<!a)b", r"(a)\1", r"\B", r"(?<x>a)\k<x>"])
def test_what_rust_cannot_do_is_kept_for_the_engine_that_can(pattern: str) -> None:
    assert executable_pattern(pattern) == Pattern(pattern, ecma=True)


def test_what_rust_can_do_is_translated() -> None:
    assert executable_pattern(r"^\d$") == Pattern("^[0-9]$")


@pytest.mark.parametrize("pattern", [r"(?=[)", r"(?=a)(", r"\B)", r"(?<=a"])
def test_a_pattern_of_neither_engine_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        executable_pattern(pattern)


def test_an_option_and_a_rule_say_which_engine_runs_the_pattern() -> None:
    text = table(
        "name: a, logicalType: string, logicalTypeOptions: {pattern: '(?=a)'},"
        " quality: [{metric: invalidValues, mustBe: 0, arguments: {pattern: '(a)\\1'}}]"
    )
    (column,) = parsed(text).tables[0].columns
    assert [(option.value, option.ecma) for option in column.options] == [("(?=a)", True)]
    assert [(rule.pattern, rule.ecma) for rule in column.rules] == [("(a)\\1", True)]
    assert skips_of(text) == []


def test_a_limit_of_a_boolean_column_is_skipped_and_not_lost() -> None:
    text = table("name: a, logicalType: boolean, logicalTypeOptions: {minimum: 'x', format: y}")
    path = "schema[0].properties[0].logicalTypeOptions.minimum"
    assert skips_of(text) == [(path, "minimum", "unsupported: minimum of boolean columns")]


def test_a_bound_of_a_text_is_refused_by_the_schema() -> None:
    text = table("name: a, logicalType: string, logicalTypeOptions: {minimum: 'x'}")
    (problem,) = problems_of(text)
    assert problem.message.startswith("unknown key 'minimum'")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (table("name: ' ', required: true"), "schema[0].properties[0].name"),
        (table("name: a, properties: [{name: ''}]"), "schema[0].properties[0].properties[0].name"),
        (
            table("name: a", below="slaProperties: [{property: '', value: 1}]\n"),
            "slaProperties[0].property",
        ),
    ],
)
def test_what_has_an_empty_name_is_refused_and_not_lost(text: str, path: str) -> None:
    assert [(problem.path, problem.message) for problem in problems_of(text)] == [
        (path, f"the {path.rpartition('.')[2]} is empty; expected some text")
    ]


def test_a_rule_that_says_nothing_is_refused() -> None:
    (problem,) = problems_of(table("name: a, quality: [{}]"))
    assert problem.message.startswith("the rule has no metric")


def test_a_missing_value_may_be_of_another_type_than_the_column() -> None:
    rule = "{metric: missingValues, mustBe: 0, arguments: {missingValues: [-1, 'n/a', null]}}"
    (column,) = parsed(table(f"name: a, logicalType: integer, quality: [{rule}]")).tables[0].columns
    assert column.rules[0].values == (-1, "n/a")
