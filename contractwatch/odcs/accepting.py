"""A value that a JSON schema accepts is known to be accepted before jsonschema is imported.

The import of jsonschema costs as much as a third of a small run, and only wording what is wrong
needs it. What is answered here is yes or "I do not know": a keyword that is not known here makes no
value accepted, and jsonschema decides. Laws hold the two to the same answers.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

Schema: TypeAlias = Mapping[str, Any]
_Test: TypeAlias = Callable[["_Reader", Any, Any, Schema], bool]

_MEANINGLESS = frozenset(
    {"$schema", "$defs", "title", "description", "examples", "default", "deprecated", "format"}
)
"""Says nothing about a value, or (`format`) is not asked of one by jsonschema either."""


class _UnknownWordError(Exception):
    """The schema asks for something that is not known here."""


def accepts(schema: Schema, value: object) -> bool:
    """Whether a value is accepted for certain; references point into the schema's own `$defs`."""
    try:
        return _Reader(schema).accepts(schema, value)
    except _UnknownWordError:
        return False


class _Reader:
    """One schema, whose references are followed."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def accepts(self, schema: Any, value: Any) -> bool:
        """Whether a part of the schema accepts a value."""
        # all words first: one that is not known may change what another one means
        if not isinstance(schema, dict) or not schema.keys() <= _WORDS:
            raise _UnknownWordError
        part = cast("Schema", schema)
        return all(
            _TESTS[word](self, asked, value, part) for word, asked in part.items() if word in _TESTS
        )

    def referred(self, reference: str) -> Schema:
        """Return the part that a reference points to."""
        if not reference.startswith("#/"):
            raise _UnknownWordError
        found: Any = self._root
        for key in reference[2:].split("/"):
            found = found[key]
        return found

    def always_known(self, schema: Schema) -> set[str]:
        """Return the keys that a schema knows whatever the value is."""
        names = {*schema.get("properties", ())}
        if "$ref" in schema:
            names |= self.always_known(self.referred(schema["$ref"]))
        return names.union(*map(self.always_known, schema.get("allOf", ())))

    def known(self, schema: Schema, value: Mapping[str, Any]) -> set[str]:
        """Return the keys of a mapping that the parts of a schema which accept it know."""
        names = {*schema.get("properties", ())}
        if "additionalProperties" in schema:
            names.update(value)
        for part in self._parts(schema, value):
            names |= self.known(part, value)
        return names

    def _parts(self, schema: Schema, value: Any) -> Iterable[Schema]:
        if "$ref" in schema:
            yield self.referred(schema["$ref"])
        yield from schema.get("allOf", ())
        for word in ("anyOf", "oneOf"):
            yield from (part for part in schema.get(word, ()) if self.accepts(part, value))
        if "if" in schema:
            holds = self.accepts(schema["if"], value)
            yield from [schema["if"]] if holds else []
            yield schema.get("then" if holds else "else", {})


def _type(_reader: _Reader, asked: Any, value: Any, _schema: Schema) -> bool:
    if isinstance(asked, str):
        return _TYPES[asked](value)
    return any(_TYPES[name](value) for name in asked)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_whole,
    "number": _is_number,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: true is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        mine, theirs = cast("list[Any]", one), cast("list[Any]", other)
        return len(mine) == len(theirs) and all(map(_same, mine, theirs))
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return one == other


def _are_different(values: list[Any]) -> bool:
    """Whether no two values are equal; by hash, for a list may have 50,000 of them."""
    return len(set(map(_key, values))) == len(values)


def _key(value: Any) -> object:
    """Return what is equal for two values exactly if they are equal as JSON."""
    if isinstance(value, list):
        return ("list", *map(_key, cast("list[Any]", value)))
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return ("dict", frozenset((key, _key(item)) for key, item in named.items()))
    return (isinstance(value, bool), value)


def _properties(reader: _Reader, asked: Any, value: Any, _schema: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    entries = cast("dict[str, Any]", value)
    return all(reader.accepts(asked[key], entries[key]) for key in entries if key in asked)


def _additional(reader: _Reader, asked: Any, value: Any, schema: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    known, entries = schema.get("properties", {}), cast("dict[str, Any]", value)
    if isinstance(asked, bool):
        return asked or all(key in known for key in entries)
    return all(reader.accepts(asked, entries[key]) for key in entries if key not in known)


def _unevaluated(reader: _Reader, asked: Any, value: Any, schema: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    if asked is not False:
        raise _UnknownWordError
    entries = cast("dict[str, Any]", value)
    return entries.keys() <= reader.always_known(schema) or (
        entries.keys() <= reader.known(schema, entries)
    )


def _items(reader: _Reader, asked: Any, value: Any, _schema: Schema) -> bool:
    return not isinstance(value, list) or all(
        reader.accepts(asked, entry) for entry in cast("list[Any]", value)
    )


def _one_of(reader: _Reader, asked: Any, value: Any, _schema: Schema) -> bool:
    return sum(reader.accepts(part, value) for part in asked) == 1


def _condition(reader: _Reader, asked: Any, value: Any, schema: Schema) -> bool:
    word = "then" if reader.accepts(asked, value) else "else"
    return word not in schema or reader.accepts(schema[word], value)


def _bound(fits: Callable[[Any, Any], bool]) -> _Test:
    return lambda _reader, asked, value, _schema: not _is_number(value) or fits(value, asked)


def _size(kind: type, fits: Callable[[int, Any], bool]) -> _Test:
    return lambda _reader, asked, value, _schema: (
        not isinstance(value, kind) or fits(len(value), asked)
    )


def _always(_reader: _Reader, _asked: Any, _value: Any, _schema: Schema) -> bool:
    return True


_TESTS: Mapping[str, _Test] = {
    "type": _type,
    "$ref": lambda reader, asked, value, _schema: reader.accepts(reader.referred(asked), value),
    "const": lambda _reader, asked, value, _schema: _same(asked, value),
    "enum": lambda _reader, asked, value, _schema: any(_same(one, value) for one in asked),
    "required": lambda _reader, asked, value, _schema: (
        not isinstance(value, dict) or all(key in value for key in asked)
    ),
    "properties": _properties,
    "additionalProperties": _additional,
    "unevaluatedProperties": _unevaluated,
    "items": _items,
    "allOf": lambda reader, asked, value, _schema: all(
        reader.accepts(part, value) for part in asked
    ),
    "anyOf": lambda reader, asked, value, _schema: any(
        reader.accepts(part, value) for part in asked
    ),
    "oneOf": _one_of,
    "not": lambda reader, asked, value, _schema: not reader.accepts(asked, value),
    "if": _condition,
    "then": _always,
    "else": _always,
    "pattern": lambda _reader, asked, value, _schema: (
        not isinstance(value, str) or re.search(asked, value) is not None
    ),
    "minimum": _bound(lambda value, least: not value < least),
    "maximum": _bound(lambda value, most: not value > most),
    "exclusiveMinimum": _bound(lambda value, least: not value <= least),
    "exclusiveMaximum": _bound(lambda value, most: not value >= most),
    "minItems": _size(list, lambda size, least: size >= least),
    "maxItems": _size(list, lambda size, most: size <= most),
    "minLength": _size(str, lambda size, least: size >= least),
    "minProperties": _size(dict, lambda size, least: size >= least),
    "uniqueItems": lambda _reader, asked, value, _schema: (
        not asked or not isinstance(value, list) or _are_different(cast("list[Any]", value))
    ),
}

_WORDS = _TESTS.keys() | _MEANINGLESS
