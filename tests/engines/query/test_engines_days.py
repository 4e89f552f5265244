"""Timestamps where a date is declared: at midnight, or with a time of day."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from engine_values import TABLE, ask, column, dataset

from contractwatch.model.base.server import DataFormat
from contractwatch.model.contract.contract import LogicalType
from contractwatch.model.measure.metric import RowCount, Unparseable
from contractwatch.model.measure.state import Count, Measurement

BERLIN = ZoneInfo("Europe/Berlin")


def timed(folder: Path, values: list[datetime | None], zone: str = "Etc/UTC") -> Measurement:
    frame = pl.DataFrame({"day": values})
    frame.write_parquet(folder / "orders.parquet")
    declared = column("day", LogicalType.DATE, default_timezone=zone)
    data = dataset([folder / "orders.parquet"], DataFormat.PARQUET, [declared])
    return ask(data, Unparseable(TABLE, "day"), RowCount(TABLE))


@pytest.mark.parametrize(("hour", "found"), [(0, 0), (5, 1)])
def test_a_naive_timestamp_is_a_day_at_midnight(tmp_path: Path, hour: int, found: int) -> None:
    values = [datetime(2026, 1, 1), None, datetime(2026, 1, 2, hour)]  # noqa: DTZ001 - naive
    assert timed(tmp_path, values) == Count(found)


def test_midnight_is_that_of_the_columns_zone(tmp_path: Path) -> None:
    values: list[datetime | None] = [datetime(2026, 1, 1, tzinfo=BERLIN).astimezone(UTC)]
    assert timed(tmp_path, values, "Europe/Berlin") == Count(0)
    assert timed(tmp_path, values) == Count(1)
