"""A value of a document with its path, and the findings about a document."""

import difflib
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import cast

from contractwatch.errors import Level, Problem
from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.base.objective import Objective
from contractwatch.model.contract.contract import SkippedClause
from contractwatch.odcs.yaml.antonyms import are_antonyms
from contractwatch.odcs.yaml.document import Document, child_path
from contractwatch.odcs.yaml.path_removal import REMOVED

VENDOR = "contractwatch"
_PREFIX = "contractwatch."
_LOOSE_PREFIX = re.compile(r"contract[\s_-]?watch[\s._:/-]+(.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class YamlNode:
    """A value of the document and its path; `value` is None where there is none.

    Reading never fails: what has another shape than expected reads as absent, because the official
    schema reports it.
    """

    document: Document
    path: str
    value: object

    @property
    def clause(self) -> Clause:
        """The path and line of this node."""
        return Clause(self.path, self.document.line_of(self.path))

    def at(self, key: str) -> "YamlNode":
        """Return the node at a key of a mapping."""
        value = self.mapping().get(key)
        return YamlNode(self.document, child_path(self.path, key), value)

    def mapping(self) -> dict[str, object]:
        """Return the value as a mapping, empty if it is none."""
        return cast("dict[str, object]", self.value) if isinstance(self.value, dict) else {}

    def entries(self) -> tuple["YamlNode", ...]:
        """Return the entries of a mapping, in the order of the file."""
        return tuple(self.at(key) for key in self.mapping())

    def each(self) -> tuple["YamlNode", ...]:
        """Return the items of a list without removed ones; empty if it is none."""
        if not isinstance(self.value, list):
            return ()
        items = cast("list[object]", self.value)
        return tuple(
            YamlNode(self.document, child_path(self.path, index), item)
            for index, item in enumerate(items)
            if item is not REMOVED
        )

    def has(self, key: str) -> bool:
        """Return whether the mapping has a key."""
        return key in self.mapping()

    def text(self, key: str) -> str:
        """Return the text at a key, stripped; empty if there is none."""
        value = self.mapping().get(key)
        return value.strip() if isinstance(value, str) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the texts of the list at a key."""
        return tuple(item.value for item in self.at(key).each() if isinstance(item.value, str))

    def flag(self, key: str) -> bool | None:
        """Return the boolean at a key."""
        value = self.mapping().get(key)
        return value if isinstance(value, bool) else None

    def extension(self, name: str) -> "YamlNode | None":
        """Return the node of the custom property `contractwatch.<name>`, in either spelling."""
        for entry in self.at("customProperties").each():
            if extension_name(entry) == name:
                return entry.at("value")
        return None


def extension_name(entry: YamlNode) -> str:
    """Return the name of one of our custom properties without its prefix; else empty."""
    name = entry.text("property")
    if name.startswith(_PREFIX):
        return name.removeprefix(_PREFIX)
    is_ours = unprefixed_name(name) or entry.text("vendor").casefold() == VENDOR
    return name if is_ours else ""  # a misspelt prefix is reported as unknown


def unprefixed_name(written: str) -> str:
    """Return the name after our prefix, however it is spelt; empty if there is none."""
    return found[1] if (found := _LOOSE_PREFIX.fullmatch(written.strip())) else ""


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for a near miss, else an empty text."""
    near = nearest(word, known)
    return f"; did you mean '{near}'?" if near else ""


def column_suggestion(table: str, column: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'table.x'?` for a near miss of a column's name, else an empty text."""
    near = nearest(column, known)
    return f"; did you mean '{table}.{near}'?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that is likely meant, in its own case; empty if there is none."""
    if len(word) > _MAX_WORD_LENGTH or not _may_compare(0):
        return ""  # before `known`, which may be thousands of words, is read
    known = list(known)
    if not _may_compare(len(known)):
        return ""
    by_lower = {name.lower(): name for name in reversed(known) if len(name) <= _MAX_WORD_LENGTH}
    found = difflib.get_close_matches(word.lower(), by_lower, n=2, cutoff=_MIN_SIMILARITY)
    near = [by_lower[name] for name in found]
    # suggest nothing on a tie between antonyms, and never an antonym
    is_open = len(near) > 1 and are_antonyms(*near) and _is_tie(word, near)
    return near[0] if near and not is_open and not are_antonyms(word, near[0]) else ""


@contextmanager
def bounded_suggestions() -> Generator[None]:
    """Limit the comparisons made for suggestions while one document is read."""
    token = _REMAINING.set([MAX_COMPARISONS])
    try:
        yield
    finally:
        _REMAINING.reset(token)


def _may_compare(words: int) -> bool:
    """Take comparisons from the budget of the current document; False if it is used up."""
    remaining = _REMAINING.get()
    if remaining is None:
        return True
    remaining[0] -= words
    return remaining[0] >= 0


MAX_COMPARISONS = 20_000
"""Comparisons of a word with a known one: enough for some hundred misspellings in a contract."""

_REMAINING: ContextVar[list[int] | None] = ContextVar("comparisons_left", default=None)


def _is_tie(word: str, near: list[str]) -> bool:
    ratios = [difflib.SequenceMatcher(None, one.lower(), word.lower()).ratio() for one in near]
    return ratios[0] - ratios[1] < _MIN_DIFFERENCE


_MIN_SIMILARITY = 0.6
_MIN_DIFFERENCE = 0.05
_MAX_WORD_LENGTH = 80
"""Longer words are no misspellings, and comparing them takes long."""


@dataclass(slots=True)
class Findings:
    """Collects the problems and skipped clauses of one document while it is read."""

    document: Document
    contract_id: str
    problems: list[Problem] = field(default_factory=list[Problem])
    skipped: list[SkippedClause] = field(default_factory=list[SkippedClause])
    promise_ids: set[str] = field(default_factory=set[str])
    fatal_paths: set[str] = field(default_factory=set[str])
    """Paths of errors for which nothing of the contract is judged."""
    id_counts: dict[str, int] = field(default_factory=dict[str, int])
    """The last number given to a repeated identity: thousands of repeats take linear time."""
    removed_paths: frozenset[str] = frozenset()
    """Paths that are not read because of mistakes."""

    def error(self, node: YamlNode, message: str) -> None:
        """Add an error."""
        self._add(node, message, Level.ERROR)

    def fatal(self, node: YamlNode, message: str) -> None:
        """Add an error for which nothing of the contract is judged."""
        self.fatal_paths.add(node.path)
        self.error(node, message)

    def warn(self, node: YamlNode, message: str) -> None:
        """Add a warning."""
        self._add(node, message, Level.WARNING)

    def skip(self, node: YamlNode, promise: "Promised", why: str) -> None:
        """Add a promise that is not supported as skipped."""
        self.add_skipped(node, promise, f"unsupported: {why}")

    def add_skipped(self, node: YamlNode, promise: "Promised", reason: str) -> None:
        """Add a promise as skipped, for a reason that is reported as it is."""
        self.skipped.append(
            SkippedClause(
                clause=node.clause,
                promise_id=self.promise_id(promise),
                kind=promise.kind,
                table=promise.table,
                column=promise.column,
                severity=promise.severity,
                dimension=promise.dimension,
                objective=promise.objective,
                reason=reason,
                expected=promise.expected,
            )
        )

    def promise_id(self, promise: "Promised") -> str:
        """Return the identity of a skipped promise, unique in this contract."""
        parts = (self.contract_id, promise.table, promise.column or "-", promise.kind)
        base = "/".join((*parts, promise.rule_id) if promise.rule_id else parts)
        repeat = self.id_counts.get(base, 1)
        identity = base if repeat == 1 else f"{base}-{repeat}"
        while identity in self.promise_ids:
            repeat += 1
            identity = f"{base}-{repeat}"
        self.id_counts[base] = repeat
        self.promise_ids.add(identity)
        return identity

    def _add(self, node: YamlNode, message: str, level: Level) -> None:
        line = self.document.line_of(node.path)
        self.problems.append(Problem(self.document.file, line, node.path, message, level))


@dataclass(frozen=True, slots=True)
class Promised:
    """The facts about a promise that are needed to report it as skipped."""

    kind: str
    table: str
    column: str | None
    dimension: Dimension
    objective: Objective | None
    severity: Severity = Severity.ERROR
    rule_id: str = ""
    expected: str = ""
