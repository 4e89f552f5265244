"""A version lies in a range as Semantic Versioning orders it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.model.base.version_range import parse_range, parse_version

ORDERED = ("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2")
ORDERED += ("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.1.0", "1.10.0", "2.0.0")


@given(st.integers(0, len(ORDERED) - 1), st.integers(0, len(ORDERED) - 1))
@settings(max_examples=30, deadline=None)
def test_versions_are_ordered_as_the_standard_lists_them(first: int, second: int) -> None:
    version = parse_version(ORDERED[first])
    assert version is not None
    for operator, expected in (
        (">", first > second),
        (">=", first >= second),
        ("<", first < second),
        ("<=", first <= second),
        ("=", first == second),
    ):
        found = parse_range(f"{operator}{ORDERED[second]}")
        assert found is not None
        assert found.contains(version) is expected


@pytest.mark.parametrize(
    ("written", "inside", "outside"),
    [
        (">=2.0.0 <3.0.0", ("2.0.0", "2.9.9+build.1"), ("1.9.9", "3.0.0")),
        (">= 2.0, < 3", ("2.0.0",), ("3.0.0",)),
        ("2.1.0", ("2.1.0", "v2.1.0+x"), ("2.1.1", "2.1.0-rc.1")),
        ("^1.2", ("1.2.0", "1.99.0"), ("1.1.9", "2.0.0")),
        ("^0.2.3", ("0.2.3", "0.2.9"), ("0.3.0",)),
        ("~1.2.3", ("1.2.3", "1.2.9"), ("1.3.0",)),
        ("", ("0.0.1",), ()),
        ("*", ("7.0.0",), ()),
    ],
)
def test_a_range_holds_what_it_says(
    written: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    found = parse_range(written)
    assert found is not None
    assert [text for text in (*inside, *outside) if found.contains(parse_version(text))] == list(
        inside
    )


@pytest.mark.parametrize("written", ["latest", ">=", "1.2.3 || 2", ">=a.b", "1.x", "=>1.0"])
def test_what_is_no_range_is_none(written: str) -> None:
    assert parse_range(written) is None
