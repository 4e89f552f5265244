import ipaddress
import re
import uuid

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contractwatch.checks.common.text_formats import FORMAT_PATTERNS, INTEGER_RANGES

_IPV4 = re.compile(FORMAT_PATTERNS["ipv4"])
_IPV6 = re.compile(FORMAT_PATTERNS["ipv6"])


def _is_address(kind: type, text: str) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


@settings(max_examples=60)
@given(st.ip_addresses(v=6), st.data())
def test_every_spelling_of_an_ipv6_address_is_one(
    address: ipaddress.IPv6Address, data: st.DataObject
) -> None:
    assert _IPV6.search(address.compressed)
    assert _IPV6.search(address.exploded)
    groups = data.draw(st.lists(st.sampled_from(["", "0", "a1", "1.2.3.4"]), max_size=9))
    text = ":".join(groups)
    assert bool(_IPV6.search(text)) == _is_address(ipaddress.IPv6Address, text), text


@pytest.mark.parametrize(
    "text",
    [
        "::",
        "::1",
        "1::",
        "1:2:3:4:5:6:7:8",
        "1::8",
        "::ffff:1.2.3.4",
        "1:2:3:4:5:6:1.2.3.4",
        "1::3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1:2:3:4:5::1.2.3.4",
    ],
)
def test_short_spellings_of_ipv6_are_accepted(text: str) -> None:
    assert _is_address(ipaddress.IPv6Address, text)
    assert _IPV6.search(text)


@pytest.mark.parametrize("text", ["", ":", ":::", "1:2", "1:2:3:4:5:6:7:8:9", "12345::", "g::"])
def test_what_is_no_ipv6_address_is_refused(text: str) -> None:
    assert not _IPV6.search(text)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["0", "01", "9", "99", "255", "256", ""]), min_size=3, max_size=5))
@example(["1", "2", "3", "4"])
def test_ipv4_agrees_with_the_standard_library(parts: list[str]) -> None:
    text = ".".join(parts)
    assert bool(_IPV4.search(text)) == _is_address(ipaddress.IPv4Address, text)


@settings(max_examples=30)
@given(st.uuids())
def test_every_uuid_is_one(value: uuid.UUID) -> None:
    pattern = re.compile(FORMAT_PATTERNS["uuid"])
    assert pattern.search(str(value))
    assert pattern.search(str(value).upper())
    assert not pattern.search(value.hex)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("email", "a.b+c@example.org", "a@b@example.org"),
        ("email", "o'neil@localhost", "no-at.example.org"),
        ("uri", "https://example.org/a?b=c#d", "example.org/a"),
        ("uri", "urn:isbn:0451450523", "http://with space"),
        ("hostname", "a-1.example.org", "-a.example.org"),
        ("hostname", "localhost", "a..b"),
    ],
)
def test_a_text_format_knows_its_own(name: str, good: str, bad: str) -> None:
    assert re.search(FORMAT_PATTERNS[name], good)
    assert not re.search(FORMAT_PATTERNS[name], bad)


def test_integer_formats_have_the_range_of_their_bits() -> None:
    assert INTEGER_RANGES["i16"] == (-32768, 32767)
    assert INTEGER_RANGES["u8"] == (0, 255)
    assert len(INTEGER_RANGES) == 10
