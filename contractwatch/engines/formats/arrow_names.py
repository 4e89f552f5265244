"""Read column names and logical types from the footer of an Arrow file.

The library keeps one column of each name, and reads the others' bytes as if they were its own. It
gives UUIDs as bytes and `date64` as timestamps, and does not say which type it cannot read.
Layout: https://github.com/apache/arrow/blob/main/format/Schema.fbs
"""

import struct
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import BinaryIO

from contractwatch.engines.core.failures import BrokenTextError
from contractwatch.engines.core.file_types import BOOL8, DAY, INTERVAL, JSON, UUID
from contractwatch.engines.formats.parquet_annotations import SchemaNode

_END = b"ARROW1"
_TAIL_BYTES = 4 + len(_END)
_MAX_FOOTER_BYTES = 64 * 1024 * 1024
_MAX_NAMES = 20_001
_SCHEMA_OF_FOOTER, _FIELDS_OF_SCHEMA = 1, 1
_NAME, _KIND, _TYPE, _CHILDREN, _METADATA = 0, 2, 3, 5, 6  # of a field
_MAX_FIELDS = 100_000
_MAX_DEPTH = 200
_EXTENSION = "ARROW:extension:name"
_INTERVAL = 11
_DATE, _LIST, _FIXED_LIST, _LARGE_LIST = 8, 12, 16, 21
_UNSUPPORTED: Mapping[int, str] = {
    14: "union",
    22: "run_end_encoded",
    25: "list_view",
    26: "large_list_view",
}
_KNOWN = frozenset({UUID, JSON, BOOL8})


def column_names(file: BinaryIO) -> list[str]:
    """Return the column names in order; empty if the footer cannot be parsed."""
    try:
        footer = _footer(file)
        return _names(footer)
    except (struct.error, UnicodeDecodeError, OSError):
        return []  # the reader of the rows tells what is wrong


def column_annotations(file: BinaryIO) -> Mapping[str, SchemaNode]:
    """Return what the schema of a file says of its columns, by name; nothing if it is broken.

    Raises:
        BrokenTextError: If a column is of a type that the library cannot read: it would panic.
    """
    try:
        footer = _footer(file)
        left = [_MAX_FIELDS]
        return {node.name: node for node in _nodes(footer, _fields_of_schema(footer), left, ())}
    except (struct.error, UnicodeDecodeError, OSError):
        return {}


def _nodes(
    footer: bytes, vector: int, left: list[int], path: tuple[str, ...]
) -> Iterator[SchemaNode]:
    """Yield the fields of a vector of fields, with their descendants."""
    for field in _tables(footer, vector):
        left[0] -= 1
        if left[0] < 0 or len(path) > _MAX_DEPTH:
            raise struct.error
        name, kind = _text(footer, _field(footer, field, _NAME)), _byte(footer, field, _KIND)
        if kind in _UNSUPPORTED:
            shown = ".".join((*path, name))
            raise BrokenTextError(
                f"column {shown!r} is of type {_UNSUPPORTED[kind]}, which is not read"
            )
        below = _field(footer, field, _CHILDREN)
        inner = (*path, name)
        children = (
            tuple(_nodes(footer, _follow_offset(footer, below), left, inner)) if below else ()
        )
        if kind in {_LIST, _FIXED_LIST, _LARGE_LIST}:
            children = (SchemaNode("list", "", children),)  # as Parquet has it
        yield SchemaNode(name, _annotation(footer, field, kind), children)


def _annotation(footer: bytes, field: int, kind: int) -> str:
    if kind == _INTERVAL:
        return INTERVAL
    if kind == _DATE:
        place = _field(footer, field, _TYPE)
        unit = _field(footer, _follow_offset(footer, place), 0) if place else 0
        is_days = unit and struct.unpack_from("<h", footer, unit)[0] == 0
        return "" if is_days else DAY
    metadata = _field(footer, field, _METADATA)
    for pair in _tables(footer, _follow_offset(footer, metadata)) if metadata else ():
        if _text(footer, _field(footer, pair, 0)) == _EXTENSION:
            said = _text(footer, _field(footer, pair, 1))
            return said if said in _KNOWN else ""
    return ""


def _footer(file: BinaryIO) -> bytes:
    end = file.seek(0, 2)
    file.seek(max(0, end - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    size = struct.unpack_from("<i", tail)[0]
    if not tail.endswith(_END) or not 0 < size <= min(end, _MAX_FOOTER_BYTES):
        raise struct.error
    file.seek(max(0, end - _TAIL_BYTES - size))
    return file.read(size)


def _names(footer: bytes) -> list[str]:
    tables = _tables(footer, _fields_of_schema(footer))
    return [_text(footer, _field(footer, table, _NAME)) for table in islice(tables, _MAX_NAMES)]


def _fields_of_schema(footer: bytes) -> int:
    schema = _follow_offset(footer, _field(footer, _follow_offset(footer, 0), _SCHEMA_OF_FOOTER))
    return _follow_offset(footer, _field(footer, schema, _FIELDS_OF_SCHEMA))


def _tables(data: bytes, vector: int) -> Iterator[int]:
    """Yield the position of each table of a vector of tables."""
    for at in range(_number(data, vector)):
        yield _follow_offset(data, vector + 4 + 4 * at)


def _field(data: bytes, table: int, at: int) -> int:
    """Return the position of a table's field; 0 if it is absent."""
    directory = table - struct.unpack_from("<i", data, table)[0]
    if directory < 0 or struct.unpack_from("<H", data, directory)[0] < 2 * (at + 3):
        return 0
    offset = struct.unpack_from("<H", data, directory + 4 + 2 * at)[0]
    return table + offset if offset else 0


def _byte(data: bytes, table: int, at: int) -> int:
    place = _field(data, table, at)
    return data[place] if place and place < len(data) else 0


def _text(data: bytes, place: int) -> str:
    if not place:
        return ""
    start = _follow_offset(data, place)
    return data[start + 4 : start + 4 + _number(data, start)].decode()


def _follow_offset(data: bytes, place: int) -> int:
    return place + _number(data, place)


def _number(data: bytes, place: int) -> int:
    number: int = struct.unpack_from("<I", data, place)[0]
    return number
