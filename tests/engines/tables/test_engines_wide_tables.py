"""The plan of a wide table is built once, not once for each of its columns."""

from pathlib import Path

import polars as pl
import pytest
from engine_values import NOW, TABLE, parquet

from contractwatch.engines.query import pruning
from contractwatch.engines.query.engine import survey
from contractwatch.engines.tables.frames import Frame, open_table
from contractwatch.model.base.server import DataFormat
from contractwatch.model.measure.metric import CountWhere, IsAbove, IsBelow, IsNull, Metric
from contractwatch.model.measure.state import ColumnType, Count, TableColumns, Unmeasured


def test_a_table_of_many_small_columns_is_read_in_one_pass_and_a_large_one_by_columns() -> None:
    def frame(columns: int, size: int) -> Frame:
        known = TableColumns(tuple(ColumnType(f"c{n}", "integer", "INT64") for n in range(columns)))
        rows = pl.LazyFrame()
        return Frame(TABLE, DataFormat.PARQUET, rows, known, {}, bytes_per_file=size, bytes=size)

    assert pruning.is_large(frame(10, 1 << 20))
    assert not pruning.is_large(frame(1_600, 4 << 20))
    assert pruning.is_large(frame(1_600, 1 << 30))


@pytest.mark.parametrize("worth", [1, 1 << 40])
def test_one_question_that_does_not_fit_leaves_the_others_their_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worth: int
) -> None:
    monkeypatch.setattr(pruning, "MIN_PRUNED_BYTES", worth)
    monkeypatch.setattr(pruning, "_MIN_COLUMN_BYTES", 1)
    values = {f"c{n}": [None, n, 2 * n] for n in range(300)}
    data = parquet(tmp_path, pl.DataFrame({**values, "word": ["a", "b", None]}))
    asked: list[Metric] = [CountWhere(TABLE, IsNull(name)) for name in (*values, "word")]
    asked += [CountWhere(TABLE, IsAbove(name, 100)) for name in values]
    wrong = CountWhere(TABLE, IsBelow("word", 5))
    found = survey(data, [*asked, wrong], now=NOW).measurements
    assert isinstance(found[wrong], Unmeasured)
    assert all(found[metric] == Count(1) for metric in asked[:301])
    assert [found[metric] for metric in asked[301:]] == [
        Count((n > 100) + (2 * n > 100)) for n in range(300)
    ]


def test_a_name_is_found_exactly_first_and_then_by_the_only_one_alike(tmp_path: Path) -> None:
    data = parquet(tmp_path, pl.DataFrame({"ID": [1], "Name": ["a"], "x": [1], "X": [2]}))
    columns = open_table(data.tables[0]).columns
    found = {name: columns.find(name) for name in ("ID", "id", "name", "x", "X", "y")}
    assert {name: one and one.name for name, one in found.items()} == {
        "ID": "ID", "id": "ID", "name": "Name", "x": "x", "X": "X", "y": None,
    }  # fmt: skip
    assert TableColumns((ColumnType("a", "x", "x"), ColumnType("A", "x", "x"))).find("ª") is None
