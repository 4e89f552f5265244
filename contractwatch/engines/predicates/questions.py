"""Turn a metric into expressions over the rows, or into a key whose values must be distinct."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from contractwatch.engines.predicates.object_columns import MemberColumns, unnested
from contractwatch.model.measure.metric import Metric, SurplusRows
from contractwatch.model.measure.state import Measurement

Answer: TypeAlias = tuple[int | None, ...]
Opened: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What is selected for a metric, and how the selected numbers become its answer.

    `derived` are columns that are computed once for all of `selected`; `members` are those of
    objects that are selected as columns.
    """

    metric: Metric
    selected: tuple[pl.Expr, ...]
    answer: Callable[[Answer], Measurement]
    derived: Mapping[str, pl.Expr] = field(default_factory=dict[str, pl.Expr])
    members: MemberColumns = field(default_factory=MemberColumns)

    def columns(self) -> set[str]:
        """Return the columns of the table that are read for it."""
        roots = {name for one in self.selected for name in one.meta.root_names()}
        within = {name for one in self.derived.values() for name in one.meta.root_names()}
        objects = {one.column for one in self.members.objects}
        return (roots - self.derived.keys() - self.members.names) | within | objects


@dataclass(frozen=True, slots=True)
class Key:
    """What is distinct for a metric: the members of the key, all of them not null.

    Rows are left out inside the expressions: a filter of the frame would be pushed below the scan
    that the plans share, and split it.
    """

    metric: SurplusRows
    members: tuple[pl.Expr, ...]

    def columns(self) -> set[str]:
        """Return the columns of the table that are read for it."""
        return {name for member in self.members for name in member.meta.root_names()}

    def hashed(self) -> pl.Expr:
        """Return a number a complete key: equal for equal keys, and hardly ever for others."""
        return self._hash().filter(self.is_complete()).alias("hash")

    def hash_if_complete(self) -> pl.Expr:
        """Return that number in each row, and null where the key is not complete."""
        return pl.when(self.is_complete()).then(self._hash()).alias("hash")

    def suspected(self, suspects: pl.Series) -> list[pl.Expr]:
        """Return the members of the complete keys whose hash is one of the suspects."""
        chosen = self.is_complete() & self._hash().is_in(suspects.implode())
        return [member.filter(chosen).alias(str(at)) for at, member in enumerate(self.members)]

    def _hash(self) -> pl.Expr:
        named = [member.alias(str(at)) for at, member in enumerate(self.members)]
        return pl.struct(named).hash(seed=0)

    def is_complete(self) -> pl.Expr:
        """Return whether no member of the key is null."""
        return pl.all_horizontal(member.is_not_null() for member in self.members)


def answered(questions: Iterable[Question], found: pl.DataFrame) -> dict[Metric, Measurement]:
    """Return the answers in the only row of what `aliased` selected."""
    numbers = iter(found.row(0))
    return {
        question.metric: question.answer(tuple(next(numbers) for _ in question.selected))
        for question in questions
    }


def prepared(
    rows: pl.LazyFrame, questions: Sequence[Question], besides: Iterable[str] = ()
) -> pl.LazyFrame:
    """Return the rows with the columns that are computed for the questions.

    Args:
        rows: The rows of the table.
        questions: What will be selected.
        besides: Columns of the table that will be selected with them.
    """
    objects = [one for question in questions for one in question.members.objects]
    if objects:  # to unnest reads all columns, unless they are named before
        read = {name for question in questions for name in question.columns()}
        rows = unnested(rows.select(sorted(read | set(besides))), objects)
    derived = {name: made for question in questions for name, made in question.derived.items()}
    return rows.with_columns(**derived)


def aliased(questions: Iterable[Question]) -> list[pl.Expr]:
    """Return all expressions under names of their own: equal output names end a select."""
    selected = [expression for question in questions for expression in question.selected]
    return [expression.alias(str(position)) for position, expression in enumerate(selected)]
