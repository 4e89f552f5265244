"""Property test: the engine and a naive reading agree on nested cells."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import polars as pl
import pytest
from engine_values import NOW, TABLE, ask, dataset, parquet
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_oracle import repeats, violates

from contractwatch.engines.query.engine import measure
from contractwatch.model.base.path import ArrayItem, Step, StructField
from contractwatch.model.base.server import DataFormat
from contractwatch.model.measure.metric import (
    CellPredicate,
    CountWhere,
    Inside,
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLarger,
    IsLonger,
    IsMissing,
    IsNotMultiple,
    IsNull,
    IsShorter,
    IsSmaller,
    LacksMembers,
    RepeatsElements,
    SurplusRows,
    TableSchema,
)
from contractwatch.model.measure.state import Count, TableColumns, Unmeasured

LINE = pl.Struct({"sku": pl.String, "price": pl.Float64, "codes": pl.List(pl.Int64)})
SCHEMA: dict[str, Any] = {
    "order": pl.Struct({"id": pl.Int64, "at": pl.Datetime("us", "UTC"), "lines": pl.List(LINE)}),
    "names": pl.List(pl.Enum(["a", "b", "cc"])),
    "grid": pl.List(pl.List(pl.Int8)),
    "pair": pl.Array(pl.Int64, 2),
    "map": pl.List(pl.Struct({"key": pl.String, "value": pl.Int64})),
}
ORDER, LINES = StructField("lines"), (StructField("lines"), ArrayItem())
NUMBERS, TEXTS = "numbers", "texts"
WAYS: list[tuple[str, tuple[Step, ...], str]] = [
    ("order", (), "object"),
    ("order", (StructField("id"),), NUMBERS),
    ("order", (StructField("at"),), "times"),
    ("order", (StructField("lines"),), "array"),
    ("order", LINES, "object"),
    ("order", (*LINES, StructField("sku")), TEXTS),
    ("order", (*LINES, StructField("price")), NUMBERS),
    ("order", (*LINES, StructField("codes")), "array"),
    ("order", (*LINES, StructField("codes"), ArrayItem()), NUMBERS),
    ("names", (), "array"),
    ("names", (ArrayItem(),), TEXTS),
    ("grid", (ArrayItem(),), "array"),
    ("grid", (ArrayItem(), ArrayItem()), NUMBERS),
    ("pair", (), "array"),
    ("pair", (ArrayItem(),), NUMBERS),
    ("map", (), "array"),
    ("map", (ArrayItem(), StructField("key")), TEXTS),
    ("map", (ArrayItem(), StructField("value")), NUMBERS),
]
MEMBERS = {
    ("order", ()): ("id", "lines"),
    ("order", LINES): ("sku", "price"),
}

small = st.integers(-3, 3)
texts = st.sampled_from(["", "a", "b", "cc", "äö"])
times = st.sampled_from([NOW, datetime(2020, 1, 1, tzinfo=UTC)])
lists = st.lists(st.none() | small, max_size=3)
lines = st.fixed_dictionaries(
    {
        "sku": st.none() | texts,
        "price": st.none() | st.sampled_from([0.5, 2.0, math.nan, -1.0]),
        "codes": st.none() | lists,
    }
)
rows_of = st.fixed_dictionaries(
    {
        "order": st.none()
        | st.fixed_dictionaries(
            {
                "id": st.none() | small,
                "at": st.none() | times,
                "lines": st.none() | st.lists(st.none() | lines, max_size=3),
            }
        ),
        "names": st.none() | st.lists(st.none() | st.sampled_from(["a", "b", "cc"]), max_size=3),
        "grid": st.none() | st.lists(st.none() | lists, max_size=2),
        "pair": st.none() | st.tuples(st.none() | small, st.none() | small).map(list),
        "map": st.none()
        | st.lists(
            st.fixed_dictionaries({"key": st.none() | texts, "value": st.none() | small}),
            max_size=3,
        ),
    }
)


@st.composite
def predicates(draw: st.DrawFn) -> list[tuple[tuple[Step, ...], CellPredicate]]:
    asked: list[tuple[tuple[Step, ...], CellPredicate]] = []
    for column, path, kind in WAYS:
        found: list[CellPredicate] = [IsNull(column)]
        number = draw(small)
        if kind == NUMBERS:
            listed = tuple(draw(st.lists(small, max_size=2)))
            found += [
                IsBelow(column, number, exclusive=draw(st.booleans())),
                IsAbove(column, number, exclusive=draw(st.booleans())),
                IsInvalid(column, values=listed),
                IsMissing(column, listed),
                IsNotMultiple(column, 2),
            ]
        elif kind == TEXTS:
            listed = tuple(draw(st.lists(texts, max_size=2)))
            found += [
                IsInvalid(column, values=listed, pattern="^[a-z]"),
                IsMissing(column, listed),
                IsShorter(column, 1),
                IsLonger(column, 1),
            ]
        elif kind == "times":
            found += [IsBelow(column, NOW), IsAbove(column, NOW, exclusive=True)]
        else:
            found += [IsSmaller(column, abs(number)), IsLarger(column, abs(number))]
        asked += [(path, predicate) for predicate in found]
    asked += [
        ((), LacksMembers("order", MEMBERS["order", ()])),
        (LINES, LacksMembers("order", MEMBERS["order", LINES])),
        ((StructField("lines"),), RepeatsElements("order", (StructField("sku"),))),
        ((StructField("lines"),), RepeatsElements("order", (StructField("price"),))),
        ((), RepeatsElements("names")),
        ((ArrayItem(),), RepeatsElements("grid")),
        ((), RepeatsElements("pair")),
        ((), RepeatsElements("map", (StructField("key"),))),
    ]
    return asked


def reached(cell: Any, path: Sequence[Step]) -> list[Any]:
    """Return the values at the end of a path; null parents lead nowhere."""
    if not path:
        return [cell]
    if cell is None:
        return []
    first, *rest = path
    inner = cell if isinstance(first, ArrayItem) else [cell[first.name]]
    return [value for one in inner for value in reached(one, rest)]


def breaks(predicate: CellPredicate, value: Any) -> bool:
    match predicate:
        case IsSmaller(_, size):
            return value is not None and size_of(value) < size
        case IsLarger(_, size):
            return value is not None and size_of(value) > size
        case RepeatsElements(_, path):
            found = [one for element in value or () for one in reached(element, path)]
            present = [str(one) for one in found if one is not None]
            return len(set(present)) < len(present)
        case LacksMembers(_, members):
            return value is not None and any(value[name] is None for name in members)
        case _:
            return violates(predicate, {predicate.column: value})


def size_of(value: Any) -> int:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return sum(member is not None for member in members.values())
    return len(value)


@settings(max_examples=24, deadline=None)
@given(st.lists(rows_of, max_size=6), predicates())
def test_nested_values_and_the_naive_oracle_agree(
    rows: list[dict[str, Any]], asked: list[tuple[tuple[Step, ...], CellPredicate]]
) -> None:
    metrics = {CountWhere(TABLE, Inside(path, one)): (path, one) for path, one in asked}
    keys = SurplusRows(TABLE, ("order",), ((StructField("id"),),))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.parquet"
        pl.DataFrame(rows, schema=SCHEMA).write_parquet(path)
        found = measure(dataset([path], DataFormat.PARQUET), [*metrics, keys], now=NOW)
    expected: dict[Any, Any] = {
        metric: Count(
            sum(any(breaks(one, value) for value in reached(row[one.column], path)) for row in rows)
        )
        for metric, (path, one) in metrics.items()
    }
    ids = [{"order": row["order"] and row["order"]["id"]} for row in rows]
    expected[keys] = repeats(SurplusRows(TABLE, ("order",)), ids)
    assert found == expected


def test_the_schema_tells_what_is_nested_without_reading_rows(tmp_path: Path) -> None:
    data = parquet(tmp_path, pl.DataFrame({}, schema=SCHEMA))
    columns = ask(data, TableSchema(TABLE))
    assert isinstance(columns, TableColumns)
    order = columns.find("order")
    assert order is not None
    codes = order.follow((*LINES, StructField("codes"), ArrayItem()))
    assert codes is not None
    assert (codes.kind, codes.name) == ("integer", "[]")
    assert order.follow((StructField("LINES"),)) == order.follow((StructField("lines"),))
    assert order.follow((ArrayItem(),)) is None
    assert order.follow((StructField("id"), StructField("id"))) is None


@pytest.mark.parametrize(
    ("column", "path", "reason"),
    [
        ("names", (StructField("a"),), "values of type array have no members"),
        ("order", (ArrayItem(),), "values of type object have no elements"),
        ("order", (StructField("nothing"),), "the object has no such member"),
    ],
)
def test_a_way_that_does_not_exist_is_refused_by_plan(
    tmp_path: Path, column: str, path: tuple[Step, ...], reason: str
) -> None:
    data = parquet(tmp_path, pl.DataFrame({}, schema=SCHEMA))
    assert ask(data, CountWhere(TABLE, Inside(path, IsNull(column)))) == Unmeasured(reason)


def test_a_column_of_nulls_only_offends_nothing_inside(tmp_path: Path) -> None:
    data = parquet(tmp_path, pl.DataFrame({"order": [None, None]}))
    path = (StructField("lines"), ArrayItem())
    assert ask(data, CountWhere(TABLE, Inside(path, IsNull("order")))) == Count(0)
    assert ask(data, CountWhere(TABLE, IsSmaller("order", 3))) == Count(0)
