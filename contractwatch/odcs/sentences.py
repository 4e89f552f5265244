"""What a JSON schema says against a value becomes a sentence with a place."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from jsonschema import ValidationError
from jsonschema.protocols import Validator

from contractwatch.odcs.document import Document, child_path
from contractwatch.odcs.place import suggestion

VERSIONS = ("v3.2.0", "v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0")
OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)
_MOST_NAMES = 12
_LONGEST_SHOWN = 60
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_ARGUMENTS = ("validValues", "missingValues", "pattern", "properties")


def complaints(
    validator: Validator, instance: object, document: Document, base: str
) -> Iterator[tuple[str, str]]:
    """Yield path and sentence for everything that a schema says against a value."""
    blamed: set[str] = set()
    for error in validator.iter_errors(cast("Any", instance)):
        for leaf in _leaves(error, ()):
            path = _path(base, leaf[1])
            if path.endswith(".logicalTypeOptions") or ".logicalTypeOptions." in path:
                owner = path[: path.index(".logicalTypeOptions")]
                if _lacks_type(instance, leaf[1]):
                    if owner not in blamed:
                        blamed.add(owner)
                        place = f"{owner}.logicalTypeOptions"
                        yield place, "options need a 'logicalType' beside them; expected one"
                    continue
            yield from _sentences(leaf[0], path, document)


def _lacks_type(instance: object, keys: tuple[str | int, ...]) -> bool:
    value: Any = instance
    for key in keys[: keys.index("logicalTypeOptions")]:
        value = value[key]
    return isinstance(value, dict) and "logicalType" not in cast("dict[str, Any]", value)


def _path(base: str, keys: Iterable[str | int]) -> str:
    path = base
    for key in keys:
        path = child_path(path, key)
    return path


def _leaves(
    error: ValidationError, above: tuple[str | int, ...]
) -> Iterator[tuple[ValidationError, tuple[str | int, ...]]]:
    """Yield the errors that matter: of alternatives, those of the one that was meant."""
    keys = (*above, *error.relative_path)
    if error.validator not in {"oneOf", "anyOf"} or _is_operators(error):
        yield error, keys
        return
    meant = _meant_branch(error)
    if meant is None:
        yield error, keys
        return
    for child in meant:
        yield from _leaves(child, keys)


def _meant_branch(error: ValidationError) -> list[ValidationError] | None:
    """Return the errors of the alternative that fits best; None if none has the right type."""
    branches: dict[int, list[ValidationError]] = {}
    for child in error.context or ():
        index = child.relative_schema_path[0]
        branches.setdefault(cast("int", index), []).append(child)
    fitting = [
        children
        for children in branches.values()
        if not any(child.validator == "type" and not child.relative_path for child in children)
        and not any(child.validator == "const" for child in children)
    ]
    return min(fitting, key=len) if fitting else None


def _is_operators(error: ValidationError) -> bool:
    branches = cast("list[dict[str, Any]]", error.validator_value)
    return error.validator == "oneOf" and any(
        branch.get("required") == ["mustBe"] for branch in branches
    )


def _sentences(error: ValidationError, path: str, document: Document) -> Iterator[tuple[str, str]]:
    if error.validator in {"unevaluatedProperties", "additionalProperties"}:
        yield from _unknown_keys(error, path)
    elif error.validator == "required":
        missing = str(error.message).split("'")[1]
        yield path, f"'{missing}' is missing; expected it here"
    elif error.validator in {"oneOf", "anyOf"} and _is_operators(error):
        yield from _operators(error, path)
    elif error.validator == "type":
        yield path, _wrong_type(error, path, document)
    else:
        tell = _TELLERS.get(str(error.validator))
        yield path, tell(error) if tell else str(error.message)


def _unknown_keys(error: ValidationError, path: str) -> Iterator[tuple[str, str]]:
    instance = cast("dict[str, Any]", error.instance)
    if error.validator == "additionalProperties":
        schema = cast("dict[str, Any]", error.schema)
        known = sorted(schema.get("properties", ()))
        unknown = [key for key in instance if key not in known]
    else:
        known = list(cast("list[str]", error.validator_value))
        unknown = [str(error.message).removeprefix("unknown key ")[1:-1]]
    for key in unknown:
        hint = suggestion(key, (name for name in known if name not in instance))
        if "metric" in known and key in _ARGUMENTS:
            hint = f"; did you mean 'arguments.{key}'?"
        elif not hint and len(known) <= _MOST_NAMES:
            hint = f"; expected one of {', '.join(known)}"
        yield child_path(path, key), f"unknown key '{key}'{hint}"


def _operators(error: ValidationError, path: str) -> Iterator[tuple[str, str]]:
    instance = cast("dict[str, Any]", error.instance)
    given = [name for name in OPERATORS if name in instance]
    if len(given) == 1:
        for child in error.context or ():
            if child.relative_path and child.relative_path[0] == given[0]:
                yield child_path(path, given[0]), _wrong_bound(given[0])
                return
    expected = f"expected exactly one of {', '.join(OPERATORS)}"
    if given:
        yield path, f"{len(given)} operators ({', '.join(given)}); {expected}"
    else:
        near = [key for key in instance if suggestion(key, OPERATORS) and key.startswith("must")]
        hint = suggestion(near[0], OPERATORS) if near else ""
        yield path, f"the rule has no operator; {expected}{hint}"


def _wrong_bound(operator: str) -> str:
    if operator.endswith("Between"):
        return "expected a list of two different numbers, the lower one first"
    return "expected a number"


def _wrong_type(error: ValidationError, path: str, document: Document) -> str:
    wanted = error.validator_value
    names = cast("list[str]", wanted) if isinstance(wanted, list) else [cast("str", wanted)]
    expected = " or ".join(_WORDS.get(name, name) for name in names)
    value = cast("object", error.instance)
    written = document.written.get(path)
    found = _kind_of(value)
    if names == ["string"] and written:
        return f'{written} is {found}; expected text: write "{written}" in quotes'
    if isinstance(value, str) and names in (["integer"], ["number"], ["boolean"]):
        return f"'{_short(value)}' is text; expected {expected} without quotes"
    return f"{found} stands here; expected {expected}"


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _enum(error: ValidationError) -> str:
    allowed = [str(value) for value in cast("list[object]", error.validator_value)]
    if allowed[:2] == ["v3.2.0", "v3.1.0"]:
        allowed = list(VERSIONS)
    value = cast("object", error.instance)
    shown = _short(value) if isinstance(value, str) else _kind_of(value)
    if (
        set(allowed)
        == {
            "accuracy",
            "completeness",
            "conformity",
            "consistency",
            "coverage",
            "timeliness",
            "uniqueness",
        }
        and shown == "validity"
    ):
        hint = "; did you mean 'conformity'?"
    else:
        hint = suggestion(shown, allowed) if isinstance(value, str) else ""
    if hint and len(allowed) > _MOST_NAMES:
        return f"unknown value '{shown}'{hint}"
    return f"unknown value '{shown}'; expected one of {', '.join(allowed)}{hint}"


def _pattern(error: ValidationError) -> str:
    value = _short(cast("str", error.instance))
    pattern = cast("str", error.validator_value)
    if pattern == "^[A-Za-z0-9_-]+$":
        return f"'{value}' is no id; expected letters, digits, '-' and '_' only"
    if pattern.startswith("^P(?="):
        return f"'{value}' is no ISO-8601 duration; expected a form such as PT15M or P1DT6H"
    if "Za-z_]+(/[A-Za-z0-9_+" in pattern:
        return f"'{value}' is no time zone; expected an IANA name such as Europe/Amsterdam"
    return f"'{value}' has another form than expected; expected {pattern}"


def _alternatives(error: ValidationError) -> str:
    kinds = [child.validator_value for child in error.context or () if child.validator == "type"]
    names = [_WORDS.get(str(kind), str(kind)) for kind in dict.fromkeys(map(str, kinds))]
    found = _kind_of(cast("object", error.instance))
    if not names:
        return f"{found} stands here that fits none of the allowed forms"
    return f"{found} stands here; expected {' or '.join(names)}"


_TELLERS: dict[str, Callable[[ValidationError], str]] = {
    "enum": _enum,
    "pattern": _pattern,
    "oneOf": _alternatives,
    "anyOf": _alternatives,
    "const": lambda error: f"expected '{error.validator_value}'",
    "minimum": lambda error: (
        f"{error.instance} is too small; expected {error.validator_value} or more"
    ),
    "maximum": lambda error: (
        f"{error.instance} is too large; expected {error.validator_value} or less"
    ),
    "exclusiveMinimum": lambda error: (
        f"{error.instance} is too small; expected more than {error.validator_value}"
    ),
    "exclusiveMaximum": lambda error: (
        f"{error.instance} is too large; expected less than {error.validator_value}"
    ),
    "minItems": lambda error: f"the list is too short; expected at least {error.validator_value}",
    "maxItems": lambda error: f"the list is too long; expected at most {error.validator_value}",
    "minLength": lambda _error: "the text is empty; expected some",
    "minProperties": lambda _error: "the mapping is empty; expected at least one key",
    "uniqueItems": lambda _error: "an item stands here twice; expected different ones",
    "not": lambda _error: "'from' belongs to relationships of a table; expected 'to' only",
}
