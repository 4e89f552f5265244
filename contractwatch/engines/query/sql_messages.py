"""Say why a query cannot be run: name the function, the construct or the column."""

import re

_FUNCTION = re.compile(r"unsupported function '([^']{1,60})'")
_COLUMN = re.compile(r"unable to find column \"([^\"]{1,80})\"")
_SYNTAX_TREE = re.compile(r"\b[A-Z]\w+ ?[({\[]|[{}]")
_KIND = re.compile(
    r"(?:expression|unsupported|operator|query|statement|type) (?:`)?([A-Z][A-Za-z]+)"
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CONSTRUCTS = {"Tuple": "a tuple (a, b)", "Subscript": "a subscript [ ]", "Array": "an array"}
_LONGEST = 160
_NOT_RUN = "is not run over files"


def why_not_run(sentence: str) -> str:
    """Return the reason from a library's message, without the syntax tree that it may print."""
    line = "".join(c if c.isprintable() else "?" for c in sentence.partition("\n")[0])
    function, column = _FUNCTION.search(line), _COLUMN.search(line)
    if function:
        return f"the function '{function[1]}' {_NOT_RUN}"
    if column:
        return f"its tables have no column '{column[1]}'"
    if not _SYNTAX_TREE.search(line):
        return line[:_LONGEST]
    kind = _KIND.search(line)
    if kind is None:
        return f"a part of it {_NOT_RUN}"
    construct = _CONSTRUCTS.get(kind[1]) or _CAMEL.sub(" ", kind[1]).upper()
    return f"{construct} {_NOT_RUN}"
