"""Tell words of opposite meaning apart, so that a hint never turns a meaning round."""

import difflib
import re
from collections.abc import Mapping

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_NOT = frozenset({"not", "non", "no", "never", "without", "isnt", "dont", "un"})
_PREFIXES = ("not", "non", "no", "un", "in", "dis", "de")
_LOW = frozenset({"min", "minimum", "least", "lower", "less", "before", "start", "first", "from"})
_HIGH = frozenset({"max", "maximum", "most", "upper", "greater", "more", "after", "end", "last"})
_STEMS = (("min", "max"), ("low", "high"), ("less", "greater"))
_MIN_SIMILARITY = 0.85

_REQUIRED = "required"
_UNIQUE = "unique"
_MEANINGS: Mapping[str, tuple[str, bool]] = {
    **dict.fromkeys(
        (
            *(
                "nullable",
                "isnullable",
                "nillable",
                "null",
                "nulls",
                "allownull",
                "allownulls",
                "nullallowed",
            ),
            *("nullsallowed", "acceptnull", "acceptsnull", "optional", "isoptional", "notrequired"),
            *("canbenull", "permitnull", "maybenull", "nonrequired", "unrequired"),
        ),
        (_REQUIRED, False),
    ),
    **dict.fromkeys(
        (
            *("notnull", "isnotnull", "nonnull", "nonnullable", "notnullable", "nonulls", "nonull"),
            *("mandatory", "ismandatory", "isrequired", "require", "obligatory", "compulsory"),
            *("notoptional", "nonoptional", "nullforbidden", "disallownull", "notempty"),
        ),
        (_REQUIRED, True),
    ),
    **dict.fromkeys(
        (
            *("duplicates", "allowduplicates", "duplicatesallowed", "duplicate", "notunique"),
            *("nonunique", "duplicated", "repeatable", "allowduplicate"),
        ),
        (_UNIQUE, False),
    ),
    **dict.fromkeys(
        (
            *("isunique", "distinct", "isdistinct", "noduplicates", "noduplicate", "nodups"),
            *("uniqueness", "uniquevalues", "notduplicated", "nonduplicate"),
        ),
        (_UNIQUE, True),
    ),
}
"""Flags of other tools: the key in ODCS, and whether it has the same or the opposite meaning."""

_TRUE = frozenset({"true", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "off", "0"})


def parse_flag(value: object) -> bool | None:
    """Parse a boolean in any spelling, such as `yes` or `0`; None if it is none."""
    word = str(value).strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def flag_hint(key: str, value: object, free: list[str]) -> str:
    """Return what to write instead of another tool's flag; empty if it is not known."""
    letters = re.sub(r"[^a-z]", "", key.lower())
    meant = _MEANINGS.get(letters)
    if meant is None or meant[0] not in free:
        return ""
    name, is_same = meant
    flag = parse_flag(value)
    if flag is not None:
        return f"; write '{name}: {str(flag is is_same).lower()}'"
    how = "same" if is_same else "opposite"
    return f"; expected '{name}: true' or '{name}: false' ('{name}' says the {how})"


def are_antonyms(word: str, other: str) -> bool:
    """Return whether two words say the opposite of each other."""
    mine, theirs = _words(word), _words(other)
    if bool(mine & _NOT) != bool(theirs & _NOT):
        return True
    if (mine & _LOW and theirs & _HIGH) or (mine & _HIGH and theirs & _LOW):
        return True
    one, two = "".join(word.lower().split()), other.lower()
    return _is_negated(one, two) or _is_negated(two, one) or _is_other_end(one, two)


def _words(text: str) -> set[str]:
    return {found.lower() for found in _WORDS.findall(text)}


def _is_negated(one: str, other: str) -> bool:
    """Return whether one word is the other with a prefix that denies it."""
    rests = (
        one.removeprefix(prefix).lstrip("_-") for prefix in _PREFIXES if one.startswith(prefix)
    )
    return any(
        not other.startswith(one[:2])
        and difflib.SequenceMatcher(None, rest, other).ratio() >= _MIN_SIMILARITY
        for rest in rests
    )


def _is_other_end(one: str, other: str) -> bool:
    return any(
        (low in one and high in other and high not in one)
        or (high in one and low in other and low not in one)
        for low, high in _STEMS
    )
