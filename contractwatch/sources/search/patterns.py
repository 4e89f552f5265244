"""Glob patterns of a contract's paths: `*`, `**` and `?`; every other letter is literal."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

_SIGNS = frozenset("*?")


def is_pattern(written: str) -> bool:
    """Return whether a path, or a part of one, may stand for more than the name that it is."""
    return bool(_SIGNS & set(written))


def first_pattern(parts: Sequence[str]) -> int:
    """Return the place of the first part that is a pattern; the number of parts if none is."""
    return next((at for at, part in enumerate(parts) if is_pattern(part)), len(parts))


def as_glob(written: str) -> str:
    """Return a pattern for `glob` and `fnmatch`, which would take `[` for the start of a set."""
    return re.sub(r"\[", "[[]", written)


def part_matches(part: str, pattern: str) -> bool:
    """Return whether the name of a file or a folder matches one part of a pattern."""
    return fnmatchcase(part, as_glob(pattern))


def hint(written: str) -> str:
    """Return what to know of a path that matches nothing, if it seems to hold another pattern."""
    if "[" not in written:
        return ""
    return "; '[' stands for itself: only *, ** and ? are patterns"
