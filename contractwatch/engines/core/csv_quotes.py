"""Find where the quotes of a CSV text are not in pairs, and say how to mend them."""

import re
from dataclasses import dataclass

_WRITE_TWICE = 'write the whole field in quotes, and each quote inside of it twice ("")'

TEXT_AFTER_QUOTE = f"a field goes on after its closing quote; {_WRITE_TWICE}"
UNPAIRED_QUOTE = (
    f"a quote stands alone inside of a field that does not begin with one; {_WRITE_TWICE}"
)
UNCLOSED_QUOTE = f"a quoted field is never closed; {_WRITE_TWICE}"


@dataclass(frozen=True, slots=True)
class QuoteFault:
    """Error in the quotes of a field; `line` and `column` count from 1."""

    message: str
    line: int
    column: int


def suspicious_line_pattern(separator: str) -> str:
    """Return a pattern of lines in which text may follow a closing quote."""
    mark = re.escape(separator)
    return rf'(?:^|{mark})"(?:[^"]|"")*"[^"{mark}\r\n]'


def first_quote_fault(text: str, separator: str) -> QuoteFault | None:
    """Return the first field with wrong quotes; None if there is none."""
    mark = re.escape(separator)
    # atomic by their letters: no field matches in two ways
    field = re.compile(rf'"(?:[^"]|"")*"|[^{mark}\r\n"][^{mark}\r\n]*|')
    end = re.compile(rf"{mark}|\r?\n|\r|\Z")
    at, line, column = 0, 1, 1
    while at <= len(text):
        found = field.match(text, at)
        begin, at = at, found.end() if found else at
        message = _fault(text, begin, at)
        after = end.match(text, at)
        if message or after is None:
            opened = text.startswith('"', begin) and at == begin
            return QuoteFault(
                message or (UNCLOSED_QUOTE if opened else TEXT_AFTER_QUOTE), line, column
            )
        line += text.count("\n", begin, after.end())
        column = column + 1 if after[0] == separator else 1
        if after.end() == len(text):
            return None
        at = after.end()
    return None


def _fault(text: str, begin: int, end: int) -> str:
    """Return the error within a field, without looking at the text after it."""
    if text.startswith('"', begin):
        return ""
    return UNPAIRED_QUOTE if text.count('"', begin, end) % 2 else ""
