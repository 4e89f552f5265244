"""Pruned scans read less and change no answer."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from engine_values import NOW, TABLE, dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_oracle import Row, answer

from contractwatch.engines.core.memory_budget import KEY_BYTES
from contractwatch.engines.predicates.questions import Question
from contractwatch.engines.query.engine import Survey, survey
from contractwatch.engines.query.pruning import MIN_PRUNED_BYTES, group_by_columns
from contractwatch.engines.query.times import counted
from contractwatch.engines.tables.frames import Frame, open_table
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import Dataset, TableFiles
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import (
    CountWhere,
    IsAbove,
    IsBelow,
    IsInvalid,
    IsLonger,
    IsMissing,
    IsNull,
    Metric,
    RowCount,
    SurplusRows,
    TableSchema,
    Unparseable,
)
from contractwatch.model.measure.state import Count, DuplicateCounts, Unmeasured
from tests.engines.query.test_engines_oracle import SCHEMA, metrics, tables

KEY = SurplusRows(TABLE, ("id",))


def as_large(files: TableFiles) -> Frame:
    return replace(open_table(files), bytes_per_file=MIN_PRUNED_BYTES)


def lean(data: Dataset, asked: Sequence[Metric], *, trusting: bool = True) -> Survey:
    return survey(data, asked, now=NOW, open_rows=as_large, trusts_statistics=trusting)


def write(folder: str | Path, frame: pl.DataFrame, group: int, *, statistics: bool) -> Dataset:
    path = Path(folder) / "orders.parquet"
    frame.write_parquet(path, row_group_size=group, statistics=statistics)
    return dataset([path], DataFormat.PARQUET)


@settings(max_examples=24, deadline=None)
@given(
    tables(list(SCHEMA)),
    metrics(list(SCHEMA)),
    st.integers(1, 8),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
)
def test_pruned_answers_are_those_of_the_naive_oracle(
    rows: list[Row], asked: list[Metric], group: int, times: int, statistics: bool, trusting: bool
) -> None:
    repeated = [row for row in rows for _ in range(times)]
    data = {name: [row[name] for row in repeated] for name in SCHEMA}
    with TemporaryDirectory() as folder:
        frame = pl.DataFrame(data, schema=SCHEMA)
        found = lean(write(folder, frame, group, statistics=statistics), asked, trusting=trusting)
    assert found.measurements == {metric: answer(metric, repeated, NOW) for metric in asked}


@contextmanager
def memory_for_keys(size: int) -> Generator[None]:
    token = KEY_BYTES.set(size)
    try:
        yield
    finally:
        KEY_BYTES.reset(token)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3) | st.none(), st.sampled_from(["a", "b", None]))),
    st.booleans(),
    st.sampled_from([0, 100, 700]),
)
def test_keys_are_counted_exactly_sorted_or_not_in_whatever_memory(
    keys: list[tuple[int | None, str | None]], ascending: bool, memory: int
) -> None:
    if ascending:
        keys = sorted(keys, key=lambda key: (key[0] is None, key[0] or 0, key[1] or ""))
    rows: list[Row] = [{"id": number, "word": word} for number, word in keys]
    frame = pl.DataFrame(rows, schema={"id": pl.Int64, "word": pl.String})
    asked = [KEY, SurplusRows(TABLE, ("id", "word")), SurplusRows(TABLE, ("word",))]
    with TemporaryDirectory() as folder, memory_for_keys(memory):
        found = lean(write(folder, frame, 3, statistics=True), asked).measurements
    assert found == {metric: answer(metric, rows, NOW) for metric in asked}


@pytest.mark.parametrize("memory", [0, 1, 10_000])
def test_many_keys_of_which_most_repeat_are_counted_part_by_part(
    tmp_path: Path, memory: int
) -> None:
    numbers = [number * 7919 % 10_007 for number in range(10_000)]
    frame = pl.DataFrame({"id": [*numbers, *numbers[:9000], *numbers[:10], None]})
    with memory_for_keys(memory):
        found = lean(write(tmp_path, frame, 3000, statistics=True), [KEY]).measurements
    assert found == {KEY: DuplicateCounts(rows=19_010, surplus=9010, keys=9000, affected=18_010)}


@pytest.mark.parametrize("at", [1, 699, 700, 701, 4999])
def test_a_key_that_does_not_rise_at_the_edge_of_a_row_group_is_found(
    tmp_path: Path, at: int
) -> None:
    numbers = list(range(5000))
    numbers[at] = numbers[at - 1]
    data = write(tmp_path, pl.DataFrame({"id": numbers}), 700, statistics=True)
    assert lean(data, [KEY]).measurements == {
        KEY: DuplicateCounts(rows=5000, surplus=1, keys=1, affected=2)
    }


@pytest.mark.parametrize("count", [1, 8, 9])
@pytest.mark.parametrize("trusting", [True, False])
def test_sets_of_few_and_of_many_texts_are_looked_up_alike(
    tmp_path: Path, count: int, trusting: bool
) -> None:
    words = [*"abcdefghij", "ä", "", None] * 30
    rows: list[Row] = [{"word": word} for word in words]
    data = write(tmp_path, pl.DataFrame(rows), 50, statistics=True)
    values = tuple("abcdefghij"[:count])
    asked = [
        CountWhere(TABLE, IsInvalid("word", values=values)),
        CountWhere(TABLE, IsMissing("word", values)),
    ]
    found = lean(data, asked, trusting=trusting).measurements
    assert found == {metric: answer(metric, rows, NOW) for metric in asked}


def test_a_repeat_after_a_long_rise_is_found(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [*range(5000), 17, 17]})
    assert lean(write(tmp_path, frame, 700, statistics=True), [KEY]).measurements == {
        KEY: DuplicateCounts(rows=5002, surplus=2, keys=1, affected=3)
    }


def test_a_rise_is_no_proof_where_a_member_of_the_key_is_null(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2, 3], "word": ["a", None, "b"]})
    key = SurplusRows(TABLE, ("id", "word"))
    data = write(tmp_path, frame, 10, statistics=True)
    assert lean(data, [key]).measurements == {key: DuplicateCounts(rows=2)}


@pytest.mark.parametrize("statistics", [True, False])
def test_nan_is_beyond_every_bound_whatever_the_footer_says(
    tmp_path: Path, statistics: bool
) -> None:
    frame = pl.DataFrame({"real": [1.0, float("nan"), 2.0, None] * 500})
    asked = [CountWhere(TABLE, IsAbove("real", 5)), CountWhere(TABLE, IsBelow("real", 0))]
    data = write(tmp_path, frame, 100, statistics=statistics)
    found = lean(data, [*asked, CountWhere(TABLE, IsNull("real"))])
    assert set(found.measurements.values()) == {Count(500)}
    assert {found.evidence[metric] for metric in asked} == {Evidence.SCAN}


def write_foreign(path: Path, frame: pl.DataFrame, **options: object) -> Dataset:
    """Write as another library does: with dictionaries, or with times of an old format."""
    arrow = pytest.importorskip("pyarrow.parquet", reason="pyarrow comes with an extra")
    arrow.write_table(frame.to_arrow(), path, row_group_size=50, **options)
    return dataset([path], DataFormat.PARQUET)


@pytest.mark.parametrize(
    "options",
    [
        {"use_dictionary": True},
        {"use_dictionary": False},
        {"use_deprecated_int96_timestamps": True},
        {"version": "1.0"},
        {"data_page_version": "2.0", "write_page_index": True, "data_page_size": 64},
        {"write_statistics": False},
        {"store_decimal_as_integer": True},
    ],
)
def test_files_of_another_library_are_counted_exactly(
    tmp_path: Path, options: dict[str, object]
) -> None:
    times = [datetime(1969, 12, 31, hour % 24) for hour in range(200)]  # noqa: DTZ001
    rows: list[Row] = [
        {
            "id": number if number % 7 else None,
            "large": 2**63 + number,
            "money": Decimal(number - 100) / 4,
            "word": ("a" * 70 + "b" * (number % 3)) if number % 2 else "ä",
            "at": times[number],
        }
        for number in range(200)
    ]
    schema = {
        "id": pl.Int32, "large": pl.UInt64, "money": pl.Decimal(9, 2), "word": pl.String,
        "at": pl.Datetime("us"),
    }  # fmt: skip
    data = write_foreign(tmp_path / "x.parquet", pl.DataFrame(rows, schema=schema), **options)
    bounds = {
        "id": 150, "large": 2**63 + 20, "money": Decimal("-3.25"),
        "at": datetime(1969, 12, 31, 6),  # noqa: DTZ001
    }  # fmt: skip
    asked: list[Metric] = [CountWhere(TABLE, IsNull(name)) for name in schema]
    for name, bound in bounds.items():
        asked += [
            CountWhere(TABLE, kind(name, bound, exclusive=exclusive))
            for kind in (IsBelow, IsAbove)
            for exclusive in (True, False)
        ]
    for values in (("ä",), ("a" * 70, "ä"), ("a" * 70, "a" * 70 + "b", "a" * 70 + "bb", "ä"), ()):
        asked.append(CountWhere(TABLE, IsInvalid("word", values=values)))
    found = lean(data, asked).measurements
    assert found == {metric: answer(metric, rows, NOW) for metric in asked}


def test_row_groups_whose_pages_are_damaged_are_not_missed_when_statistics_decide(
    tmp_path: Path,
) -> None:
    frame = pl.DataFrame({"id": list(range(10_000))})
    data = write(tmp_path, frame, 10_000, statistics=True)
    path = Path(data.tables[0].files[0].path)
    content = bytearray(path.read_bytes())
    content[60:2000] = bytes(1940)
    path.write_bytes(bytes(content))
    asked = CountWhere(TABLE, IsAbove("id", 20_000))
    assert lean(data, [asked]).measurements == {asked: Count(0)}
    distrusted = lean(data, [asked], trusting=False).measurements
    assert isinstance(distrusted[asked], Unmeasured)


def test_evidence_is_named_for_every_question(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2], "word": ["a", "b"]})
    data = write(tmp_path, frame, 10, statistics=True)
    by_metadata = [
        TableSchema(TABLE), RowCount(TABLE), Unparseable(TABLE, "id"),
        CountWhere(TABLE, IsNull("id")), CountWhere(TABLE, IsInvalid("word", values=("a",))),
    ]  # fmt: skip
    by_scan = [CountWhere(TABLE, IsLonger("word", 1)), KEY]
    found = lean(data, [*by_metadata, *by_scan]).evidence
    assert found == {
        **dict.fromkeys(by_metadata, Evidence.METADATA),
        **dict.fromkeys(by_scan, Evidence.SCAN),
    }
    distrusted = lean(data, [*by_metadata, *by_scan], trusting=False).evidence
    assert {metric for metric, each in distrusted.items() if each is Evidence.METADATA} == {
        TableSchema(TABLE),
        Unparseable(TABLE, "id"),
    }


def test_questions_are_asked_together_where_they_share_a_column_and_rows_never_alone() -> None:
    def question(metric: Metric, *columns: str) -> Question:
        selected = tuple(pl.col(name).sum() for name in columns) or (pl.len(),)
        return Question(metric, selected, counted)

    rows = question(RowCount(TABLE))
    one, two, both, other = (
        question(CountWhere(TABLE, IsNull(name)), *columns)
        for name, columns in {"1": ["a"], "2": ["b"], "3": ["a", "b"], "4": ["c"]}.items()
    )
    assert group_by_columns([rows, one, two, other]) == [[rows, one], [two], [other]]
    assert group_by_columns([one, other, two, both]) == [[one, two, both], [other]]
    assert group_by_columns([rows]) == [[rows]]
    assert group_by_columns([]) == []


def test_a_wide_table_shares_its_plans(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(200)]
    frame = pl.DataFrame({name: [None, number] for number, name in enumerate(names)})
    data = write(tmp_path, frame, 1, statistics=True)
    asked = [CountWhere(TABLE, IsBelow(name, 100)) for name in names]
    found = lean(data, asked).measurements
    assert [found[metric] for metric in asked] == [Count(1)] * 100 + [Count(0)] * 100
