"""Property test: the engine and a naive reading of the metrics agree on any table."""

import math
from collections.abc import Sequence
from functools import reduce
from operator import add
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from engine_values import NOW, column, dataset, write_csv, write_ndjson
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_oracle import Row, answer, instant
from oracle_strategies import LOGICAL, SCHEMA, ZONE, metrics, tables

from contractwatch.engines.query.engine import measure
from contractwatch.model.base.server import DataFormat, ReadPolicy
from contractwatch.model.measure.metric import (
    Metric,
    SurplusRows,
    TimeSpan,
)

NULL = "NULL"


def null_where_it_says_so(rows: list[Row]) -> list[Row]:
    """Read the text of a null as one, quoted or not: Polars makes no difference."""
    return [{name: None if cell == NULL else cell for name, cell in row.items()} for row in rows]


def existing(rows: list[Row]) -> list[Row]:
    """Leave out local times that the zone skips: `test_engines_text` has them."""
    return [row for row in rows if row["local"] is None or instant(row["local"], ZONE)]


def finite(rows: list[Row]) -> list[Row]:
    """Leave out what is no number in text: `test_engines_text` has it."""
    return [row for row in rows if row["real"] is None or math.isfinite(row["real"])]


def parquet_file(folder: str, rows: Sequence[Row], name: str = "orders.parquet") -> Path:
    path = Path(folder) / name
    data = {column_: [row[column_] for row in rows] for column_ in SCHEMA}
    pl.DataFrame(data, schema=SCHEMA).write_parquet(path)
    return path


@settings(max_examples=30, deadline=None)
@given(tables(list(SCHEMA)), metrics(list(SCHEMA)))
def test_parquet_and_the_naive_oracle_agree(rows: list[Row], asked: list[Metric]) -> None:
    with TemporaryDirectory() as folder:
        data = dataset([parquet_file(folder, rows)], DataFormat.PARQUET)
        found = measure(data, asked, now=NOW)
    assert found == {metric: answer(metric, rows, NOW) for metric in asked}


@settings(max_examples=30, deadline=None)
@given(
    tables(list(LOGICAL)).map(existing).map(finite).map(null_where_it_says_so),
    metrics(list(LOGICAL)),
)
def test_csv_and_the_naive_oracle_agree(rows: list[Row], asked: list[Metric]) -> None:
    columns = [column(name, kind, default_timezone=ZONE) for name, kind in LOGICAL.items()]
    asked = [metric for metric in asked if not takes_another_zone(metric)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        write_csv(path, rows, list(LOGICAL))
        read = ReadPolicy(null_values=(NULL,))
        found = measure(dataset([path], DataFormat.CSV, columns, read=read), asked, now=NOW)
    expected = {metric: answer(metric, as_instants(rows), NOW) for metric in asked}
    assert found == expected


@settings(max_examples=18, deadline=None)
@given(tables([name for name in LOGICAL if name != "real"]).map(existing), st.data())
def test_json_lines_and_the_naive_oracle_agree(rows: list[Row], data: st.DataObject) -> None:
    names = [name for name in LOGICAL if name != "real"]
    columns = [column(name, LOGICAL[name], default_timezone=ZONE) for name in names]
    asked = [each for each in data.draw(metrics(names)) if not takes_another_zone(each)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "orders.json"
        write_ndjson(path, rows)
        found = measure(dataset([path], DataFormat.JSON, columns), asked, now=NOW)
    assert found == {metric: answer(metric, as_instants(rows), NOW) for metric in asked}


@settings(max_examples=18, deadline=None)
@given(st.lists(tables(list(SCHEMA)), min_size=1, max_size=4), metrics(list(SCHEMA)))
def test_the_states_of_files_in_any_grouping_add_up_to_the_whole(
    parts: list[list[Row]], asked: list[Metric]
) -> None:
    additive = [metric for metric in asked if not isinstance(metric, SurplusRows)]
    with TemporaryDirectory() as folder:
        paths = [parquet_file(folder, rows, f"{at}.parquet") for at, rows in enumerate(parts)]
        whole = measure(dataset(paths, DataFormat.PARQUET), asked, now=NOW)
        apart = [measure(dataset([path], DataFormat.PARQUET), additive, now=NOW) for path in paths]
    assert {metric: whole[metric] for metric in additive} == {
        metric: reduce(add, [states[metric] for states in apart]) for metric in additive
    }
    together = [row for rows in parts for row in rows]
    assert whole == {metric: answer(metric, together, NOW) for metric in asked}


def takes_another_zone(metric: Metric) -> bool:
    """A text's zone is its column's: the same metric in another zone is not asked of texts."""
    return isinstance(metric, TimeSpan) and metric.timezone != ZONE


def as_instants(rows: Sequence[Row]) -> list[Row]:
    """Timestamps of texts become instants as they are parsed."""
    return [
        {**row, "local": None if row["local"] is None else instant(row["local"], ZONE)}
        for row in rows
    ]
