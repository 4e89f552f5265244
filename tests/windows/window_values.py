"""A growing table whose old rows do not change, and questions about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from contractwatch.model.base.clause import Clause
from contractwatch.model.base.server import DataFormat, Server
from contractwatch.model.contract.contract import Column, LogicalType, Table
from contractwatch.model.contract.incremental import AnswerScope, Incremental, IncrementalMode
from contractwatch.model.measure.metric import (
    BadRows,
    CountWhere,
    Delays,
    IsBelow,
    IsInvalid,
    IsNull,
    Metric,
    RecentRows,
    RowCount,
    SurplusRows,
    TimeSpan,
    Unparseable,
)
from contractwatch.model.promises.segment import Period, PeriodUnit, RowsPerCell
from contractwatch.model.promises.sql import SqlScalar
from contractwatch.model.record.cached_table import CachedTable
from contractwatch.model.record.run import Reading
from contractwatch.scan.scan import ScanJob, scan

T = "t"
DAY = timedelta(days=1)
NOW = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
"""So late that no file that a test writes is young."""

ROWS = RowCount(T)
KEY = SurplusRows(T, ("id",))
QUERY = SqlScalar(T, 'SELECT COUNT(*) FROM "t" WHERE "id" > 3', (T,))
NULLS = CountWhere(T, IsNull("id"))
SPAN = TimeSpan(T, "at")
ADDITIVE = (
    ROWS,
    NULLS,
    CountWhere(T, IsBelow("id", 3)),
    CountWhere(T, IsInvalid("word", values=("a", "b"))),
    *(Unparseable(T, name) for name in ("id", "word", "at", "told")),
    SPAN,
    TimeSpan(T, "told", "Europe/Berlin"),
    Delays(T, "at", "told", DAY),
    BadRows(T, (IsNull("word"), IsBelow("id", 2))),
)
WHOLE = (
    RecentRows(T, "at", 5 * DAY),
    RowsPerCell(T, "at", ("word",), Period(PeriodUnit.DAY), 9 * DAY),
)
OF_WINDOW = (KEY, QUERY)

PARTITION = Incremental("at", IncrementalMode.PARTITION, 3 * DAY)
WATERMARK = Incremental("at", IncrementalMode.WATERMARK, DAY)

Row = tuple[int | None, str | None, datetime | None, datetime | None]


def row(
    number: int | None, at: datetime | None, word: str | None = "a", told: datetime | None = None
) -> Row:
    return number, word, at, told


@dataclass(slots=True)
class Growing:
    """One table in one file, and what was kept when it was last looked at.

    Times are aware, naive in `zone`, or days there: `kind` says which.
    """

    path: Path
    incremental: Incremental | None = PARTITION
    data_format: DataFormat = DataFormat.PARQUET
    kind: str = "aware"
    where: str = ""
    rows: list[Row] = field(default_factory=list[Row])
    cached_tables: tuple[CachedTable, ...] = ()

    @property
    def zone(self) -> str:
        return self.incremental.timezone if self.incremental else "Etc/UTC"

    @property
    def file(self) -> Path:
        return self.path / f"{T}.{self.data_format}"

    def add(self, *rows: Row) -> None:
        """Write the file anew, with more rows."""
        self.rows += rows
        self.write()

    def write(self) -> None:
        told = pl.Datetime("us", "UTC")
        types = {"id": pl.Int64, "word": pl.String, "at": self._dtype, "told": told}
        local = [(number, word, self.local(at), told) for number, word, at, told in self.rows]
        frame = pl.DataFrame(local, schema=types, orient="row")
        unfinished = self.path / "_unfinished"
        match self.data_format:
            case DataFormat.CSV:
                zoned = frame.with_columns(pl.col(pl.Datetime).dt.strftime("%Y-%m-%dT%H:%M:%S"))
                zoned.write_csv(unfinished)
            case DataFormat.ARROW:
                frame.write_ipc(unfinished)
            case _:
                frame.write_parquet(unfinished, row_group_size=4)
        unfinished.replace(self.file)

    @property
    def _dtype(self) -> Any:
        kinds: Mapping[str, Any] = {
            "aware": pl.Datetime("us", "UTC"),
            "naive": pl.Datetime("ms"),
            "day": pl.Date,
        }
        return kinds[self.kind]

    def local(self, at: datetime | None) -> Any:
        """Return an instant as the file has it."""
        if at is None or self.kind == "aware":
            return at
        here = at.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        return here.date() if self.kind == "day" else here

    def job(self, metrics: Sequence[Metric], now: datetime = NOW) -> ScanJob:
        server = Server(
            Clause("servers[0]", 1), "live", "local",
            path=f"{T}.{self.data_format}", data_format=self.data_format,
        )  # fmt: skip
        at = LogicalType.DATE if self.kind == "day" else LogicalType.TIMESTAMP
        types = {"id": LogicalType.INTEGER, "word": LogicalType.STRING, "at": at}
        columns = tuple(
            Column(Clause(name, 1), name, name, kind, default_timezone=zone)
            for name, kind, zone in (
                *((name, kind, self.zone) for name, kind in types.items()),
                ("told", LogicalType.TIMESTAMP, "Etc/UTC"),
            )
        )
        table = Table(Clause("schema[0]", 1), T, T, columns, where=self.where)
        table = replace(table, incremental=self.incremental)
        return ScanJob(server, (table,), frozenset(metrics), (self.path,), (self.path,), now)

    def look(self, *metrics: Metric, now: datetime = NOW) -> Reading:
        """Return what is found of new rows and of what was kept, and keep it for the next look."""
        reading = scan(
            replace(self.job(metrics, now), uses_cache=True, cached_tables=self.cached_tables)
        )
        if reading.cached_tables is not None:
            self.cached_tables = reading.cached_tables
        return reading

    def whole(self, *metrics: Metric, now: datetime = NOW) -> Reading:
        """Return what a scan of all rows finds."""
        return scan(self.job(metrics, now))


def extent_of(reading: Reading) -> AnswerScope:
    (only,) = reading.extents
    return only


def midnight(now: datetime, days: int, zone: str = "Etc/UTC") -> datetime:
    """Return where the day begins that was so many days ago, there."""
    there: date = (now - days * DAY).astimezone(ZoneInfo(zone)).date()
    return datetime.combine(there, time(0), ZoneInfo(zone))
