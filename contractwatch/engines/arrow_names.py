"""The names of an Arrow file's columns are read from its footer, each as often as it stands there.

The library keeps one column of each name, and reads the others' bytes as if they were its own.
"""

import struct
from typing import BinaryIO

_END = b"ARROW1"
_TAIL_BYTES = 4 + len(_END)
_LONGEST_FOOTER = 64 * 1024 * 1024
_MOST_NAMES = 20_001
_SCHEMA_OF_FOOTER, _FIELDS_OF_SCHEMA, _NAME_OF_FIELD = 1, 1, 0


def column_names(file: BinaryIO) -> list[str]:
    """Return the names in their order; none if the footer cannot be understood."""
    try:
        footer = _footer(file)
        return _names(footer)
    except (struct.error, UnicodeDecodeError, OSError):
        return []  # the reader of the rows tells what is wrong


def _footer(file: BinaryIO) -> bytes:
    end = file.seek(0, 2)
    file.seek(max(0, end - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    size = struct.unpack_from("<i", tail)[0]
    if not tail.endswith(_END) or not 0 < size <= min(end, _LONGEST_FOOTER):
        raise struct.error
    file.seek(max(0, end - _TAIL_BYTES - size))
    return file.read(size)


def _names(footer: bytes) -> list[str]:
    schema = _pointed(footer, _field(footer, _pointed(footer, 0), _SCHEMA_OF_FOOTER))
    fields = _pointed(footer, _field(footer, schema, _FIELDS_OF_SCHEMA))
    count = min(_number(footer, fields), _MOST_NAMES)
    tables = (_pointed(footer, fields + 4 + 4 * at) for at in range(count))
    return [_text(footer, _field(footer, table, _NAME_OF_FIELD)) for table in tables]


def _field(data: bytes, table: int, at: int) -> int:
    """Return where a field of a table stands; 0 if the table has none."""
    directory = table - struct.unpack_from("<i", data, table)[0]
    if directory < 0 or struct.unpack_from("<H", data, directory)[0] < 2 * (at + 3):
        return 0
    offset = struct.unpack_from("<H", data, directory + 4 + 2 * at)[0]
    return table + offset if offset else 0


def _text(data: bytes, place: int) -> str:
    if not place:
        return ""
    start = _pointed(data, place)
    return data[start + 4 : start + 4 + _number(data, start)].decode()


def _pointed(data: bytes, place: int) -> int:
    return place + _number(data, place)


def _number(data: bytes, place: int) -> int:
    number: int = struct.unpack_from("<I", data, place)[0]
    return number
