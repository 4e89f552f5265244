"""Find, after a failed read, the file and the line that cannot be read."""

import codecs
import csv
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from contractwatch.engines.core.csv_quotes import (
    TEXT_AFTER_QUOTE,
    UNCLOSED_QUOTE,
    UNPAIRED_QUOTE,
    QuoteFault,
    first_quote_fault,
)
from contractwatch.engines.core.failures import (
    NOT_AN_OBJECT,
    TOO_MANY_FIELDS,
    UNREADABLE,
    WRONG_ENCODING,
)
from contractwatch.engines.core.json_tree import (
    DUPLICATE_KEY,
    DuplicateKeyObject,
    object_from_pairs,
)
from contractwatch.engines.formats import readers
from contractwatch.engines.remote.objects import open_stream, store_error
from contractwatch.engines.remote.relay import relay_failure
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import DataFile, TableFiles

_QUOTE_ERRORS = (TEXT_AFTER_QUOTE, UNCLOSED_QUOTE, UNPAIRED_QUOTE)
_MAX_FILES = 50
_MAX_BYTES = 256 * 1024 * 1024
"""Size limit of files that are read again to find the one with the error."""

_MAX_BYTES_FOR_LINE = 64 * 1024 * 1024


def with_location(error: SourceError, files: TableFiles) -> SourceError:
    """Return the error with its file, and with the line if that is cheap to find."""
    if files.remote is not None and relay_failure(files.remote.relay) is not None:
        store_failure = store_error("", files.remote.relay)
        sentence = (
            f"table {files.table!r} cannot be read as {files.data_format.value}: {store_failure}"
        )
        return SourceError(sentence, retryable=store_failure.retryable, blame=store_failure.blame)
    if error.blame is not Blame.PRODUCT or files.snapshot is not None:
        return error
    file = _first_unreadable_file(files)
    if file is None:
        return _with_hint(error, files)
    fault = _quote_fault(str(error), files, file)
    if fault is not None:
        sentence = f"table {files.table!r} cannot be read as csv: {fault.message}"
        where = f" ({_relative_path(files, file)}, line {fault.line}, column {fault.column})"
        return SourceError(f"{sentence}{where}", retryable=error.retryable, blame=error.blame)
    line = _error_line(str(error), files, file)
    where = f"{_relative_path(files, file)}, line {line}" if line else _relative_path(files, file)
    return _with_hint(error, files, f" ({where})")


def _with_hint(error: SourceError, files: TableFiles, where: str = "") -> SourceError:
    """Return the error with its location, and with a hint on the encoding if that is wrong."""
    hint = ""
    if NOT_AN_OBJECT in str(error):
        hint = "; write each object on a line of its own, or all of them as one array"
    if WRONG_ENCODING in str(error):
        stated = "utf-8" if files.read.encoding == "utf8" else files.read.encoding
        hint = (
            f"; it is read as {stated}: if it is written otherwise, such as in windows-1252,"
            " say so with contractwatch.read: {encoding: windows-1252}"
        )
    return SourceError(f"{error}{hint}{where}", retryable=error.retryable, blame=error.blame)


def _first_unreadable_file(files: TableFiles) -> DataFile | None:
    if len(files.files) == 1:
        return files.files[0]
    read = 0
    for file in files.files[:_MAX_FILES]:
        read += file.size
        if read > _MAX_BYTES:
            return None
        if not _is_readable(files, file):
            return file
    return None


def _is_readable(files: TableFiles, file: DataFile) -> bool:
    try:
        opened = readers.open_file(files, file)
        if not opened.is_empty:
            readers.scan(files, [opened]).select(pl.all().null_count()).collect(engine="streaming")
    except UNREADABLE:
        return False
    except SourceError:
        return True
    return True


def _relative_path(files: TableFiles, file: DataFile) -> str:
    """Return the path below the common folder; partition values, which are data, are hidden."""
    shared = os.path.commonpath([Path(each.path).parent for each in files.files])
    parts = Path(file.path).relative_to(shared).parts
    folders = [f"{part.split('=')[0]}=..." if "=" in part else part for part in parts[:-1]]
    return "/".join([*folders, parts[-1]])


def _quote_fault(message: str, files: TableFiles, file: DataFile) -> QuoteFault | None:
    """Return the field with wrong quotes, if the error is about quotes and the file small."""
    if not any(cause in message for cause in _QUOTE_ERRORS) or file.size > _MAX_BYTES_FOR_LINE:
        return None
    try:
        with open_stream(file.open_path, files.remote) as stream:
            text = stream.read().decode(files.read.encoding, "replace")
    except (OSError, LookupError, SourceError):
        return None
    return first_quote_fault(text, files.read.separator)


def _error_line(message: str, files: TableFiles, file: DataFile) -> int | None:
    if file.size > _MAX_BYTES_FOR_LINE:
        return None
    try:
        if TOO_MANY_FIELDS in message:
            return _line_longer_than_header(files, file)
        is_utf8 = codecs.lookup(files.read.encoding).name == "utf-8"
        if not is_utf8 or files.json_array:
            return None
        with open_stream(file.open_path, files.remote) as lines:
            if DUPLICATE_KEY in message:
                return _first_line(_has_key_twice(line) for line in lines)
            if NOT_AN_OBJECT in message and files.data_format is DataFormat.JSON:
                return _first_line(not _is_object(line) for line in lines)
            return (
                _first_line(not _is_utf8(line) for line in lines)
                if WRONG_ENCODING in message
                else None
            )
    except (OSError, ValueError, LookupError, csv.Error, SourceError):
        return None


def _line_longer_than_header(files: TableFiles, file: DataFile) -> int | None:
    """Return the first line of the first row with too many fields."""
    encoding = files.read.encoding
    with open_stream(file.open_path, files.remote) as stream:
        lines = io.TextIOWrapper(stream, encoding, errors="replace", newline="")
        rows = csv.reader(lines, delimiter=files.read.separator)
        width = len(next(rows))
        begins = rows.line_num + 1
        for row in rows:
            if len(row) > width:
                return begins
            begins = rows.line_num + 1
    return None


def _first_line(broken: Iterable[bool]) -> int | None:
    return next((at for at, is_broken in enumerate(broken, 1) if is_broken), None)


def _is_object(line: bytes) -> bool:
    try:
        return not line.strip() or isinstance(
            json.loads(line, parse_int=str, parse_constant=_refuse_constant), dict
        )
    except (ValueError, RecursionError):
        return False


def _has_key_twice(line: bytes) -> bool:
    try:
        found = json.loads(line, parse_int=str, object_pairs_hook=object_from_pairs)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, DuplicateKeyObject)


def _refuse_constant(written: str) -> str:
    raise ValueError(written)  # Python knows NaN, and JSON does not


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
