"""A promise about a value inside a cell is asked only where its way exists in the data."""

from contractwatch.model.check import Outcome, Promise, Verdict
from contractwatch.model.path import Each
from contractwatch.model.rule import OptionKind
from contractwatch.model.server import DataFormat
from contractwatch.model.state import ColumnType

COLUMN_MISSING = "column missing"
"""The reason of every check on a missing column but its presence."""
HOLDS_TEXT = "unverifiable: the column holds text"
"""The reason of what is promised of an object that a file has as text, such as JSON."""

CSV_IS_FLAT = "csv holds no nested values"
"""The reason of every check on what only an object or an array has, where there is none."""

_OF_WHOLE = frozenset(
    {
        OptionKind.MIN_ITEMS,
        OptionKind.MAX_ITEMS,
        OptionKind.UNIQUE_ITEMS,
        OptionKind.MIN_PROPERTIES,
        OptionKind.MAX_PROPERTIES,
        OptionKind.REQUIRED_PROPERTIES,
        OptionKind.DIMENSIONS,
        OptionKind.NORMALIZED,
        OptionKind.ELEMENT_TYPE,
    }
)
_PRESENCE = "presence"


def verdict_without_way(
    promise: Promise, column: ColumnType, data_format: DataFormat | None
) -> Verdict | None:
    """Return why a promise about nested values is skipped, or None if it can be judged.

    The presence of a member is judged where its object exists; all else where the value does.
    """
    is_nested = promise.inside or promise.kind in _OF_WHOLE
    if not is_nested:
        return None
    if data_format is DataFormat.CSV:
        return Verdict(Outcome.SKIPPED, reason=CSV_IS_FLAT)
    inside = promise.inside
    of_whole = inside if promise.kind not in _OF_WHOLE else (*inside, Each())
    above = (column.follow(of_whole[:length]) for length in range(len(of_whole)))
    if any(outer is not None and outer.kind == "string" and not outer.text for outer in above):
        return Verdict(Outcome.SKIPPED, reason=HOLDS_TEXT)
    if promise.kind == _PRESENCE:
        outer = column.follow(inside[:-1])
        if outer is not None and outer.text and outer.kind == "null":
            return Verdict(Outcome.SKIPPED, reason="no value is there to know its members by")
        exists = outer is not None and outer.kind == "object"
    else:
        exists = column.follow(inside) is not None
    return None if exists else Verdict(Outcome.SKIPPED, reason=COLUMN_MISSING)
