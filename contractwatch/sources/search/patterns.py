"""Glob patterns of a contract's paths: `*`, `**` and `?`; every other letter is literal."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

_ALTERNATIVES = re.compile(r"\{[^{}]*,[^{}]*\}")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_WILDCARDS = frozenset("*?")


def is_pattern(written: str) -> bool:
    """Return whether a path, or a part of one, has a wildcard."""
    return bool(_WILDCARDS & set(written))


def first_pattern(parts: Sequence[str]) -> int:
    """Return the index of the first part with a wildcard; the number of parts if none has one."""
    return next((at for at, part in enumerate(parts) if is_pattern(part)), len(parts))


def as_glob(written: str) -> str:
    """Return the pattern with `[` escaped, which `glob` and `fnmatch` take for a set."""
    return re.sub(r"\[", "[[]", written)


def part_matches(part: str, pattern: str) -> bool:
    """Return whether the name of a file or a folder matches one part of a pattern."""
    return fnmatchcase(part, as_glob(pattern))


def pattern_hint(written: str) -> str:
    """Return a hint on a path that matches nothing, if it seems to hold another kind of pattern."""
    foreign = "[" if "[" in written else "{" if _ALTERNATIVES.search(written) else ""
    if foreign:
        return f"; '{foreign}' stands for itself: only *, ** and ? are patterns"
    escape = _ESCAPE.search(written)
    if escape is not None:
        return f"; '{escape.group()}' stands for itself: write the character that it means"
    return "; write / between folders" if "\\" in written else ""
