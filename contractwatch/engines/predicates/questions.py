"""Turn a metric into expressions over the rows, or into a key whose values must be distinct."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import polars as pl

from contractwatch.engines.predicates.object_columns import MemberColumns, unnest_objects
from contractwatch.model.measure.metric import Metric, SurplusRows
from contractwatch.model.measure.state import Measurement

SelectedNumbers: TypeAlias = tuple[int | None, ...]
OnRead: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Question:
    """Expressions that are selected for a metric, and the function that makes its answer of them.

    `derived` are columns that are computed once for all of `selected`; `members` are those of
    objects that are selected as columns.
    """

    metric: Metric
    selected: tuple[pl.Expr, ...]
    answer: Callable[[SelectedNumbers], Measurement]
    derived: Mapping[str, pl.Expr] = field(default_factory=dict[str, pl.Expr])
    members: MemberColumns = field(default_factory=MemberColumns)

    def columns(self) -> set[str]:
        """Return the columns of the table that it reads."""
        roots = {name for one in self.selected for name in one.meta.root_names()}
        within = {name for one in self.derived.values() for name in one.meta.root_names()}
        objects = {one.column for one in self.members.objects}
        return (roots - self.derived.keys() - self.members.names) | within | objects


@dataclass(frozen=True, slots=True)
class Key:
    """Key of a metric; a row's key is complete if no member is null.

    Rows are left out inside the expressions: a filter of the frame would be pushed below the scan
    that the plans share, and split it.
    """

    metric: SurplusRows
    members: tuple[pl.Expr, ...]

    def columns(self) -> set[str]:
        """Return the columns of the table that it reads."""
        return {name for member in self.members for name in member.meta.root_names()}

    def hashed(self) -> pl.Expr:
        """Return the hash of each complete key."""
        return self._hash().filter(self.is_complete()).alias("hash")

    def hash_if_complete(self) -> pl.Expr:
        """Return the hash of each row's key, null where it is not complete."""
        return pl.when(self.is_complete()).then(self._hash()).alias("hash")

    def suspected(self, suspects: pl.Series) -> list[pl.Expr]:
        """Return the complete keys whose hash is one of the suspects."""
        chosen = self.is_complete() & self._hash().is_in(suspects.implode())
        return [member.filter(chosen).alias(str(at)) for at, member in enumerate(self.members)]

    def _hash(self) -> pl.Expr:
        named = [member.alias(str(at)) for at, member in enumerate(self.members)]
        return pl.struct(named).hash(seed=0)

    def is_complete(self) -> pl.Expr:
        """Return whether no member of the key is null."""
        return pl.all_horizontal(member.is_not_null() for member in self.members)


def read_answers(questions: Iterable[Question], found: pl.DataFrame) -> dict[Metric, Measurement]:
    """Return the answers from the only row that `aliased_expressions` selected."""
    numbers = iter(found.row(0))
    return {
        question.metric: question.answer(tuple(next(numbers) for _ in question.selected))
        for question in questions
    }


def prepare_rows(
    rows: pl.LazyFrame, questions: Sequence[Question], other_columns: Iterable[str] = ()
) -> pl.LazyFrame:
    """Return the rows with the columns that are computed for the questions.

    Args:
        rows: The rows of the table.
        questions: What will be selected.
        other_columns: Columns of the table that will be selected with them.
    """
    objects = [one for question in questions for one in question.members.objects]
    if objects:  # to unnest reads all columns, unless they are named before
        read = {name for question in questions for name in question.columns()}
        rows = unnest_objects(rows.select(sorted(read | set(other_columns))), objects)
    derived = {name: made for question in questions for name, made in question.derived.items()}
    return rows.with_columns(**derived)


def aliased_expressions(questions: Iterable[Question]) -> list[pl.Expr]:
    """Return all expressions under unique names, as a select needs them."""
    selected = [expression for question in questions for expression in question.selected]
    return [expression.alias(str(position)) for position, expression in enumerate(selected)]
