"""Read logical types that Polars drops from the footer of a Parquet file.

The library gives UUIDs, JSON and enums as bytes, days as timestamps and columns without one value
as integers, if they were not written by Arrow. The schema of the footer says what they are. It is
the second field of a struct in Thrift's compact protocol; what follows it is not read.
Layout: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import SEEK_END
from typing import BinaryIO, TypeAlias, cast

import polars as pl

from contractwatch.engines.core.failures import BrokenTextError
from contractwatch.engines.core.file_types import (
    BOOL8,
    DAY,
    ENUM,
    INTERVAL,
    JSON,
    NOTHING,
    UUID,
    instance,
)

Schema: TypeAlias = tuple[tuple[str, pl.DataType], ...]

_MAGIC = b"PAR1"
_TAIL_BYTES = 8
_LIKELY_FOOTER_BYTES = 64 * 1024
"""So much is read at once: a store is asked once for nearly every footer."""

_MAX_FOOTER_BYTES = 64 * 1024 * 1024
_NO_ELEMENT: "tuple[dict[int, _Thrift], str]" = ({}, "")
_MAX_ELEMENTS = 100_000
_MAX_DEPTH = 200
_SCHEMA, _NAME, _CHILDREN, _CONVERTED, _LOGICAL = 2, 4, 5, 6, 10
_UNSUPPORTED = "unread: "
_INTERVAL_VARIABLE = "POLARS_IMPORT_INTERVAL_AS_STRUCT"
_VARIANT = f"{_UNSUPPORTED}of type variant, which is not read"
_LOGICAL_TYPES: Mapping[int, str] = {4: ENUM, 6: DAY, 11: NOTHING, 12: JSON, 14: UUID, 16: _VARIANT}
_CONVERTED_TYPES: Mapping[int, str] = {4: ENUM, 6: DAY, 19: JSON, 21: INTERVAL}
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_NUMBERS = frozenset({4, 5, 6})

_Thrift: TypeAlias = "int | bytes | list[_Thrift] | dict[int, _Thrift] | None"


class _BrokenFooterError(Exception):
    """The footer is broken; Polars reports it when it reads the file."""


@dataclass(frozen=True, slots=True)
class SchemaNode:
    """An element of the schema with its children; `meaning` is one of our annotations."""

    name: str
    meaning: str
    children: tuple["SchemaNode", ...] = ()


def column_annotations(file: BinaryIO) -> Mapping[str, SchemaNode]:
    """Return the annotations of a file's columns by name; empty if the footer is broken.

    Args:
        file: It is read from its end, and left anywhere.

    Raises:
        BrokenTextError: If a column is of a type that the library cannot read: it would panic.
    """
    try:
        root = _root(_footer(file))
    except (_BrokenFooterError, IndexError):
        return {}
    for name, unsupported in _unsupported_columns(root) if root is not None else ():
        raise BrokenTextError(f"column {name!r} is {unsupported}")
    return {node.name: node for node in root.children} if root is not None else {}


def enable_intervals(nodes: Collection[SchemaNode]) -> None:
    """Set the variable that keeps Polars from a panic at a schema with intervals."""
    is_let_in = os.environ.get(_INTERVAL_VARIABLE) == "1"
    if not is_let_in and any(node.meaning == INTERVAL for node in nodes):
        os.environ[_INTERVAL_VARIABLE] = "1"
        pl.Config.reload_env_vars()
    for node in nodes:
        enable_intervals(node.children)


def with_annotations(schema: Schema, nodes: Mapping[str, SchemaNode]) -> Schema:
    """Return the schema that Polars has of a file, with annotations."""
    return tuple(
        (name, _annotated_type(dtype, nodes[name]) if name in nodes else dtype)
        for name, dtype in schema
    )


def _unsupported_columns(node: SchemaNode, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and the type of each column that Polars cannot read."""
    if node.meaning.startswith(_UNSUPPORTED):
        yield name, node.meaning.removeprefix(_UNSUPPORTED)
    for child in node.children:
        yield from _unsupported_columns(child, f"{name}.{child.name}" if name else child.name)


def _annotated_type(dtype: pl.DataType, node: SchemaNode) -> pl.DataType:
    """Return a type with the annotations of a node and of those below it."""
    if node.meaning == INTERVAL:
        return pl.Extension(INTERVAL, dtype)
    match dtype:
        case pl.Struct():
            below = {child.name: child for child in node.children}
            return pl.Struct(
                [  # a list: a member may stand there twice, which is told later
                    pl.Field(field.name, _annotated_type(instance(field.dtype), below[field.name]))
                    if field.name in below
                    else field
                    for field in dtype.fields
                ]
            )
        case pl.List():
            inner = instance(dtype.inner)
            return pl.List(_annotated_type(inner, _element(node, inner)))
        case pl.Array():
            inner = instance(dtype.inner)
            found = _annotated_type(inner, _element(node, inner))
            return dtype if found == inner else pl.Array(found, dtype.size)
        case pl.Map():
            parts = node.children[0].children if node.children else ()
            if len(parts) != 2:  # noqa: PLR2004 - a key and a value
                return dtype
            key, value = instance(dtype.key), instance(dtype.value)
            return pl.Map(_annotated_type(key, parts[0]), _annotated_type(value, parts[1]))
        case _:
            return _leaf_type(dtype, node.meaning)


def _leaf_type(dtype: pl.DataType, meaning: str) -> pl.DataType:
    is_dropped = {
        UUID: dtype == pl.Binary,
        JSON: dtype == pl.Binary,
        ENUM: dtype == pl.Binary,
        DAY: isinstance(dtype, pl.Datetime),
        NOTHING: dtype != pl.Null,
        BOOL8: dtype == pl.Int8,
    }
    return pl.Extension(meaning, dtype) if is_dropped.get(meaning) else dtype


def _element(node: SchemaNode, inner: pl.DataType) -> SchemaNode:
    """Return the node of an array's elements: old writers leave out one or two levels."""
    if len(node.children) != 1:
        return node
    (repeated,) = node.children
    names = {child.name for child in repeated.children}
    is_element = isinstance(inner, pl.Struct) and names == {field.name for field in inner.fields}
    if not repeated.children or (is_element and repeated.name != "list"):
        return repeated
    return repeated.children[0] if len(repeated.children) == 1 else repeated


def _footer(file: BinaryIO) -> bytes:
    size = file.seek(0, SEEK_END)
    start = max(0, size - _LIKELY_FOOTER_BYTES)
    file.seek(start)
    end = file.read(size - start)
    tail = end[-_TAIL_BYTES:]
    length = int.from_bytes(tail[:4], "little")
    begin = size - _TAIL_BYTES - length
    if tail[4:] != _MAGIC or begin < 0 or length > _MAX_FOOTER_BYTES:
        raise _BrokenFooterError
    if begin >= start:
        return end[begin - start : -_TAIL_BYTES]
    file.seek(begin)
    return file.read(length)


def _root(footer: bytes) -> SchemaNode | None:
    """Return the schema, or None if it has no annotation that Polars drops."""
    reader = _ThriftReader(footer)
    for field, kind in reader.fields():
        if field == _SCHEMA and kind == _LIST:
            elements = cast("list[dict[int, _Thrift]]", reader.value(kind))
            meanings = list(map(_annotation, elements))
            return _tree(elements, meanings) if any(meanings) else None
        reader.value(kind)
    return None


def _annotation(element: dict[int, _Thrift]) -> str:
    logical, converted = element.get(_LOGICAL), element.get(_CONVERTED)
    if isinstance(logical, dict) and logical:
        return _LOGICAL_TYPES.get(next(iter(logical)), "")
    return _CONVERTED_TYPES.get(converted, "") if isinstance(converted, int) else ""


def _tree(elements: Sequence[dict[int, _Thrift]], meanings: Sequence[str]) -> SchemaNode:
    rest: Iterator[tuple[dict[int, _Thrift], str]] = iter(zip(elements, meanings, strict=True))

    def node(depth: int) -> SchemaNode:
        element, meaning = next(rest, _NO_ELEMENT)
        count = element.get(_CHILDREN) or 0
        if depth > _MAX_DEPTH or not isinstance(count, int) or not 0 <= count < len(elements):
            raise _BrokenFooterError
        name = element.get(_NAME, b"")
        shown = name.decode(errors="replace") if isinstance(name, bytes) else ""
        return SchemaNode(shown, meaning, tuple(node(depth + 1) for _ in range(count)))

    return node(0)


@dataclass(slots=True)
class _ThriftReader:
    """Sequential reader of Thrift's compact protocol."""

    data: bytes
    at: int = 0
    depth: int = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yield the id and type of each field of a struct; the caller reads its value next."""
        field = 0
        while head := self._byte():
            step, kind = head >> 4, head & 0x0F
            field = field + step if step else self._number()
            yield field, kind

    def value(self, kind: int) -> _Thrift:
        """Return the next value."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _BrokenFooterError
        found = self._value(kind)
        self.depth -= 1
        return found

    def _value(self, kind: int) -> _Thrift:
        if kind in {_TRUE, _FALSE}:
            return kind == _TRUE
        if kind in _NUMBERS:
            return self._number()
        if kind == _STRUCT:
            return self._struct()
        if kind in {_LIST, _SET}:
            return self._list()
        if kind == _MAP:
            return self._map()
        return self._bytes({_BYTE: 1, _DOUBLE: 8}.get(kind, -1), kind)

    def _struct(self) -> dict[int, _Thrift]:
        return {field: self.value(kind) for field, kind in self.fields()}

    def _list(self) -> list[_Thrift]:
        head = self._byte()
        size, kind = head >> 4, head & 0x0F
        size = self._unsigned() if size == 0x0F else size  # noqa: PLR2004 - then it follows
        if size > _MAX_ELEMENTS:
            raise _BrokenFooterError
        if kind in {_TRUE, _FALSE}:
            return [self._byte() for _ in range(size)]
        return [self.value(kind) for _ in range(size)]

    def _map(self) -> None:
        size = self._unsigned()
        kinds = self._byte() if size else 0
        if size > _MAX_ELEMENTS:
            raise _BrokenFooterError
        for _ in range(size):
            self.value(kinds >> 4)
            self.value(kinds & 0x0F)

    def _bytes(self, size: int, kind: int) -> bytes:
        if size < 0:
            if kind != _BINARY:
                raise _BrokenFooterError
            size = self._unsigned()
        start, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise _BrokenFooterError
        return self.data[start : self.at]

    def _byte(self) -> int:
        found = self.data[self.at]
        self.at += 1
        return found

    def _unsigned(self) -> int:
        found = shift = 0
        while True:
            byte = self._byte()
            found |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
                return found
            shift += 7
            if shift > 63:  # noqa: PLR2004 - no number is longer
                raise _BrokenFooterError

    def _number(self) -> int:
        found = self._unsigned()
        return (found >> 1) ^ -(found & 1)
