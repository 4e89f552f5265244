"""The per-file cache and values inside of cells."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from contractwatch.engines.cache.file_answers import CacheableMetric
from contractwatch.engines.cache.incremental_scan import incremental_scan
from contractwatch.engines.query.engine import measure
from contractwatch.model.base.path import ArrayItem, StructField
from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.dataset import DataFile, Dataset, TableFiles
from contractwatch.model.measure.evidence import Evidence
from contractwatch.model.measure.metric import Delays, SurplusRows, TimeSpan

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCHEMA = {
    "o": pl.Struct({"id": pl.Int64, "at": pl.Datetime("us", "UTC")}),
    "lines": pl.List(pl.Struct({"at": pl.Datetime("us", "UTC")})),
}
ID, AT = StructField("id"), StructField("at")
ASKED: tuple[CacheableMetric, ...] = (
    TimeSpan("t", "lines", path=(ArrayItem(), AT)),
    TimeSpan("t", "o", path=(AT,)),
    Delays("t", "o", "o", timedelta(0), event_inside=(AT,), available_inside=(AT,)),
    SurplusRows("t", ("o",), ((ID,),)),
    SurplusRows("t", ("o",)),
    SurplusRows("t", ("lines",)),
)


def file(folder: Path, name: str, *days: int) -> DataFile:
    rows = [
        {"o": {"id": day, "at": at}, "lines": [{"at": at}, None]}
        for day in days
        for at in [NOW - timedelta(days=day)]
    ]
    path = folder / name
    pl.DataFrame([*rows, {"o": None, "lines": None}], schema=SCHEMA).write_parquet(path)
    return DataFile(str(path), path.stat().st_size, NOW, etag=name)


def test_new_files_add_to_what_is_kept_of_nested_values(tmp_path: Path) -> None:
    known = (file(tmp_path, "a.parquet", 9, 8), file(tmp_path, "b.parquet", 7, 7))
    table = TableFiles("t", known, DataFormat.PARQUET, ())
    first = incremental_scan(table, ASKED, None, now=NOW)
    assert first is not None
    assert first.measurements == measure(Dataset("", (table,), ""), ASKED, now=NOW)
    more = replace(table, files=(*known, file(tmp_path, "c.parquet", 8, 1)))
    second = incremental_scan(more, ASKED, first.table_answers, now=NOW)
    assert second is not None
    assert second.measurements == measure(Dataset("", (more,), ""), ASKED, now=NOW)
    assert second.evidence[ASKED[0]] is Evidence.STATE
