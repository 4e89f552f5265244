"""A JSON schema is checked by jsonschema with the same result, several times as fast.

Four things are done once instead of at every value: annotations are dropped, references are
resolved, a chain of `if` over one key becomes one look-up, and the keys that a closed schema knows
are collected. Values of a plain type are accepted without asking further.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias, cast

from jsonschema import Draft201909Validator, ValidationError
from jsonschema import validators as jsonschema_validators
from jsonschema.protocols import Validator

from contractwatch.odcs.jsonschema.schema import Schema
from contractwatch.odcs.jsonschema.schema import Validator as EarlyValidator

_Errors: TypeAlias = Iterator[ValidationError]
_Keyword: TypeAlias = Callable[[Validator, Any, Any, Any], _Errors]

_ANNOTATIONS = frozenset({"description", "examples", "default", "title", "deprecated", "$schema"})
_LITERAL = frozenset({"const", "enum", "required"})
_NAMED_SCHEMAS = frozenset({"properties", "$defs", "ServerSource"})
_PLAIN_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


@cache
def whole(validator: EarlyValidator) -> Validator:
    """Return what says everything that the schema of a validator rejects."""
    return compiled(validator.schema)


def compiled(schema: Schema) -> Validator:
    """Return a validator of a schema whose references all point into its `$defs`."""
    lean = _lean(schema)
    definitions = _definitions(lean)
    plain = _PlainTypes(definitions)
    keywords: dict[str, _Keyword] = {
        "$ref": _reference(definitions),
        "properties": _properties(plain),
        "items": _items(plain),
        "unevaluatedProperties": _closed(_KnownKeys(definitions)),
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
    lean = {
        key: value
        if key in _LITERAL and not named
        else _lean(value, named=key in _NAMED_SCHEMAS and not named)
        for key, value in cast("dict[str, Any]", schema).items()
        if named or key not in _ANNOTATIONS
    }
    return lean if named else _with_choices(lean)


def _with_choices(schema: Schema) -> Schema:
    """Turn the branches of `allOf` that ask for the value of one key into one look-up."""
    rest: list[Any] = []
    choices: dict[str, dict[str, list[Any]]] = {}
    for branch in schema.get("allOf", ()):
        asked = _asked(branch)
        if asked is None:
            rest.append(branch)
            continue
        key, values = asked
        for value in values:
            choices.setdefault(key, {}).setdefault(value, []).append(branch["then"])
    if not choices:
        return schema
    lean = {key: value for key, value in schema.items() if key != "allOf"}
    # unevaluatedProperties stays last, so that unknown keys are reported after wrong values
    return ({"allOf": rest} if rest else {}) | {"x-choice": choices} | lean


_ABSENT = ""
"""Stands among the values of a choice for: the key is not there. No `const` is empty."""


def _asked(branch: Schema) -> tuple[str, list[str]] | None:
    """Return the key and the values for which a branch applies, if it asks for nothing else."""
    if branch.keys() != {"if", "then"}:
        return None
    condition = branch["if"]
    parts: list[Schema] = condition["anyOf"] if condition.keys() == {"anyOf"} else [condition]
    keys: set[str] = set()
    values: list[str] = []
    for part in parts:
        match part:
            case {"properties": {**properties}} if len(properties) == 1:
                ((key, asked),) = properties.items()
            case _:
                return None
        required = part.get("required", [])
        if part.keys() - {"properties", "required"} or required not in ([], [key]):
            return None
        if asked.keys() != {"const"} or not isinstance(asked["const"], str):
            return None
        keys.add(key)
        values += [asked["const"]] if required else [asked["const"], _ABSENT]
    return (keys.pop(), list(dict.fromkeys(values))) if len(keys) == 1 else None


def _chosen(choices: Any, instance: Mapping[str, Any]) -> Iterator[Any]:
    for key, branches in choices.items():
        value = instance.get(key, _ABSENT)
        if isinstance(value, str) and (value or key not in instance):
            yield from branches.get(value, ())


def _definitions(schema: Schema) -> Mapping[str, Schema]:
    found: dict[str, Schema] = {}
    for name, part in schema.get("$defs", {}).items():
        found[f"#/$defs/{name}"] = part
        if name == "ServerSource":
            found |= {f"#/$defs/{name}/{inner}": entry for inner, entry in part.items()}
    return found


def _descend(
    validator: Validator, instance: Any, schema: Any, path: str | int | None = None
) -> _Errors:
    # `descend` is documented for new keywords, but is not in jsonschema's protocol
    return cast("Any", validator).descend(instance, schema, path=path)


def _reference(definitions: Mapping[str, Schema]) -> _Keyword:
    def check(validator: Validator, ref: Any, instance: Any, _schema: Any) -> _Errors:
        yield from _descend(validator, instance, definitions[ref])

    return check


def _properties(plain: "_PlainTypes") -> _Keyword:
    def check(validator: Validator, properties: Any, instance: Any, _schema: Any) -> _Errors:
        if not isinstance(instance, dict):
            return
        for key, value in cast("dict[str, Any]", instance).items():
            part = properties.get(key)
            if part is not None and type(value) not in plain.of(part):
                yield from _descend(validator, value, part, key)

    return check


def _items(plain: "_PlainTypes") -> _Keyword:
    def check(validator: Validator, part: Any, instance: Any, _schema: Any) -> _Errors:
        if not isinstance(instance, list):
            return
        accepted = plain.of(part)
        for index, value in enumerate(cast("list[Any]", instance)):
            if type(value) not in accepted:
                yield from _descend(validator, value, part, index)

    return check


def _choice(validator: Validator, choices: Any, instance: Any, _schema: Any) -> _Errors:
    if isinstance(instance, dict):
        for branch in _chosen(choices, cast("dict[str, Any]", instance)):
            yield from _descend(validator, instance, branch)


def _closed(known: "_KnownKeys") -> _Keyword:
    def check(validator: Validator, _allowed: Any, instance: Any, schema: Any) -> _Errors:
        if not isinstance(instance, dict):
            return
        entries = cast("dict[str, Any]", instance)
        names = known.of(validator, entries, schema)
        for key in entries:
            if key not in names:
                yield ValidationError(f"unknown key '{key}'", validator_value=sorted(names))

    return check


class _PlainTypes:
    """The Python types of which a schema accepts every value; none if it asks for more."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions
        self._known: dict[int, frozenset[type]] = {}

    def of(self, schema: Schema) -> frozenset[type]:
        """Return the types whose values need no further look."""
        found = self._known.get(id(schema))
        if found is None:
            found = self._known[id(schema)] = frozenset(self._of(schema))
        return found

    def _of(self, schema: Schema) -> Iterator[type]:
        if schema.keys() == {"$ref"}:
            yield from self._of(self._definitions[schema["$ref"]])
        elif schema.keys() == {"anyOf"}:
            for branch in schema["anyOf"]:
                yield from self._of(branch)
        elif schema.keys() == {"type"}:
            names = schema["type"]
            for name in [names] if isinstance(names, str) else names:
                yield from _PLAIN_TYPES[name]


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
            chosen = _chosen(part["x-choice"], instance)
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
