"""Turn the members of an object into columns once, for all questions of a pass about them.

Polars looks at the whole type of an object for each `struct.field` that it plans, so that a
thousand members would cost a thousand times a thousand looks. An object that is unnested is looked
at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from contractwatch.engines.core.file_types import instance
from contractwatch.engines.predicates import nested
from contractwatch.model.base.path import FieldPath, StructField


@dataclass(frozen=True, slots=True, eq=False)
class ObjectColumns:
    """An object whose members become columns under hidden names; compared by identity.

    `source` is a column of the table, or the hidden one of a member that is an object itself;
    `column` is the column of the table in both cases.
    """

    column: str
    source: str
    members: tuple[str, ...]

    @property
    def present(self) -> str:
        """The name of the column that says whether the object is there."""
        return f"\x00has {self.source}"

    def hidden(self, member: str) -> str:
        """Return the name of the column that a member becomes."""
        return f"\x00in {len(self.source)} {self.source} {member}"

    def unnest(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Return the rows with the members as columns beside the others."""
        taken = f"\x00members {self.source}"
        renamed = pl.col(self.source).struct.rename_fields([self.hidden(m) for m in self.members])
        present = pl.col(self.source).is_not_null().alias(self.present)
        return rows.with_columns(present, renamed.alias(taken)).unnest(taken)


@dataclass(frozen=True, slots=True)
class MemberColumns:
    """Member columns that a question reads, with their objects, outer ones first."""

    objects: tuple[ObjectColumns, ...] = ()
    names: frozenset[str] = frozenset()


@dataclass(slots=True)
class ObjectIndex:
    """Index of the objects of a table that questions of one pass read."""

    _known: dict[str, ObjectColumns] = field(default_factory=dict[str, ObjectColumns])

    def offends(
        self, column: str, path: FieldPath, dtype: pl.DataType, judge: nested.Judge
    ) -> tuple[pl.Expr, MemberColumns]:
        """Return what `nested.offends` does, over members as columns, and those columns.

        Args:
            column: The name of the column, whose cells are compared as they are.
            path: From the column down to the values; the leading members are taken as columns.
            dtype: The type of the column.
            judge: Returns whether a value at the end of the path violates.

        Raises:
            UncastableError: If the type has no such path.
        """
        used: list[ObjectColumns] = []
        name = column
        for step in path:
            if not isinstance(step, StructField) or not isinstance(dtype, pl.Struct):
                break
            member, inner = nested.find_member(step, dtype)
            found = self._known.get(name)
            if found is None:
                members = tuple(one.name for one in dtype.fields)
                found = self._known[name] = ObjectColumns(column, name, members)
            used.append(found)
            name, dtype = found.hidden(member), instance(inner)
        offending = nested.any_violates(path[len(used) :], pl.col(name), dtype, judge)
        for one in reversed(used):
            offending = pl.col(one.present) & offending
        names = frozenset((name, *(one.present for one in used))) if used else frozenset[str]()
        return offending, MemberColumns(tuple(used), names)


def merge_member_columns(columns: Iterable[MemberColumns]) -> MemberColumns:
    """Merge the member columns of several predicates."""
    read = list(columns)
    objects = tuple(dict.fromkeys(one for each in read for one in each.objects))
    return MemberColumns(objects, frozenset[str]().union(*(each.names for each in read)))


def unnest_objects(rows: pl.LazyFrame, objects: Iterable[ObjectColumns]) -> pl.LazyFrame:
    """Return the rows with the members of objects as columns; outer objects come first."""
    for one in dict.fromkeys(objects):
        rows = one.unnest(rows)
    return rows


JudgeColumns: TypeAlias = Callable[
    [str, FieldPath, pl.DataType, nested.Judge], tuple[pl.Expr, MemberColumns]
]
"""What `ObjectIndex.offends` is, and what does the same over objects as they are."""
