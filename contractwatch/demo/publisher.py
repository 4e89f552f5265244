"""Publish the demo's outputs as a domain team would: whole files, swapped in atomically."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import polars as pl

from contractwatch.demo.flights_data import FlightsData

WINDOW_HOURS = 16
HOURLY = ("flights", "weather")

Corruption = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(slots=True)
class Publisher:
    """Publisher of the hourly tables, hour after hour, and of the reference tables.

    `corruptions` holds the present corruption of a table, `paused` the tables whose next hours are
    not published.
    """

    data: FlightsData
    folder: Path
    hour: timedelta
    corruptions: dict[str, Corruption] = field(default_factory=dict[str, Corruption])
    paused: set[str] = field(default_factory=set[str])
    _hours: dict[str, list[tuple[int, pl.DataFrame]]] = field(
        default_factory=dict[str, list[tuple[int, pl.DataFrame]]]
    )
    _numbers: Iterator[int] = field(default_factory=count)

    def start(self, now: datetime) -> None:
        """Publish the reference tables, and the hours that end now."""
        for name in self.data.reference:
            self.publish_reference(name)
        for back in range(WINDOW_HOURS, 0, -1):
            self.publish_hour(now - back * self.hour)

    def publish_hour(self, at: datetime) -> None:
        """Publish the next hour of each hourly table as if it were flown at `at`."""
        number = next(self._numbers)
        for name in HOURLY:
            if name in self.paused:
                continue
            hours = self.data.hourly[name]
            moved = _with_time(hours[number % len(hours)], at)
            kept = self._hours.setdefault(name, [])
            kept.append((number, moved))
            self._write_hour(name, number, moved)
            while len(kept) > WINDOW_HOURS:
                old, _ = kept.pop(0)
                self._hour_file(name, old).unlink(missing_ok=True)

    def publish_reference(self, name: str) -> None:
        """Publish a reference table, corrupted if it is to be."""
        frame = self._as_published(name, self.data.reference[name])
        if name == "airports":
            _replace_file(self.folder / "airports.csv", frame.write_csv)
        else:
            _replace_file(self.folder / f"{name}.parquet", frame.write_parquet)

    def corrupt(self, name: str, corruption: Corruption) -> None:
        """Corrupt all files of table `name`, those published before included."""
        self.corruptions[name] = corruption
        self._publish_again(name)

    def restore(self, name: str) -> None:
        """Publish all files of table `name` as promised again."""
        self.corruptions.pop(name, None)
        self.paused.discard(name)
        self._publish_again(name)

    def _publish_again(self, name: str) -> None:
        if name not in HOURLY:
            self.publish_reference(name)
            return
        for number, frame in self._hours[name]:
            self._write_hour(name, number, frame)

    def _write_hour(self, name: str, number: int, frame: pl.DataFrame) -> None:
        _replace_file(self._hour_file(name, number), self._as_published(name, frame).write_parquet)

    def _hour_file(self, name: str, number: int) -> Path:
        return self.folder / name / f"hour-{number:06d}.parquet"

    def _as_published(self, name: str, frame: pl.DataFrame) -> pl.DataFrame:
        corruption = self.corruptions.get(name)
        return frame if corruption is None else corruption(frame)


def _with_time(frame: pl.DataFrame, at: datetime) -> pl.DataFrame:
    instant = at.astimezone(UTC)
    moved = frame.with_columns(
        time_hour=pl.lit(instant).dt.cast_time_unit("us").dt.convert_time_zone("UTC")
    )
    return moved.with_columns(
        year=pl.lit(instant.year, pl.Int64),
        month=pl.lit(instant.month, pl.Int64),
        day=pl.lit(instant.day, pl.Int64),
    )


def _replace_file(target: Path, write: Callable[[Path], object]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    write(draft)
    os.replace(draft, target)  # noqa: PTH105  a reader sees the old file or the new one, whole
