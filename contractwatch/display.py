"""Escape invisible characters, and those that move a cursor, before text is shown."""

from collections.abc import Mapping, Sequence
from typing import cast

_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\ufe00\ufe01\ufe02\ufe03"
    "\ufe04\ufe05\ufe06\ufe07\ufe08\ufe09\ufe0a\ufe0b\ufe0c\ufe0d\ufe0e\ufe0f\uffa0"
)
"""Characters that count as printable and leave no mark: fillers, joiners, variation selectors."""

_FIRST_SELECTOR, _LAST_SELECTOR = "\U000e0100", "\U000e01ef"
_BYTE, _SHORT = 0xFF, 0xFFFF


def is_visible(character: str) -> bool:
    """Whether a character leaves a mark and does nothing else; the ordinary space counts."""
    return (
        character.isprintable()
        and character not in _BLANK
        and not _FIRST_SELECTOR <= character <= _LAST_SELECTOR
    )


def visible(text: str, *, keep: str = "\n") -> str:
    r"""Return the text with escapes such as `\x1b` and `\u202e` for all that is not visible.

    Args:
        text: Words of a contract, of the data or of a request.
        keep: Characters that stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in keep or is_visible(one) else escape_of(one) for one in text)


def visible_data(data: Mapping[str, object]) -> dict[str, object]:
    """Return the data with every text in them made visible on one line, at any depth."""
    return cast("dict[str, object]", _visible_within(data))


def _visible_within(value: object) -> object:
    match value:
        case str():
            return visible(value, keep="")
        case Mapping():
            named = cast("Mapping[str, object]", value)
            return {name: _visible_within(inner) for name, inner in named.items()}
        case list() | tuple():
            return [_visible_within(inner) for inner in cast("Sequence[object]", value)]
        case _:
            return value


def escape_of(character: str) -> str:
    r"""Return how a character is written as an escape: `\x1b`, `\u202e`, `\U000e0001`."""
    code = ord(character)
    if code <= _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _SHORT else f"\\U{code:08x}"


def escape_json(document: str) -> str:
    r"""Return a JSON document that says the same, with all that is not visible as `\u202e`."""
    if document.isascii() and document.isprintable():
        return document
    return "".join(one if one == "\n" or is_visible(one) else _json_escape(one) for one in document)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
