"""Mark the columns and members that answer to no other spelling of their names.

Where a contract promises names that differ by case alone, each column, and each member of an
object, has exactly its own; else one real column would keep two promises.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from contractwatch.engines.core.json_tree import names_alike
from contractwatch.model.base.path import StructField
from contractwatch.model.contract.contract import Column
from contractwatch.model.measure.state import ColumnType, TableColumns

_Place: TypeAlias = tuple[str | None, ...]
"""Names in lower case from a column down, None for each element of an array."""


def with_exact_names(promised: Sequence[Column], found: Iterable[ColumnType]) -> TableColumns:
    """Return the columns that were found, those marked whose names are promised twice but for case.

    Args:
        promised: The columns of the contract, with all that is promised below them.
        found: The columns of the files.
    """
    doubled = frozenset(names_alike(_names_in(promised)))
    if not doubled:
        return TableColumns(tuple(found))
    above = frozenset(place[:length] for place in doubled for length in range(1, len(place)))
    return TableColumns(tuple(_marked((one.name.lower(),), one, doubled, above) for one in found))


def _names_in(promised: Sequence[Column]) -> Iterator[tuple[_Place, str]]:
    for column in promised:
        top: _Place = (column.physical_name.lower(),)
        yield top, column.physical_name
        for inner in column.nested:
            place = top
            for step in inner.path:
                if isinstance(step, StructField):
                    place = (*place, step.name.lower())
                    yield place, step.name
                else:
                    place = (*place, None)


def _marked(
    place: _Place, found: ColumnType, doubled: frozenset[_Place], above: frozenset[_Place]
) -> ColumnType:
    """Return a column or a member with itself and what is below it marked; `place` is its own."""
    if place in doubled:
        found = replace(found, by_exact_name=True)
    if place not in above:
        return found
    is_array = found.kind in {"array", "map"}
    children = (
        _marked((*place, None if is_array else one.name.lower()), one, doubled, above)
        for one in found.children
    )
    return replace(found, children=tuple(children))
