"""Portable part of regular expressions: patterns that every database runs in the same way.

Character classes by name, word boundaries, look-around, flags and Unicode properties differ between
engines, and so does what `.` leaves out; a pattern with one of them is not portable.
"""

import re

_PLAIN = re.compile(r"[^\\^$.|?*+()\[\]{}]")
_ESCAPED = re.compile(r"\\([\\^$.|?*+()\[\]{}/\-])")
_REPEATED = re.compile(r"[?*+]|\{(\d{1,4})(?:,(\d{0,4}))?\}")
_MOST_DEPTH = 20
_CLASS_SPECIAL = frozenset("\\^]-[&~|:.=")
_FIRST_VISIBLE, _LAST_ASCII = 0x20, 0x7E


def portable_pattern(pattern: str, *, repeats: int, end: str) -> str | None:
    """Return the pattern for a database, or None if it is not portable.

    Args:
        pattern: The pattern, in the dialect of Rust or of ECMA-262.
        repeats: The greatest count of a repetition that the database takes.
        end: How the database writes the end of the text.
    """
    parsed = _Parser(pattern, repeats, end)
    written = parsed.alternatives(0)
    return written if written is not None and parsed.at == len(pattern) else None


class _Parser:
    """Recursive descent over a pattern; each method returns the rewritten part or None."""

    def __init__(self, pattern: str, repeats: int, end: str) -> None:
        self.pattern = pattern
        self.repeats = repeats
        self.end = end
        self.at = 0

    def alternatives(self, depth: int) -> str | None:
        if depth > _MOST_DEPTH:
            return None
        written: list[str] = []
        while True:
            sequence = self._sequence(depth)
            if sequence is None:
                return None
            written.append(sequence)
            if not self._takes("|"):
                return "|".join(written)

    def _sequence(self, depth: int) -> str | None:
        written: list[str] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            part = self._part(depth)
            if part is None:
                return None
            written.append(part)
        # Whether a database takes an empty alternative is not portable either.
        return "".join(written) if written else None

    def _part(self, depth: int) -> str | None:
        if self._takes("^"):
            return "^" if not self._is_repeated() else None
        if self._takes("$"):
            return self.end if not self._is_repeated() else None
        atom = self._atom(depth)
        return None if atom is None else self._with_repetition(atom)

    def _atom(self, depth: int) -> str | None:
        if self._takes("(?:") or self._takes("("):
            inner = self.alternatives(depth + 1)
            return f"({inner})" if inner is not None and self._takes(")") else None
        if self._takes("["):
            return self._class()
        escaped = _ESCAPED.match(self.pattern, self.at)
        if escaped:
            self.at = escaped.end()
            return _literal(escaped[1])
        plain = _PLAIN.match(self.pattern, self.at)
        if not plain or not _is_portable(plain[0]):
            return None
        self.at = plain.end()
        return _literal(plain[0])

    def _with_repetition(self, atom: str) -> str | None:
        found = _REPEATED.match(self.pattern, self.at)
        if not found:
            return atom
        self.at = found.end()
        counts = [int(one) for one in found.groups() if one]
        if any(count > self.repeats for count in counts) or counts != sorted(counts):
            return None
        if self._is_repeated():  # lazy, possessive or repeated again
            return None
        return f"{atom}{found[0]}"

    def _is_repeated(self) -> bool:
        return bool(_REPEATED.match(self.pattern, self.at))

    def _class(self) -> str | None:
        negated = "^" if self._takes("^") else ""
        members: list[str] = []
        while not self._takes("]"):
            first = self._member()
            if first is None:
                return None
            last = first
            if self.pattern.startswith("-", self.at) and not self.pattern.startswith("-]", self.at):
                self.at += 1
                found = self._member()
                if found is None or found < first:
                    return None
                last = found
            members.append(_member(first) if first == last else f"{_member(first)}-{_member(last)}")
        return f"[{negated}{''.join(members)}]" if members else None

    def _member(self) -> str | None:
        escaped = _ESCAPED.match(self.pattern, self.at)
        if escaped:
            self.at = escaped.end()
            return escaped[1]
        letter = self.pattern[self.at : self.at + 1]
        is_plain = letter and _FIRST_VISIBLE <= ord(letter) <= _LAST_ASCII
        if not is_plain or (letter in _CLASS_SPECIAL and letter not in "-.|:="):
            return None
        self.at += 1
        return letter

    def _takes(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.at):
            return False
        if text == "(" and self.pattern.startswith("(?", self.at):
            return False  # a flag, a name or a look-around
        self.at += len(text)
        return True


def _is_portable(letter: str) -> bool:
    return letter.isprintable() and letter not in "#"  # a comment in some modes


def _literal(letter: str) -> str:
    return f"\\{letter}" if letter in "\\^$.|?*+()[]{}" else letter


def _member(letter: str) -> str:
    return f"\\{letter}" if letter in _CLASS_SPECIAL else letter
