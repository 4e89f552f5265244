"""Members of objects are asked as columns: the same answers, and one look at the object."""

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from engine_values import NOW, TABLE, parquet

from contractwatch.engines.predicates.expressions import (
    ColumnView,
    violates,
    violates_over_columns,
)
from contractwatch.engines.predicates.object_columns import ObjectIndex, unnest_objects
from contractwatch.engines.query.engine import measure
from contractwatch.model.base.path import ArrayItem, FieldPath, StructField
from contractwatch.model.measure.metric import (
    BadRows,
    CellPredicate,
    CountWhere,
    Inside,
    IsAbove,
    IsBelow,
    IsNull,
)
from contractwatch.model.measure.state import Count

A, B, C = StructField("a"), StructField("b"), StructField("C")
INNER = pl.Struct({"c": pl.Int64, "a": pl.List(pl.Int64)})
CELLS: list[Any] = [
    {"a": 1, "b": {"c": None, "a": [1, None]}},
    {"a": None, "b": {"c": 5, "a": []}},
    {"a": 7, "b": None},
    None,
    {"a": 9, "b": {"c": 9, "a": None}},
]
ROWS = pl.DataFrame({"o": CELLS}, schema={"o": pl.Struct({"a": pl.Int64, "b": INNER})})


PATHS: list[FieldPath] = [(A,), (B, C), (B, A, ArrayItem())]
BOUNDS = [IsAbove("o", 4), IsBelow("o", 6)]


@pytest.mark.parametrize(
    ("path", "predicate"),
    [
        *((path, IsNull("o")) for path in (*PATHS, (B,), (B, A))),
        *((path, bound) for path in PATHS for bound in BOUNDS),
    ],
)
def test_members_as_columns_violate_as_members_of_objects_do(
    path: FieldPath, predicate: CellPredicate
) -> None:
    value = pl.col("o")
    cells = ColumnView(value, value, ROWS.schema["o"])
    asked = Inside(path, predicate)
    made, members = violates_over_columns(asked, cells, ObjectIndex())
    rows = unnest_objects(ROWS.lazy(), members.objects)
    found = rows.select(made.fill_null(value=False).alias("found")).collect()["found"]
    expected = ROWS.select(violates(asked, cells).fill_null(value=False).alias("found"))["found"]
    assert found.to_list() == expected.to_list()
    assert set(made.meta.root_names()) == members.names


@pytest.mark.parametrize("rows", [50, 200_000], ids=["small", "read column by column"])
def test_wide_objects_are_counted_right_beside_other_columns(tmp_path: Path, rows: int) -> None:
    draw = random.Random(7)
    numbers = [[draw.choice([None, -1.5, draw.random()]) for _ in range(rows)] for _ in range(4)]
    present = [draw.random() > 0.2 for _ in range(rows)]
    frame = pl.DataFrame({"n": numbers[0], **{f"m{at}": numbers[at] for at in (1, 2, 3)}})
    wide = frame.select(
        "n",
        pl.when(pl.Series(present))
        .then(pl.struct("m1", "m2", pl.struct("m3").alias("in")))
        .alias("o"),
    )
    data = parquet(tmp_path, wide)
    paths: dict[FieldPath, int] = {
        (StructField("m1"),): 1,
        (StructField("m2"),): 2,
        (StructField("in"), StructField("m3")): 3,
    }
    nulls = {CountWhere(TABLE, Inside(path, IsNull("o"))): at for path, at in paths.items()}
    negative = {CountWhere(TABLE, Inside(path, IsBelow("o", 0))): at for path, at in paths.items()}
    both = BadRows(TABLE, tuple(Inside(path, IsBelow("o", 0)) for path in paths))
    plain = CountWhere(TABLE, IsBelow("n", 0))
    answers = measure(data, [*nulls, *negative, both, plain], now=NOW)

    def broken(at: int, row: int) -> bool:
        return present[row] and (numbers[at][row] or 0) < 0

    for metric, at in nulls.items():
        missing = sum(p and n is None for p, n in zip(present, numbers[at], strict=True))
        assert answers[metric] == Count(missing)
    for metric, at in negative.items():
        assert answers[metric] == Count(sum(broken(at, row) for row in range(rows)))
    assert answers[both] == Count(
        sum(any(broken(at, row) for at in (1, 2, 3)) for row in range(rows))
    )
    assert answers[plain] == Count(sum((n or 0) < 0 for n in numbers[0]))


def test_an_object_is_looked_at_once_for_all_its_members() -> None:
    members = {f"m{at}": at for at in range(50)}
    rows = pl.DataFrame({"o": [members]}).lazy()
    cells = ColumnView(pl.col("o"), pl.col("o"), rows.collect_schema()["o"])
    objects = ObjectIndex()
    asked = [Inside((StructField(name),), IsNull("o")) for name in members]
    made = [violates_over_columns(one, cells, objects) for one in asked]
    assert len({id(one) for _, members in made for one in members.objects}) == 1
    unread = unnest_objects(rows, [one for _, members in made for one in members.objects])
    plan = unread.select(e.sum().alias(str(at)) for at, (e, _) in enumerate(made)).explain()
    assert plan.count('col("o")') <= 3
