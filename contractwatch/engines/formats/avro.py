"""Read Avro files block by block, with a bound on the memory that a block may take.

The library decodes whole files; each group of blocks is given to it as a file of its own. What it
cannot decode (maps, unions of several types) is refused by the schema, before a row is read.
By hand, because fastavro's `block_reader` unpacks a block before anybody can bound it, and its
records take fifty times as long as what Polars decodes from whole blocks.
Layout: https://avro.apache.org/docs/1.12.0/specification/#object-container-files
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, cast

import polars as pl

from contractwatch.engines.core.batches import scan_frames
from contractwatch.engines.core.failures import BrokenTextError
from contractwatch.engines.formats import bounds
from contractwatch.engines.remote.objects import STORE_ERROR, open_stream
from contractwatch.errors import Blame, SourceError
from contractwatch.model.contract.dataset import RemoteStore

MAX_BLOCK_BYTES = 64 * 1024 * 1024
"""A block that is larger when it is unpacked is refused; writers make them of some kilobytes."""

_MAX_BLOCK_ROWS = 1 << 24
_MAX_HEADER_BYTES = 4 * 1024 * 1024
_GROUP_BYTES = 8 * 1024 * 1024
_MAGIC = b"Obj\x01"
_SYNC_BYTES = 16
_MAX_NUMBER_BYTES = 10
_BOUNDED = frozenset({"null", "deflate", "snappy"})
_UNSUPPORTED_TYPES = {"map": "a map", "null": "a column without a type (null)"}
_BROKEN = "the file is broken or ends too early"


@dataclass(frozen=True, slots=True)
class _Header:
    schema: bytes
    codec: str
    sync: bytes

    def written(self, codec: str) -> bytes:
        """Return a header of the same schema for blocks that are packed by another codec."""
        pairs = ((b"avro.schema", self.schema), (b"avro.codec", codec.encode()))
        texts = b"".join(_zigzag(len(t)) + t for pair in pairs for t in pair)
        return b"".join((_MAGIC, _zigzag(len(pairs)), texts, _zigzag(0), self.sync))


def read_schema(path: str, remote: RemoteStore | None = None) -> pl.Schema:
    """Return the columns of a file from its header.

    Raises:
        BrokenTextError: If the file is no Avro file.
        SourceError: If it has a type that the library cannot decode.
    """
    with open_stream(path, remote) as file:
        header = _header(file)
    return pl.read_avro(BytesIO(header.written("null"))).schema


def scan(
    paths: list[str], schema: Mapping[str, pl.DataType], remote: RemoteStore | None = None
) -> pl.LazyFrame:
    """Scan the rows of files that have these columns."""
    return scan_frames(lambda: _checked_frames(paths, remote), schema)


def refuse_large_blocks(file: BinaryIO) -> None:
    """Raise BrokenTextError if a file is broken or has too large a block.

    Packings other than deflate and snappy are left to whoever reads the file.
    """
    header = _read_header(file)
    if header.codec in _BOUNDED:
        for _ in _blocks(file, header):
            pass


def _checked_frames(paths: list[str], remote: RemoteStore | None) -> Iterator[pl.DataFrame]:
    """Yield the frames; errors are as those of files that Polars reads itself."""
    try:
        yield from _frames(paths, remote)
    except BrokenTextError as error:
        raise pl.exceptions.ComputeError(str(error)) from error
    except (FileNotFoundError, SourceError) as error:
        raise pl.exceptions.ComputeError(f"{STORE_ERROR}: {error}") from error


def _frames(paths: list[str], remote: RemoteStore | None) -> Iterator[pl.DataFrame]:
    for path in paths:
        with open_stream(path, remote) as file:
            header = _header(file)
            kept = "snappy" if header.codec == "snappy" else "null"
            blocks, size = [header.written(kept)], 0
            for block in _blocks(file, header):
                blocks.append(block)
                size += len(block)
                if size >= _GROUP_BYTES:
                    yield pl.read_avro(BytesIO(b"".join(blocks)))
                    del blocks[1:]
                    size = 0
            if size:
                yield pl.read_avro(BytesIO(b"".join(blocks)))


def _blocks(file: BinaryIO, header: _Header) -> Iterator[bytes]:
    """Yield each block that has rows, decompressed where its size can be bounded."""
    while (rows := _next_number(file)) is not None:
        size = _next_number(file)
        if size is None or not (0 <= rows <= _MAX_BLOCK_ROWS and 0 <= size <= MAX_BLOCK_BYTES):
            raise BrokenTextError(_BROKEN)
        data, sync = file.read(size), file.read(_SYNC_BYTES)
        if len(data) < size or sync != header.sync:
            raise BrokenTextError(_BROKEN)
        if rows:
            data = _decompress_block(data, header.codec)
            yield b"".join((_zigzag(rows), _zigzag(len(data)), data, sync))


def _decompress_block(data: bytes, codec: str) -> bytes:
    """Return the block decompressed; a snappy block stays compressed, after its size is checked."""
    if codec == "snappy":
        if (_next_unsigned(BytesIO(data)) or 0) > MAX_BLOCK_BYTES:
            raise BrokenTextError("a block is too large")
        return data
    if codec == "null":
        return data
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        found = unpacking.decompress(data, MAX_BLOCK_BYTES)
    except zlib.error as error:
        raise BrokenTextError(_BROKEN) from error
    if not unpacking.eof:
        raise BrokenTextError("a block is too large or ends too early")
    return found


def _header(file: BinaryIO) -> _Header:
    """Return the header of a file, after a check that Polars can decode it."""
    header = _read_header(file)
    if header.codec not in _BOUNDED:
        raise _unsupported_error("is packed by another codec than deflate or snappy")
    _refuse_unsupported_types(header.schema)
    return header


def _read_header(file: BinaryIO) -> _Header:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise BrokenTextError("the file does not begin as an Avro file")
    texts: dict[bytes, bytes] = {}
    while pairs := _next_number(file):
        if pairs < 0:  # then the size of the block follows, so that one may skip it
            _next_number(file)
        for _ in range(min(abs(pairs), _MAX_HEADER_BYTES)):
            key = _next_bytes(file)
            texts[key] = _next_bytes(file)
    if pairs is None or b"avro.schema" not in texts:
        raise BrokenTextError(_BROKEN)
    codec = texts.get(b"avro.codec", b"null").decode("ascii", "replace")
    return _Header(texts[b"avro.schema"], codec, file.read(_SYNC_BYTES))


def _refuse_unsupported_types(schema: bytes) -> None:
    """Raise SourceError if the schema has a type at which Polars would panic."""
    try:
        found: object = json.loads(schema)
    except (ValueError, RecursionError) as error:
        raise BrokenTextError(_BROKEN) from error
    if not isinstance(found, dict) or "fields" not in found:
        raise _unsupported_error("has no record at the top of its schema")
    for where, written in _types(cast("object", found)):
        kind = _unsupported_name(written)
        if kind:
            raise _unsupported_error(f"has {kind} at {where!r}" if where else f"has {kind}")
        if isinstance(written, dict):
            bounds.refuse_duplicates(list(_field_names(cast("dict[str, object]", written))))


def _unsupported_name(written: object) -> str:
    """Return the name of a type that Polars does not decode; empty for others."""
    if isinstance(written, list):
        union = cast("list[object]", written)
        is_read = len(union) == 2 and "null" in union  # noqa: PLR2004 - null and one type
        return "" if is_read else f"a union of {'several types' if union[1:] else 'one type'}"
    if isinstance(written, dict):
        whole = cast("dict[str, object]", written)
        if whole.get("type") in _UNSUPPORTED_TYPES:
            return _UNSUPPORTED_TYPES[str(whole["type"])]
        if whole.get("type") == "fixed" and whole.get("logicalType") == "duration":
            return "a duration"
        return ""
    return _UNSUPPORTED_TYPES.get(written, "") if isinstance(written, str) else ""


def _field_names(written: dict[str, object]) -> Iterator[str]:
    fields = written.get("fields")
    for field in cast("list[object]", fields) if isinstance(fields, list) else []:
        if isinstance(field, dict):
            yield str(cast("dict[str, object]", field).get("name"))


def _types(top: object) -> Iterator[tuple[str, object]]:
    """Yield every type at any depth, with its path, without the `null` of unions."""
    left: list[tuple[str, object]] = [("", top)]
    while left:
        where, each = left.pop()
        yield where, each
        if isinstance(each, list):
            left += [(where, one) for one in cast("list[object]", each) if one != "null"]
        elif isinstance(each, dict):
            written = cast("dict[str, object]", each)
            fields = written.get("fields")
            for field in cast("list[object]", fields) if isinstance(fields, list) else []:
                if isinstance(field, dict):
                    named = cast("dict[str, object]", field)
                    name = str(named.get("name"))
                    left.append((f"{where}.{name}" if where else name, named.get("type")))
            if "items" in written:
                left.append((f"{where}[]", written["items"]))
            if isinstance(written.get("type"), dict | list):
                left.append((where, written["type"]))


def _unsupported_error(why: str) -> SourceError:
    return SourceError(f"an avro file {why}: this is not read", retryable=False, blame=Blame.AGENT)


def _next_bytes(file: BinaryIO) -> bytes:
    size = _next_number(file)
    if size is None or not 0 <= size <= _MAX_HEADER_BYTES:
        raise BrokenTextError(_BROKEN)
    found = file.read(size)
    if len(found) < size:
        raise BrokenTextError(_BROKEN)
    return found


def _next_number(file: BinaryIO) -> int | None:
    """Return the next number in zigzag coding, or None at the end."""
    found = _next_unsigned(file)
    return None if found is None else (found >> 1) ^ -(found & 1)


def _next_unsigned(file: BinaryIO) -> int | None:
    found = 0
    for at in range(_MAX_NUMBER_BYTES):
        byte = file.read(1)
        if not byte:
            if at:
                raise BrokenTextError(_BROKEN)
            return None
        found |= (byte[0] & 0x7F) << (7 * at)
        if byte[0] < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return found
    raise BrokenTextError(_BROKEN)


def _zigzag(value: int) -> bytes:
    """Return a non-negative number in zigzag coding."""
    left, found = value << 1, bytearray()
    while left > 0x7F:  # noqa: PLR2004 - seven bits a byte
        found.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes((*found, left))
