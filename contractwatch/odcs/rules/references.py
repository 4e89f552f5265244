"""Parse references to columns: by name, by id, and into another contract.

`table.column` names, `schema/<id>/properties/<id>` are ids (a leading `/` may stand before), and
`members.odcs.yaml#...` or an address before either form leads to another contract. Dots beyond the
first lead into objects, as further `properties/` do between ids. Fields inside arrays are written
in the same way: neither form has a mark for items.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from contractwatch.model.base.path import ArrayItem
from contractwatch.model.contract.contract import Table, TableIndex
from contractwatch.model.promises.reference import Reference
from contractwatch.odcs.yaml.node import YamlNode, column_suggestion, suggestion

_BY_ID = re.compile(r"schema/([^/]+)/properties/([^/]+(?:/properties/[^/]+|/map/(?:key|value))*)")
_MAX_SHOWN = 80
_CANONICAL = frozenset({"canonical", "canonicalurl"})


class UnresolvedReferenceError(ValueError):
    """A reference cannot be resolved; the message says what was expected.

    `is_wrong` is False if the contract is right and only this version does not support it.
    """

    def __init__(self, message: str, *, is_wrong: bool = True) -> None:
        self.is_wrong = is_wrong
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class _ColumnReference:
    """One parsed column of a reference."""

    contract: str
    table: str
    column: str
    by_id: bool


def read_addresses(root: YamlNode) -> tuple[str, ...]:
    """Read the canonical addresses that a contract states for itself."""
    stated = root.at("authoritativeDefinitions").each()
    found = (one.text("url") for one in stated if one.text("type").lower() in _CANONICAL)
    return tuple(dict.fromkeys(filter(None, found)))


def parse_reference(
    written: Iterable[str], tables: TableIndex, *, in_arrays: bool = False
) -> Reference:
    """Parse the columns of one reference, in their order.

    Args:
        written: One reference for each column.
        tables: The tables of the contract itself.
        in_arrays: Whether the values may be inside of arrays.

    Raises:
        UnresolvedReferenceError: If a form is not known, or the columns are of several tables.
    """
    members = [_parse_column(text.strip(), tables) for text in written]
    if not members:
        raise UnresolvedReferenceError("expected table.column")
    first = members[0]
    if any(
        (m.contract, m.table, m.by_id) != (first.contract, first.table, first.by_id)
        for m in members
    ):
        raise UnresolvedReferenceError("expected columns of one table, all written alike")
    columns = tuple(member.column for member in members)
    reference = Reference(first.table, columns, first.contract, first.by_id)
    if not in_arrays and _leads_into_array(reference, tables):
        raise UnresolvedReferenceError("keys inside arrays", is_wrong=False)
    return reference


def resolve_local(reference: Reference, tables: TableIndex) -> tuple[Table, tuple[str, ...]]:
    """Return the table and the column names that a reference means in this contract.

    Raises:
        UnresolvedReferenceError: If there is no such table or column.
    """
    if reference.contract:
        raise UnresolvedReferenceError("expected columns of this contract")
    table = _local_table(reference, tables)
    names: list[str] = []
    for written in reference.columns:
        column = table.find_reference(written, by_id=reference.by_id)
        if column is None:
            every = (inner.name for one in table.columns for inner in (one, *one.nested))
            hint = column_suggestion(table.name, written, every)
            raise UnresolvedReferenceError(
                f"unknown column '{f'{table.name}.{written}'[:_MAX_SHOWN]}'{hint}"
            )
        names.append(column.name)
    return table, tuple(names)


def _leads_into_array(reference: Reference, tables: TableIndex) -> bool:
    """Return whether a reference leads into an array of this contract."""
    if reference.contract:
        return False
    try:
        table, names = resolve_local(reference, tables)
    except UnresolvedReferenceError:
        return False
    found = (table.find(name) for name in names)
    return any(ArrayItem() in column.path for column in found if column is not None)


def _local_table(reference: Reference, tables: TableIndex) -> Table:
    table = tables.find(reference.table, by_id=reference.by_id)
    if table is not None:
        return table
    hint = suggestion(reference.table, (table.name for table in tables.tables))
    raise UnresolvedReferenceError(f"unknown table '{reference.table[:_MAX_SHOWN]}'{hint}")


def _parse_column(text: str, tables: TableIndex) -> _ColumnReference:
    contract, mark, rest = text.rpartition("#")
    if mark and not contract:
        raise UnresolvedReferenceError(f"'{text[:_MAX_SHOWN]}' names no contract before '#'")
    if "/" in rest:
        return _parse_by_id(contract, rest)
    return _parse_by_name(contract, rest, "" if contract else tables.prefix(rest))


def _parse_by_id(contract: str, rest: str) -> _ColumnReference:
    found = _BY_ID.fullmatch(rest.strip("/"))
    if found is None:
        message = (
            f"'{rest[:_MAX_SHOWN]}' is no column; expected schema/<table id>/properties/<column id>"
        )
        raise UnresolvedReferenceError(message)
    return _ColumnReference(contract, found[1], found[2], by_id=True)


def _parse_by_name(contract: str, rest: str, known: str) -> _ColumnReference:
    """Parse `table.column`, where `known` is the name of the table if there is such a table."""
    table = known or rest.partition(".")[0]
    column = rest.removeprefix(table).removeprefix(".")
    if not table or not column:
        raise UnresolvedReferenceError(f"'{rest[:_MAX_SHOWN]}' is no column; expected table.column")
    return _ColumnReference(contract, table, column, by_id=False)
