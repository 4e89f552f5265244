"""The official JSON schema of ODCS stands ready: found, mended, and fast enough for thousands."""

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, cast

from jsonschema import Draft201909Validator, ValidationError
from jsonschema import validators as jsonschema_validators
from jsonschema.protocols import Validator

_PACKAGE = "open_data_contract_standard"
_ANNOTATIONS = frozenset({"description", "examples", "default", "title", "deprecated", "$schema"})
_NAMED_SCHEMAS = frozenset({"properties", "$defs", "ServerSource"})

Schema: TypeAlias = dict[str, Any]
_Errors: TypeAlias = Iterator[ValidationError]
_Keyword: TypeAlias = Callable[[Validator, Any, Any, Any], _Errors]


@cache
def official_schema() -> Schema:
    """Return the schema that the package open-data-contract-standard ships, mended.

    The package ships one schema, that of its newest version; it accepts every older `apiVersion`
    and is laxer than they were in a few places. The forms of 3.0 that it no longer knows are
    rewritten before (see older.py).
    """
    return mended(bundled_schema())


def bundled_schema() -> Schema:
    """Return the schema as it is shipped; the package itself is slow to import and is not."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package open-data-contract-standard is not installed")
    file = Path(spec.submodule_search_locations[0]) / "schema.json"
    return cast("Schema", json.loads(file.read_text(encoding="utf-8")))


def mended(schema: Schema) -> Schema:
    """Return the schema without its fault: a property without logicalType must not need `map`."""
    copy = cast("Schema", json.loads(json.dumps(schema)))
    for branch in copy["$defs"]["SchemaBaseProperty"]["allOf"]:
        condition = branch.get("if", {})
        if condition.get("properties") == {"logicalType": {"const": "map"}}:
            condition["required"] = ["logicalType"]
    return copy


@cache
def contract_validator() -> Validator:
    """Return the compiled validator of contracts."""
    return compiled(official_schema())


@cache
def extension_validators() -> Mapping[str, Validator]:
    """Return a validator for each of our custom properties and for `implementation`."""
    file = Path(__file__).with_name("extensions.schema.json")
    schema = cast("Schema", json.loads(file.read_text(encoding="utf-8")))
    named = {**schema["properties"], "implementation": schema["$defs"]["implementation"]}
    return {
        name.removeprefix("contractwatch."): compiled({**part, "$defs": schema["$defs"]})
        for name, part in named.items()
    }


def compiled(schema: Schema) -> Validator:
    """Return a validator that finds what a plain one finds, several times as fast.

    Annotations are dropped, `$ref` is one look-up, a chain of `if` over one key is one look-up, and
    the keys that a closed schema knows are collected once.
    """
    lean = _lean(schema)
    keywords: dict[str, _Keyword] = {
        "$ref": _reference(_definitions(lean)),
        "unevaluatedProperties": _closed(_KnownKeys(_definitions(lean))),
        "x-choice": _choice,
    }
    # jsonschema builds its validator classes at run time: their type is not known to a checker
    extend = cast("Callable[..., Any]", jsonschema_validators.extend)
    return cast("Validator", extend(Draft201909Validator, keywords)(lean))


def _lean(schema: Any, *, named: bool = False) -> Any:
    if isinstance(schema, list):
        return [_lean(entry) for entry in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    entries = cast("dict[str, Any]", schema)
    lean = {
        key: value
        if key in {"const", "enum", "required"} and not named
        else _lean(value, named=key in _NAMED_SCHEMAS and not named)
        for key, value in entries.items()
        if named or key not in _ANNOTATIONS
    }
    return lean if named else _with_choices(lean)


def _with_choices(schema: Schema) -> Schema:
    """Turn `allOf: [{if: {properties: {k: {const: v}}, required: [k]}, then: x} ...]` into one."""
    rest: list[Any] = []
    choices: dict[str, dict[str, Any]] = {}
    for branch in schema.get("allOf", ()):
        match branch:
            case {"if": {"properties": {**condition}, "required": [key]}, "then": then} if (
                branch.keys() == {"if", "then"}
                and condition.keys() == {key}
                and condition[key].keys() == {"const"}
            ):
                choices.setdefault(key, {})[condition[key]["const"]] = then
            case _:
                rest.append(branch)
    if not choices:
        return schema
    lean = {key: value for key, value in schema.items() if key != "allOf"}
    # unevaluatedProperties stays last, so that unknown keys are reported after wrong values
    return ({"allOf": rest} if rest else {}) | {"x-choice": choices} | lean


def _definitions(schema: Schema) -> Mapping[str, Schema]:
    found: dict[str, Schema] = {}
    for name, part in schema.get("$defs", {}).items():
        found[f"#/$defs/{name}"] = part
        if name == "ServerSource":
            found |= {f"#/$defs/{name}/{inner}": entry for inner, entry in part.items()}
    return found


def _reference(definitions: Mapping[str, Schema]) -> _Keyword:
    def check(validator: Validator, ref: Any, instance: Any, _schema: Any) -> _Errors:
        yield from _descend(validator, instance, definitions[ref])

    return check


def _choice(validator: Validator, choices: Any, instance: Any, _schema: Any) -> _Errors:
    if not isinstance(instance, dict):
        return
    for key, branches in choices.items():
        chosen = cast("dict[str, Any]", instance).get(key)
        if isinstance(chosen, str) and chosen in branches:
            yield from _descend(validator, instance, branches[chosen])


def _closed(known: "_KnownKeys") -> _Keyword:
    def check(validator: Validator, _allowed: Any, instance: Any, schema: Any) -> _Errors:
        if not isinstance(instance, dict):
            return
        entries = cast("dict[str, Any]", instance)
        names = known.of(validator, entries, schema)
        for key in entries:
            if key not in names:
                yield ValidationError(f"unknown key {key!r}", validator_value=sorted(names))

    return check


def _descend(validator: Validator, instance: Any, schema: Any) -> _Errors:
    # `descend` is public in jsonschema's documentation of new keywords, not in its protocol
    return cast("Any", validator).descend(instance, schema)


class _KnownKeys:
    """The keys that a schema knows for an instance, gathered over its branches.

    Branches that the instance fails are counted too: they are reported for themselves, and must not
    make every key of theirs look unknown.
    """

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._fixed: dict[int, tuple[frozenset[str], tuple[Schema, ...]]] = {}

    def of(
        self, validator: Validator, instance: Mapping[str, Any], schema: Schema
    ) -> frozenset[str]:
        """Return the known keys of `instance` under `schema`."""
        if id(schema) not in self._fixed:
            names: set[str] = set()
            conditions: list[Schema] = []
            self._gather(schema, names, conditions)
            self._fixed[id(schema)] = frozenset(names), tuple(conditions)
        fixed, branches = self._fixed[id(schema)]
        if instance.keys() <= fixed:
            return fixed
        return fixed.union(*(self._under(validator, instance, part) for part in branches))

    def _under(
        self, validator: Validator, instance: Mapping[str, Any], part: Schema
    ) -> frozenset[str]:
        if "x-choice" in part:
            chosen = [
                branches[instance[key]]
                for key, branches in part["x-choice"].items()
                if isinstance(instance.get(key), str) and instance[key] in branches
            ]
            return frozenset[str]().union(*(self.of(validator, instance, one) for one in chosen))
        holds = next(_descend(validator, instance, part["if"]), None) is None
        return self.of(validator, instance, part["then"]) if holds else frozenset()

    def _gather(self, schema: Schema, names: set[str], conditions: list[Schema]) -> None:
        names.update(schema.get("properties", ()))
        if "$ref" in schema:
            self._gather(self._definitions[schema["$ref"]], names, conditions)
        for word in ("allOf", "anyOf", "oneOf"):
            for branch in schema.get(word, ()):
                self._gather(branch, names, conditions)
        if "x-choice" in schema:
            conditions.append({"x-choice": schema["x-choice"]})
        if "if" in schema:
            conditions.append({"if": schema["if"], "then": schema.get("then", {})})
