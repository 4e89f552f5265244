"""A folder of files that changes, and questions about it with and without the cache."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Column, LogicalType, Table
from contractwatch.model.measure.metric import (
    BadRows,
    CountWhere,
    Delays,
    IsBelow,
    IsInvalid,
    IsLonger,
    IsNull,
    Metric,
    RecentRows,
    RowCount,
    SurplusRows,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.promises.personal_data import Detector, PersonalDataHits, SearchedColumn
from contractwatch.model.promises.segment import Period, PeriodUnit, RowsPerCell
from contractwatch.model.promises.sql import SqlScalar
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.model.record.run import Reading
from contractwatch.scan.scan import ScanJob, scan

LATER = timedelta(hours=1)
"""Files that a test has just written are no longer young for a run that is so much later."""

ORDERS = "orders"
DAY = timedelta(days=1)
TYPES = {
    "id": LogicalType.INTEGER,
    "line": LogicalType.INTEGER,
    "real": LogicalType.NUMBER,
    "word": LogicalType.STRING,
    "at": LogicalType.TIMESTAMP,
    "told": LogicalType.TIMESTAMP,
}
COLUMNS = tuple(
    Column(Clause(f"schema[0].properties[{at}]", at), name, name, logical_type)
    for at, (name, logical_type) in enumerate(TYPES.items())
)
QUERY = 'SELECT COUNT(*) FROM "orders" WHERE "id" > 3'
OTHERS = (
    RecentRows(ORDERS, "at", DAY),
    RowsPerCell(ORDERS, "at", ("word",), Period(PeriodUnit.DAY), 3 * DAY),
    SqlScalar(ORDERS, QUERY, (ORDERS,)),
)
"""What is asked of all files each time."""

KEPT = (
    RowCount(ORDERS),
    *(CountWhere(ORDERS, IsNull(name)) for name in TYPES),
    CountWhere(ORDERS, IsBelow("id", 2)),
    CountWhere(ORDERS, IsInvalid("word", values=("a", "b"))),
    CountWhere(ORDERS, IsLonger("word", 1)),
    *(Unparseable(ORDERS, name) for name in TYPES),
    *(
        SurplusRows(ORDERS, columns)
        for columns in (("id",), ("word",), ("real",), ("at",), ("id", "line"), ("id", "word"))
    ),
    TimeSpan(ORDERS, "at"),
    TimeSpan(ORDERS, "told", "Europe/Berlin"),
    Delays(ORDERS, "at", "told", DAY),
    BadRows(ORDERS, (IsNull("id"), IsBelow("line", 1))),
    PersonalDataHits(ORDERS, (SearchedColumn("word", (Detector.EMAIL, Detector.CARD)),)),
)


def row(number: int | None, word: str | None, days: int | None) -> dict[str, object]:
    at = None if days is None else (datetime.now(UTC) + days * DAY).replace(microsecond=0)
    return {
        "id": number,
        "line": None if number is None else number % 3,
        "real": None if number is None else float("nan") if number == 1 else number / 2,
        "word": word,
        "at": at,
        "told": None if at is None or number is None else at + number * DAY / 2,
    }


FRAME = {
    "id": pl.Int64,
    "line": pl.Int32,
    "real": pl.Float64,
    "word": pl.String,
    "at": pl.Datetime("us", "UTC"),
    "told": pl.Datetime("us", "UTC"),
}


@dataclass(slots=True)
class Folder:
    """Files of one table, and what was kept when they were last looked at."""

    path: Path
    data_format: DataFormat = DataFormat.PARQUET
    cached_tables: tuple[CachedTable, ...] = ()

    def file(self, name: str) -> Path:
        return self.path / f"{name}.{self.data_format}"

    def write(self, name: str, rows: Sequence[dict[str, object]], *, wide: bool = False) -> None:
        """Replace a file; a wide one has a wider type of number and a column more."""
        frame = pl.DataFrame(rows, schema=FRAME)
        if wide:
            frame = frame.with_columns(pl.col("line").cast(pl.Int64), extra=pl.lit("x"))
        unfinished = self.path / f"_{name}"
        if self.data_format is DataFormat.CSV:
            frame.write_csv(unfinished, datetime_format="%Y-%m-%dT%H:%M:%SZ")
        else:
            frame.write_parquet(unfinished)
        unfinished.replace(self.file(name))

    def dress_up(self, name: str, rows: Sequence[dict[str, object]]) -> None:
        """Replace a file by another one of its size, if it comes out so, and of its time."""
        before = self.file(name).stat()
        self.write(name, rows)
        os.utime(self.file(name), ns=(before.st_atime_ns, before.st_mtime_ns))

    def job(self, metrics: Sequence[Metric], *, now: datetime, where: str = "") -> ScanJob:
        server = Server(
            Clause("servers[0]", 1), "live", "local",
            path=f"*.{self.data_format}", data_format=self.data_format,
        )  # fmt: skip
        table = Table(Clause("schema[0]", 1), ORDERS, ORDERS, COLUMNS, where=where)
        return ScanJob(server, (table,), frozenset(metrics), (self.path,), (self.path,), now)

    def look(self, job: ScanJob) -> Reading:
        """Return what is found from states and new files, and keep it for the next look."""
        reading = scan(replace(job, uses_cache=True, cached_tables=self.cached_tables))
        if reading.cached_tables is not None:
            self.cached_tables = reading.cached_tables
        return reading
