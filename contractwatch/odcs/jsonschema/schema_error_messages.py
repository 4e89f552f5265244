"""Word what a JSON schema rejects in a contract, each with its path in the document."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from contractwatch.odcs.jsonschema.metric_messages import metric_hint
from contractwatch.odcs.jsonschema.rejections import Rejection, Validator
from contractwatch.odcs.jsonschema.schema import OPERATORS, VERSIONS
from contractwatch.odcs.values.units import bound_error, parse_number
from contractwatch.odcs.yaml.antonyms import flag_hint, parse_flag
from contractwatch.odcs.yaml.document import Document, child_path
from contractwatch.odcs.yaml.node import suggestion

_MAX_NAMES = 12
_IN_ENUM = re.compile(r"\.enum\[\d+\]$")
_MAX_SHOWN = 60
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_SYNONYMS = {
    "varchar": ("string",),
    "text": ("string",),
    "int": ("integer",),
    "bigint": ("integer",),
    "long": ("integer",),
    "float": ("number",),
    "double": ("number",),
    "decimal": ("number",),
    "numeric": ("number",),
    "bool": ("boolean",),
    "datetime": ("timestamp",),
    "struct": ("object",),
    "record": ("object",),
    "list": ("array",),
    "validity": ("conformity",),
    "gcs": ("s3",),
    "nullcount": ("nullValues",),
    "duplicatecount": ("duplicateValues",),
    "type": ("logicalType",),
    "columns": ("properties",),
    "fields": ("properties",),
    "dataset": ("schema",),
    "models": ("schema",),
    "tables": ("schema",),
    "stakeholders": ("team",),
    "sla": ("slaProperties",),
    "servicelevels": ("slaProperties",),
    "slas": ("slaProperties",),
    "owner": ("team",),
    "minimum": ("logicalTypeOptions",),
    "maximum": ("logicalTypeOptions",),
    "pattern": ("logicalTypeOptions",),
    "minLength": ("logicalTypeOptions",),
    "maxLength": ("logicalTypeOptions",),
}
_EXAMPLES = {
    "customProperties": "a list of {property: ..., value: ...}",
    "quality": "a list of rules, such as {metric: rowCount, mustBeGreaterThan: 0}",
    "quality[]": "{type: text, description: ...} for what is said in words",
    "slaProperties": "a list of {property: ..., value: ..., unit: ..., element: table.column}",
    "servers": "a list of {server: ..., type: ...}",
    "schema": "a list of {name: ..., properties: ...}",
    "properties": "a list of {name: ..., logicalType: ...}",
    "properties[]": "{name: ...}",
    "enum": "a list of {value: ...}",
    "tags": "a list, such as [a, b]",
    "description": "{purpose: ...}",
    "team": "{name: ...}",
    "relationships": "a list of {to: table.column}",
    "relationships[]": "{to: table.column}",
}
"""Examples of a value by its key, for messages about another type; `[]` is an item of a list."""

_ALTERNATIVES = frozenset({"oneOf", "anyOf"})
_INDEX = re.compile(r"\[\d+\]$")
_ARGUMENTS = ("validValues", "missingValues", "pattern", "properties")


def schema_errors(
    validator: Validator, instance: object, document: Document, base: str
) -> Iterator[tuple[str, str]]:
    """Yield the path and the message of everything that a schema rejects in a value.

    Args:
        validator: The validator of the schema.
        instance: The value in the document.
        document: The document, for the source text of values.
        base: The path of the value in the document.
    """
    if validator.accepts(instance):
        return
    found: list[_SchemaError] = []
    for error in validator.rejections(instance):
        for leaf in _leaves(error):
            path = _path(base, leaf.path)
            owner = _untyped_column(instance, leaf.path, path)
            if owner:
                message = "options need a 'logicalType' beside them; expected one"
                found.append(_SchemaError(f"{owner}.logicalTypeOptions", message))
            else:
                found.extend(_messages(leaf, path, document))
    # whether a key beside an unknown type is allowed depends on that type
    mistyped = {
        one.path.rpartition(".")[0] for one in found if one.path.endswith((".type", ".logicalType"))
    }
    for one in dict.fromkeys(found):
        is_open = one.is_unknown_key and one.path.rpartition(".")[0] in mistyped
        if not is_open or "did you mean" in one.message:
            yield one.path, one.message


@dataclass(frozen=True, slots=True)
class _SchemaError:
    path: str
    message: str
    is_unknown_key: bool = False


def _untyped_column(instance: object, keys: tuple[str | int, ...], path: str) -> str:
    """Return the path of a column with options and no type; empty if it has one."""
    if "logicalTypeOptions" not in keys or not _lacks_type(instance, keys):
        return ""
    return path[: path.index(".logicalTypeOptions")]


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


def _leaves(error: Rejection) -> Iterator[Rejection]:
    """Yield the innermost errors; of several alternatives those of the one that was meant."""
    if error.keyword not in _ALTERNATIVES or _is_operators(error):
        yield error
        return
    meant = _best_branch(error)
    if meant is None or all(child.keyword == "required" for child in _children(error)):
        yield error
        return
    for child in meant:
        yield from _leaves(child)


def _children(error: Rejection) -> tuple[Rejection, ...]:
    return tuple(child for branch in error.branches for child in branch)


def _best_branch(error: Rejection) -> tuple[Rejection, ...] | None:
    """Return the errors of the closest alternative; None if all are of another type."""
    fitting = [
        children
        for children in error.branches
        if children
        and not any(child.keyword == "type" and child.path == error.path for child in children)
        and not any(child.keyword == "const" for child in children)
    ]
    return min(fitting, key=len) if fitting else None


def _is_operators(error: Rejection) -> bool:
    branches = cast("list[dict[str, Any]]", error.expected)
    return error.keyword == "oneOf" and any(
        branch.get("required") == ["mustBe"] for branch in branches
    )


def _messages(error: Rejection, path: str, document: Document) -> Iterator[_SchemaError]:
    if error.keyword in {"unevaluatedProperties", "additionalProperties"}:
        yield from _unknown_keys(error, path)
    elif error.keyword == "required":
        (missing,) = error.names
        yield _SchemaError(path, f"'{missing}' is missing; expected it here")
    elif error.keyword in _ALTERNATIVES:
        yield from _operators(error, path) if _is_operators(error) else _choices(error, path)
    elif error.keyword == "type":
        yield _SchemaError(path, _wrong_type(error, path, document))
    elif error.keyword == "enum":
        allowed = [str(value) for value in cast("list[object]", error.expected)]
        yield _SchemaError(path, _unknown_word(cast("object", error.instance), allowed, path))
    else:
        tell = _MESSAGE_OF_KEYWORD.get(str(error.keyword))
        yield _SchemaError(
            path, tell(error) if tell else f"not accepted by '{error.keyword}' of the schema"
        )


def _choices(error: Rejection, path: str) -> Iterator[_SchemaError]:
    """Yield the errors of alternatives if it is not clear which one was meant."""
    children = _children(error)
    consts = [child for child in children if child.keyword == "const"]
    if consts:
        key = consts[0].path[-1] if consts[0].path != error.path else ""
        allowed = [str(child.expected) for child in consts]
        here = child_path(path, key) if key else path
        yield _SchemaError(here, _unknown_word(cast("object", consts[0].instance), allowed, here))
    elif children and all(child.keyword == "required" for child in children):
        names = dict.fromkeys(name for child in children for name in child.names)
        listed = ", ".join(f"'{name}'" for name in names)
        yield _SchemaError(path, f"nothing says what is meant; expected one of {listed}")
    else:
        yield _SchemaError(path, _alternatives(error))


def _unknown_keys(error: Rejection, path: str) -> Iterator[_SchemaError]:
    instance = cast("dict[str, Any]", error.instance)
    for key in error.names:
        message = f"unknown key '{_short(key)}'{_key_hint(key, list(error.known), instance)}"
        yield _SchemaError(child_path(path, key), message, is_unknown_key=True)


def _key_hint(key: str, known: list[str], instance: dict[str, Any]) -> str:
    free = [name for name in known if name not in instance]
    flag = flag_hint(key, instance[key], free)
    if flag:
        return flag
    if "metric" in known and key in _ARGUMENTS:
        return f"; did you mean 'arguments.{key}'?"
    if "metric" in known and key in OPERATORS:
        return "; expected operators in library and sql rules only"
    meant = next((name for name in _SYNONYMS.get(key, ()) if name in free), "")
    hint = f"; did you mean '{meant}'?" if meant else suggestion(key, free)
    if hint or len(known) > _MAX_NAMES:
        return hint
    return f"; expected one of {', '.join(known)}"


def _operators(error: Rejection, path: str) -> Iterator[_SchemaError]:
    if not isinstance(error.instance, dict):
        return  # that it is no mapping is an error of its own
    instance = cast("dict[str, Any]", error.instance)
    given = [name for name in OPERATORS if name in instance]
    if len(given) == 1:
        for child in _children(error):
            if child.path[len(error.path) :][:1] == (given[0],):
                here = child_path(path, given[0])
                yield _SchemaError(here, bound_error(given[0], instance[given[0]]))
                return
    expected = f"expected exactly one of {', '.join(OPERATORS)}"
    if given:
        yield _SchemaError(path, f"{len(given)} operators ({', '.join(given)}); {expected}")
    else:
        near = [key for key in instance if suggestion(key, OPERATORS) and key.startswith("must")]
        hint = suggestion(near[0], OPERATORS) if near else ""
        yield _SchemaError(path, f"the rule has no operator; {expected}{hint}")


def _wrong_type(error: Rejection, path: str, document: Document) -> str:
    wanted = error.expected
    names = cast("list[str]", wanted) if isinstance(wanted, list) else [cast("str", wanted)]
    expected = " or ".join(_WORDS.get(name, name) for name in names)
    value = cast("object", error.instance)
    written = document.written.get(path)
    found = _kind_of(value)
    if names == ["string"] and written:
        return f'{written} is {found}; expected text: write "{written}" in quotes'
    if names == ["boolean"] and (flag := parse_flag(value)) is not None and not _is_quoted(value):
        what = f"'{_short(str(value))}' is text" if isinstance(value, str) else f"found {found}"
        return f"{what}; expected {expected}: write {str(flag).lower()}"
    if names == ["object"] and _IN_ENUM.search(path) and not isinstance(value, list | None):
        shown = written or _short(str(value))
        return f"found {found}; expected {expected}: write {{value: {shown}}}"
    if isinstance(value, str) and names in (["integer"], ["number"], ["boolean"]):
        is_quoted = parse_number(value) is not None or value.lower() in {"true", "false"}
        quotes = " without quotes" if is_quoted else ""
        return f"'{_short(value)}' is text; expected {expected}{quotes}"
    form = "" if {"array", "object"}.isdisjoint(names) else _example_at(path)
    return f"found {found}; expected {expected}{form}"


def _example_at(path: str) -> str:
    form = _EXAMPLES.get(_INDEX.sub("[]", path).rpartition(".")[2])
    return f": write {form}" if form else ""


def _is_quoted(value: object) -> bool:
    return isinstance(value, str) and value.lower() in {"true", "false"}


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
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _unknown_word(value: object, allowed: list[str], path: str) -> str:
    key = path.rpartition(".")[2].partition("[")[0]
    if key == "apiVersion":
        allowed = list(VERSIONS)
    if not isinstance(value, str):
        return f"found {_kind_of(value)}; expected one of {', '.join(allowed)}"
    meant = next((word for word in _SYNONYMS.get(value.lower(), ()) if word in allowed), "")
    hint = f"; did you mean '{meant}'?" if meant else ""
    hint = hint or (metric_hint(value) if key == "metric" else "") or suggestion(value, allowed)
    if hint and len(allowed) > _MAX_NAMES:
        return f"unknown {key} '{_short(value)}'{hint}"
    one_of = "one of " if len(allowed) > 1 else ""
    return f"unknown {key} '{_short(value)}'; expected {one_of}{', '.join(allowed)}{hint}"


def _pattern(error: Rejection) -> str:
    value = _short(cast("str", error.instance))
    pattern = cast("str", error.expected)
    if pattern == "^[A-Za-z0-9_-]+$":
        return f"'{value}' is no id; expected letters, digits, '-' and '_' only"
    if pattern.startswith("^P(?="):
        return f"'{value}' is no ISO-8601 duration; expected a form such as PT15M or P1DT6H"
    if "Za-z_]+(/[A-Za-z0-9_+" in pattern:
        return f"'{value}' is no time zone; expected an IANA name such as Europe/Amsterdam"
    if pattern.endswith(r"(\.[A-Za-z_][A-Za-z0-9_\-]*)+$"):
        return f"'{value}' is no reference to a column; expected table.column"
    return f"'{value}' has another form than expected; expected {pattern}"


def _alternatives(error: Rejection) -> str:
    kinds = [child.expected for child in _children(error) if child.keyword == "type"]
    names = [_WORDS.get(str(kind), str(kind)) for kind in dict.fromkeys(map(str, kinds))]
    found = _kind_of(cast("object", error.instance))
    if not names:
        return f"found {found}, which has none of the allowed forms"
    return f"found {found}; expected {' or '.join(names)}"


_MESSAGE_OF_KEYWORD: dict[str, Callable[[Rejection], str]] = {
    "pattern": _pattern,
    "const": lambda error: f"expected '{error.expected}'",
    "minimum": lambda error: f"{error.instance} is too small; expected {error.expected} or more",
    "maximum": lambda error: f"{error.instance} is too large; expected {error.expected} or less",
    "exclusiveMinimum": lambda error: (
        f"{error.instance} is too small; expected more than {error.expected}"
    ),
    "exclusiveMaximum": lambda error: (
        f"{error.instance} is too large; expected less than {error.expected}"
    ),
    "minItems": lambda error: f"the list is too short; expected at least {error.expected}",
    "maxItems": lambda error: f"the list is too long; expected at most {error.expected}",
    "minLength": lambda _error: "the text is empty; expected some",
    "minProperties": lambda _error: "the mapping is empty; expected at least one key",
    "uniqueItems": lambda _error: "an item is repeated; expected different ones",
    "not": lambda _error: "'from' belongs to relationships of a table; expected 'to' only",
}
