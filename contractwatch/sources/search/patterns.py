"""Glob patterns of a contract's paths: `*`, `**` and `?`; every other letter is literal."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

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
    """Return a hint for a path that matches nothing and has a `[`; else empty."""
    if "[" not in written:
        return ""
    return "; '[' stands for itself: only *, ** and ? are patterns"
