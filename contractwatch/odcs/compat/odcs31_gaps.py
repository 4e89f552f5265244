"""What the official schema of ODCS 3.1.0 has no place for, as paths into a document.

The schema beside this file is the published one of the standard (Bitol, LF AI & Data Foundation;
Apache License 2.0), as the package open-data-contract-standard 3.1.2 ships it, unchanged.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File
from typing import Any, TypeAlias, cast

from jsonschema import Draft201909Validator, ValidationError

Path: TypeAlias = tuple[str | int, ...]

_FILE = File(__file__).parents[1] / "schemas" / "odcs-v3.1.0.schema.json"
_UNKNOWN = frozenset({"additionalProperties", "unevaluatedProperties"})
_BRANCHES = frozenset({"oneOf", "anyOf"})
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Misfit:
    """A place that the schema rejects.

    `is_unknown`: there is no such key. `is_lack`: `key` is missing, so nothing can be moved.
    """

    path: Path
    why: str
    is_unknown: bool = False
    is_lack: bool = False
    key: str = ""


def misfits(data: Mapping[str, object]) -> Iterator[Misfit]:
    """Yield what the schema rejects; unknown keys only if nothing else is wrong.

    A part that is wrong makes jsonschema call all keys of the whole unknown.
    """
    whole: Any = data  # what is read from YAML is JSON, which the types of jsonschema ask for
    leaves = [leaf for error in _validator().iter_errors(whole) for leaf in _leaves(error)]
    wrong = [leaf for leaf in leaves if leaf.validator not in _UNKNOWN]
    for error in wrong or leaves:
        yield from _misfits(error)


@cache
def _validator() -> Any:
    # jsonschema builds its validator classes at run time: their type is not known to a checker
    return Draft201909Validator(json.loads(_FILE.read_text(encoding="utf-8")))


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the errors that name a place; of several branches those of the nearest one."""
    context = list(error.context or ())
    if error.validator not in _BRANCHES or not context:
        yield error
        return
    by_branch: dict[object, list[ValidationError]] = {}
    for inner in context:
        by_branch.setdefault(inner.schema_path[0], []).append(inner)
    nearest = min(by_branch.values(), key=_distance)
    for inner in nearest:
        yield from _leaves(inner)


def _distance(errors: list[ValidationError]) -> tuple[int, int]:
    """Order branches: one that is of another type than the value is the furthest."""
    return sum(error.validator == "type" for error in errors), len(errors)


def _misfits(error: ValidationError) -> Iterator[Misfit]:
    path: Path = tuple(error.absolute_path)
    why = error.message[:_LONGEST] if len(error.message) <= _LONGEST else str(error.validator)
    if error.validator == "required":
        needed = cast("list[str]", error.validator_value)
        lacks = [key for key in needed if key not in cast("Mapping[str, Any]", error.instance)]
        for key in lacks:
            yield Misfit(path, f"{key!r} is needed there", is_lack=True, key=key)
    elif error.validator in _UNKNOWN:
        quoted = set(re.findall(r"'((?:[^'\\]|\\.)*)'", error.message))
        known = _known(error)
        for key in cast("Mapping[str, Any]", error.instance):
            if key in quoted and key not in known:
                yield Misfit((*path, key), f"{key!r} is not known there", is_unknown=True)
    else:
        yield Misfit(path, why)


def _known(error: ValidationError) -> frozenset[str]:
    schema = cast("Mapping[str, Any]", error.schema)
    if error.validator != "additionalProperties":
        return frozenset()
    return frozenset(cast("Mapping[str, Any]", schema.get("properties", {})))
