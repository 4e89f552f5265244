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
from contractwatch.engines.core.file_types import inner_types

MAX_COLUMNS = 20_000
"""Columns of a file, those inside of objects and lists counted."""

MAX_DEPTH = 64
"""Levels of objects and lists within each other, in the types of a file."""

MAX_HEADER_BYTES = 4 * 1024 * 1024
"""Bytes of the first line of a CSV file."""

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Bytes of one of the JSON lines from which the columns are learnt."""

MAX_EXPANDED_BYTES = 512 * 1024 * 1024
"""Bytes to which a gzip file may expand: it is held in memory as a whole."""

"""Digits of a decimal."""

ENCODING_SAMPLE_BYTES = 64
"""Number of first bytes by which the encoding of a text is recognized."""

_MARKS: Mapping[bytes, str] = MappingProxyType(
    {
        codecs.BOM_UTF32_LE: "utf-32",
        codecs.BOM_UTF32_BE: "utf-32",
        codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16",
    }
)
_GZIP = b"\x1f\x8b"
_OTHER_COMPRESSIONS: Mapping[bytes, str] = MappingProxyType(
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


def decompress_gzip(file: BinaryIO) -> bytes | None:
    """Return the content of a gzip file; None if the file is plain text.

    Polars expands compressed text by itself, and as far as it goes: a megabyte can hold gigabytes.

    Args:
        file: Read from its begin, and left anywhere.

    Raises:
        BrokenTextError: If it is compressed otherwise, broken, or expands too far.
    """
    start = file.read(_START)
    file.seek(0)
    if start.startswith(_GZIP):
        return _decompress(file)
    known = (name for magic, name in _OTHER_COMPRESSIONS.items() if start.startswith(magic))
    other = next((name for magic, name in _FORMATS.items() if start.startswith(magic)), "")
    if other:
        raise BrokenTextError(f"it is no text but a file of format {other}; write format: {other}")
    packed = next(known, "zlib" if _is_zlib(start) else "")
    if packed:
        raise BrokenTextError(f"it is compressed by {packed}; expected plain text, or gzip")
    return None


def refuse_utf16(start: bytes) -> None:
    """Raise BrokenTextError if a text that is read as UTF-8 is UTF-16 or UTF-32."""
    marked = (name for mark, name in _MARKS.items() if start.startswith(mark))
    name = next(marked, "") or _guess_utf16(start[:ENCODING_SAMPLE_BYTES])
    if name:
        raise BrokenTextError(
            f"it is written in {name.upper()}; say so with contractwatch.read: {{encoding: {name}}}"
        )


def _guess_utf16(start: bytes) -> str:
    """Return the UTF-16 encoding in which every other byte is zero, as in Latin text."""
    pairs = min(len(start) // 2, ENCODING_SAMPLE_BYTES // 2)
    if pairs < 2:  # noqa: PLR2004 - one letter is no text
        return ""
    first, second = start[: 2 * pairs : 2], start[1 : 2 * pairs : 2]
    if not any(second) and all(first):
        return "utf-16-le"
    return "utf-16-be" if not any(first) and all(second) else ""


def read_header(file: BinaryIO) -> bytes:
    """Return the beginning of a file, up to the end of its first line.

    Raises:
        BrokenTextError: If that line is too long for a header.
    """
    start = file.read(MAX_HEADER_BYTES + 1)
    if len(start) > MAX_HEADER_BYTES and b"\n" not in start and b"\r" not in start:
        raise BrokenTextError(f"its header is longer than {MAX_HEADER_BYTES // _MEGABYTE} MB")
    return start


def refuse_bare_cr(header: Iterable[str]) -> None:
    """Raise BrokenTextError if CR alone ends lines: Polars would take cells for column names."""
    if any("\r" in name.replace("\r\n", "") for name in header):
        raise BrokenTextError("lines end in CR alone; expected LF or CRLF")


def nonblank_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield each line that is not blank.

    Raises:
        BrokenTextError: At a line that is too long.
    """
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise BrokenTextError(f"a line is longer than {MAX_LINE_BYTES // _MEGABYTE} MB")
        if line.strip():
            yield line


def refuse_bad_names(names: Iterable[str]) -> None:
    """Raise BrokenTextError if there are too many columns, or one has a reserved name."""
    for count, name in enumerate(names, 1):
        if count > MAX_COLUMNS:
            raise BrokenTextError(f"it has more than {MAX_COLUMNS:,} columns")
        if "\x00" in name:
            raise BrokenTextError("the name of a column holds the character NUL")


def refuse_duplicates(names: Sequence[str]) -> None:
    """Raise BrokenTextError if two columns have one name."""
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


def refuse_large_schema(schema: Sequence[tuple[str, pl.DataType]]) -> None:
    """Raise BrokenTextError if there are too many columns, at any depth, or levels."""
    refuse_bad_names(name for name, _ in schema)
    rest = [(dtype, 1, name) for name, dtype in schema]
    count = 0
    while rest:
        dtype, depth, name = rest.pop()
        count += 1
        if count > MAX_COLUMNS:
            raise BrokenTextError(f"it has more than {MAX_COLUMNS:,} columns, nested ones counted")
        if depth > MAX_DEPTH:
            raise BrokenTextError(f"its columns are nested deeper than {MAX_DEPTH} levels")
        children = list(inner_types(dtype))
        _refuse_members(name, [inner for inner, _ in children])
        rest += [(inner, depth + 1, name) for _, inner in children]


def _refuse_members(column: str, members: Sequence[str]) -> None:
    """Raise BrokenTextError for members that a file may have and a Polars frame cannot."""
    counts = Counter(members)
    doubled = next((name for name in members if counts[name] > 1), None)
    if doubled is not None:
        raise BrokenTextError(f"an object in column {column!r} has two members named {doubled!r}")


def _decompress(packed: BinaryIO) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=packed) as file:
            while piece := file.read(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_EXPANDED_BYTES:
                    most = f"{MAX_EXPANDED_BYTES // _MEGABYTE} MB"
                    raise BrokenTextError(f"it expands to more than {most}; publish plain text")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BrokenTextError("it is compressed by gzip, and broken or cut off") from error
    return b"".join(pieces)


def _is_zlib(start: bytes) -> bool:
    """Return whether it begins like a zlib stream, whose first two bytes may be text."""
    if start[:2] not in {b"x\x01", b"x^", b"x\x9c", b"x\xda"}:
        return False
    try:
        zlib.decompressobj().decompress(start)
    except zlib.error:
        return False
    return True
