"""Refuse files that would make their reader hold too much in memory at once.

These bounds give hostile files a sentence of their own. The last defence is the worker that reads:
it has a deadline and a memory limit, and its end is an answer, too.
"""

import codecs
import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import BinaryIO

import polars as pl

from contractwatch.engines.core.failures import BrokenTextError
from contractwatch.engines.core.file_types import parts_of

MOST_COLUMNS = 20_000
"""Columns of a file, those inside of objects and lists counted."""

DEEPEST = 64
"""Levels of objects and lists within each other, in the types of a file."""

LONGEST_HEADER = 4 * 1024 * 1024
"""Bytes of the first line of a CSV file."""

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of one of the JSON lines from which the columns are learnt."""

LARGEST_EXPANDED = 512 * 1024 * 1024
"""Bytes to which a gzip file may expand: it is held in memory as a whole."""

"""Digits of a decimal."""

TOLD_BY = 64
"""Bytes of the begin of a text by which its encoding is told."""

_MARKS: Mapping[bytes, str] = MappingProxyType(
    {
        codecs.BOM_UTF32_LE: "utf-32",
        codecs.BOM_UTF32_BE: "utf-32",
        codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16",
    }
)
_GZIP = b"\x1f\x8b"
_OTHERS: Mapping[bytes, str] = MappingProxyType(
    {
        b"\x28\xb5\x2f\xfd": "zstd",
        b"PK\x03\x04": "zip",
        b"\xfd7zXZ\x00": "xz",
        b"BZh91AY&SY": "bzip2",
        b"\x04\x22\x4d\x18": "lz4",
    }
)
_FORMATS: Mapping[bytes, str] = MappingProxyType(
    {b"PAR1": "parquet", b"ARROW1": "arrow", b"Obj\x01": "avro"}
)
_START = 64
_FEW = 5
_PIECE = 1024 * 1024
_MEGABYTE = 1024 * 1024


def expanded(file: BinaryIO) -> bytes | None:
    """Return what a gzip file expands to; None if the file is plain text.

    Polars expands compressed text by itself, and as far as it goes: a megabyte can hold gigabytes.

    Args:
        file: Read from its begin, and left anywhere.

    Raises:
        BrokenTextError: If it is compressed otherwise, broken, or expands too far.
    """
    start = file.read(_START)
    file.seek(0)
    if start.startswith(_GZIP):
        return _expanded(file)
    known = (name for magic, name in _OTHERS.items() if start.startswith(magic))
    other = next((name for magic, name in _FORMATS.items() if start.startswith(magic)), "")
    if other:
        raise BrokenTextError(f"it is no text but a file of format {other}; write format: {other}")
    packed = next(known, "zlib" if _is_zlib(start) else "")
    if packed:
        raise BrokenTextError(f"it is compressed by {packed}; expected plain text, or gzip")
    return None


def refuse_wide_letters(start: bytes) -> None:
    """Raise BrokenTextError if a text that is read as UTF-8 begins as one of UTF-16 or UTF-32."""
    marked = (name for mark, name in _MARKS.items() if start.startswith(mark))
    name = next(marked, "") or _unmarked(start[:TOLD_BY])
    if name:
        raise BrokenTextError(
            f"it is written in {name.upper()}; say so with contractwatch.read: {{encoding: {name}}}"
        )


def _unmarked(start: bytes) -> str:
    """Return the encoding of a text of letters that each fill but one of two bytes."""
    pairs = min(len(start) // 2, TOLD_BY // 2)
    if pairs < 2:  # noqa: PLR2004 - one letter is no text
        return ""
    first, second = start[: 2 * pairs : 2], start[1 : 2 * pairs : 2]
    if not any(second) and all(first):
        return "utf-16-le"
    return "utf-16-be" if not any(first) and all(second) else ""


def start_with_header(file: BinaryIO) -> bytes:
    """Return the begin of a file, in which its first line ends; or it is too long for a header.

    Raises:
        BrokenTextError: If it is.
    """
    start = file.read(LONGEST_HEADER + 1)
    if len(start) > LONGEST_HEADER and b"\n" not in start and b"\r" not in start:
        raise BrokenTextError(f"its header is longer than {LONGEST_HEADER // _MEGABYTE} MB")
    return start


def refuse_lone_returns(header: Iterable[str]) -> None:
    """Raise BrokenTextError if CR alone ends lines: cells would be taken for names of columns."""
    if any("\r" in name.replace("\r\n", "") for name in header):
        raise BrokenTextError("lines end in CR alone; expected LF or CRLF")


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield each line that is not blank.

    Raises:
        BrokenTextError: At a line that is too long.
    """
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise BrokenTextError(f"a line is longer than {LONGEST_LINE // _MEGABYTE} MB")
        if line.strip():
            yield line


def refuse_many(names: Iterable[str]) -> None:
    """Raise BrokenTextError if there are too many columns, or one whose name we use ourselves."""
    for count, name in enumerate(names, 1):
        if count > MOST_COLUMNS:
            raise BrokenTextError(f"it has more than {MOST_COLUMNS:,} columns")
        if "\x00" in name:
            raise BrokenTextError("the name of a column holds the character NUL")


def refuse_doubled(names: Sequence[str]) -> None:
    """Raise BrokenTextError if two columns have one name: nobody knows which one is promised."""
    places: dict[str, list[str]] = {}
    for at, name in enumerate(names, 1):
        places.setdefault(name, []).append(str(at))
    for name, at in places.items():
        if len(at) > 1:
            more = ", ..." if len(at) > _FEW else ""
            shown = f"named {name!r}" if name else "without a name"
            raise BrokenTextError(
                f"it has {len(at)} columns {shown} (columns {', '.join(at[:_FEW])}{more});"
                " give each a name of its own"
            )


def refuse_wide(schema: Sequence[tuple[str, pl.DataType]]) -> None:
    """Raise BrokenTextError if there are too many columns, at any depth, or too many levels."""
    refuse_many(name for name, _ in schema)
    rest = [(dtype, 1, name) for name, dtype in schema]
    count = 0
    while rest:
        dtype, depth, name = rest.pop()
        count += 1
        if count > MOST_COLUMNS:
            raise BrokenTextError(f"it has more than {MOST_COLUMNS:,} columns, nested ones counted")
        if depth > DEEPEST:
            raise BrokenTextError(f"its columns are nested deeper than {DEEPEST} levels")
        children = list(parts_of(dtype))
        _refuse_members(name, [inner for inner, _ in children])
        rest += [(inner, depth + 1, name) for _, inner in children]


def _refuse_members(column: str, members: Sequence[str]) -> None:
    """Raise BrokenTextError for what a file may hold and no frame of the library can."""
    counts = Counter(members)
    doubled = next((name for name in members if counts[name] > 1), None)
    if doubled is not None:
        raise BrokenTextError(f"an object in column {column!r} has two members named {doubled!r}")


def _expanded(packed: BinaryIO) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=packed) as file:
            while piece := file.read(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > LARGEST_EXPANDED:
                    most = f"{LARGEST_EXPANDED // _MEGABYTE} MB"
                    raise BrokenTextError(f"it expands to more than {most}; publish plain text")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BrokenTextError("it is compressed by gzip, and broken or cut off") from error
    return b"".join(pieces)


def _is_zlib(start: bytes) -> bool:
    """Whether it begins as a zlib stream, whose two first bytes can be text, does."""
    if start[:2] not in {b"x\x01", b"x^", b"x\x9c", b"x\xda"}:
        return False
    try:
        zlib.decompressobj().decompress(start)
    except zlib.error:
        return False
    return True
