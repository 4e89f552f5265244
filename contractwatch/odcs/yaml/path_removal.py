"""Remove paths from a document; everything else keeps its path."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from contractwatch.odcs.yaml.document import Document, child_path


class _Removed:
    """Takes the position of a removed list item, so that later items keep their indexes."""

    def __repr__(self) -> str:
        return "removed"


REMOVED: Final = _Removed()


def without_paths(document: Document, paths: frozenset[str]) -> Document:
    """Return the document without these paths."""
    touched = {prefix for path in paths for prefix in _ancestors(path)}
    data = cast("Mapping[str, object]", _without(document.data, "", paths, touched))
    return replace(document, data=data)


def is_within(path: str, above: str) -> bool:
    """Return whether a path is the other one, or below it."""
    return path == above or (path.startswith(above) and path[len(above)] in ".[")


def _ancestors(path: str) -> Iterator[str]:
    yield ""
    yield from (path[:at] for at, character in enumerate(path) if character in ".[")
    yield path


def _without(value: object, path: str, paths: frozenset[str], touched: set[str]) -> object:
    """Return the value without these paths; the same object if nothing is removed from it."""
    if path not in touched:
        return value
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        here = {key: child_path(path, key) for key in named}
        return {
            key: _without(item, here[key], paths, touched)
            for key, item in named.items()
            if here[key] not in paths
        }
    if isinstance(value, list):
        listed = cast("list[Any]", value)
        at = [child_path(path, index) for index in range(len(listed))]
        return [
            REMOVED if here in paths else _without(item, here, paths, touched)
            for here, item in zip(at, listed, strict=True)
        ]
    return value
