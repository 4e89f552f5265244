"""Which patterns every database runs in the same way, and how they are written for it."""

import pytest

from contractwatch.engines.sql.patterns import portable_pattern

PORTABLE = {
    "^a$": "^a$",
    "^[A-Z]{2}-[0-9]+$": "^[A-Z]{2}-[0-9]+$",
    "(?:a|b)c?": "(a|b)c?",
    r"^\+[1-9][0-9]{1,14}$": r"^\+[1-9][0-9]{1,14}$",
    r"[a\-z_.]": r"[a\-z_\.]",
    "^$": "^$",
    "ä": "ä",
    "[^@ ]+@[^@ ]+": "[^@ ]+@[^@ ]+",
}
NOT_PORTABLE = [
    r"^\w+$", r"\d", r"\bword\b", ".", "a.c", "(?=a)b", "(?i)a", "(?P<x>a)", "[[:alpha:]]",
    r"\p{L}", "a+?", "a++", "a**", "[a&&b]", "(|a)", "a||b", "[]a]", "[b-a]", "a{2000}", "a{3,2}",
    "(", ")", "[", "a{", "\\", "^*", "***:a", "(?#x)", "a\nb", "[ä]", "$+",
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "written"), PORTABLE.items())
def test_a_portable_pattern_is_written_for_the_database(pattern: str, written: str) -> None:
    assert portable_pattern(pattern, repeats=255, end="$") == written


@pytest.mark.parametrize("pattern", NOT_PORTABLE)
def test_a_pattern_that_engines_read_differently_is_not_portable(pattern: str) -> None:
    assert portable_pattern(pattern, repeats=255, end="$") is None


def test_the_end_of_the_text_is_written_as_the_database_does() -> None:
    assert portable_pattern("^a$", repeats=255, end=r"\z") == r"^a\z"
    assert portable_pattern(r"a\$", repeats=255, end=r"\z") == r"a\$"


def test_a_deep_pattern_is_not_portable() -> None:
    assert portable_pattern("(" * 500 + "a" + ")" * 500, repeats=255, end="$") is None
