"""Tables of a database as its own catalogue describes them, before a row is read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from contractwatch.errors import SourceError
from contractwatch.model.contract.contract import Column
from contractwatch.model.contract.dataset import Dataset
from contractwatch.model.contract.incremental import Incremental, Window


class ValueFamily(StrEnum):
    """Families of a database's types: values of one are compared in one way.

    TIMESTAMP is without a time zone, INSTANT with one. OTHER values can be counted, not compared.
    """

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    INSTANT = "instant"
    TIME = "time"
    BINARY = "binary"
    OBJECT = "object"
    ARRAY = "array"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class DatabaseColumn:
    """Column as the catalogue describes it.

    `declared` is the type in the database's own words. `bits` is the width of integers and floats.
    `precision` and `scale` are the digits of decimals; 0 digits: the type sets no limit.
    `max_length` bounds a text in code points; 0 does not. `labels` are the values of an enumerated
    type. `compares_loosely` marks texts that the database calls equal although they differ, by case
    or by blanks at the end. `is_required` says that the database itself refuses a null,
    `is_indexed` that the greatest value is found without a scan.
    """

    name: str
    declared: str
    family: ValueFamily
    bits: int = 64
    is_unsigned: bool = False
    precision: int = 0
    scale: int = 0
    max_length: int = 0
    labels: tuple[str, ...] = ()
    compares_loosely: bool = False
    is_required: bool = False
    is_indexed: bool = False
    is_uuid: bool = False


@dataclass(frozen=True, slots=True)
class UniqueColumns:
    """Constraint that the database enforces now: no two rows without a null have equal values."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowCondition:
    """Condition in the database's own SQL that it enforces now: it is false for no row."""

    sql: str


Constraint: TypeAlias = UniqueColumns | RowCondition


@dataclass(frozen=True, slots=True)
class SqlTable:
    """Table of a contract in a database.

    `table` is the contract's name, `schema` and `name` are the database's. `columns` are those of
    the contract, `found` all that there are. `constraints` hold for all rows; a view has none.
    `where`, `incremental` and `window` are as in `TableFiles`. `connection` is the name of the
    operator's connection to the database.
    """

    table: str
    schema: str
    name: str
    columns: tuple[Column, ...]
    found: tuple[DatabaseColumn, ...]
    constraints: tuple[Constraint, ...] = ()
    where: str = ""
    incremental: Incremental | None = None
    window: Window | None = None
    connection: str = ""

    def column(self, name: str) -> DatabaseColumn | None:
        """Return the column of exactly that name, else the only one alike but for case."""
        exact = next((one for one in self.found if one.name == name), None)
        alike = [one for one in self.found if one.name.lower() == name.lower()]
        return exact or (alike[0] if len(alike) == 1 else None)


@dataclass(frozen=True, slots=True)
class DatabaseTables:
    """Tables of one server that is a database; `connection` is the name of the operator's.

    `missing_tables` are the other tables of the contract, each with why it is not among them.
    """

    server: str
    connection: str
    tables: tuple[SqlTable, ...]
    missing_tables: tuple[tuple[str, SourceError], ...] = ()

    def missing_reason(self, table: str) -> str:
        """Return why a table is not among those that were found."""
        known = (str(failure) for name, failure in self.missing_tables if name == table)
        return next(known, f"the server has no table {table!r}")


ServerTables: TypeAlias = Dataset | DatabaseTables
"""What was found on a server: files, or tables of a database."""
