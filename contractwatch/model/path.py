"""The way from a column down to a value inside it: members of objects, elements of arrays."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Member:
    """The member of an object, by its physical name."""

    name: str


@dataclass(frozen=True, slots=True)
class Each:
    """Every element of an array; an entry of a map is an object with a `key` and a `value`."""


Step: TypeAlias = Member | Each


def printed(column: str, inside: tuple[Step, ...]) -> str:
    """Return a way as it is written: `orders.lines[].price`."""
    return column + "".join(
        f".{step.name}" if isinstance(step, Member) else "[]" for step in inside
    )
