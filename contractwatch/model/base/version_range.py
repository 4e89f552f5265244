"""Parse semantic versions and ranges such as `>=2.0.0 <3.0.0`, and match one against the other.

By hand, because the library semver knows no ranges with `^` or `~`, and packaging reads versions
of Python packages (PEP 440), which order and spell pre-releases otherwise.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

_Core: TypeAlias = tuple[int, int, int]

_VERSION = re.compile(
    r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+\S*)?"
)
_PART = re.compile(r"(>=|<=|>|<|=|\^|~)?\s*([^\s,<>=^~]+)")
_ANY = frozenset({"", "*"})

_HOLDS: Mapping[str, Callable[["Version", "Version"], bool]] = {
    ">=": lambda version, bound: version.order() >= bound.order(),
    "<=": lambda version, bound: version.order() <= bound.order(),
    ">": lambda version, bound: version.order() > bound.order(),
    "<": lambda version, bound: version.order() < bound.order(),
    "=": lambda version, bound: version.order() == bound.order(),
}


@dataclass(frozen=True, slots=True)
class Version:
    """Semantic version; parts that are left out are 0, build metadata has no order."""

    core: _Core
    before: tuple[str, ...] = ()

    def order(self) -> tuple[_Core, int, tuple[tuple[int, int, str], ...]]:
        """Return the place of the version among others, by Semantic Versioning 2.0.0, 11."""
        parts = ((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in self.before)
        return self.core, int(not self.before), tuple(parts)


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Range of versions: all comparisons must hold; without any, every version matches."""

    parts: tuple[tuple[str, Version], ...]

    def contains(self, version: Version) -> bool:
        """Return whether the version lies in the range."""
        return all(_HOLDS[operator](version, bound) for operator, bound in self.parts)


def parse_version(text: str) -> Version | None:
    """Parse a semantic version; return None if the text is none."""
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        return None
    core = (int(found.group(1)), int(found.group(2) or 0), int(found.group(3) or 0))
    return Version(core, tuple(filter(None, (found.group(4) or "").split("."))))


def parse_range(text: str) -> VersionRange | None:
    """Parse a range of versions; return None if the text is none.

    Comparisons stand side by side and must all hold; a version alone must be met exactly. `^1.2`
    allows what is not breaking (below 1.0.0 that is the minor version), `~1.2` patches.
    """
    if text.strip() in _ANY:
        return VersionRange(())
    parts: list[tuple[str, Version]] = []
    for operator, written in _PART.findall(text):
        bound = parse_version(written)
        if bound is None:
            return None
        parts += _comparisons(operator or "=", bound)
    rest = _PART.sub("", text).replace(",", "").strip()
    return None if rest or not parts else VersionRange(tuple(parts))


def _comparisons(operator: str, bound: Version) -> list[tuple[str, Version]]:
    major, minor, _ = bound.core
    if operator == "^":
        end = Version((major + 1, 0, 0)) if major else Version((0, minor + 1, 0))
        return [(">=", bound), ("<", end)]
    if operator == "~":
        return [(">=", bound), ("<", Version((major, minor + 1, 0)))]
    return [(operator, bound)]
