"""Property test: times and keys inside of cells, in Parquet and in JSON."""

import json
import math
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import polars as pl
import pytest
from engine_values import NOW, TABLE, ask, column, json_text, parquet
from hypothesis import example, given, settings
from hypothesis import strategies as st
from naive_oracle import instant

from contractwatch.engines.comparison.comparing import Side, answer_comparing_metrics
from contractwatch.engines.query.engine import measure
from contractwatch.model.base.path import (
    ArrayItem,
    FieldPath,
    StructField,
    struct_fields,
    up_to_last_item,
)
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import Delays, Metric, RecentRows, SurplusRows, TimeSpan
from contractwatch.model.measure.state import (
    Count,
    DelayTally,
    DuplicateCounts,
    Measurement,
    TimeRange,
    Unmeasured,
)
from contractwatch.model.promises.reference import OrphanCount, Orphans, Reference
from tests.engines.predicates.test_engines_nested import reached

L = LogicalType
BERLIN = "Europe/Berlin"
SCHEMA: dict[str, Any] = {
    "o": pl.Struct(
        {
            "id": pl.Int64,
            "at": pl.Datetime("us"),
            "done": pl.Datetime("us"),
            "lines": pl.List(
                pl.Struct({"sku": pl.String, "on": pl.Date, "seen": pl.List(pl.Datetime("us"))})
            ),
        }
    ),
    "k": pl.Int64,
    "at": pl.Datetime("us"),
    "reals": pl.List(pl.Float64),
}
ID, AT, DONE = (StructField("id"),), (StructField("at"),), (StructField("done"),)
LINES = (StructField("lines"), ArrayItem())
SKU, ON = (*LINES, StructField("sku")), (*LINES, StructField("on"))
SEEN = (*LINES, StructField("seen"), ArrayItem())
TIMES: list[FieldPath] = [AT, ON, SEEN]


def nested(path: FieldPath, kind: LogicalType) -> Any:
    return column("o", kind, path=path, default_timezone=BERLIN)


COLUMNS = [
    column(
        "o",
        L.OBJECT,
        unique_clause=column("o").clause,
        nested=(
            nested(ID, L.INTEGER),
            nested(AT, L.TIMESTAMP),
            nested(DONE, L.TIMESTAMP),
            nested((StructField("lines"),), L.ARRAY),
            nested(LINES, L.OBJECT),
            nested(SKU, L.STRING),
            nested(ON, L.DATE),
            nested((*LINES, StructField("seen")), L.ARRAY),
            nested(SEEN, L.TIMESTAMP),
        ),
    ),
    column("k", L.INTEGER),
    column("at", L.TIMESTAMP, default_timezone=BERLIN),
    column(
        "reals",
        L.ARRAY,
        unique_clause=column("reals").clause,
        nested=(column("reals", L.NUMBER, path=(ArrayItem(),)),),
    ),
]


def local(*parts: int) -> datetime:
    """Return a time of no zone."""
    return datetime(*parts)  # noqa: DTZ001 - as the columns hold them


moments = st.none() | st.sampled_from(
    [
        local(2020, 1, 1),
        local(2026, 3, 1, 12, 59, 59),
        local(2026, 3, 1, 13, 0),  # it is now in Berlin
        local(2026, 3, 1, 13, 5),
        local(2026, 3, 1, 13, 5, 1),
        local(2025, 10, 26, 2, 30),  # twice
    ]
)
days = st.none() | st.sampled_from([date(2020, 1, 1), date(2026, 3, 1), date(2026, 3, 2)])
small = st.none() | st.integers(0, 1)
texts = st.none() | st.sampled_from(["a", "b", ""])
lines = st.fixed_dictionaries(
    {"sku": texts, "on": days, "seen": st.none() | st.lists(moments, max_size=2)}
)
objects = st.fixed_dictionaries(
    {
        "id": small,
        "at": moments,
        "done": moments,
        "lines": st.none() | st.lists(st.none() | lines, max_size=2),
    }
)
finite = st.none() | st.sampled_from([0.0, -0.0, 1.5])
any_real = finite | st.sampled_from([math.nan, math.inf, -math.inf])
Rows = list[dict[str, Any]]


def rows_with(reals: st.SearchStrategy[Any]) -> st.SearchStrategy[Rows]:
    of_row = {
        "o": st.none() | objects,
        "k": small,
        "at": moments,
        "reals": st.none() | st.lists(reals, max_size=2),
    }
    return st.lists(st.fixed_dictionaries(of_row), max_size=6)


ASKED: list[Metric] = [
    *(TimeSpan(TABLE, "o", BERLIN, path) for path in TIMES),
    *(RecentRows(TABLE, "o", timedelta(hours=1), BERLIN, path) for path in TIMES),
    Delays(TABLE, "o", "o", timedelta(0), BERLIN, BERLIN, AT, DONE),
    Delays(TABLE, "at", "o", timedelta(0), BERLIN, BERLIN, (), DONE),
    SurplusRows(TABLE, ("o", "k"), (ID, ())),
    SurplusRows(TABLE, ("o",)),
    SurplusRows(TABLE, ("o",), ((StructField("lines"),),)),
    SurplusRows(TABLE, ("reals",)),
    SurplusRows(TABLE, ("reals", "k")),
]


def naive(metric: Metric, rows: Rows) -> Measurement:
    match metric:
        case TimeSpan(_, name, zone, path):
            found = [[one for one in reached(row[name], path) if one is not None] for row in rows]
            known = [[instant(one, zone) for one in values] for values in found]
            late = NOW + timedelta(minutes=5)
            past = [one for values in known for one in values if one and one <= late]
            future = sum(any(one and one > late for one in values) for values in known)
            return TimeRange(
                min(past, default=None), max(past, default=None), sum(map(any, found)), future
            )
        case RecentRows(_, name, period, zone, path):
            cells = [[instant(c, zone) for c in reached(row[name], path) if c] for row in rows]
            return Count(sum(any(one and NOW - period < one <= NOW for one in c) for c in cells))
        case Delays():
            return naive_delays(metric, rows)
        case SurplusRows(_, names, paths):
            pairs = list(zip(names, paths or ((),) * len(names), strict=True))
            keys = [tuple(canonical(member(row[n], path)) for n, path in pairs) for row in rows]
            counted = Counter(key for key in keys if None not in key)
            twice = [times for times in counted.values() if times > 1]
            return DuplicateCounts(counted.total(), sum(twice) - len(twice), len(twice), sum(twice))
        case _:
            raise AssertionError(metric)


def naive_delays(metric: Delays, rows: Rows) -> Measurement:
    waits: list[timedelta] = []
    for row in rows:
        ends = (
            (member(row[metric.event_column], metric.event_inside), metric.event_timezone),
            (member(row[metric.available_column], metric.available_inside), BERLIN),
        )
        began, ended = (None if cell is None else instant(cell, zone) for cell, zone in ends)
        if began is not None and ended is not None:
            waits.append(ended - began)
    longest = max(waits).total_seconds() if waits else None
    return DelayTally(len(waits), sum(wait > metric.limit for wait in waits), longest)


def member(cell: Any, path: FieldPath) -> Any:
    (value,) = reached(cell, path) or [None]
    return value


def canonical(value: Any) -> Any:
    """Return the same for equal wholes; null for null alone."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return tuple((name, canonical(one)) for name, one in sorted(items))
    if isinstance(value, list):
        return ("list", *map(canonical, cast("list[Any]", value)))
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value + 0.0
    return value


def as_json(value: Any) -> Any:
    return value.isoformat()


@settings(max_examples=15, deadline=None)
@given(rows_with(any_real))
@example([])
def test_times_and_keys_inside_of_parquet_cells_are_those_of_the_oracle(rows: Rows) -> None:
    with TemporaryDirectory() as folder:
        data = parquet(Path(folder), pl.DataFrame(rows, schema=SCHEMA))
        found = measure(data, ASKED, now=NOW)
    assert found == {metric: naive(metric, rows) for metric in ASKED}


@settings(max_examples=4, deadline=None)
@given(rows_with(finite).filter(len))
def test_times_and_keys_inside_of_json_are_those_of_the_oracle(rows: Rows) -> None:
    content = "\n".join(json.dumps(row, default=as_json) for row in rows)
    with TemporaryDirectory() as folder:
        data = json_text(Path(folder), content, COLUMNS)
        found = measure(data, ASKED, now=NOW)
    assert found == {metric: naive(metric, rows) for metric in ASKED}


LINE: dict[str, Any] = {"on": None, "seen": None}
TWO_LOST: Rows = [
    {
        "o": {
            "id": 1,
            "at": None,
            "done": None,
            "lines": [{**LINE, "sku": sku} for sku in skus],
        },
        "k": 1,
        "at": None,
        "reals": [],
    }
    for skus in (["b", "c", None], ["a", "a"], [], ["a", "b"])
]
TARGET = Reference("there", ("a", "b"))
KEYS: list[tuple[tuple[str, ...], tuple[FieldPath, ...]]] = [
    (("o",), (SKU,)),
    (("o", "k"), (SKU, ())),
    (("o", "o"), (SKU, ID)),
    (("o", "k"), (ID, ())),
]


@settings(max_examples=15, deadline=None)
@given(
    rows=rows_with(finite).filter(len),
    there=st.lists(st.fixed_dictionaries({"a": texts, "n": small, "m": small}), max_size=4),
    key=st.sampled_from(KEYS),
    is_json=st.booleans(),
)
@example(rows=TWO_LOST, there=[{"a": "a", "n": 1, "m": 1}], key=KEYS[0], is_json=False)
@example(rows=TWO_LOST, there=[{"a": "a", "n": 1, "m": 1}], key=KEYS[1], is_json=True)
def test_keys_inside_of_cells_without_a_match_are_those_of_the_oracle(
    rows: Rows, there: Rows, key: tuple[tuple[str, ...], tuple[FieldPath, ...]], is_json: bool
) -> None:
    names, paths = key
    targets = tuple(
        "a" if path == SKU else "n" if at == 0 else "m" for at, path in enumerate(paths)
    )
    other = pl.DataFrame(
        [{"x": row} for row in there],
        schema={"x": pl.Struct({"a": pl.String, "n": pl.Int32, "m": pl.Int32})},
    )
    metric = Orphans(TABLE, names, TARGET, paths)
    with TemporaryDirectory() as folder:
        here = Path(folder)
        if is_json:
            content = "\n".join(json.dumps(row, default=as_json) for row in rows)
            own = json_text(here, content, COLUMNS)
        else:
            own = parquet(here, pl.DataFrame(rows, schema=SCHEMA))
        found = answer_comparing_metrics(own, [metric], {TARGET: side(here, other, targets)})
    keys = [tuple(row[name] for name in targets) for row in there]
    known = Counter(one for one in keys if None not in one)
    asked = [[one for one in keys_of(row, names, paths) if None not in one] for row in rows]
    lost = sum(any(one not in known for one in each) for each in asked)
    repeated = known.total() - len(known)
    assert found == {metric: OrphanCount(sum(map(bool, asked)), lost, repeated)}


def side(folder: Path, frame: pl.DataFrame, members: Sequence[str]) -> Side:
    (files,) = parquet(folder, frame, "there.parquet").tables
    paths = tuple((StructField(name),) for name in members)
    return Side(files, ("x",) * len(members), "there", paths)


def keys_of(
    row: dict[str, Any], names: Sequence[str], paths: Sequence[FieldPath]
) -> list[tuple[Any, ...]]:
    """Return a key for each element of the array that ways lead into; one for a row without."""
    outwards = max(map(up_to_last_item, paths), key=len)
    elements = reached(row["o"], outwards) if outwards else [None]
    return [
        tuple(
            member(element, struct_fields(path[len(outwards) :]))
            if up_to_last_item(path)
            else member(row[name], path)
            for name, path in zip(names, paths, strict=True)
        )
        for element in elements
    ]


def test_a_local_time_that_its_zone_skips_is_no_instant_inside_a_cell_either(
    tmp_path: Path,
) -> None:
    skipped, there = local(2025, 3, 30, 2, 30), local(2025, 3, 30, 1, 0)
    data = parquet(tmp_path, pl.DataFrame({"c": [[skipped], [there, None], []]}))
    found = ask(data, TimeSpan(TABLE, "c", BERLIN, (ArrayItem(),)))
    midnight = datetime.fromisoformat("2025-03-30T00:00:00+00:00")
    assert found == TimeRange(midnight, midnight, rows=2, future=0)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ((StructField("id"),), "the column is neither a date nor a timestamp"),
        ((StructField("no"),), "the object has no such member"),
        ((ArrayItem(),), "values of type object have no elements"),
    ],
)
def test_what_tells_no_time_inside_a_cell_has_no_answer(
    tmp_path: Path, path: FieldPath, reason: str
) -> None:
    data = parquet(tmp_path, pl.DataFrame(schema=SCHEMA))
    assert ask(data, TimeSpan(TABLE, "o", path=path)) == Unmeasured(reason)


def test_a_key_that_the_data_do_not_have_is_told_with_its_way(tmp_path: Path) -> None:
    own = parquet(tmp_path, pl.DataFrame(schema=SCHEMA))
    target = side(tmp_path, pl.DataFrame({"x": [{"a": "a"}]}), ["a"])
    asked = [Orphans(TABLE, ("o",), TARGET, ((*LINES, StructField("no")),))]
    found = answer_comparing_metrics(own, asked, {TARGET: target})
    why = "column 'o.lines[].no' of orders: the object has no such member"
    assert found == {asked[0]: Unmeasured(why)}
    other = Side(target.files, ("x",), "there", ((StructField("b"),),))
    known = [Orphans(TABLE, ("o",), TARGET, (SKU,))]
    found = answer_comparing_metrics(own, known, {TARGET: other})
    why = "column 'x.b' of there: the object has no such member"
    assert found == {known[0]: Unmeasured(why)}


UNIQUE = column(
    "c",
    L.OBJECT,
    unique_clause=column("c").clause,
    nested=(
        column("c", L.INTEGER, path=(StructField("n"),)),
        column("c", path=(StructField("free"),)),
    ),
)


@pytest.mark.parametrize(
    ("cells", "repeats"),
    [
        (['{"n": 1, "x": 1}', '{"x": 1, "n": 1}'], DuplicateCounts(2, 1, 1, 2)),
        (['{"n": 1, "x": 1}', '{"n": 1, "x": 2}'], DuplicateCounts(2)),
        (
            ['{"n": 1, "x": {"a": 1, "b": 2}}', '{"n": 1, "x": {"b": 2, "a": 1}}'],
            DuplicateCounts(2, 1, 1, 2),
        ),
        (['{"n": 1, "x": null}', '{"n": 1}'], DuplicateCounts(2, 1, 1, 2)),
        (
            ['{"free": {"a": 1, "b": [2]}}', '{"free": {"b": [2], "a": 1}}'],
            DuplicateCounts(2, 1, 1, 2),
        ),
        (['{"n": "x"}', '{"n": "y"}'], DuplicateCounts()),  # both are wrong, which their type tells
        (['{"n": 1}', "3", "null"], DuplicateCounts(1)),
    ],
)
def test_objects_of_json_are_compared_with_all_of_their_members(
    tmp_path: Path, cells: list[str], repeats: DuplicateCounts
) -> None:
    data = json_text(tmp_path, "\n".join(f'{{"c": {cell}}}' for cell in cells), [UNIQUE])
    assert ask(data, SurplusRows(TABLE, ("c",))) == repeats
