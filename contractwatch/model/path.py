"""The way from a column down to a value inside it: members of objects, elements of arrays."""

from typing import TypeAlias

from contractwatch.model.frozen import frozen


@frozen
class Member:
    """The member of an object, by its physical name."""

    name: str


@frozen
class Each:
    """Every element of an array; an entry of a map is an object with a `key` and a `value`."""


Step: TypeAlias = Member | Each


def printed(column: str, inside: tuple[Step, ...]) -> str:
    """Return a way as it is written: `orders.lines[].price`."""
    return column + "".join(
        f".{step.name}" if isinstance(step, Member) else "[]" for step in inside
    )
