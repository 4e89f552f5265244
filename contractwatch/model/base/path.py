"""Path from a column to a nested value: fields of objects and items of arrays."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class StructField:
    """Member of an object, by its physical name."""

    name: str


@dataclass(frozen=True, slots=True)
class ArrayItem:
    """Every element of an array; an entry of a map is an object with a `key` and a `value`."""


Step: TypeAlias = StructField | ArrayItem

FieldPath: TypeAlias = tuple[Step, ...]
"""Steps from a column down to values inside of it; empty for the column's own cells."""


def struct_fields(path: FieldPath) -> tuple[StructField, ...]:
    """Return the object members on a path; the whole path if it has no array."""
    return tuple(step for step in path if isinstance(step, StructField))


def up_to_last_item(path: FieldPath) -> FieldPath:
    """Return the steps up to the last array element; none if no array is on the path."""
    ends = [at for at, step in enumerate(path, start=1) if isinstance(step, ArrayItem)]
    return path[: max(ends, default=0)]


def format_path(column: str, path: FieldPath) -> str:
    """Format a path as a contract writes it: `orders.lines[].price`."""
    return column + "".join(
        f".{step.name}" if isinstance(step, StructField) else "[]" for step in path
    )
