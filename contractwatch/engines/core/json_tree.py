"""Tree of what a contract promises inside a JSON value, and parsed values laid out along it.

Scalars stay texts, as those of flat files do. An object keeps the members that are promised and the
number of all that are not null; a map becomes an array of entries, as Parquet has them. A value of
another shape than promised is noted with the place of the promise, and left out.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import polars as pl

from contractwatch.model.base.path import ArrayItem, FieldPath, Step, StructField
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.measure.state import ColumnType
from contractwatch.model.promises.rule import RuleMetric, TypeOptionKind

SIZE = "\x00size"
"""A field of every object: how many of its members are not null."""

UNPROMISED = "\x00rest"
"""A field of an object that is compared as a whole: its members that are not promised, as JSON."""

DUPLICATE_KEY = "an object has twice the key"

_KEY, _VALUE = StructField("key"), StructField("value")
KeyT = TypeVar("KeyT", bound=Hashable)
_ARRAYS = frozenset({LogicalType.ARRAY, LogicalType.VECTOR})


class DuplicateKeyObject(dict[str, object]):
    """A JSON object that has a key twice, so that its value is unknown."""

    message = ""
    """What to say where no value may be left out."""


def object_from_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object for a parser's pairs (`object_pairs_hook`)."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = DuplicateKeyObject(reversed(pairs))
    twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    repeated.message = f"{DUPLICATE_KEY} {twice!r}"
    return repeated


@dataclass(slots=True)
class JsonNode:
    """A promised value: `path` leads to it from the column. `element` is of an array, or a map.

    One that `is_compared` as a whole, or is part of such a value, keeps what is not promised of it.
    With `is_exact` it answers to no other spelling of its name: another one beside it is promised
    that differs by case alone.
    """

    path: FieldPath
    column: Column | None
    kind: str = "scalar"
    members: "dict[str, JsonNode]" = field(default_factory=dict[str, "JsonNode"])
    element: "JsonNode | None" = None
    is_compared: bool = False
    is_exact: bool = False

    def walk(self) -> "Iterator[JsonNode]":
        """Yield the node and all its descendants."""
        yield self
        for child in self.children():
            yield from child.walk()

    def children(self) -> "list[JsonNode]":
        """Return the child nodes."""
        return [*self.members.values(), *([self.element] if self.element else [])]

    def dtype(self) -> pl.DataType:
        """Return the Polars type of the node's values."""
        if self.kind == "scalar":
            return pl.String()
        if self.kind == "object":
            fields = {name: child.dtype() for name, child in self.members.items()}
            rest = {UNPROMISED: pl.String()} if self.is_compared else {}
            return pl.Struct({**fields, **rest, SIZE: pl.UInt32()})
        return pl.List(self.element.dtype() if self.element else pl.String())


@dataclass(slots=True)
class ShapeNotes:
    """Paths at which one row has a value of another shape, or null."""

    mismatched: set[FieldPath] = field(default_factory=set[FieldPath])
    null: set[FieldPath] = field(default_factory=set[FieldPath])


def json_tree(column: Column) -> JsonNode | None:
    """Return the JSON tree of a column that is promised to be nested, else None."""
    known = _PromisedValues({inner.path: inner for inner in column.nested})
    for inner in column.nested:
        for length, step in enumerate(inner.path):
            known.steps.setdefault(inner.path[:length], set()).add(step)
        if inner.encrypted_name:
            known.twins.setdefault(inner.path[:-1], set()).add(inner.encrypted_name)
    root = _node((), column, known, is_compared=False)
    return None if root.kind == "scalar" else root


@dataclass(slots=True)
class _PromisedValues:
    """The promised values below a column by path, and what stands one step below each path."""

    columns: dict[FieldPath, Column]
    steps: dict[FieldPath, set[Step]] = field(default_factory=dict[FieldPath, "set[Step]"])
    twins: dict[FieldPath, set[str]] = field(default_factory=dict[FieldPath, "set[str]"])


def _node(
    path: FieldPath, column: Column | None, known: _PromisedValues, *, is_compared: bool
) -> JsonNode:
    is_compared = is_compared or _is_compared(column)

    def node_at(inner: FieldPath, of_inner: Column | None) -> JsonNode:
        return _node(inner, of_inner, known, is_compared=is_compared)

    below = known.steps.get(path, set())
    logical = column.logical_type if column else None
    listed = {step.name for step in below if isinstance(step, StructField)}
    names = sorted(listed.union(_required(column), known.twins.get(path, ())))
    node = JsonNode(path, column, is_compared=is_compared)
    if logical is LogicalType.MAP:
        entry = JsonNode((*path, ArrayItem()), None, "object", is_compared=is_compared)
        for part in (_KEY, _VALUE):
            inner = (*path, ArrayItem(), part)
            entry.members[part.name] = node_at(inner, known.columns.get(inner))
        node.kind, node.element = "map", entry
    elif ArrayItem() in below or logical in _ARRAYS:
        inner = (*path, ArrayItem())
        of_element = known.columns.get(inner)
        if column and logical is LogicalType.VECTOR and of_element is None:
            of_element = replace(column, logical_type=LogicalType.NUMBER, options=(), path=inner)
        node.kind, node.element = "array", node_at(inner, of_element)
    elif names or logical is LogicalType.OBJECT:
        node.kind = "object"
        alike = names_alike((name.lower(), name) for name in listed)
        for name in names:
            inner = (*path, StructField(name))
            node.members[name] = node_at(inner, known.columns.get(inner))
            node.members[name].is_exact = name.lower() in alike
    return node


def _is_compared(column: Column | None) -> bool:
    """Return whether something is promised of values that are equal as wholes."""
    if column is None:
        return False
    is_unique = column.unique_clause is not None
    counts = any(rule.metric is RuleMetric.DUPLICATE_VALUES for rule in column.rules)
    return is_unique or counts or any(o.kind is TypeOptionKind.UNIQUE_ITEMS for o in column.options)


def _required(column: Column | None) -> Iterator[str]:
    """Yield the required members of an object, listed as properties or not."""
    for option in column.options if column else ():
        if option.kind is TypeOptionKind.REQUIRED_PROPERTIES:
            yield from option.members


def conform(node: JsonNode, value: object, notes: ShapeNotes) -> object:
    """Return a parsed JSON value in the shape of the node, and note mismatches and nulls."""
    if value is None:
        notes.null.add(node.path)
        return None
    if node.kind == "scalar":
        if isinstance(value, dict | list):
            notes.mismatched.add(node.path)
        found = cast("object", value)
        return canonical_text(found) if node.is_compared else as_text(found)
    if node.kind == "object":
        return _object(node, value, notes)
    return _elements(node, value, notes)


def _object(node: JsonNode, value: object, notes: ShapeNotes) -> object:
    if not isinstance(value, dict) or isinstance(value, DuplicateKeyObject):
        notes.mismatched.add(node.path)
        return None
    found = cast("dict[str, object]", value)
    laid: dict[str, object] = {
        name: conform(child, find_json_member(found, name, child), notes)
        for name, child in node.members.items()
    }
    laid[SIZE] = sum(each is not None for each in found.values())
    if node.is_compared:
        laid[UNPROMISED] = _unpromised_members(node, found)
    return laid


def _unpromised_members(node: JsonNode, found: dict[str, object]) -> str | None:
    """Return the non-null members that are not promised; None if there are none."""
    promised = {_key_of(found, name, child) for name, child in node.members.items()}
    rest = {key: one for key, one in found.items() if key not in promised and one is not None}
    return canonical_text(rest) if rest else None


def _elements(node: JsonNode, value: object, notes: ShapeNotes) -> object:
    if node.kind == "map" and isinstance(value, dict) and not isinstance(value, DuplicateKeyObject):
        entries = cast("dict[str, object]", value)
        value = [{"key": key, "value": inner} for key, inner in entries.items()]
    if not isinstance(value, list):
        notes.mismatched.add(node.path)
        return None
    elements = cast("list[object]", value)
    if node.element is None:
        return [canonical_text(each) if node.is_compared else as_text(each) for each in elements]
    return [conform(node.element, each, notes) for each in elements]


def find_json_member(found: dict[str, object], name: str, node: JsonNode) -> object:
    """Return the member of a name, or of the only one that differs in case."""
    key = _key_of(found, name, node)
    return None if key is None else found[key]


def _key_of(found: dict[str, object], name: str, node: JsonNode) -> str | None:
    if name in found:
        return name
    if node.is_exact:
        return None
    lower = name.lower()
    alike = [key for key in found if key.lower() == lower]
    return alike[0] if len(alike) == 1 else None


def names_alike(named: Iterable[tuple[KeyT, str]]) -> set[KeyT]:
    """Return the keys that occur with more than one name."""
    spellings: dict[KeyT, set[str]] = {}
    for key, name in named:
        spellings.setdefault(key, set()).add(name)
    return {key for key, names in spellings.items() if len(names) > 1}


def as_text(value: object) -> str | None:
    """Return a scalar as text, any other value as JSON; numbers are texts already."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def canonical_text(value: object) -> str | None:
    """Return what `as_text` does, the same for equal values whatever the order of their members."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return as_text(value)


def record_paths(node: JsonNode, value: object, seen: set[FieldPath]) -> None:
    """Add the paths at which there is a value or a null member."""
    if value is None:
        return
    seen.add(node.path)
    if node.kind == "map" and isinstance(value, dict):
        value = [{"key": k, "value": v} for k, v in cast("dict[str, object]", value).items()]
    if isinstance(value, list) and node.element is not None:
        for each in cast("list[object]", value):
            record_paths(node.element, each, seen)
    elif isinstance(value, dict) and node.kind == "object":
        found = cast("dict[str, object]", value)
        lower = {key.lower() for key in found}
        for name, child in node.members.items():
            if name in found or (not child.is_exact and name.lower() in lower):
                seen.add(child.path)
                record_paths(child, find_json_member(found, name, child), seen)


def observed_type(node: JsonNode, name: str, seen: set[FieldPath]) -> ColumnType:
    """Return the type of a promised value as observed, without members that never occur."""
    if node.path not in seen:
        return ColumnType(name, "null", "null", text=True, by_exact_name=node.is_exact)
    children = [
        observed_type(child, name, seen)
        for name, child in node.members.items()
        if child.path in seen
    ]
    if node.element is not None:
        children = [observed_type(node.element, "[]", seen)]
    kind = {"scalar": "string", "map": "array"}.get(node.kind, node.kind)
    return ColumnType(
        name,
        kind,
        node.kind,
        text=True,
        children=tuple(children),
        by_exact_name=node.is_exact,
    )
