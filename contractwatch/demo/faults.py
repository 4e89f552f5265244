"""The faults of the demo, in their order, and the product whose owners must be alerted."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from contractwatch.demo.publisher import Publisher
from contractwatch.model.base.objective import Objective

_BAD_ROW = 7


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what happens, which promise it breaks, and whether the agent is killed."""

    name: str
    words: str
    table: str
    objective: Objective
    inject: Callable[[Publisher], None]
    kills_agent: bool = False

    @property
    def product(self) -> str:
        """The product whose owners must be alerted."""
        return f"air-travel/{self.table}"


def _stop_hourly_flights(publisher: Publisher) -> None:
    publisher.paused.add("flights")


def _remove_tail_numbers(publisher: Publisher) -> None:
    missing = pl.lit(None, pl.String)
    publisher.corrupt("flights", lambda frame: frame.with_columns(tailnum=missing))


def _drop_a_carrier(publisher: Publisher) -> None:
    publisher.corrupt("airlines", lambda frame: frame.filter(pl.col("carrier") != "HA"))


def _rename_a_column(publisher: Publisher) -> None:
    publisher.corrupt("weather", lambda frame: frame.rename({"temp": "temperature"}))


def _load_planes_twice(publisher: Publisher) -> None:
    publisher.corrupt("planes", lambda frame: pl.concat([frame, frame.head(25)]))


def _write_a_bad_cell(publisher: Publisher) -> None:
    altitude = pl.col("alt").cast(pl.String)
    bad = pl.when(pl.int_range(pl.len()) == _BAD_ROW).then(pl.lit("n/k")).otherwise(altitude)
    publisher.corrupt("airports", lambda frame: frame.with_columns(alt=bad))


FAULTS = (
    Fault(
        "late hour",
        "the next hours of flights do not come",
        "flights",
        Objective.FRESHNESS,
        _stop_hourly_flights,
    ),
    Fault(
        "null tail numbers",
        "flights are published without tail numbers",
        "flights",
        Objective.COMPLETENESS,
        _remove_tail_numbers,
    ),
    Fault(
        "a carrier missing",
        "airlines is published without one of its sixteen carriers",
        "airlines",
        Objective.VOLUME,
        _drop_a_carrier,
    ),
    Fault(
        "a renamed column",
        "weather renames its column temp to temperature",
        "weather",
        Objective.SCHEMA,
        _rename_a_column,
    ),
    Fault(
        "duplicate keys",
        "25 planes are loaded twice",
        "planes",
        Objective.UNIQUENESS,
        _load_planes_twice,
    ),
    Fault(
        "the agent itself killed",
        "a cell of airports.csv is not a number, and the agent gets kill -9 before it can say so",
        "airports",
        Objective.SCHEMA,
        _write_a_bad_cell,
        kills_agent=True,
    ),
)
