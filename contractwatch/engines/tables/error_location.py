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
    GOES_ON,
    NEVER_CLOSED,
    UNPAIRED,
    QuoteFault,
    first_fault,
)
from contractwatch.engines.core.failures import MORE_FIELDS, NO_OBJECT, NOT_ENCODED, UNREADABLE
from contractwatch.engines.core.json_tree import KEY_TWICE, Repeated, object_of
from contractwatch.engines.formats import readers
from contractwatch.engines.remote.objects import opened, told
from contractwatch.engines.remote.relay import trouble_of
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import DataFile, TableFiles

_OF_QUOTES = (GOES_ON, NEVER_CLOSED, UNPAIRED)
_MAX_FILES = 50
_MAX_BYTES = 256 * 1024 * 1024
"""No more is read again to tell which file it is."""

_MAX_BYTES_FOR_LINE = 64 * 1024 * 1024


def located(error: SourceError, files: TableFiles) -> SourceError:
    """Return the failure with the file, and the line if that is cheap, where they are found."""
    if files.remote is not None and trouble_of(files.remote.relay) is not None:
        known = told("", files.remote.relay)
        sentence = f"table {files.table!r} cannot be read as {files.data_format.value}: {known}"
        return SourceError(sentence, retryable=known.retryable, blame=known.blame)
    if error.blame is not Blame.PRODUCT or files.snapshot is not None:
        return error
    file = _culprit(files)
    if file is None:
        return _told(error, files)
    fault = _quote_fault(str(error), files, file)
    if fault is not None:
        sentence = f"table {files.table!r} cannot be read as csv: {fault.told}"
        where = f" ({_shown(files, file)}, line {fault.line}, column {fault.column})"
        return SourceError(f"{sentence}{where}", retryable=error.retryable, blame=error.blame)
    line = _line(str(error), files, file)
    where = f"{_shown(files, file)}, line {line}" if line else _shown(files, file)
    return _told(error, files, f" ({where})")


def _told(error: SourceError, files: TableFiles, where: str = "") -> SourceError:
    """Return the failure with where it is, and what to write if that is known."""
    hint = ""
    if NOT_ENCODED in str(error):
        stated = "utf-8" if files.read.encoding == "utf8" else files.read.encoding
        hint = (
            f"; it is read as {stated}: if it is written otherwise, such as in windows-1252,"
            " say so with contractwatch.read: {encoding: windows-1252}"
        )
    return SourceError(f"{error}{hint}{where}", retryable=error.retryable, blame=error.blame)


def _culprit(files: TableFiles) -> DataFile | None:
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
        looked = readers.look(files, file)
        if not looked.is_empty:
            readers.scan(files, [looked]).select(pl.all().null_count()).collect(engine="streaming")
    except UNREADABLE:
        return False
    except SourceError:
        return True
    return True


def _shown(files: TableFiles, file: DataFile) -> str:
    """Return the path below what all files share; a partition's value is data and is not told."""
    shared = os.path.commonpath([Path(each.path).parent for each in files.files])
    parts = Path(file.path).relative_to(shared).parts
    folders = [f"{part.split('=')[0]}=..." if "=" in part else part for part in parts[:-1]]
    return "/".join([*folders, parts[-1]])


def _quote_fault(said: str, files: TableFiles, file: DataFile) -> QuoteFault | None:
    """Return the field whose quotes are to blame, if it is about quotes and cheap to find."""
    if not any(cause in said for cause in _OF_QUOTES) or file.size > _MAX_BYTES_FOR_LINE:
        return None
    try:
        with opened(file.open_path, files.remote) as stream:
            text = stream.read().decode(files.read.encoding, "replace")
    except (OSError, LookupError, SourceError):
        return None
    return first_fault(text, files.read.separator)


def _line(said: str, files: TableFiles, file: DataFile) -> int | None:
    if file.size > _MAX_BYTES_FOR_LINE:
        return None
    try:
        if MORE_FIELDS in said:
            return _longer_than_header(files, file)
        is_utf8 = codecs.lookup(files.read.encoding).name == "utf-8"
        if not is_utf8 or files.json_array:
            return None
        with opened(file.open_path, files.remote) as lines:
            if KEY_TWICE in said:
                return _first(_has_key_twice(line) for line in lines)
            if NO_OBJECT in said and files.data_format is DataFormat.JSON:
                return _first(not _is_object(line) for line in lines)
            return _first(not _is_utf8(line) for line in lines) if NOT_ENCODED in said else None
    except (OSError, ValueError, LookupError, csv.Error, SourceError):
        return None


def _longer_than_header(files: TableFiles, file: DataFile) -> int | None:
    """Return the line in which the first row with too many fields begins."""
    encoding = files.read.encoding
    with opened(file.open_path, files.remote) as stream:
        lines = io.TextIOWrapper(stream, encoding, errors="replace", newline="")
        rows = csv.reader(lines, delimiter=files.read.separator)
        width = len(next(rows))
        begins = rows.line_num + 1
        for row in rows:
            if len(row) > width:
                return begins
            begins = rows.line_num + 1
    return None


def _first(broken: Iterable[bool]) -> int | None:
    return next((at for at, is_broken in enumerate(broken, 1) if is_broken), None)


def _is_object(line: bytes) -> bool:
    try:
        return not line.strip() or isinstance(
            json.loads(line, parse_int=str, parse_constant=_refused), dict
        )
    except (ValueError, RecursionError):
        return False


def _has_key_twice(line: bytes) -> bool:
    try:
        found = json.loads(line, parse_int=str, object_pairs_hook=object_of)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, Repeated)


def _refused(written: str) -> str:
    raise ValueError(written)  # Python knows NaN, and JSON does not


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
