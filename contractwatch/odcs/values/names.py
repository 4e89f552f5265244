"""Check the names of products, domains and tables: visible, unambiguous, safe in an address."""

import unicodedata

from contractwatch.display import escape_of, is_visible
from contractwatch.odcs.yaml.node import Findings, YamlNode

RESERVED = frozenset({"gate", "trust"})
"""Last parts of URLs about a product, as `/api/v1/products/orders/gate`: no product's name."""

MAX_NAME_LENGTH = 200
"""In characters. Normalizing a very long name takes minutes."""

_MAX_MARKS = 4
_DOT_FOLDERS = frozenset({".", ".."})
_MAX_SHOWN = 60


def check_product_name(node: YamlNode, name: str, findings: Findings) -> None:
    """Report an invalid product name at its node."""
    problem = character_problem(name)
    if not problem and "/" in name:
        problem = "it contains '/'; expected one part: write what is before it into 'domain'"
    if not problem and name in _DOT_FOLDERS:
        problem = "it means a folder in an address; expected a word"
    if not problem and name.casefold() in RESERVED:
        problem = "it is the end of an address of contractwatch; expected another word"
    if problem:
        _refuse(node, "name", name, problem, findings)


def check_domain(node: YamlNode, domain: str, findings: Findings) -> None:
    """Report an invalid domain at its node; it may have several parts, as `sales/eu`."""
    problem = character_problem(domain)
    parts = domain.split("/")
    if not problem and any(not part.strip() for part in parts):
        problem = "a part of it is empty; expected a word on each side of '/'"
    if not problem and any(part != part.strip() for part in parts):
        problem = "a blank is next to '/'; expected none"
    if not problem and not _DOT_FOLDERS.isdisjoint(parts):
        problem = "a part of it means a folder in an address; expected words"
    if problem:
        _refuse(node, "domain", domain, problem, findings)


def check_table_name(node: YamlNode, name: str, findings: Findings) -> None:
    """Report an invalid table name at its node."""
    problem = character_problem(name)
    if not problem and name in _DOT_FOLDERS:
        problem = "it means a folder; expected a word"
    if problem:
        _refuse(node, "table's name", name, problem, findings)


def character_problem(name: str) -> str:
    """Return what is wrong with the characters of a name; empty if nothing is.

    A name is in Unicode's composed form (NFC), begins with no combining mark, and has visible
    characters only; the one blank allowed is the ordinary space.
    """
    if len(name) > MAX_NAME_LENGTH:
        return f"it has {len(name):,} characters; expected {MAX_NAME_LENGTH} at most"
    hidden = next((one for one in name if not is_visible(one)), "")
    if hidden:
        shown = escape_of(hidden)
        return f"it holds {shown} ({_character_kind(hidden)}); expected visible characters only"
    kinds = "".join(unicodedata.category(one)[0] for one in name)
    if "M" * (_MAX_MARKS + 1) in kinds:
        return f"one letter has more than {_MAX_MARKS} marks; expected fewer"
    if name and unicodedata.category(name[0]).startswith("M"):
        return f"it begins with the mark {escape_of(name[0])}; expected a letter before it"
    if unicodedata.normalize("NFC", name) != name:
        return "it is not in Unicode's composed form (NFC); expected composed letters: type it anew"
    return ""


def _character_kind(character: str) -> str:
    category = unicodedata.category(character)
    if unicodedata.bidirectional(character) in _BIDI_CONTROLS:
        return "turns the direction of the text"
    kinds = {
        "Cc": "a control character",
        "Cf": "a format character",
        "Co": "a character without a meaning",
        "Cn": "a character that is not assigned",
        "Zs": "a blank that is no ordinary space",
        "Zl": "a line break",
        "Zp": "a line break",
    }
    return kinds.get(category, "leaves no mark")


_BIDI_CONTROLS = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def _refuse(node: YamlNode, what: str, name: str, problem: str, findings: Findings) -> None:
    shown = name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}..."
    findings.error(node, f"the {what} '{shown}' cannot be used: {problem}")
