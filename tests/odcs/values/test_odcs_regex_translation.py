"""A translated pattern matches in Polars what it matches in ECMA-262."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.odcs.values.regex_translation import NotTranslatableError, PatternError, to_rust


@pytest.mark.parametrize(
    ("pattern", "matches", "does_not"),
    [
        (r"^M[0-9]{9}$", "M123456789", "M123456789\n"),
        (r"^\d+$", "12", "\uff11\uff12"),
        (r"^\w$", "_", "\u00e9"),
        (r"^\s$", "\u2003", "x"),
        (r"^[^\s]+$", "ab", "a\u00a0b"),
        (r"^.$", "a", "\u2028"),
        (r"[a&&b]", "&", "c"),
        (r"^[\D]$", "x", "1"),
        (r"\bfoo\b", "a foo", "afoo"),
        (r"^(?<y>\d{4})-\x41\u0042$", "2020-AB", "2020-ab"),
        (r"^[^]$", "\n", "aa"),
        (r"^[]$|^x$", "x", "y"),
        (r"a{,3}$", "a{,3}", "aaa"),
        (r"^\p{L}+$", "\u00e9", "1"),
        (r"^[\p{Lu}\d]+$", "\u00c91", "a"),
        (r"^a-b/c#~<>$", "a-b/c#~<>", "a"),
        (r"^[a\-z\]\\]+$", "-]\\", "b"),
        (r"^\ud83d\ude00$", "\U0001f600", "x"),
        (r"^\cA\0$", "\x01\x00", ""),
        (r"^[\w-z]$", "-", "!"),
        (r"^a+?b*?$", "aab", "ba"),
        (r"^[--\/]$", ".", "0"),
        (r"^[[a]$", "[", "]"),
    ],
)
def test_a_pattern_keeps_its_meaning(pattern: str, matches: str, does_not: str) -> None:
    texts = pl.Series([matches, does_not])
    assert texts.str.contains(to_rust(pattern), strict=True).to_list() == [True, False]


@pytest.mark.parametrize("pattern", [r"(?=a)", r"(?!a)b", r"(?<=a)b", r"(?<!a)b", r"(a)\1", r"\B"])
def test_what_rust_cannot_do_is_not_approximated(pattern: str) -> None:
    with pytest.raises(NotTranslatableError):
        to_rust(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a",
        "a)",
        "[a",
        "[z-a]",
        "*a",
        "a**",
        "^*",
        "(?i)a",
        r"\A",
        "a{3,1}",
        "a" * 6000,
        "\\",
        r"\x",
    ],
)
def test_an_invalid_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        to_rust(pattern)


@given(st.text(alphabet=r"ab01.\dwsS[]()^$|*+?{},-:<>&~#pux ", max_size=14))
@settings(max_examples=60, deadline=None)
def test_whatever_is_translated_is_valid_for_polars(pattern: str) -> None:
    try:
        translated = to_rust(pattern)
    except (PatternError, NotTranslatableError):
        return
    pl.Series(["ab01"]).str.contains(translated, strict=True)
