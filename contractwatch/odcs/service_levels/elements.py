"""Find the columns that a service level names as its elements."""

from dataclasses import dataclass

from contractwatch.model.contract.contract import Column, LogicalType, Table
from contractwatch.odcs.schema.tables import TablePrefixIndex, temporal_columns
from contractwatch.odcs.yaml.node import column_suggestion, suggestion

_DATE_TYPES = frozenset({LogicalType.DATE, LogicalType.TIMESTAMP})


@dataclass(frozen=True, slots=True)
class ResolvedElement:
    """The date or timestamp column, or nested field, that a service level is about."""

    table: Table
    column: Column


@dataclass(frozen=True, slots=True)
class UnresolvedElement:
    """Why an element is no usable column; `is_wrong` if the contract is to blame."""

    why: str
    is_wrong: bool = True


def resolve_element(written: str, tables: TablePrefixIndex) -> ResolvedElement | UnresolvedElement:
    """Return the column of an element such as `orders.placed_at`, `placed_at` or `lines[].at`."""
    if not tables.tables:
        return UnresolvedElement(
            f"the element '{written}' of a contract without tables", is_wrong=False
        )
    for table, rest in _readings(written, tables):
        if not rest:
            message = f"'{written}' is a table; expected a date or timestamp column of it"
            return UnresolvedElement(f"{message}, such as {written}.{_sample(table)}")
        column = table.find(rest)
        if column is not None:
            return _check_type(written, table, column)
    return _unknown_element(written, tables)


def default_element(tables: TablePrefixIndex) -> ResolvedElement | UnresolvedElement:
    """Return the only partitioned date or timestamp column of the contract."""
    candidates = temporal_columns(tables.tables)
    if len(candidates) == 1:
        return ResolvedElement(*candidates[0])
    why = "no element, and no single partitioned date or timestamp column"
    return UnresolvedElement(why, is_wrong=False)


def _readings(written: str, tables: TablePrefixIndex) -> list[tuple[Table, str]]:
    """Return every way to split an element into table and column, the likeliest first."""
    named = tables.tables_prefixing(written)
    as_table = [(table, "") for table, name in named if written == name]
    as_column = [
        (table, written.removeprefix(f"{name}.")) for table, name in named if written != name
    ]
    if len(tables.tables) == 1:
        as_column.append((tables.tables[0], written))
    return as_column + as_table


def _check_type(written: str, table: Table, column: Column) -> ResolvedElement | UnresolvedElement:
    if column.logical_type is None or column.logical_type in _DATE_TYPES:
        return ResolvedElement(table, column)
    kind = column.logical_type
    return UnresolvedElement(f"'{written}' is of type {kind}; expected a date or timestamp column")


def _unknown_element(written: str, tables: TablePrefixIndex) -> UnresolvedElement:
    wrong = f"unknown element '{written[:60]}'; expected table.column"
    readings = _readings(written, tables)
    for table, rest in readings:
        # compare the column alone, or the name of the table would make all of them similar
        if hint := column_suggestion(table.name, rest, _names(table)):
            return UnresolvedElement(f"{wrong}{hint}")
    known = (f"{table.name}.{name}" for table in tables.tables for name in _names(table))
    is_of_known = any(written.startswith(f"{table.name}.") for table, _ in readings)
    return UnresolvedElement(wrong if is_of_known else f"{wrong}{suggestion(written, known)}")


def _names(table: Table) -> list[str]:
    """Return the names of all columns and nested fields."""
    return [column.name for top in table.columns for column in (top, *top.nested)]


def _sample(table: Table) -> str:
    temporal = [column.name for column in table.columns if column.logical_type in _DATE_TYPES]
    return temporal[0] if temporal else "column"
