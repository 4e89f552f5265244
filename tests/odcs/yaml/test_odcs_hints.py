"""Hints say what to write, and never suggest the opposite."""

import pytest
from odcs_values import problems_of, table, warnings_of

from contractwatch.odcs.yaml.antonyms import are_antonyms
from contractwatch.odcs.yaml.node import nearest


def said(text: str) -> str:
    return "\n".join(problem.message for problem in problems_of(text))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nullable: true", "required: false"),
        ("nullable: false", "required: true"),
        ("isNullable: true", "required: false"),
        ("is_nullable: no", "required: true"),
        ("optional: true", "required: false"),
        ("allow_nulls: true", "required: false"),
        ("mandatory: true", "required: true"),
        ("mandatory: false", "required: false"),
        ("nillable: false", "required: true"),
        ("notRequired: true", "required: false"),
        ("not_null: true", "required: true"),
        ("duplicates: true", "unique: false"),
        ("nonUnique: true", "unique: false"),
        ("nonNull: true", "required: true"),
        ("NotNull: 'false'", "required: false"),
        ("allowDuplicates: false", "unique: true"),
        ("distinct: true", "unique: true"),
        ("isUnique: true", "unique: true"),
    ],
)
def test_a_flag_of_another_tool_is_reported_as_what_says_the_same(written: str, meant: str) -> None:
    assert f"; write '{meant}'" in said(table(f"name: id, {written}"))


def test_an_inverse_flag_without_a_truth_says_that_it_is_the_opposite() -> None:
    assert "('required' says the opposite)" in said(table("name: id, nullable: perhaps"))


def test_a_flag_that_is_said_already_is_not_proposed() -> None:
    assert "write" not in said(table("name: id, required: true, nullable: false"))


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("mustNotBeGreaterThan", "mustBeGreaterThan"),
        ("mustNotBeLessThan", "mustBeLessThan"),
        ("inactive", "active"),
        ("notUnique", "unique"),
        ("unrequired", "required"),
        ("validValues", "invalidValues"),
        ("maxlength", "minLength"),
        ("endDate", "startDate"),
    ],
)
def test_what_says_the_opposite_is_never_proposed(word: str, known: str) -> None:
    assert are_antonyms(word, known)
    assert not nearest(word, [known])


def test_between_two_ends_that_are_as_near_nobody_guesses() -> None:
    assert not nearest("miximum", ["minimum", "maximum"])
    assert nearest("maximun", ["minimum", "maximum"]) == "maximum"


@pytest.mark.parametrize(
    ("word", "known"), [("logcalType", "logicalType"), ("uniqe", "unique"), ("intger", "integer")]
)
def test_a_slip_is_still_a_slip(word: str, known: str) -> None:
    assert nearest(word, [known, "other"]) == known


def rule(content: str) -> str:
    return table(f"name: id, quality: [{{{content}}}]")


@pytest.mark.parametrize(
    ("metric", "meant"),
    [
        ("notNull", "write 'required: true'"),
        ("not_null", "write 'required: true'"),
        ("unique", "write 'unique: true'"),
        ("freshness", "write it under 'slaProperties', as {property: freshness,"),
        ("latency", "write it under 'slaProperties', as {property: freshness,"),
        ("availability", "write it under 'slaProperties', as {property: availability,"),
        ("acceptedValues", "write 'metric: invalidValues' with 'arguments: {validValues"),
        ("regex", "write 'metric: invalidValues' with 'arguments: {pattern"),
        ("between", "write 'logicalTypeOptions: {minimum"),
        ("volume", "write 'metric: rowCount' at the table"),
        ("rowCont", "did you mean 'rowCount'?"),
    ],
)
def test_a_metric_of_another_tool_is_reported_as_what_it_is_here(metric: str, meant: str) -> None:
    (problem,) = problems_of(rule(f"metric: {metric}, mustBe: 0"))
    assert meant in problem.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0%", "write 'mustBe: 0' and 'unit: percent'"),
        ("'1.5 %'", "write 'mustBe: 1.5' and 'unit: percent'"),
        ("'7'", "write 'mustBe: 7' without quotes"),
        ("few", "expected a finite number"),
    ],
)
def test_what_is_no_number_is_reported_as_the_number_that_it_says(written: str, meant: str) -> None:
    assert meant in said(rule(f"metric: nullValues, mustBe: {written}"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("'yes'", "true"), ("No", "false"), ("on", "true"), ("1", "true"), ("0", "false")],
)
def test_a_truth_in_other_words_is_reported_as_true_or_false(written: str, meant: str) -> None:
    assert f"expected true or false: write {meant}" in said(table(f"name: id, required: {written}"))


@pytest.mark.parametrize(("written", "meant"), [("open", "open"), ("7", "7"), ("'a b'", "a b")])
def test_a_plain_value_of_an_enum_is_reported_as_a_mapping(written: str, meant: str) -> None:
    assert f"write {{value: {meant}}}" in said(table(f"name: id, enum: [{written}]"))


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("property: freshness, value: 6, unit: M", "'M' is read as months"),
        ("property: freshness, value: 6M", "'M' is read as months"),
        ("property: retention, value: 6, unit: m", "'m' is read as minutes"),
        ("property: frequency, value: 30m", "'m' is read as minutes"),
        ("property: throughput, value: 5, unit: rows/m", "'m' is read as minutes"),
        ("property: throughput, value: 5, unit: rows/M", "'M' is read as months"),
    ],
)
def test_a_unit_of_one_letter_is_quoted_as_it_was_written(level: str, words: str) -> None:
    text = table("name: at, logicalType: timestamp")
    found = warnings_of(f"{text}slaProperties:\n  - {{{level}, element: orders.at}}\n")
    assert any(one.startswith(words) for one in found), found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("customProperties: {pii: true}", "a list of {property: ..., value: ...}"),
        ("quality: each has an amount", "a list of rules, such as {metric: rowCount,"),
        ("quality: [each has an amount]", "{type: text, description: ...}"),
        ("relationships: t.id", "a list of {to: table.column}"),
        ("relationships: [t.id]", "{to: table.column}"),
        ("tags: pii", "a list, such as [a, b]"),
        ("enum: open", "a list of {value: ...}"),
    ],
)
def test_a_value_of_another_shape_is_reported_with_the_shape_to_write(
    written: str, meant: str
) -> None:
    assert f": write {meant}" in said(table(f"name: id, {written}"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("minimum: 3", "logicalTypeOptions"), ("pattern: a", "logicalTypeOptions")],
)
def test_an_option_beside_a_column_is_reported_where_it_belongs(written: str, meant: str) -> None:
    assert f"did you mean '{meant}'?" in said(table(f"name: id, logicalType: integer, {written}"))


@pytest.mark.parametrize("key", [r"a\\b", r"0\t0", "it's", 'say \\"x\\"'])
def test_a_key_of_any_letters_is_reported_as_one_that_is_not_known(key: str) -> None:
    assert "unknown key" in said(table(f'name: id, "{key}": 5'))
