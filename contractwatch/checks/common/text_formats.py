"""Regular expressions and ranges of the text formats that are checked.

They are ASCII only, so that all engines agree.
"""

from collections.abc import Mapping

_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"(?:{_BYTE}\.){{3}}{_BYTE}"
_HEX = "[0-9A-Fa-f]{1,4}"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_IPV6_ENDS = (
    *(f"(?:{_HEX}:){{{left}}}(?::{_HEX}){{1,{7 - left}}}" for left in range(1, 7)),
    f"(?:{_HEX}:){{1,7}}:",
    f":(?::{_HEX}){{1,7}}",
    f"(?:{_HEX}:){{7}}{_HEX}",
    f"(?:{_HEX}:){{6}}{_IPV4}",
    *(f"(?:{_HEX}:){{{left}}}(?::{_HEX}){{0,{5 - left}}}:{_IPV4}" for left in range(1, 6)),
    f"::(?:{_HEX}:){{0,5}}{_IPV4}",
    "::",
)

FORMAT_PATTERNS: Mapping[str, str] = {
    "uuid": "^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$",
    "ipv4": f"^{_IPV4}$",
    "ipv6": f"^(?:{'|'.join(_IPV6_ENDS)})$",
    "email": rf"^[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_HOST}$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]+$",
    "hostname": f"^{_HOST}$",
}
"""Formats of a `string` column; the e-mail address is the one of the HTML standard."""

INTEGER_RANGES: Mapping[str, tuple[int, int]] = {
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64, 128)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64, 128)},
}
"""Formats of an `integer` column: the smallest and the largest number."""
