"""Write a contract as YAML of ODCS 3.1.0 without losing anything that it says.

Keys that have another name in 3.1.0 are renamed; what it has no place for is moved into
`contractwatch.kept`, from where reading restores it (roundtrip.py). Comments are not kept.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

from contractwatch.errors import ContractError, Problem
from contractwatch.odcs.compat import roundtrip
from contractwatch.odcs.compat.odcs31_gaps import Gap, KeyPath, find_gaps
from contractwatch.odcs.compat.upgrade import allows_any_key, upgraded_data
from contractwatch.odcs.yaml.document import Document
from contractwatch.odcs.yaml.dump import dump_yaml
from contractwatch.odcs.yaml.node import VENDOR, Findings

VERSION = "v3.1.0"
_PREFIX = f"{VENDOR}."
_MAX_ROUNDS = 30
_LISTS = frozenset(
    {"schema", "properties", "quality", "servers", "support", "members", "roles", "relationships"}
)
_OBJECTS = frozenset({"items", "team"})
_HASHED = frozenset({"quality", "slaProperties"})
"""What has an id of its content where it names none: its custom properties are left as they are."""

_Json = dict[str, Any]


def dump_odcs31(document: Document) -> str:
    """Return a valid document as YAML of ODCS 3.1.0.

    Raises:
        ContractError: With everything that cannot be said in that version, and the remedy.
    """
    source = roundtrip.restore_kept(document)
    data: _Json = copy.deepcopy(dict(upgraded_data(source, Findings(source, ""))))
    _keep_rules_of_30(source.data, data)
    _rename(data)
    for _ in range(_MAX_ROUNDS):
        found = list(dict.fromkeys(find_gaps(data)))
        if not found:
            return dump_yaml(data)
        stuck = [one for one in found if not _move(data, one, source)]
        if len(stuck) == len(found):
            raise ContractError(tuple(_problem(document, one) for one in stuck))
    raise ContractError(tuple(_problem(document, one) for one in dict.fromkeys(find_gaps(data))))


def _rename(data: _Json) -> None:
    """Rename keys to those of 3.1.0, in place."""
    data["apiVersion"] = VERSION
    data.setdefault("status", "draft")
    if isinstance(data.get("team"), list):
        data["team"] = {"members": data["team"]}
    _modifiers_to_root(data)
    for owner, key in _owners(data, ""):
        if key not in _HASHED or "id" in owner:
            for entry in _items(owner["customProperties"]):
                if entry.get("vendor") == VENDOR:
                    entry["property"] = f"{_PREFIX}{_extension_name(entry)}"
                    del entry["vendor"]


def _owners(value: object, key: str) -> Iterator[tuple[_Json, str]]:
    """Yield every object with custom properties, and the key of the list that it is in."""
    if isinstance(value, dict):
        named = cast("_Json", value)
        if isinstance(named.get("customProperties"), list):
            yield named, key
        for name, item in named.items():
            if name != "customProperties":
                yield from _owners(item, name)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _owners(item, key)


def _modifiers_to_root(data: _Json) -> None:
    """Move the modifiers of a service level to `contractwatch.sla` at the root, by its id."""
    moved: dict[str, _Json] = {}
    for level in _items(data.get("slaProperties")):
        custom = _items(level.get("customProperties"))
        ours = [entry for entry in custom if _extension_name(entry)]
        if not level.get("id") or not ours:
            continue
        level["customProperties"] = [entry for entry in custom if not _extension_name(entry)]
        if not level["customProperties"]:
            del level["customProperties"]
        # the first entry of a name wins
        moved[level["id"]] = {
            _extension_name(entry): entry.get("value") for entry in reversed(ours)
        }
    if moved:
        listed = _root_levels(data)
        for level_id, modifiers in moved.items():
            known = next((one for one in listed if one.get("sla") == level_id), None)
            if known is None:
                known = {"sla": level_id}
                listed.append(known)
            known |= modifiers  # the level's own modifiers override those at the root


def _items(value: object) -> list[_Json]:
    return cast("list[_Json]", value) if isinstance(value, list) else []


def _root_levels(data: _Json) -> list[_Json]:
    custom = data.setdefault("customProperties", [])
    for entry in custom:
        if _extension_name(entry) == "sla":
            return cast("list[_Json]", entry["value"])
    entry: _Json = {"property": f"{_PREFIX}sla", "value": []}
    custom.append(entry)
    return cast("list[_Json]", entry["value"])


def _extension_name(entry: _Json) -> str:
    name = str(entry.get("property", ""))
    if name.startswith(_PREFIX):
        return name.removeprefix(_PREFIX)
    return name if entry.get("vendor") == VENDOR else ""


def _keep_rules_of_30(before: object, after: object) -> None:
    """Keep the other keys of a rule of 3.0 whose name is no metric any more, such as `mustBe`."""
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = cast("_Json", before), cast("_Json", after)
        is_old_rule = "rule" in old and new.get("engine") == "ODCS 3.0" and "engine" not in old
        dropped = {key: value for key, value in old.items() if key not in {*new, "rule"}}
        if is_old_rule and dropped:
            _keep(new, [], dropped)
            return
        for key, value in old.items():
            _keep_rules_of_30(value, new.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        pairs = zip(cast("list[object]", before), cast("list[object]", after), strict=False)
        for one, other in pairs:
            _keep_rules_of_30(one, other)


def _move(data: _Json, misfit: Gap, source: Document) -> bool:
    """Move a gap into the nearest holder; return False if it cannot be moved."""
    path = _relationships_above(misfit.path)
    if misfit.is_missing and len(path) == 2 and path[0] == "servers":  # noqa: PLR2004
        server = cast("_Json", _at(data, path))
        path, misfit = (*path, "type"), replace(misfit, is_missing=server["type"] == "custom")
    while path and isinstance(path[-1], int):
        path = path[:-1]  # a list is moved as a whole
    is_section = len(path) == 1 and not misfit.is_unknown
    if not path or is_section or (misfit.is_missing and path[0] == "servers"):
        return False
    owner = _at(data, path[:-1])
    if not isinstance(owner, dict) or path[-1] not in owner:
        return True  # it was moved in this round already, with something above it
    holder_path = _holder(path)
    holder = cast("_Json", _at(data, holder_path))
    value = cast("_Json", owner).pop(str(path[-1]))
    if path[-1] == "type" and len(path) == 3 and path[0] == "servers":  # noqa: PLR2004
        owner["type"] = "custom"
    if misfit.is_unknown and allows_any_key(source, _dotted(path)):
        _keep(holder, [], {str(path[-1]): value})  # no newer version allows it
    else:
        _keep(holder, list(path[len(holder_path) :]), value)
    return True


def _relationships_above(path: KeyPath) -> KeyPath:
    """Return the path of the `relationships` around an unsupported key, else the path itself.

    A relationship is nothing without its key, so `relationships` is moved as a whole.
    """
    for at, step in enumerate(path[:-2]):
        if step == "relationships" and path[at + 2] in {"from", "to"}:
            return path[: at + 1]
    return path


def _keep(holder: _Json, path: list[str | int], value: object) -> None:
    custom = cast("list[_Json]", holder.setdefault("customProperties", []))
    entries = next(
        (_items(one["value"]) for one in custom if one["property"] == roundtrip.KEPT_PROPERTY), None
    )
    if entries is None:
        entries = []
        custom.append({"property": roundtrip.KEPT_PROPERTY, "value": entries})
    # a later round moves an ancestor, which is restored first
    entries.insert(0, {"path": path, "value": value})


def _holder(path: KeyPath) -> KeyPath:
    """Return the path of the nearest ancestor that may have custom properties."""
    for length in range(len(path) - 1, 0, -1):
        above = path[:length]
        is_item = isinstance(above[-1], int) and above[-2] in _LISTS
        if "customProperties" not in above and (is_item or above[-1] in _OBJECTS):
            return above
    return ()


def _at(data: _Json, path: KeyPath) -> object:
    found: Any = data
    for step in path:
        if isinstance(found, dict):
            found = cast("_Json", found).get(str(step))
        elif isinstance(found, list) and isinstance(step, int):
            found = cast("list[Any]", found)[step]
        else:
            return None
    return found


def _problem(document: Document, misfit: Gap) -> Problem:
    """Return the problem of a gap; a required key that was moved is named itself."""
    path, why = misfit.path, misfit.why
    owner = _at(dict(document.data), path)
    if misfit.is_missing and isinstance(owner, dict) and misfit.key in owner:
        path, why = (*path, misfit.key), f"{misfit.key!r} is not taken in this form"
    written_path = _dotted(path)
    message = f"cannot be said in ODCS 3.1.0: {why}; change it, or keep the version"
    return Problem(document.file, document.line_of(written_path), written_path, message)


def _dotted(path: KeyPath) -> str:
    steps = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in path)
    return steps.removeprefix(".")
