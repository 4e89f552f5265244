"""Skip promises about nested values whose path does not exist in the data."""

from collections.abc import Sequence

from contractwatch.model.base.path import ArrayItem, FieldPath, StructField
from contractwatch.model.measure.state import ColumnType
from contractwatch.model.promises.rule import TypeOptionKind
from contractwatch.model.record.check import Outcome, Promise, Verdict

COLUMN_MISSING = "column missing"
"""The reason of every check on a missing column but its presence."""
HOLDS_TEXT = "unverifiable: the column holds text"
"""The reason of what is promised of a text, such as JSON, inside of a file's own objects."""

NO_VALUE = "no value was seen, so nothing contradicts the type"
"""The note at a column that has nulls only, and no type of its own."""

NO_MEMBERS = "no value is there to know its members by"
"""The reason of what is promised inside of objects of which none was seen."""

DISAGREEING = "the files do not agree about the type:"
"""Prefix of a list of types where the kinds of files differ."""

_COLLECTION_KINDS = frozenset(
    {
        TypeOptionKind.MIN_ITEMS,
        TypeOptionKind.MAX_ITEMS,
        TypeOptionKind.UNIQUE_ITEMS,
        TypeOptionKind.MIN_PROPERTIES,
        TypeOptionKind.MAX_PROPERTIES,
        TypeOptionKind.REQUIRED_PROPERTIES,
        TypeOptionKind.DIMENSIONS,
        TypeOptionKind.NORMALIZED,
        TypeOptionKind.ELEMENT_TYPE,
    }
)
_PRESENCE = "presence"
_MAP_ENTRY_FIELDS = frozenset({"key", "value"})
_SCHEMA_KINDS = frozenset({_PRESENCE, "type"})
"""Kinds that are judged of a value on whose type the files disagree."""


def unreachable_verdict(promise: Promise, columns: Sequence[ColumnType]) -> Verdict | None:
    """Return the verdict of a nested promise that cannot be judged, or None if it can.

    The presence of a member is judged where its object exists; all else where the value does.
    """
    paths = promise.paths or (promise.path,)
    is_nested = any(paths) or promise.kind in _COLLECTION_KINDS
    if not is_nested:
        return None
    path = promise.path
    of_whole = [
        (*path, ArrayItem()) if promise.kind in _COLLECTION_KINDS else path for path in paths
    ]
    if any(map(_goes_through_text, columns, of_whole)):
        return Verdict(Outcome.SKIPPED, reason=HOLDS_TEXT)
    above = [
        one
        for column, path in zip(columns, paths, strict=False)
        for one in _ancestors(column, path)
    ]
    if any(one.kind == "null" for one in above):
        return Verdict(Outcome.SKIPPED, reason=NO_MEMBERS)
    ends = (column.follow(path) for column, path in zip(columns, paths, strict=False))
    asked = [] if promise.kind in _SCHEMA_KINDS else [one for one in ends if one is not None]
    other = next((one for one in (*above, *asked) if one.kind == "other"), None)
    if other is not None:
        reason = f"the files do not agree about the type of '{other.name}': {other.physical}"
        return Verdict(Outcome.ERROR, reason=reason)
    problems = (
        _map_member_problem(column, path) for column, path in zip(columns, paths, strict=False)
    )
    wrong = next((one for one in problems if one), "")
    if wrong:
        outcome = Outcome.FAILED if promise.kind == _PRESENCE else Outcome.SKIPPED
        return Verdict(outcome, reason=wrong)
    if promise.kind == _PRESENCE:
        outer = columns[0].follow(path[:-1])
        exists = outer is not None and outer.kind in {"object", "map"}
    else:
        # of one column there is one path; of several either one each or none
        exists = all(one.follow(path) for one, path in zip(columns, paths, strict=False))
    return None if exists else Verdict(Outcome.SKIPPED, reason=COLUMN_MISSING)


def _map_member_problem(column: ColumnType, path: FieldPath) -> str:
    """Describe a path that leads to a named member of a map; empty if it does not.

    The entries of a map have keys, which the file's own schema does not name.
    """
    for length, step in enumerate(path):
        here = column.follow(path[:length])
        if not isinstance(step, StructField) or step.name.lower() in _MAP_ENTRY_FIELDS:
            continue
        if here is not None and here.kind == "map":
            where = f"'{here.name}'" if here.name != "[]" else "the element"
            return (
                f"{where} is of type {here.physical}: a map has keys, and no member"
                f" '{step.name}'; write logicalType: map, with map.key and map.value"
            )
    return ""


def _goes_through_text(column: ColumnType, path: FieldPath) -> bool:
    """Return whether a path leads into a value that a file with types has as text, such as JSON."""
    return any(one.kind == "string" and not one.text for one in _ancestors(column, path))


def _ancestors(column: ColumnType, path: FieldPath) -> list[ColumnType]:
    """Return the column and the nested values on a path, without its end."""
    found = (column.follow(path[:length]) for length in range(len(path)))
    return [one for one in found if one is not None]
