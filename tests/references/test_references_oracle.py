"""Property test: the engine and a naive comparison agree on any pair of tables."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars._typing import PolarsDataType

from contractwatch.engines.comparison.comparing import Sides, answer_comparing_metrics
from contractwatch.engines.comparison.keyed_rows import Side
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles
from contractwatch.model.measure.metric import (
    BadRowsAcross,
    ForeignKey,
    IsInvalid,
    IsNull,
    Predicate,
    RepeatsElements,
)
from contractwatch.model.measure.state import Count, Measurement, Unmeasured
from contractwatch.model.promises.reference import (
    Aggregate,
    CoveredKeys,
    KeyCoverage,
    OrphanCount,
    Orphans,
    Reference,
    Segments,
    SegmentsOf,
    Total,
    TotalOf,
    TotalValue,
)
from contractwatch.model.promises.segment import MOST_SEGMENTS

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HERE: dict[str, PolarsDataType] = {
    "whole": pl.Int64,
    "word": pl.String,
    "day": pl.Date,
    "money": pl.Decimal(12, 2),
}
THERE: dict[str, PolarsDataType] = {
    "whole": pl.UInt8,
    "word": pl.Categorical,
    "day": pl.Date,
    "money": pl.Decimal(20, 4),
}
CELLS = {
    "whole": st.integers(0, 4),
    "word": st.sampled_from(["", "a", "ä", "🙂", "A"]),
    "day": st.dates(date(2026, 1, 1), date(2026, 1, 4)),
    "money": st.integers(0, 4).map(lambda cents: Decimal(cents) / 100),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | cell for name, cell in CELLS.items()}), max_size=12
)
TARGET = Reference("there", (), "other.odcs.yaml")

Rows = list[dict[str, object]]


def files(folder: str, name: str, rows: Rows, schema: dict[str, PolarsDataType]) -> TableFiles:
    path = Path(folder) / f"{name}.parquet"
    data = {column: [row[column] for row in rows] for column in schema}
    pl.DataFrame(data, schema=schema).write_parquet(path)
    return TableFiles(name, (DataFile(str(path), 1, NOW),), DataFormat.PARQUET, ())


def keys(rows: Rows, names: tuple[str, ...]) -> list[tuple[object, ...]]:
    found = [tuple(row[name] for name in names) for row in rows]
    return [key for key in found if None not in key]


@settings(max_examples=24, deadline=None)
@given(ROWS, ROWS, st.lists(st.sampled_from(list(HERE)), min_size=1, max_size=3, unique=True))
def test_orphans_and_covered_keys_are_those_of_a_naive_comparison(
    here: Rows, there: Rows, columns: list[str]
) -> None:
    names = tuple(columns)
    asked = keys(here, names)
    known = Counter(keys(there, names))
    with TemporaryDirectory() as folder:
        own = files(folder, "here", here, HERE)
        side = Side(files(folder, "there", there, THERE), names, "there")
        orphans, covered = Orphans("here", names, TARGET), CoveredKeys("here", names, TARGET)
        found = answer_comparing_metrics(
            Dataset("live", (own,), "v"), [orphans, covered], {TARGET: side}
        )
    assert found == {
        orphans: OrphanCount(
            len(asked), sum(key not in known for key in asked), known.total() - len(known)
        ),
        covered: KeyCoverage(len(known), len(known.keys() & set(asked))),
    }


PREDICATES: dict[Predicate, Callable[[dict[str, object]], bool]] = {
    IsNull("day"): lambda row: row["day"] is None,
    IsInvalid("whole", (1, 2)): lambda row: row["whole"] not in {None, 1, 2},
    IsInvalid("word", pattern="a"): lambda row: row["word"] not in {None, "a"},
    IsInvalid("word", pattern="a(?!b)", ecma=True): lambda row: row["word"] not in {None, "a"},
}
KEYS = st.lists(st.sampled_from(list(HERE)), min_size=1, max_size=3, unique=True).map(tuple)


@settings(max_examples=24, deadline=None)
@given(
    ROWS,
    st.dictionaries(KEYS, ROWS, min_size=1, max_size=3),
    st.lists(st.sampled_from(list(PREDICATES)), max_size=3, unique=True),
)
def test_a_row_that_breaks_rules_and_keys_counts_once_as_in_a_naive_comparison(
    here: Rows, targets: dict[tuple[str, ...], Rows], predicates: list[Predicate]
) -> None:
    def is_bad(row: dict[str, object]) -> bool:
        orphaned = (
            key not in set(keys(there, names))
            for names, there in targets.items()
            for key in keys([row], names)
        )
        return any(PREDICATES[one](row) for one in predicates) or any(orphaned)

    with TemporaryDirectory() as folder:
        own = files(folder, "here", here, HERE)
        sides: dict[Reference | TotalOf, Side | Unmeasured] = {}
        for at, (names, there) in enumerate(targets.items()):
            table = files(folder, f"there{at}", there, THERE)
            sides[Reference(f"there{at}", names)] = Side(table, names, f"there{at}")
        asked = BadRowsAcross(
            "here",
            tuple(predicates),
            tuple(
                ForeignKey(names, Reference(f"there{at}", names))
                for at, names in enumerate(targets)
            ),
        )
        found = answer_comparing_metrics(Dataset("live", (own,), "v"), [asked], sides)
    assert found == {asked: Count(sum(map(is_bad, here)))}


def bad_rows(
    tmp_path: Path, predicate: Predicate, there: pl.DataFrame, data_format: str = "parquet"
) -> Measurement:
    here = pl.DataFrame({"k": ["a", "b", "a" * 40 + "b"], "key0 0": [1, 2, 3]})
    sides: list[TableFiles] = []
    for name, frame in (("here", here), ("there", there)):
        path = tmp_path / f"{name}.{data_format}"
        frame.write_parquet(path) if data_format == "parquet" else frame.write_csv(path)
        kind = DataFormat(data_format)
        sides.append(TableFiles(name, (DataFile(str(path), 1, NOW),), kind, ()))
    own, other = sides
    metric = BadRowsAcross("here", (predicate,), (ForeignKey(("k",), TARGET),))
    known = {TARGET: Side(other, ("k",), "there of other")}
    return answer_comparing_metrics(Dataset("live", (own,), "v"), [metric], known)[metric]


@pytest.mark.parametrize("data_format", ["parquet", "csv"])
def test_rules_and_keys_are_one_mask_in_text_files_too(tmp_path: Path, data_format: str) -> None:
    there = pl.DataFrame({"k": ["a"]})
    found = bad_rows(tmp_path, IsInvalid("k", pattern="b$"), there, data_format)
    assert found == Count(3)


def test_a_mask_that_cannot_be_asked_has_no_answer_and_says_why(tmp_path: Path) -> None:
    there = pl.DataFrame({"k": ["a"]})
    slow = IsInvalid("k", pattern="^(a+)+(?=c)$", ecma=True)
    assert bad_rows(tmp_path, slow, there) == Unmeasured("the pattern took too long")
    whole = RepeatsElements("k")
    assert bad_rows(tmp_path, whole, there) == Unmeasured("values of type text have no elements")
    never = bad_rows(tmp_path, IsNull("k"), pl.DataFrame({"k": [1]}))
    assert isinstance(never, Unmeasured)
    assert never.reason.startswith("the types differ")
    lost = bad_rows(tmp_path, IsNull("x"), there)
    assert lost == Unmeasured("column 'x' of here is missing")


@settings(max_examples=15, deadline=None)
@given(ROWS, ROWS, st.lists(st.sampled_from(["whole", "word", "day"]), min_size=1, unique=True))
def test_the_segments_of_a_target_are_its_whole_keys_as_texts(
    here: Rows, there: Rows, columns: list[str]
) -> None:
    names = tuple(columns)
    with TemporaryDirectory() as folder:
        own = files(folder, "here", here, HERE)
        side = Side(files(folder, "there", there, THERE), names, "there")
        asked = SegmentsOf("here", names, TARGET)
        found = answer_comparing_metrics(Dataset("live", (own,), "v"), [asked], {TARGET: side})
    texts = {tuple(map(str, key)) for key in keys(there, names)}
    assert found == {asked: Segments(tuple(sorted(texts)))}


def test_a_reference_with_too_many_values_is_no_list_of_segments(tmp_path: Path) -> None:
    asked = SegmentsOf("here", ("k",), TARGET)
    found: list[Measurement] = []
    for distinct in (MOST_SEGMENTS, MOST_SEGMENTS + 1):
        frame = pl.DataFrame({"k": [*range(distinct), None, 0]})
        frame.write_parquet(tmp_path / "here.parquet")
        file = DataFile(str(tmp_path / "here.parquet"), 1, NOW)
        table = TableFiles("here", (file,), DataFormat.PARQUET, ())
        sides: Sides = {TARGET: Side(table, ("k",), "there")}
        found += answer_comparing_metrics(Dataset("live", (table,), "v"), [asked], sides).values()
    fewer, more = found
    assert isinstance(fewer, Segments)
    assert len(fewer.segments) == MOST_SEGMENTS
    assert more == Unmeasured(
        "there of other.odcs.yaml has more than 10,000 distinct values; expected fewer segments"
    )


def test_values_that_make_no_segments_are_refused(tmp_path: Path) -> None:
    frame = pl.DataFrame({"k": [0.5]})
    frame.write_parquet(tmp_path / "here.parquet")
    file = DataFile(str(tmp_path / "here.parquet"), 1, NOW)
    table = TableFiles("here", (file,), DataFormat.PARQUET, ())
    asked, sides = SegmentsOf("here", ("k",), TARGET), {TARGET: Side(table, ("k",), "there")}
    found = answer_comparing_metrics(Dataset("live", (table,), "v"), [asked], sides)
    assert found == {asked: Unmeasured("values of type number make no segments")}


@settings(max_examples=15, deadline=None)
@given(ROWS, st.sampled_from(["whole", "money"]))
def test_totals_are_those_of_a_naive_sum(rows: Rows, column: str) -> None:
    present = [Decimal(str(row[column])) for row in rows if row[column] is not None]
    naive: dict[Aggregate, Decimal | None] = {
        Aggregate.COUNT: Decimal(len(present)),
        Aggregate.SUM: sum(present, Decimal(0)),
        Aggregate.MIN: min(present, default=None),
        Aggregate.MAX: max(present, default=None),
        Aggregate.AVG: sum(present) / Decimal(len(present)) if present else None,
    }
    of = Reference("here", (column,))
    with TemporaryDirectory() as folder:
        side = Side(files(folder, "here", rows, HERE), (column,), "here")
        for aggregate, expected in naive.items():
            total = TotalOf(aggregate, of)
            found = answer_comparing_metrics(
                Dataset("live", (), "v"), [Total("here", total)], {total: side}
            )
            (measured,) = found.values()
            if expected is None:
                assert isinstance(measured, Unmeasured)
            else:
                assert measured == TotalValue(expected)


def asked(tmp_path: Path, here: pl.DataFrame, there: pl.DataFrame) -> Measurement:
    sides: list[TableFiles] = []
    for name, frame in (("here", here), ("there", there)):
        path = tmp_path / f"{name}.parquet"
        frame.write_parquet(path)
        sides.append(TableFiles(name, (DataFile(str(path), 1, NOW),), DataFormat.PARQUET, ()))
    metric = Orphans("here", ("k",), TARGET)
    own, other = sides
    found = answer_comparing_metrics(
        Dataset("live", (own,), "v"), [metric], {TARGET: Side(other, ("k",), "there of other")}
    )
    return found[metric]


def test_keys_of_types_that_are_never_equal_are_not_compared(tmp_path: Path) -> None:
    found = asked(tmp_path, pl.DataFrame({"k": ["1"]}), pl.DataFrame({"k": [1]}))
    words = "the types differ: here has the key as text and there of other as integer"
    assert found == Unmeasured(words)


def test_instants_are_compared_whatever_their_zone_and_precision(tmp_path: Path) -> None:
    noon = pl.Series("k", [NOW])
    here = noon.dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ms")
    assert asked(tmp_path, here.to_frame(), noon.to_frame()) == OrphanCount(1, 0, 0)
    local = noon.dt.replace_time_zone(None).to_frame()
    assert isinstance(asked(tmp_path, local, noon.to_frame()), Unmeasured)


def test_a_target_without_any_value_has_no_keys(tmp_path: Path) -> None:
    empty = pl.DataFrame({"k": [None]})
    assert asked(tmp_path, pl.DataFrame({"k": [1, 2]}), empty) == OrphanCount(2, 2, 0)
    assert asked(tmp_path, empty, empty) == OrphanCount(0, 0, 0)


def test_a_sum_beyond_64_bits_is_exact_and_infinity_is_no_total(tmp_path: Path) -> None:
    largest = 2**63 - 1
    frame = pl.DataFrame({"k": [largest, largest], "real": [1.0, float("inf")]})
    frame.write_parquet(tmp_path / "here.parquet")
    file = DataFile(str(tmp_path / "here.parquet"), 1, NOW)
    table = TableFiles("here", (file,), DataFormat.PARQUET, ())
    found: list[Measurement] = []
    for column in ("k", "real", "none"):
        total = TotalOf(Aggregate.SUM, Reference("here", (column,)))
        sides: Sides = {total: Side(table, (column,), "here")}
        found += answer_comparing_metrics(
            Dataset("live", (), "v"), [Total("here", total)], sides
        ).values()
    assert found == [
        TotalValue(Decimal(2 * largest)),
        Unmeasured("the sum of column 'real' of here is no finite number"),
        Unmeasured("column 'none' of here is missing"),
    ]
