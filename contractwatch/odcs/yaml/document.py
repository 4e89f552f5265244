"""Load YAML as plain values with their lines, without the traps of YAML 1.1.

Plain scalars are typed by the core schema of YAML 1.2 (section 10.3.2): `no`, `1:30` and dates are
text. Duplicate keys, foreign tags, aliases of absurd size and deep nesting are refused.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import yaml
from yaml.reader import Reader

from contractwatch.errors import ContractError, Level, Problem

MAX_BYTES = 5_000_000
MAX_VALUES = 200_000
MAX_DEPTH = 64
MAX_PATH_LENGTH = 500
_MAX_DIGITS = 300

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_MAYBE_NUMBER = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_FLOATS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_GROUPED = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?")
_OLD_OCTAL = re.compile(r"[-+]?0[0-7]+")
_MAYBE_COMMENT = re.compile(r"(?<!\S)#")
_TAG = "tag:yaml.org,2002:"
_BLOCKS = frozenset("|>")
_PLAIN_TAGS = {_TAG + "int": int, _TAG + "float": float, _TAG + "bool": bool}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its values, their lines, and what is wrong with its text.

    `lines` holds the line of every document path such as `schema[0].properties[2].required`;
    `written` the source text of every number, boolean and null. `fingerprint` is the SHA-256 of
    the bytes in hex. `notes` are warnings. `mistakes` are errors that leave the rest of the text
    readable, such as a duplicate key.
    """

    file: str
    fingerprint: str
    data: Mapping[str, object]
    lines: Mapping[str, int]
    written: Mapping[str, str]
    notes: tuple[Problem, ...] = ()
    mistakes: tuple[Problem, ...] = ()

    def line_of(self, path: str) -> int:
        """Return the line of a path, else of its nearest ancestor, else 1."""
        while path:
            line = self.lines.get(path)
            if line is not None:
                return line
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return 1


def load_yaml(text: str | bytes, file: str) -> Document:
    """Parse one YAML 1.2 document whose root is a mapping.

    Raises:
        ContractError: With every problem found. Nothing else is raised, whatever the text is.
    """
    document = load_yaml_lenient(text, file)
    if document.mistakes:
        raise ContractError(document.mistakes)
    return document


def load_yaml_lenient(text: str | bytes, file: str) -> Document:
    """Parse one YAML 1.2 document as `load_yaml` does, but keep its mistakes in the result.

    Raises:
        ContractError: If it is no YAML, or no mapping, or too large.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    source = _decode(raw, file)
    builder = _DocumentBuilder(file, source)
    data = builder.document()
    return Document(
        file=file,
        fingerprint=hashlib.sha256(raw).hexdigest(),
        data=data,
        lines=builder.lines,
        written=builder.written,
        notes=tuple(builder.notes),
        mistakes=tuple(builder.errors),
    )


def has_comments(raw: bytes) -> bool:
    """Return whether a valid YAML text has comments: `#` outside of values."""
    source = raw.decode("utf-8-sig")
    starts = [found.start() for found in _MAYBE_COMMENT.finditer(source)]
    comments_in_values = 0
    for token in yaml.scan(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(token, yaml.ScalarToken):
            start, end = token.start_mark.index, token.end_mark.index
            if token.style in _BLOCKS:
                # a comment may follow the indicator of a block scalar
                start = max(start, source.find("\n", start))
            comments_in_values += bisect_left(starts, end) - bisect_left(starts, start)
    return comments_in_values < len(starts)


def child_path(path: str, key: str | int) -> str:
    """Return the document path of an entry of the mapping or list at `path`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _decode(raw: bytes, file: str) -> str:
    if len(raw) > MAX_BYTES:
        raise _error(file, 0, f"the file has {len(raw):,} bytes; expected at most 5 MB")
    try:
        source = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise _error(file, line, "the text is not UTF-8; expected a UTF-8 file") from wrong
    # PyYAML's compiled set of characters; compiling another one takes a hundredth of a second
    odd = Reader.NON_PRINTABLE.search(source)
    if odd is not None:
        line = source.count("\n", 0, odd.start()) + 1
        code = f"U+{ord(odd.group()):04X}"
        raise _error(file, line, f"control character {code}; expected printable text")
    return source


def _error(file: str, line: int, message: str, path: str = "") -> ContractError:
    return ContractError((Problem(file, line, path, message),))


@dataclass(slots=True)
class _Anchor:
    """An anchored value; not `ready` while it is still being read."""

    value: object = None
    size: int = 0
    ready: bool = False


@dataclass(slots=True)
class _DocumentBuilder:
    """Builds a document from the parser's events, keeping lines by path."""

    file: str
    source: str
    lines: dict[str, int] = field(default_factory=dict[str, int])
    written: dict[str, str] = field(default_factory=dict[str, str])
    errors: list[Problem] = field(default_factory=list[Problem])
    notes: list[Problem] = field(default_factory=list[Problem])
    anchors: dict[str, _Anchor] = field(default_factory=dict[str, _Anchor])
    values: int = 0
    parser: Any = None

    def document(self) -> Mapping[str, object]:
        """Return the root mapping."""
        # the parser of libyaml, if PyYAML has it, is ten times as fast as the one in Python
        self.parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(self.source)
        try:
            return self._document()
        except yaml.MarkedYAMLError as wrong:
            mark = wrong.problem_mark or wrong.context_mark
            line = mark.line + 1 if mark is not None else 0
            raise _error(self.file, line, _syntax_message(wrong)) from wrong
        except yaml.YAMLError as wrong:
            raise _error(self.file, 0, "not valid YAML; expected one YAML document") from wrong
        finally:
            self.parser.dispose()

    def _document(self) -> Mapping[str, object]:
        self.parser.get_event()
        if self.parser.check_event(yaml.StreamEndEvent):
            raise _error(self.file, 0, "the file is empty; expected a data contract")
        self.parser.get_event()
        root = self._value(self.parser.get_event(), "", 0)
        self.parser.get_event()
        after = self.parser.get_event()
        if not isinstance(after, yaml.StreamEndEvent):
            line = _line(after)
            raise _error(self.file, line, "a second document starts here; expected one per file")
        if root is None:
            raise _error(self.file, 0, "the file is empty; expected a data contract")
        if not isinstance(root, dict):
            raise _error(self.file, 1, "the file is not a mapping; expected 'apiVersion: v3.1.0'")
        return cast("dict[str, object]", root)

    def _value(self, event: Any, path: str, depth: int) -> object:
        self._count(1, event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, depth)
        anchor = _Anchor()
        if event.anchor is not None:
            self.anchors[event.anchor] = anchor
        before = self.values
        if isinstance(event, yaml.ScalarEvent):
            anchor.value = self._scalar(event, path)
        elif depth >= MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels; expected a data contract"
            raise _error(self.file, _line(event), message)
        elif isinstance(event, yaml.MappingStartEvent):
            anchor.value = self._mapping(event, path, depth)
        else:
            anchor.value = self._sequence(event, path, depth)
        anchor.size, anchor.ready = self.values - before, True
        return anchor.value

    def _count(self, more: int, event: Any) -> None:
        self.values += more
        if self.values > MAX_VALUES:
            message = f"more than {MAX_VALUES:,} values, aliases expanded; expected a data contract"
            raise _error(self.file, _line(event), message)

    def _mapping(self, event: Any, path: str, depth: int) -> dict[str, object]:
        self._refuse_tag(event, path, "map")
        found: dict[str, object] = {}
        merged: list[tuple[object, int]] = []
        while not isinstance(entry := self.parser.get_event(), yaml.MappingEndEvent):
            line = _line(entry)
            key = self._key(entry, path)
            here = child_path(path, key)
            if len(here) > MAX_PATH_LENGTH:
                raise _error(self.file, line, "a key of absurd length; expected a short word")
            is_merge = key == "<<" and entry.implicit[0]
            if not is_merge and key in found:
                self._error(line, here, f"duplicate key '{key}'; expected it once")
            if not is_merge:
                self.lines.setdefault(here, line)
            value = self._value(self.parser.get_event(), here, depth + 1)
            if is_merge:
                merged.append((value, line))
            else:
                found[key] = value
        for value, line in merged:
            self._merge(found, value, path, line)
        return found

    def _key(self, event: Any, path: str) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _error(self.file, _line(event), "a key that is no text; expected a word", path)
        name: str = event.value
        if event.implicit[0] and not isinstance(_resolve_scalar(name), str):
            shown = name or "null"
            self._error(_line(event), path, f"key {shown} is no text; put it in quotes")
        return name

    def _merge(self, found: dict[str, object], value: object, path: str, line: int) -> None:
        """Add the entries of YAML's merge key `<<` that are not set yet."""
        sources = cast("list[object]", value) if isinstance(value, list) else [value]
        for source in sources:
            if not isinstance(source, dict):
                self._error(line, path, "'<<' needs a mapping; expected an alias of a mapping")
                continue
            for key, entry in cast("dict[str, object]", source).items():
                if key not in found:
                    found[key] = entry
                    here = child_path(path, key)
                    self.lines.setdefault(here, line)
                    self._set_lines(entry, here, line, 0)

    def _sequence(self, event: Any, path: str, depth: int) -> list[object]:
        self._refuse_tag(event, path, "seq")
        found: list[object] = []
        while not isinstance(entry := self.parser.get_event(), yaml.SequenceEndEvent):
            here = f"{path}[{len(found)}]"
            self.lines[here] = _line(entry)
            found.append(self._value(entry, here, depth + 1))
        return found

    def _scalar(self, event: Any, path: str) -> object:
        text = cast("str", event.value)
        if event.tag is not None and event.tag != "!":
            return self._tagged(event, text, path)
        if not event.implicit[0]:
            return text
        try:
            value = _resolve_scalar(text)
        except ValueError:
            self._error(_line(event), path, "a number of absurd length; expected fewer digits")
            return None
        if not isinstance(value, str):
            self.written[path] = text
        self._lint_number(event, text, path)
        return value

    def _lint_number(self, event: Any, text: str, path: str) -> None:
        if not text or text[0] not in _MAYBE_NUMBER:
            return
        if _OLD_OCTAL.fullmatch(text):
            self._note(_line(event), path, f"{text} is read as a decimal number; quote it as text")
        elif _GROUPED.fullmatch(text):
            self._note(_line(event), path, f"{text} is read as text; write a number without '_'")

    def _tagged(self, event: Any, text: str, path: str) -> object:
        kind = _PLAIN_TAGS.get(event.tag)
        if event.tag == _TAG + "str":
            return text
        try:
            value = _resolve_scalar(text) if len(text) < _MAX_DIGITS else None
        except ValueError:
            value = None
        if event.tag == _TAG + "null" and value is None:
            return None
        if kind is not None and type(value) is kind:
            return value
        shown = str(event.tag).replace(_TAG, "!!")
        raise _error(self.file, _line(event), f"tag {shown} is not allowed; remove it", path)

    def _refuse_tag(self, event: Any, path: str, kind: str) -> None:
        if event.tag is not None and event.tag not in {"!", _TAG + kind}:
            shown = str(event.tag).replace(_TAG, "!!")
            raise _error(self.file, _line(event), f"tag {shown} is not allowed; remove it", path)

    def _alias(self, event: Any, path: str, depth: int) -> object:
        anchored = self.anchors.get(event.anchor)
        if anchored is None:
            self._error(_line(event), path, f"alias '*{event.anchor}' has no anchor before it")
            return None
        if not anchored.ready:
            self._error(_line(event), path, f"alias '*{event.anchor}' contains itself")
            return None
        self._count(anchored.size, event)
        self._set_lines(anchored.value, path, _line(event), depth)
        return anchored.value

    def _set_lines(self, value: object, path: str, line: int, depth: int) -> None:
        """Set the line of every path below an alias to the line of the alias."""
        if depth > MAX_DEPTH:
            raise _error(self.file, line, f"nested deeper than {MAX_DEPTH} levels by aliases")
        if isinstance(value, dict):
            entries = list(cast("dict[str, object]", value).items())
        elif isinstance(value, list):
            entries = list(enumerate(cast("list[object]", value)))
        else:
            return
        for key, entry in entries:
            here = child_path(path, key)
            self.lines.setdefault(here, line)
            self._set_lines(entry, here, line, depth + 1)

    def _error(self, line: int, path: str, message: str) -> None:
        self.errors.append(Problem(self.file, line, path, message))

    def _note(self, line: int, path: str, message: str) -> None:
        self.notes.append(Problem(self.file, line, path, message, Level.WARNING))


def _resolve_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a plain scalar by the core schema of YAML 1.2.

    Raises:
        ValueError: If it is a number of absurd length.
    """
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] not in _MAYBE_NUMBER:
        return text
    return _parse_number(text)


def _parse_number(text: str) -> str | int | float:
    is_decimal = _DECIMAL.fullmatch(text) is not None
    is_other = not is_decimal and _OTHER_BASE.fullmatch(text) is not None
    if (is_decimal or is_other) and len(text) > _MAX_DIGITS:
        raise ValueError(text[:_MAX_DIGITS])
    if is_decimal:
        return int(text)
    if is_other:
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _ODD_FLOATS.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _line(event: Any) -> int:
    return cast("int", event.start_mark.line) + 1


def _syntax_message(wrong: yaml.MarkedYAMLError) -> str:
    what = wrong.problem or "unexpected text"
    context = f" {wrong.context}" if wrong.context else ""
    return f"not valid YAML: {what}{context}"
