"""Put back what was moved aside when a contract was written as ODCS 3.1.0.

`contractwatch.kept` is a list of paths and values, at the nearest object that may have custom
properties. An empty path keeps what an older version allowed and newer ones do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from contractwatch.odcs.yaml.document import MAX_DEPTH, Document

KEPT_PROPERTY = "contractwatch.kept"


def restore_kept(document: Document) -> Document:
    """Return the document with everything in `contractwatch.kept` back at its path."""
    data = _restore(document.data)
    if data is document.data or not isinstance(data, dict):
        return document
    return replace(document, data=cast("dict[str, object]", data))


def _restore(value: object) -> object:
    """Return the value with what it keeps put back; the same object if it keeps nothing."""
    if isinstance(value, Mapping):
        named = cast("Mapping[str, object]", value)
        restored = {key: _restore(item) for key, item in named.items()}
        entries = _entries(restored)
        if entries is not None:
            return _put_back(restored, entries)
        is_same = all(restored[key] is item for key, item in named.items())
        return named if is_same else restored
    if isinstance(value, list):
        listed = cast("list[object]", value)
        items = [_restore(item) for item in listed]
        return items if any(a is not b for a, b in zip(items, listed, strict=True)) else listed
    return value


def _entries(owner: Mapping[str, object]) -> list[tuple[list[str | int], object]] | None:
    """Return the paths and values that an object keeps; None if there are no valid ones."""
    custom = owner.get("customProperties")
    for entry in cast("list[object]", custom) if isinstance(custom, list) else ():
        if (
            isinstance(entry, dict)
            and cast("dict[str, object]", entry).get("property") == KEPT_PROPERTY
        ):
            value = cast("dict[str, object]", entry).get("value")
            items = cast("list[object]", value) if isinstance(value, list) else [None]
            found = [_entry(item) for item in items]
            return None if None in found else [one for one in found if one is not None]
    return None


def _entry(item: object) -> tuple[list[str | int], object] | None:
    if not isinstance(item, dict):
        return None
    named = cast("dict[str, object]", item)
    path = named.get("path")
    if not isinstance(path, list) or "value" not in named:
        return None
    written = cast("list[object]", path)
    steps = [step for step in written if isinstance(step, str | int)]
    return (steps, named["value"]) if len(steps) == len(written) <= MAX_DEPTH else None


def _put_back(
    owner: dict[str, object], entries: Sequence[tuple[list[str | int], object]]
) -> dict[str, object]:
    custom = cast("list[object]", owner["customProperties"])
    rest = [entry for entry in custom if not _is_kept(entry)]
    found: object = {**owner, "customProperties": rest}
    for path, value in entries:
        if path:
            found = _with_item(found, path, value)
    changed = cast("dict[str, object]", found)
    if not changed["customProperties"]:
        del changed["customProperties"]
    return changed


def _is_kept(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and cast("dict[str, object]", entry).get("property") == KEPT_PROPERTY
    )


def _with_item(value: object, path: Sequence[str | int], item: object) -> object:
    """Return a copy with an item at a path; unchanged if the path leads nowhere."""
    if not path:
        return item
    step, *rest = path
    if isinstance(step, str) and isinstance(value, dict | None):
        named = cast("dict[str, object]", value or {})
        return {**named, step: _with_item(named.get(step), rest, item)}
    if isinstance(step, int) and isinstance(value, list):
        listed = cast("list[object]", value)
        if 0 <= step < len(listed):
            return [*listed[:step], _with_item(listed[step], rest, item), *listed[step + 1 :]]
    return cast("object", value)
