"""Read a name without quotes that YAML takes for a number as the text that is written."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from contractwatch.errors import Problem
from contractwatch.odcs.yaml.document import Document

_NAMES = frozenset({"id", "version", "name", "domain", "dataProduct"})
"""The keys that identify a contract; a number there can only be meant as text."""


def find_unquoted_names(document: Document, mistakes: Iterable[Problem]) -> Mapping[str, Problem]:
    """Return the mistakes that are names without quotes, by their paths."""
    texts = {path for path in _NAMES & document.written.keys() if _is_name(document, path)}
    return {one.path: one for one in mistakes if one.path in texts}


def with_names_as_text(document: Document, paths: Iterable[str]) -> Document:
    """Return the document with the written text as the value of these keys."""
    texts = {path: document.written[path] for path in paths}
    data = {**document.data, **texts}
    written = {path: text for path, text in document.written.items() if path not in texts}
    return replace(document, data=data, written=written)


def _is_name(document: Document, path: str) -> bool:
    """Return whether something is written there: nothing and `null` are no names."""
    return document.written[path].lower() not in {"", "~", "null"}
