"""Read the columns of a file, and scan files of equal columns together."""

import codecs
import glob
import json
import mmap
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TypeAlias, assert_never

import polars as pl

from contractwatch.engines.core.failures import TOO_DEEP, BrokenTextError
from contractwatch.engines.core.json_tree import DuplicateKeyObject, object_from_pairs
from contractwatch.engines.formats import arrow_names, avro, bounds, csv_text, json_rows
from contractwatch.engines.formats.json_rows import JsonText, Lines
from contractwatch.engines.formats.parquet_annotations import (
    column_annotations,
    enable_intervals,
    with_annotations,
)
from contractwatch.engines.remote.objects import first_bytes, open_stream, read_all, scan_options
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import DataFile, RemoteStore, TableFiles

Schema: TypeAlias = tuple[tuple[str, pl.DataType], ...]

_BOM = codecs.BOM_UTF8
_LOSSY = "utf8-lossy"
_SAMPLED_LINES = 1000
_SAMPLED_BYTES = 64 * 1024 * 1024
_PIECE = 64 * 1024
_NO_KEYS = "\x00"


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """One file: where its bytes are (a path, or the bytes themselves) and which columns it has.

    `is_empty` marks a JSON file without a row: its columns are not known.
    """

    source: str | bytes
    schema: Schema
    is_empty: bool = False


def open_file(table: TableFiles, file: DataFile) -> OpenedFile:
    """Return a file with its columns, read from its footer, header or JSON keys.

    Raises:
        OSError, UnicodeError, PolarsError: If the file is not of the table's format, or has more
            columns than we read.
    """
    opened = _open_file(table, file)
    bounds.refuse_large_schema(opened.schema)
    return opened


def _open_file(table: TableFiles, file: DataFile) -> OpenedFile:
    path = file.open_path
    match table.data_format:
        case DataFormat.PARQUET:
            with open_stream(path, table.remote) as footer:
                meanings = column_annotations(footer)
            enable_intervals(meanings.values())
            return OpenedFile(path, with_annotations(parquet_schema(path, table.remote), meanings))
        case DataFormat.ARROW:
            return OpenedFile(path, _arrow_schema(table, path))
        case DataFormat.AVRO:
            return OpenedFile(path, tuple(avro.read_schema(path, table.remote).items()))
        case DataFormat.DELTA | DataFormat.ICEBERG:
            raise BrokenTextError("such a table is no single file")
        case DataFormat.CSV:
            source = _as_utf8(path, table)
            names = _header(table, source)
            bounds.refuse_bare_cr(names)
            return OpenedFile(source, _all_text(names))
        case DataFormat.JSON:
            source = _as_utf8(path, table)
            if _is_array(source, table):
                return _array_as_lines(source, table)
            return _keys_of_lines(source, table)
        case _:
            assert_never(table.data_format)


def scan(table: TableFiles, files: Sequence[OpenedFile]) -> pl.LazyFrame:
    """Return the rows of files with equal columns; text formats give text only."""
    sources = [file.source for file in files]
    match table.data_format:
        case DataFormat.PARQUET:
            return pl.scan_parquet(
                _paths(sources), glob=False, hive_partitioning=False, **scan_options(table.remote)
            )
        case DataFormat.ARROW:
            return pl.scan_ipc(
                _paths(sources), glob=False, hive_partitioning=False, **scan_options(table.remote)
            )
        case DataFormat.AVRO:
            return avro.scan(_paths(sources), dict(files[0].schema), table.remote)
        case DataFormat.DELTA | DataFormat.ICEBERG:
            raise BrokenTextError("such a table is no single file")
        case DataFormat.CSV:
            held = _without_blank_lines(table, sources, is_single=len(files[0].schema) == 1)
            names = [name for name, _ in files[0].schema]
            return pl.concat([_scan_csv(table, source, names) for source in _scan_groups(held)])
        case DataFormat.JSON:
            schema = dict(files[0].schema) or {_NO_KEYS: pl.String()}
            if table.by_line:
                texts = [JsonText(Lines(source, table.remote), {}) for source in sources]
                return json_rows.scan(texts, list(schema), {})[0]
            return pl.concat(
                [_scan_lines(table, source, schema) for source in _scan_groups(sources)]
            )
        case _:
            assert_never(table.data_format)


def parquet_schema(path: str, remote: RemoteStore | None) -> Schema:
    """Return the columns of a Parquet file from its footer."""
    if remote is None:
        return tuple(pl.read_parquet_schema(glob.escape(path)).items())
    options = scan_options(remote)
    return tuple(pl.scan_parquet(path, glob=False, **options).collect_schema().items())


def _arrow_schema(table: TableFiles, path: str) -> Schema:
    with open_stream(path, table.remote) as file:
        bounds.refuse_duplicates(arrow_names.column_names(file))
        meanings = arrow_names.column_annotations(file)
    enable_intervals(meanings.values())
    if table.remote is None:
        return with_annotations(tuple(pl.read_ipc_schema(path).items()), meanings)
    found = pl.scan_ipc(path, glob=False, **scan_options(table.remote)).collect_schema()
    return with_annotations(tuple(found.items()), meanings)


def _header(table: TableFiles, source: str | bytes) -> list[str]:
    with (
        BytesIO(source) if isinstance(source, bytes) else open_stream(source, table.remote) as file
    ):
        start = bounds.read_header(file)
    names = csv_text.parse_header(start, table.read.separator)
    promised = (column.physical_name for column in table.columns)
    csv_text.refuse_header(start, names, table.read.separator, promised)
    if table.remote is not None and isinstance(source, str):
        known = _scan_csv(table, [source]).collect_schema().names()
    else:
        separator = table.read.separator
        known = pl.read_csv(
            source, n_rows=0, infer_schema=False, separator=separator, glob=False
        ).columns
    # the library leaves the quotes doubled that stand in a quoted name
    return names if _has_quotes(known) and len(names) == len(known) else known


def _has_quotes(names: Iterable[str]) -> bool:
    return any('"' in name for name in names)


def _all_text(names: Sequence[str]) -> Schema:
    return tuple((name, pl.String()) for name in names)


def _paths(sources: Sequence[str | bytes]) -> list[str]:
    return [source for source in sources if isinstance(source, str)]


def _scan_groups(sources: Sequence[str | bytes]) -> list[list[str] | bytes]:
    paths = _paths(sources)
    texts = [source for source in sources if isinstance(source, bytes)]
    return [paths, *texts] if paths else [*texts]


def _without_blank_lines(
    table: TableFiles, sources: Sequence[str | bytes], *, is_single: bool
) -> list[str | bytes]:
    """Return the sources; those with blank lines as texts without them.

    Raises:
        BrokenTextError: If a field goes on after its closing quote.
    """
    separator = table.read.separator
    suspects = csv_text.find_suspects(_paths(sources), separator, scan_options(table.remote))
    looked_at = suspects.blank | suspects.quotes
    found: list[str | bytes] = []
    for source in sources:
        if isinstance(source, str) and source not in looked_at:
            found.append(source)
            continue
        held = read_all(source, table.remote) if isinstance(source, str) else source
        csv_text.refuse_text_after_quote(held, separator)
        if csv_text.has_blank_line(held, separator):
            held = csv_text.without_blank_lines(held, separator, is_single=is_single)
            found.append(held)
        else:
            found.append(source)
    return found


def _scan_csv(
    table: TableFiles, source: list[str] | bytes, names: Sequence[str] = ()
) -> pl.LazyFrame:
    """Return the rows; `names` are those of the columns where the library would misspell one."""
    return pl.scan_csv(
        source,
        with_column_names=(lambda _: [*names]) if _has_quotes(names) else None,
        infer_schema=False,
        separator=table.read.separator,
        null_values=list(table.read.null_values) or None,
        empty_string_is_null="" in table.read.null_values,
        glob=False,
        **(scan_options(table.remote) if isinstance(source, list) else {}),
    )


def _scan_lines(
    table: TableFiles, source: list[str] | bytes, schema: dict[str, pl.DataType]
) -> pl.LazyFrame:
    if isinstance(source, bytes):
        return pl.scan_ndjson(source, schema=schema)
    # else a name could be taken for a pattern; a key of a store that could be is held instead
    named = [glob.escape(path) if table.remote is None else path for path in source]
    return pl.scan_ndjson(named, schema=schema, **scan_options(table.remote))


def _as_utf8(path: str, table: TableFiles) -> str | bytes:
    """Return the path, or the text itself where Polars would misread its encoding or mark."""
    expanded = _decompressed(path, table)
    if _is_utf8(table.read.encoding):
        start = (
            first_bytes(path, table.remote, bounds.ENCODING_SAMPLE_BYTES)
            if expanded is None
            else expanded
        )
        bounds.refuse_utf16(start)
        is_held = start.startswith(_BOM) or _has_wildcard(path, table)
        if expanded is None and not is_held:
            return path
    held = read_all(path, table.remote) if expanded is None else expanded
    if table.read.encoding == _LOSSY:
        return held.decode(errors="replace").removeprefix("\ufeff").encode()
    if _is_utf8(table.read.encoding):
        return held.removeprefix(_BOM)
    try:
        return held.decode(table.read.encoding).removeprefix("\ufeff").encode()
    except LookupError as error:
        raise BrokenTextError("the server's encoding is not known") from error


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def _has_wildcard(path: str, table: TableFiles) -> bool:
    """Return whether Polars would take the key of an object for a pattern."""
    is_json = table.data_format is DataFormat.JSON
    return is_json and table.remote is not None and glob.has_magic(path)


def _decompressed(path: str, table: TableFiles) -> bytes | None:
    with open_stream(path, table.remote) as file:
        return bounds.decompress_gzip(file)


def _is_array(source: str | bytes, table: TableFiles) -> bool:
    """Return whether the file is one array: as the contract says, else by its first letter.

    Raises:
        BrokenTextError: If it is one, and the contract says that it is not.
    """
    if table.json_array:
        return True
    begins_as_array = _first_letter(source, table) == b"["
    if begins_as_array and table.json_array is False:
        raise BrokenTextError(
            "it begins as a JSON array, and the contract says that each line is an object;"
            " write delimiter: array"
        )
    return begins_as_array


def _first_letter(source: str | bytes, table: TableFiles) -> bytes:
    with (
        BytesIO(source) if isinstance(source, bytes) else open_stream(source, table.remote) as file
    ):
        while piece := file.read(_PIECE):
            if found := piece.lstrip():
                return found[:1]
    return b""


def _keys_of_lines(source: str | bytes, table: TableFiles) -> OpenedFile:
    """Return the keys of the first lines, and promised ones that first occur in a later line."""
    keys: dict[str, None] = {}
    lines = _lines(source, table.remote)
    lines_read = bytes_read = 0
    for line in islice(lines, _SAMPLED_LINES):
        keys.update(dict.fromkeys(_keys(line)))
        bounds.refuse_bad_names(keys)
        lines_read, bytes_read = lines_read + 1, bytes_read + len(line)
        if bytes_read > _SAMPLED_BYTES:
            break
    lines.close()
    if lines_read == _SAMPLED_LINES or bytes_read > _SAMPLED_BYTES:
        wanted = (column.physical_name for column in table.columns)
        late = [name for name in wanted if name not in keys]
        keys.update(dict.fromkeys(_keys_anywhere(source, late, table.remote)))
    return OpenedFile(source, _all_text(list(keys)), is_empty=not lines_read)


def _lines(source: str | bytes, remote: RemoteStore | None) -> Generator[bytes]:
    if isinstance(source, bytes):
        yield from (line for line in source.splitlines() if line.strip())
        return
    with open_stream(source, remote) as file:
        yield from bounds.nonblank_lines(file)


def _keys(line: bytes) -> Iterator[str]:
    """Yield the keys of one JSON object; a broken line is found when the rows are read."""
    try:
        # the length of Python's integers is limited
        record = json.loads(line, parse_int=str, object_pairs_hook=object_from_pairs)
    except RecursionError as error:
        raise BrokenTextError(TOO_DEEP) from error
    except ValueError:
        return
    if isinstance(record, DuplicateKeyObject):
        raise BrokenTextError(record.message)
    if isinstance(record, dict):
        yield from record


def _keys_anywhere(
    source: str | bytes, names: Sequence[str], remote: RemoteStore | None
) -> Iterator[str]:
    if isinstance(source, bytes):
        yield from (name for name in names if _key_pattern(name).search(source))
        return
    if remote is not None:
        patterns = {name: _key_pattern(name) for name in names}
        found = {
            n for line in _lines(source, remote) for n, p in patterns.items() if p.search(line)
        }
        yield from (name for name in names if name in found)
        return
    with Path(source).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m:
        yield from [name for name in names if _key_pattern(name).search(m)]


def _key_pattern(name: str) -> re.Pattern[bytes]:
    plain = re.escape(json.dumps(name, ensure_ascii=False).encode())
    escaped = re.escape(json.dumps(name).encode())
    return re.compile(rb"(?:" + plain + rb"|" + escaped + rb")\s*:")


def _array_as_lines(source: str | bytes, table: TableFiles) -> OpenedFile:
    """Return the array as JSON lines: the library's own array reader refuses mixed values."""
    data = read_all(source, table.remote) if isinstance(source, str) else source
    lines: list[str] = []
    keys: dict[str, None] = {}
    for record, written in _array_elements(data.decode()):
        if isinstance(record, DuplicateKeyObject):
            raise BrokenTextError(record.message)
        keys.update(dict.fromkeys(record))
        bounds.refuse_bad_names(keys)
        lines.append(written)
    # Line ends of pretty-printed JSON stand between tokens only: inside a string they are escaped.
    text = "\n".join(line.replace("\n", " ").replace("\r", " ") for line in lines)
    return OpenedFile(text.encode(), _all_text(list(keys)), is_empty=not lines)


def _array_elements(data: str) -> Iterator[tuple[dict[str, object], str]]:
    """Yield each object of a JSON array with its text.

    Raises:
        BrokenTextError: If the text is no array of objects.
    """
    # the length of Python's integers is limited
    decoder = json.JSONDecoder(parse_int=str, object_pairs_hook=object_from_pairs)
    start = _skip_blanks(data, 0)
    if data[start : start + 1] != "[":
        raise BrokenTextError("it does not begin as a JSON array; write delimiter: new_line")
    start = _skip_blanks(data, start + 1)
    while data[start : start + 1] != "]":
        try:
            record, end = decoder.raw_decode(data, start)
        except RecursionError as error:
            raise BrokenTextError(TOO_DEEP) from error
        except ValueError as error:
            raise BrokenTextError("the JSON array is broken or ends too early") from error
        if not isinstance(record, dict):
            raise BrokenTextError("an element of the JSON array is no object")
        yield record, data[start:end]
        start = _skip_blanks(data, end)
        if data[start : start + 1] == ",":
            start = _skip_blanks(data, start + 1)
        elif data[start : start + 1] != "]":
            raise BrokenTextError("the JSON array is broken or ends too early")
    _refuse_trailing_text(data, start + 1)


def _refuse_trailing_text(data: str, start: int) -> None:
    if _skip_blanks(data, start) < len(data):
        raise BrokenTextError("something stands after the JSON array")


_BLANK = re.compile(r"[ \t\r\n]*")


def _skip_blanks(data: str, start: int) -> int:
    found = _BLANK.match(data, start)
    return found.end() if found else start
