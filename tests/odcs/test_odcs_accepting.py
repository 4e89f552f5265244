"""What is accepted early is what jsonschema accepts, word by word, and nothing unknown is."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator

from contractwatch.odcs.accepting import _MEANINGLESS, _TESTS, accepts
from contractwatch.odcs.schema import _extensions, official_schema

INF = float("inf")
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.0, 1.5, INF, float("nan"), "", "a", "b", "1", "aa\n"),
    *([], [1], [1, 1], [1, 1.0], [1, True], ["a", "b"], [[1], [True]], [[1], [1.0]], [{"a": 1}]),
    *({}, {"a": 1}, {"a": "x"}, {"b": 1}, {"a": 1, "b": 2}, {"a": None, "c": []}, {"a": {"a": 1}}),
]
A_NUMBER = {"properties": {"a": {"type": "number"}}}
HAS_A, HAS_B = {"required": ["a"]}, {"required": ["b"]}
KNOWS_A, KNOWS_B = {**HAS_A, "properties": {"a": {}}}, {**HAS_B, "properties": {"b": {}}}
CLOSED = {"unevaluatedProperties": False}
SCHEMAS: list[tuple[str, dict[str, Any]]] = [
    *(
        ("type", {"type": kind})
        for kind in ("string", "boolean", "integer", "number", "array", "object", "null")
    ),
    ("type", {"type": ["string", "null"]}),
    *(("const", {"const": value}) for value in (1, True, "a", None, [1], {"a": 1})),
    ("enum", {"enum": [1, "a", None, [1, True], {"a": 1.0}]}),
    ("required", {"required": ["a", "b"]}),
    ("properties", A_NUMBER),
    ("additionalProperties", {**A_NUMBER, "additionalProperties": False}),
    ("additionalProperties", {**A_NUMBER, "additionalProperties": {"type": "integer"}}),
    ("additionalProperties", {"additionalProperties": True}),
    ("items", {"items": {"type": "integer"}}),
    ("allOf", {"allOf": [HAS_A, HAS_B]}),
    ("anyOf", {"anyOf": [HAS_A, HAS_B, {"type": "string"}]}),
    ("oneOf", {"oneOf": [HAS_A, HAS_B]}),
    ("not", {"not": HAS_A}),
    ("if", {"if": HAS_A, "then": HAS_B, "else": {"type": "string"}}),
    ("then", {"if": A_NUMBER, "then": HAS_A}),
    ("else", {"if": A_NUMBER, "else": HAS_A}),
    ("pattern", {"pattern": "^a$"}),
    ("minimum", {"minimum": 1}),
    ("maximum", {"maximum": 1}),
    ("exclusiveMinimum", {"exclusiveMinimum": 1}),
    ("exclusiveMaximum", {"exclusiveMaximum": 1}),
    ("minItems", {"minItems": 2}),
    ("maxItems", {"maxItems": 1}),
    ("minLength", {"minLength": 1}),
    ("minProperties", {"minProperties": 1}),
    ("uniqueItems", {"uniqueItems": True}),
    ("uniqueItems", {"uniqueItems": False}),
    ("$ref", {"$defs": {"x": {"y": {"type": "string"}}}, "$ref": "#/$defs/x/y"}),
    ("unevaluatedProperties", {**A_NUMBER, **CLOSED}),
    ("unevaluatedProperties", {"allOf": [{"properties": {"a": {}}}], **CLOSED}),
    ("unevaluatedProperties", {"anyOf": [KNOWS_A, KNOWS_B], **CLOSED}),
    ("unevaluatedProperties", {"oneOf": [KNOWS_A, {"type": "string"}], **CLOSED}),
    ("unevaluatedProperties", {"if": KNOWS_A, "then": {"properties": {"c": {}}}, **CLOSED}),
    ("unevaluatedProperties", {"if": HAS_A, "else": {"properties": {"b": {}}}, **CLOSED}),
    ("unevaluatedProperties", {"allOf": [{"additionalProperties": {"type": "null"}}], **CLOSED}),
    (
        "unevaluatedProperties",
        {"$defs": {"x": {"properties": {"b": {}}}}, "$ref": "#/$defs/x", **CLOSED},
    ),
]


@pytest.mark.parametrize(("word", "schema"), SCHEMAS)
def test_each_word_accepts_what_jsonschema_accepts(word: str, schema: dict[str, Any]) -> None:
    assert word in schema
    whole = Draft201909Validator(schema)
    assert [value for value in VALUES if accepts(schema, value)] == [
        value for value in VALUES if whole.is_valid(value)
    ]


def test_each_word_that_is_known_is_compared() -> None:
    assert {word for word, _ in SCHEMAS} == _TESTS.keys()


@pytest.mark.parametrize("schema", [official_schema(), _extensions()], ids=["odcs", "extensions"])
def test_each_word_of_our_schemas_is_known(schema: dict[str, Any]) -> None:
    assert set(_words(schema)) <= _TESTS.keys() | _MEANINGLESS


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "patternProperties": {"^b": {}}},
        {"additionalProperties": False, "patternProperties": {"a": {}}, "properties": {"b": {}}},
        {"not": {"const": 0, "dependentRequired": {"a": ["b"]}}},
        {"if": {"const": 0, "contains": {}}, "then": False},
        {"properties": {"a": True}},
        {"$ref": "https://example.org/schema"},
    ],
)
def test_an_unknown_word_makes_nothing_accepted(schema: dict[str, Any]) -> None:
    assert not accepts(schema, {"a": 1})


def test_a_right_contract_is_read_without_jsonschema() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom contractwatch.odcs.load import load_contract\n"
        "[load_contract(Path(name)) for name in sys.argv[1:]]\n"
        "assert 'jsonschema' not in sys.modules\n"
    )
    contracts = (Path(__file__).parents[2] / "contracts").glob("*/*.odcs.yaml")
    subprocess.run([sys.executable, "-c", code, *map(str, sorted(contracts))], check=True)


def _words(schema: Any, *, named: bool = False) -> Iterator[str]:
    """Yield the words of a schema and of its parts; `named` holds parts by any name."""
    if isinstance(schema, list):
        for part in schema:
            yield from _words(part)
    if not isinstance(schema, dict):
        return
    for word, part in schema.items():
        if not named:
            yield word
        if named or word not in {"const", "enum", "required", "examples", "default"}:
            inner_names = word in {"properties", "$defs", "ServerSource"}
            yield from _words(part, named=(inner_names and not named) or word == "ServerSource")
