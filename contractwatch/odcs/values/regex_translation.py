"""Translate a pattern of ECMA-262 into Rust's regex dialect."""

import re
from dataclasses import dataclass, field

_MAX_LENGTH = 5_000
_MAX_DEPTH = 100
_MAX_REPEATS = 1_000

_DIGIT = "0-9"
_WORD = "A-Za-z0-9_"
_SPACE = (
    r"\t\n\x{B}\x{C}\r\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}"
    r"\x{3000}\x{FEFF}"
)
_CLASSES = {
    "d": (_DIGIT, False),
    "D": (_DIGIT, True),
    "w": (_WORD, False),
    "W": (_WORD, True),
    "s": (_SPACE, False),
    "S": (_SPACE, True),
}
_CONTROLS = {"t": 0x9, "n": 0xA, "v": 0xB, "f": 0xC, "r": 0xD, "0": 0x0}
_ANY = r"[^\n\r\x{2028}\x{2029}]"
_EVERYTHING = r"[\x{0}-\x{10FFFF}]"
_NOTHING = "[a&&b]"
_RUST_META = frozenset(r"\.+*?()|[]{}^$#&-~")
_QUANTIFIER = re.compile(r"\{(\d{1,9})(?:(,)(\d{1,9})?)?\}")
_GROUP_NAME = re.compile(r"\(\?<[A-Za-z_$][A-Za-z0-9_$]*>")
_PROPERTY = re.compile(r"\{([A-Za-z_]{1,30})\}")
_CATEGORY_NAMES = """
    L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc
    Letter Uppercase_Letter Lowercase_Letter Mark Number Punctuation Symbol Separator
    Alphabetic Uppercase Lowercase White_Space
"""
_CATEGORIES = frozenset(_CATEGORY_NAMES.split())
_LOOK_AROUND = ("(?=", "(?!", "(?<=", "(?<!")


class PatternError(ValueError):
    """The pattern is no regular expression of ECMA-262; the message says why."""


class NotTranslatableError(ValueError):
    """The pattern is valid but has no equivalent in Rust's dialect; the message says why."""


def to_rust(pattern: str) -> str:
    """Return the pattern for an unanchored search by Rust's regex engine.

    Raises:
        PatternError: If it is invalid.
        NotTranslatableError: If it is valid and cannot be expressed.
    """
    if len(pattern) > _MAX_LENGTH:
        raise PatternError(f"the pattern has {len(pattern):,} characters; expected 5,000 at most")
    return _Translation(pattern).whole()


@dataclass(slots=True)
class _Translation:
    """One pass over a pattern; `can_repeat` is whether a quantifier may follow."""

    pattern: str
    at: int = 0
    out: list[str] = field(default_factory=list[str])
    open_groups: int = 0
    can_repeat: bool = False

    def whole(self) -> str:
        """Return the translation."""
        while self.at < len(self.pattern):
            self._step(self.pattern[self.at])
        if self.open_groups:
            raise PatternError("a '(' is not closed")
        return "".join(self.out)

    def _step(self, char: str) -> None:
        match char:
            case "\\":
                self._escape()
            case "[":
                self._class()
            case "(":
                self._open()
            case ")":
                self._close()
            case "*" | "+" | "?":
                self._repeat(char, 1)
            case "{":
                self._braces()
            case "^" | "$" | "|":
                self._emit(char, 1, repeats=False)
            case _:
                self._emit(_ANY if char == "." else _literal(ord(char)), 1)

    def _emit(self, text: str, width: int, *, repeats: bool = True) -> None:
        self.out.append(text)
        self.at += width
        self.can_repeat = repeats

    def _repeat(self, text: str, width: int) -> None:
        if not self.can_repeat:
            raise PatternError(f"nothing to repeat before '{text}'")
        lazy = self.pattern[self.at + width : self.at + width + 1] == "?"
        self._emit(text + ("?" if lazy else ""), width + lazy, repeats=False)

    def _braces(self) -> None:
        found = _QUANTIFIER.match(self.pattern, self.at)
        if found is None:
            self._emit(r"\{", 1)
            return
        low, high = int(found.group(1)), int(found.group(3) or found.group(1))
        if high < low:
            raise PatternError(f"{found.group()} counts down")
        if high > _MAX_REPEATS:
            raise NotTranslatableError(f"pattern repeats more than {_MAX_REPEATS:,} times")
        self._repeat(found.group(), len(found.group()))

    def _open(self) -> None:
        rest = self.pattern[self.at : self.at + 4]
        if rest.startswith(_LOOK_AROUND):
            raise NotTranslatableError("pattern needs look-around or back-references")
        self.open_groups += 1
        if self.open_groups > _MAX_DEPTH:
            raise PatternError("groups are nested too deeply")
        named = _GROUP_NAME.match(self.pattern, self.at)
        if named is not None:
            self._emit("(", len(named.group()), repeats=False)
        elif rest.startswith("(?:"):
            self._emit("(?:", 3, repeats=False)
        elif rest.startswith("(?"):
            raise PatternError(f"'{rest[:3]}' does not exist in ECMA-262")
        else:
            self._emit("(", 1, repeats=False)

    def _close(self) -> None:
        if not self.open_groups:
            raise PatternError("a ')' has no '('")
        self.open_groups -= 1
        self._emit(")", 1)

    def _escape(self) -> None:
        kind = self.pattern[self.at + 1 : self.at + 2]
        if kind in _CLASSES:
            members, negated = _CLASSES[kind]
            self._emit(f"[{'^' if negated else ''}{members}]", 2)
        elif kind == "b":
            self._emit(r"(?-u:\b)", 2, repeats=False)
        elif kind == "B":
            raise NotTranslatableError(r"pattern needs \B")
        elif kind in {"p", "P"}:
            self.at += 2
            self._emit(self._property(kind), 0)
        elif (kind.isdigit() and kind != "0") or kind == "k":
            raise NotTranslatableError("pattern needs look-around or back-references")
        else:
            code = self._code()
            self._emit(_literal(code), 0)

    def _property(self, kind: str) -> str:
        found = _PROPERTY.match(self.pattern, self.at)
        if found is None or found.group(1) not in _CATEGORIES:
            raise NotTranslatableError(rf"pattern needs a rare \{kind}")
        self.at += len(found.group())
        return rf"\{kind}{found.group()}"

    def _code(self) -> int:
        """Read one escaped character, from its backslash, and return its code point."""
        kind = self.pattern[self.at + 1 : self.at + 2]
        if not kind:
            raise PatternError(r"the pattern ends with a single '\'")
        if kind in _CONTROLS:
            self.at += 2
            return _CONTROLS[kind]
        if kind in {"x", "u"}:
            return self._hexadecimal(kind)
        if kind == "c":
            letter = self.pattern[self.at + 2 : self.at + 3]
            if not (letter.isascii() and letter.isalpha()):
                raise PatternError(r"'\c' needs a letter after it")
            self.at += 3
            return ord(letter.upper()) - ord("@")
        if kind.isalnum():
            raise PatternError(rf"'\{kind}' does not exist in ECMA-262")
        self.at += 2
        return ord(kind)

    def _hexadecimal(self, kind: str) -> int:
        forms = r"x([0-9a-fA-F]{2})" if kind == "x" else r"u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]+)\})"
        found = re.compile(r"\\" + forms).match(self.pattern, self.at)
        if found is None:
            raise PatternError(rf"'\{kind}' needs hexadecimal digits after it")
        self.at += len(found.group())
        code = int(next(part for part in found.groups() if part), 16)
        low = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})").match(self.pattern, self.at)
        if 0xD800 <= code < 0xDC00 and low is not None:  # noqa: PLR2004 - the surrogates of UTF-16
            self.at += len(low.group())
            return 0x10000 + ((code - 0xD800) << 10) + int(low.group(1), 16) - 0xDC00
        if 0xD800 <= code < 0xE000 or code > 0x10FFFF:  # noqa: PLR2004 - as above
            raise NotTranslatableError("pattern needs half a surrogate pair")
        return code

    def _class(self) -> None:
        self.at += 1
        negated = self.pattern[self.at : self.at + 1] == "^"
        self.at += negated
        parts: list[str] = []
        while self.pattern[self.at : self.at + 1] != "]":
            if self.at >= len(self.pattern):
                raise PatternError("a '[' is not closed")
            parts.append(self._members())
        if not parts:
            self._emit(_EVERYTHING if negated else _NOTHING, 1)
        else:
            self._emit(f"[{'^' if negated else ''}{''.join(parts)}]", 1)

    def _members(self) -> str:
        """Read one class escape, one character or one range of a character class."""
        first = self._member()
        is_range = self.pattern[self.at : self.at + 1] == "-" and self.pattern[
            self.at + 1 : self.at + 2
        ] not in {"]", ""}
        if isinstance(first, str) or not is_range:
            return first if isinstance(first, str) else _literal(first)
        self.at += 1
        last = self._member()
        if isinstance(last, str):
            return rf"{_literal(first)}\-{last}"
        if last < first:
            raise PatternError("a range of a character class runs backwards")
        return f"{_literal(first)}-{_literal(last)}"

    def _member(self) -> str | int:
        char = self.pattern[self.at]
        if char != "\\":
            self.at += 1
            return ord(char)
        kind = self.pattern[self.at + 1 : self.at + 2]
        if kind in _CLASSES:
            self.at += 2
            members, negated = _CLASSES[kind]
            return f"[^{members}]" if negated else members
        if kind in {"p", "P"}:
            self.at += 2
            return self._property(kind)
        if kind == "b":
            self.at += 2
            return 0x8
        return self._code()


def _literal(code: int) -> str:
    char = chr(code)
    if char in _RUST_META:
        return "\\" + char
    return char if char.isprintable() else f"\\x{{{code:X}}}"
