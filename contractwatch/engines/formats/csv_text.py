"""Read the header of a CSV file as it is written, and leave out blank lines."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from contractwatch.engines.core import csv_quotes
from contractwatch.engines.core.failures import BrokenTextError
from contractwatch.engines.formats import bounds
from contractwatch.model.base.server import SEPARATORS

_PATH = "\x00path"
_SEPARATOR_NOTE = re.compile(rb'"?sep=.?"?\r?\n', re.IGNORECASE)


def parse_header(start: bytes, separator: str) -> list[str]:
    """Return the names of the first line that is not blank, as they are written.

    Raises:
        UnicodeDecodeError: If they are not in UTF-8.
    """
    lines = (line.decode() for line in start.splitlines(keepends=True))
    try:
        none: list[str] = []
        return next((row for row in csv.reader(lines, delimiter=separator) if row), none)
    except csv.Error:  # a name longer than the library reads; the other reader tells
        return []


def refuse_header(
    start: bytes, header: Sequence[str], separator: str, promised: Iterable[str]
) -> None:
    """Raise BrokenTextError if the first line cannot be a header that tells the columns apart.

    Args:
        start: The begin of the file.
        header: Its names, by `parse_header`.
        separator: The separator that they were split by.
        promised: The names that the contract has.
    """
    if _SEPARATOR_NOTE.match(start):
        raise BrokenTextError(
            "line 1 is 'sep=', a note for spreadsheet programs and no header; remove that line"
        )
    bounds.refuse_duplicates(header)
    if len(header) == 1:
        _refuse_other_separator(header[0], separator, {name.casefold() for name in promised})
    _refuse_faulty_quotes(start, separator)


def _refuse_faulty_quotes(start: bytes, separator: str) -> None:
    """Raise BrokenTextError if the quotes of the header are not in pairs.

    The library would take all rows up to the next such quote for a part of the header.
    """
    read: list[str] = []
    quotes = 0
    for line in start.splitlines(keepends=True):
        read.append(line.decode())
        quotes += line.count(b'"')
        if quotes % 2 == 0 and line.strip():
            break
    text = "".join(read)
    fault = csv_quotes.first_quote_fault(text, separator) if quotes else None
    if fault is not None:
        raise BrokenTextError(fault.message)


def _refuse_other_separator(header: str, separator: str, promised: set[str]) -> None:
    if header.casefold() in promised:
        return
    for other, written in SEPARATORS.items():
        names = {part.strip(' "').casefold() for part in header.split(other)}
        if other != separator and len(names) > 1 and names & promised:
            raise BrokenTextError(
                f"its header is one column by the separator {SEPARATORS.get(separator, separator)};"
                f" is the separator {written}?"
                f" say so with contractwatch.read: {{separator: {written}}}"
            )


@dataclass(frozen=True, slots=True)
class SuspectFiles:
    """Files that may have blank lines, and files that may have unpaired quotes."""

    blank: frozenset[str]
    quotes: frozenset[str]


NO_SUSPECTS = SuspectFiles(frozenset(), frozenset())


def find_suspects(paths: Sequence[str], separator: str, options: Mapping[str, Any]) -> SuspectFiles:
    """Scan the files for blank lines and suspicious quotes.

    A file that cannot be read is left out: who reads its rows will tell.

    Args:
        paths: Files of this machine, or objects.
        separator: A line of which only is no blank one.
        options: How the objects are reached.
    """
    if not paths:
        return NO_SUSPECTS
    lines = pl.scan_lines([*paths], glob=False, include_file_paths=_PATH, **options)
    line = pl.col("line")
    is_blank = line.str.strip_chars(_blanks(separator)).str.len_bytes() == 0
    flagged = lines.select(
        _PATH,
        blank=is_blank,
        quotes=line.str.contains(csv_quotes.suspicious_line_pattern(separator)),
    )
    query = flagged.filter(pl.col("blank") | pl.col("quotes")).group_by(_PATH).agg(pl.all().any())
    try:
        found = query.collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError):
        return NO_SUSPECTS
    return SuspectFiles(
        frozenset(found.filter("blank")[_PATH]), frozenset(found.filter("quotes")[_PATH])
    )


def has_blank_line(text: bytes, separator: str) -> bool:
    """Return whether a text has a blank line."""
    blanks = re.escape(_blanks(separator)).encode()
    return re.search(rb"(?:\A|\n)[" + blanks + rb"]*(?:\n|(?<!\n)\Z)", text) is not None


def refuse_text_after_quote(text: bytes, separator: str) -> None:
    """Raise BrokenTextError if a field goes on after its closing quote.

    The library would take it, and all up to the next quote, for one value: rows were lost.
    """
    if not re.search(csv_quotes.suspicious_line_pattern(separator).encode(), text, re.MULTILINE):
        return
    fault = csv_quotes.first_quote_fault(text.decode(errors="replace"), separator)
    if fault is not None and fault.message == csv_quotes.TEXT_AFTER_QUOTE:
        raise BrokenTextError(fault.message)


def without_blank_lines(text: bytes, separator: str, *, is_single: bool) -> bytes:
    """Return a text without its blank lines, except those within quotes.

    In a single column a line of blanks is a value, and an empty one is no record.
    """
    return b"".join(_records(text, b"\r\n" if is_single else _blanks(separator).encode() + b"\n"))


def _records(text: bytes, blanks: bytes) -> Iterator[bytes]:
    is_quoted = False
    for line in text.splitlines(keepends=True):
        if not is_quoted and not line.strip(blanks):
            continue
        if line.count(b'"') % 2:
            is_quoted = not is_quoted
        yield line


def _blanks(separator: str) -> str:
    return " \t\r".replace(separator, "")
