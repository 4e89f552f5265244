"""Values inside of JSON are judged as in Parquet, and those of another shape are counted."""

import json
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import polars as pl
import pytest
from engine_values import NOW, TABLE, ask, bad_cells, column, dataset, json_text
from hypothesis import given, settings
from hypothesis import strategies as st

from contractwatch.engines.formats.json_rows import parse_record
from contractwatch.engines.query.engine import measure, survey
from contractwatch.model.base.path import ArrayItem, Step, StructField
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import Column, LogicalType
from contractwatch.model.measure.metric import (
    CellPredicate,
    CountWhere,
    Inside,
    IsAbove,
    IsLarger,
    IsNotNormalized,
    IsNull,
    IsSmaller,
    Metric,
    RepeatsElements,
    RowCount,
    SurplusRows,
    TableSchema,
    Unparseable,
)
from contractwatch.model.measure.state import Count, DuplicateCounts, TableColumns
from contractwatch.model.promises.sql import QueryValue, SqlScalar
from tests.engines.predicates.test_engines_nested import breaks, predicates, reached, rows_of

L = LogicalType
LINES = (StructField("lines"), ArrayItem())


def inner(name: str, path: tuple[Step, ...], kind: LogicalType | None) -> Column:
    return column(name, kind, path=path)


def below(top: str, **of: tuple[tuple[Step, ...], LogicalType | None]) -> tuple[Column, ...]:
    return tuple(inner(top, path, kind) for path, kind in of.values())


ORDER = column(
    "order",
    L.OBJECT,
    nested=below(
        "order",
        id=((StructField("id"),), L.INTEGER),
        at=((StructField("at"),), L.TIMESTAMP),
        lines=((StructField("lines"),), L.ARRAY),
        line=(LINES, L.OBJECT),
        sku=((*LINES, StructField("sku")), L.STRING),
        price=((*LINES, StructField("price")), L.NUMBER),
        codes=((*LINES, StructField("codes")), L.ARRAY),
        code=((*LINES, StructField("codes"), ArrayItem()), L.INTEGER),
    ),
)
COLUMNS = [
    ORDER,
    column("names", L.ARRAY, nested=below("names", name=((ArrayItem(),), L.STRING))),
    column(
        "grid",
        L.ARRAY,
        nested=below(
            "grid", line=((ArrayItem(),), L.ARRAY), cell=((ArrayItem(), ArrayItem()), L.INTEGER)
        ),
    ),
    column("pair", L.VECTOR, nested=below("pair", one=((ArrayItem(),), L.INTEGER))),
    column(
        "map",
        L.MAP,
        nested=below(
            "map",
            key=((ArrayItem(), StructField("key")), L.STRING),
            value=((ArrayItem(), StructField("value")), L.INTEGER),
        ),
    ),
]


def written(value: object) -> object:
    """JSON has no times, and no NaN."""
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - it is how NaN is told
        return 7.5
    return value.isoformat() if isinstance(value, datetime) else value


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_json(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [as_json(each) for each in cast("list[Any]", value)]
    return written(value)


def without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nan(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [without_nan(each) for each in cast("list[Any]", value)]
    return 7.5 if isinstance(value, float) and value != value else value  # noqa: PLR0124


@settings(max_examples=6, deadline=None)
@given(st.lists(rows_of.map(without_nan), min_size=1, max_size=6), predicates(), st.booleans())
def test_nested_json_and_the_naive_oracle_agree(
    rows: list[dict[str, Any]],
    asked: list[tuple[tuple[Step, ...], CellPredicate]],
    is_array: bool,
) -> None:
    metrics = {CountWhere(TABLE, Inside(path, one)): (path, one) for path, one in asked}
    strays: list[Metric] = [
        Unparseable(TABLE, one.name, one.path) for top in COLUMNS for one in (top, *top.nested)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.json"
        lines = [json.dumps(as_json(row)) for row in rows]
        path.write_text(f"[{','.join(lines)}]" if is_array else "\n".join(lines))
        data = dataset([path], DataFormat.JSON, COLUMNS, json_array=is_array)
        found = measure(data, [*metrics, *strays], now=NOW)
    expected: dict[Metric, Any] = {
        metric: Count(
            sum(any(breaks(one, value) for value in reached(row[one.column], path)) for row in rows)
        )
        for metric, (path, one) in metrics.items()
    }
    assert found == expected | dict.fromkeys(strays, Count(0))


def stray(*path: Step) -> Unparseable:
    return Unparseable(TABLE, "order", path)


def null(*path: Step) -> CountWhere:
    return CountWhere(TABLE, Inside(path, IsNull("order")))


ID, PRICE = (StructField("id"),), (*LINES, StructField("price"))


@pytest.mark.parametrize(
    ("order", "counted"),
    [
        ('"text"', [stray()]),
        ("5", [stray()]),
        ('"{}"', [stray()]),
        ("[]", [stray()]),
        ('{"id": "x"}', [stray(*ID)]),
        ('{"id": 1.5}', [stray(*ID)]),
        ('{"id": {"a": 1}}', [stray(*ID)]),
        ('{"id": 1, "id": 2}', [stray()]),
        ('{"lines": {"sku": "a"}}', [stray(StructField("lines"))]),
        ('{"lines": [5, {"price": "x"}]}', [stray(*LINES), stray(*PRICE)]),
        ('{"lines": [{"price": "1e5"}, {"price": -0}]}', []),
        ('{"id": 123456789012345678901234567890}', []),
        ('{"id": 1.0, "at": "2026-01-01T00:00:00Z"}', []),
        ('{"at": "yesterday"}', [stray(StructField("at"))]),
        ('{"id": null, "lines": [null]}', []),
    ],
)
def test_a_value_of_another_shape_is_counted_where_it_stands(
    tmp_path: Path, order: str, counted: list[Metric]
) -> None:
    sound = '{"order": {"id": 1, "at": null, "lines": [{"sku": "a", "price": 1, "codes": [1]}]}}'
    data = json_text(tmp_path, f'{sound}\n{{"order": {order}}}\n', [ORDER])
    strays = [stray(*one.path) for one in (ORDER, *ORDER.nested)]
    found = measure(data, strays, now=NOW)
    assert found == {metric: Count(1 if metric in counted else 0) for metric in strays}


def test_a_value_of_another_shape_is_not_null_too(tmp_path: Path) -> None:
    lines = ['{"order": "text"}', '{"order": null}', "{}", '{"order": {"lines": 5, "id": []}}']
    data = json_text(tmp_path, "\n".join(lines), [ORDER])
    asked: dict[Metric, Any] = {
        CountWhere(TABLE, IsNull("order")): Count(2),
        null(): Count(2),
        null(*ID): Count(0),
        null(StructField("lines")): Count(0),
        RowCount(TABLE): Count(4),
    }
    assert measure(data, asked, now=NOW) == asked


def test_big_numbers_are_exact_and_sizes_count_every_member(tmp_path: Path) -> None:
    lines = [
        '{"order": {"id": 9007199254740993, "a": 1, "b": null}}',
        '{"order": {"id": 9007199254740992, "a": 1, "b": 2}}',
    ]
    data = json_text(tmp_path, "\n".join(lines), [ORDER])
    asked: dict[Metric, Any] = {
        CountWhere(TABLE, Inside(ID, IsAbove("order", 9007199254740992))): Count(1),
        SurplusRows(TABLE, ("order",), (ID,)): DuplicateCounts(rows=2),
        CountWhere(TABLE, Inside((), IsLarger("order", 2))): Count(1),
        CountWhere(TABLE, Inside((), IsSmaller("order", 3))): Count(1),
    }
    assert measure(data, asked, now=NOW) == asked


def test_vectors_are_numbers(tmp_path: Path) -> None:
    lines = '{"v": [0.6, "0.8"]}\n{"v": [1, 1]}\n{"v": null}\n'
    data = json_text(tmp_path, lines, [column("v", L.VECTOR)])
    assert ask(data, CountWhere(TABLE, IsNotNormalized("v"))) == Count(1)


def test_elements_that_mean_the_same_repeat(tmp_path: Path) -> None:
    data = json_text(tmp_path, '{"pair": [1, 1.0]}\n{"pair": ["1", "2"]}\n', [COLUMNS[3]])
    assert ask(data, CountWhere(TABLE, Inside((), RepeatsElements("pair")))) == Count(1)


def test_members_that_stand_nowhere_are_missing_however_late_others_come(tmp_path: Path) -> None:
    late = '{"Order": {"LINES": [{"price": 1}]}}'
    data = json_text(tmp_path, '{"Order": {"id": 1}}\n' * 1500 + late, [ORDER])
    found = ask(data, TableSchema(TABLE))
    assert isinstance(found, TableColumns)
    order = found.find("order")
    assert order is not None
    assert [child.name for child in order.children] == ["id", "lines"]
    line = order.follow(LINES)
    assert line is not None
    assert [child.name for child in line.children] == ["price"]


def test_a_column_without_a_value_has_members_that_nobody_knows(tmp_path: Path) -> None:
    found = ask(json_text(tmp_path, '{"order": null}\n', [ORDER]), TableSchema(TABLE))
    assert isinstance(found, TableColumns)
    order = found.find("order")
    assert order is not None
    assert order.kind == "null"


@pytest.mark.parametrize(
    "line",
    ["{", "[1]", '{"order": NaN}', '{"order": 1} 2'],
    ids=["open", "array", "nan", "more"],
)
def test_a_line_that_is_no_object_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    data = json_text(tmp_path, f'{{"order": null}}\n{line}\n', [ORDER])
    found = survey(data, [RowCount(TABLE)], now=NOW)
    assert "as one array (orders.json, line 2)" in str(found.failures[TABLE])


def test_a_line_that_is_nested_too_deeply_ends_as_a_broken_one() -> None:
    with pytest.raises(pl.exceptions.ComputeError):
        parse_record(b'{"order": ' + b"[" * 100_000)


def test_half_a_surrogate_pair_and_flat_columns_are_read(tmp_path: Path) -> None:
    flat = column("flat", L.INTEGER)
    lines = '{"order": {"lines": [{"sku": "\\ud800"}]}, "flat": 1}\n{"flat": "x"}\n'
    data = json_text(tmp_path, lines, [ORDER, flat])
    assert bad_cells(data, "flat") == 1
    assert ask(data, null(*LINES, StructField("sku"))) == Count(0)


def test_queries_see_the_promised_types(tmp_path: Path) -> None:
    data = json_text(tmp_path, '{"order": {"id": "7"}}\n{"order": {"id": 8}}\n', [ORDER])
    query = SqlScalar(TABLE, "SELECT SUM(order.id) FROM orders", (TABLE,))
    assert ask(data, query) == QueryValue(15)
