"""List what a JSON schema rejects in a value, with what it expected and the keys that it knows.

jsonschema-rs evaluates the schema. Two things are added here: what the schema says at the place of
an error, and which keys a closed schema knows. A branch that the value fails evaluates nothing, so
jsonschema-rs calls all of its keys unexpected; it is reported for itself, and its keys are known.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, cast

from jsonschema_rs import Draft201909Validator, ValidationError

Schema: TypeAlias = dict[str, Any]
KeyPath: TypeAlias = tuple[str | int, ...]

_COMBINING = ("allOf", "anyOf", "oneOf")
_LARGEST_FRACTIONAL = 2.0**52 - 0.5


@dataclass(frozen=True, slots=True)
class Rejection:
    """One keyword of a schema that a value violates.

    `path` leads from the whole value to `instance`, `expected` is what the schema says at the
    keyword. Of `oneOf` and `anyOf` the `branches` hold what each alternative rejects. `names` are
    the keys that are meant: the unknown ones, or the one that is missing.
    """

    keyword: str
    path: KeyPath
    instance: Any
    expected: Any
    branches: tuple[tuple["Rejection", ...], ...] = ()
    names: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


class Validator:
    """A JSON schema that validates values and explains what it rejects."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._conditions: dict[int, Draft201909Validator] = {}

    @cached_property
    def _compiled(self) -> Draft201909Validator:
        return Draft201909Validator(self.schema)

    def accepts(self, value: object) -> bool:
        """Return whether the schema rejects nothing in a value."""
        return _is_valid(self._compiled, value)

    def rejections(self, value: object) -> Iterator[Rejection]:
        """Yield everything that the schema rejects; each unknown key separately."""
        for error in self._compiled.iter_errors(_as_json(value)):
            yield from self._rejections(error, value)

    def _rejections(self, error: ValidationError, whole: object) -> Iterator[Rejection]:
        path = tuple(cast("Sequence[str | int]", error.instance_path))
        steps = tuple(cast("Sequence[str | int]", error.schema_path))
        keyword = str(error.kind.name)
        instance = _at(whole, path)
        rejection = Rejection(keyword, path, instance, _at(self.schema, steps))
        kind: Any = error.kind
        if keyword in {"unevaluatedProperties", "additionalProperties"}:
            known = self._known_keys(_at(self.schema, steps[:-1]), instance)
            unknown = tuple(name for name in kind.unexpected if name not in known)
            if unknown:
                yield Rejection(
                    keyword, path, instance, rejection.expected, (), unknown, tuple(sorted(known))
                )
        elif keyword == "required":
            yield Rejection(keyword, path, instance, rejection.expected, (), (kind.property,))
        elif keyword in {"oneOf", "anyOf"}:
            context: Any = getattr(kind, "context", ())
            branches = tuple(
                tuple(found for child in branch for found in self._rejections(child, whole))
                for branch in context
            )
            yield Rejection(keyword, path, instance, rejection.expected, branches)
        else:
            yield rejection

    def _known_keys(self, schema: Schema, instance: Mapping[str, Any]) -> frozenset[str]:
        """Return the keys that a schema knows for an instance, over all of its branches."""
        names = set(schema.get("properties", ()))
        if "$ref" in schema:
            names |= self._known_keys(_resolve(self.schema, schema["$ref"]), instance)
        for word in _COMBINING:
            for branch in schema.get(word, ()):
                names |= self._known_keys(branch, instance)
        if "if" in schema and "then" in schema and self._is_condition_met(schema["if"], instance):
            names |= self._known_keys(schema["then"], instance)
        return frozenset(names)

    def _is_condition_met(self, condition: Schema, instance: object) -> bool:
        found = self._conditions.get(id(condition))
        if found is None:
            whole = {**condition, "$defs": self.schema.get("$defs", {})}
            found = self._conditions[id(condition)] = Draft201909Validator(whole)
        return _is_valid(found, instance)


def _is_valid(validator: Draft201909Validator, value: object) -> bool:
    try:
        if validator.is_valid(value):  # a number that is not finite reads as null here
            return True
    except ValueError:  # no JSON, such as half of a surrogate pair
        pass
    return validator.is_valid(_as_json(value))


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for key in path:
        value = value[key]
    return value


def _resolve(schema: Schema, reference: str) -> Schema:
    return cast("Schema", _at(schema, reference.removeprefix("#/").split("/")))


def _as_json(value: object) -> object:
    """Return a JSON value that a schema accepts or rejects as it does this value.

    Half of a surrogate pair becomes another character, an infinite number or NaN a finite fraction,
    and a removed list item null.
    """
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case dict():
            entries = cast("dict[object, object]", value)
            return {_as_json(key): _as_json(one) for key, one in entries.items()}
        case list():
            return [_as_json(one) for one in cast("list[object]", value)]
        case float() if not math.isfinite(value):
            return 0.5 if math.isnan(value) else math.copysign(_LARGEST_FRACTIONAL, value)
        case None | bool() | int() | float():
            return value
        case _:
            return None
