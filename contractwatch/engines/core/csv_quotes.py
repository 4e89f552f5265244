"""Find where the quotes of a CSV text are not in pairs, and say how to mend them."""

import re
from dataclasses import dataclass

_WRITE_TWICE = 'write the whole field in quotes, and each quote inside of it twice ("")'

GOES_ON = f"a field goes on after its closing quote; {_WRITE_TWICE}"
UNPAIRED = f"a quote stands alone inside of a field that does not begin with one; {_WRITE_TWICE}"
NEVER_CLOSED = f"a quoted field is never closed; {_WRITE_TWICE}"


@dataclass(frozen=True, slots=True)
class QuoteFault:
    """What is wrong with the quotes of a field; `line` and `column` count from 1."""

    told: str
    line: int
    column: int


def suspicious(separator: str) -> str:
    """Return a pattern of lines in which a field may go on after its closing quote."""
    mark = re.escape(separator)
    return rf'(?:^|{mark})"(?:[^"]|"")*"[^"{mark}\r\n]'


def first_fault(text: str, separator: str) -> QuoteFault | None:
    """Return the first field whose quotes are not as they should be; None if all are."""
    mark = re.escape(separator)
    # atomic by their letters: no field matches in two ways
    field = re.compile(rf'"(?:[^"]|"")*"|[^{mark}\r\n"][^{mark}\r\n]*|')
    end = re.compile(rf"{mark}|\r?\n|\r|\Z")
    at, line, column = 0, 1, 1
    while at <= len(text):
        found = field.match(text, at)
        begin, at = at, found.end() if found else at
        told = _fault(text, begin, at)
        after = end.match(text, at)
        if told or after is None:
            opened = text.startswith('"', begin) and at == begin
            return QuoteFault(told or (NEVER_CLOSED if opened else GOES_ON), line, column)
        line += text.count("\n", begin, after.end())
        column = column + 1 if after[0] == separator else 1
        if after.end() == len(text):
            return None
        at = after.end()
    return None


def _fault(text: str, begin: int, end: int) -> str:
    """Return what is wrong inside of a field, without looking at what follows it."""
    if text.startswith('"', begin):
        return ""
    return UNPAIRED if text.count('"', begin, end) % 2 else ""
