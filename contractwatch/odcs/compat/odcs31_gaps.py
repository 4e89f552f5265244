"""List the parts of a document that the official schema of ODCS 3.1.0 has no place for.

The schema beside this file is the published one of the standard (Bitol, LF AI & Data Foundation;
Apache License 2.0), as the package open-data-contract-standard 3.1.2 ships it, unchanged.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as File
from typing import Any, TypeAlias, cast

from jsonschema_rs import Draft201909Validator, ValidationError

KeyPath: TypeAlias = tuple[str | int, ...]

_FILE = File(__file__).parents[1] / "schemas" / "odcs-v3.1.0.schema.json"
_UNKNOWN = frozenset({"additionalProperties", "unevaluatedProperties"})
_BRANCHES = frozenset({"oneOf", "anyOf"})
_MAX_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a document that the schema of ODCS 3.1.0 rejects.

    `is_unknown`: there is no such key. `is_missing`: `key` is missing, so nothing can be moved.
    """

    path: KeyPath
    why: str
    is_unknown: bool = False
    is_missing: bool = False
    key: str = ""


def find_gaps(data: Mapping[str, object]) -> Iterator[Gap]:
    """Yield what the schema rejects; unknown keys only if there is no other error.

    A wrong part makes the validator report all keys of the object around it as unknown.
    """
    leaves = [leaf for error in _validator().iter_errors(data) for leaf in _leaves(error)]
    wrong = [leaf for leaf in leaves if leaf.kind.name not in _UNKNOWN]
    for error in wrong or leaves:
        yield from _gaps_of(error)


@cache
def _validator() -> Draft201909Validator:
    return Draft201909Validator(json.loads(_FILE.read_text(encoding="utf-8")))


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the innermost errors; of several failed branches those of the closest one."""
    kind: Any = error.kind
    branches = cast("list[list[ValidationError]]", getattr(kind, "context", []))
    failed = [branch for branch in branches if branch]
    if kind.name not in _BRANCHES or not failed:
        yield error
        return
    for inner in min(failed, key=_distance):
        yield from _leaves(inner)


def _distance(errors: list[ValidationError]) -> tuple[int, int]:
    """Return the sort key of a failed branch: those of another type than the value come last."""
    return sum(error.kind.name == "type" for error in errors), len(errors)


def _gaps_of(error: ValidationError) -> Iterator[Gap]:
    path: KeyPath = tuple(error.instance_path)
    kind: Any = error.kind
    if kind.name == "required":
        yield Gap(path, f"{kind.property!r} is needed there", is_missing=True, key=kind.property)
    elif kind.name in _UNKNOWN:
        for key in cast("list[str]", kind.unexpected):
            yield Gap((*path, key), f"{key!r} is not known there", is_unknown=True)
    else:
        yield Gap(path, error.message if len(error.message) <= _MAX_LENGTH else kind.name)
