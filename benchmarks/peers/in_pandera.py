"""Pandera: a DataFrameSchema with lazy validation of a frame (of a LazyFrame it checks no data).

Run: python in_pandera.py FILE
"""

import sys

import pandera.polars as pa
import polars as pl
import promises as told
from pandera.errors import SchemaErrors
from polars_rows import SCHEMA, rows_of


def _checks(name: str) -> list[pa.Check]:
    if name in told.RANGES:
        return [pa.Check.in_range(*told.RANGES[name])]
    if name == told.DAYS[0]:
        return [pa.Check.in_range(*told.DAYS[1:])]
    if name in told.VALUES:
        return [pa.Check.isin(told.VALUES[name])]
    if name == told.COMMENT:
        return [pa.Check.str_length(max_value=told.LONGEST), pa.Check.str_matches(told.PATTERN)]
    return []


def _enough(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.len() > told.LEAST_ROWS)


def _fresh(data: pa.PolarsData) -> pl.LazyFrame:
    return data.lazyframe.select(pl.col(told.DAYS[0]).max() >= told.OLDEST_NEWEST)


if __name__ == "__main__":
    schema = pa.DataFrameSchema(
        {name: pa.Column(SCHEMA[name], _checks(name), nullable=False) for name in told.COLUMNS},
        checks=[pa.Check(_enough), pa.Check(_fresh)],
        unique=list(told.KEY),
    )
    try:
        schema.validate(rows_of(sys.argv[1]).collect(), lazy=True)
        print("kept")
    except SchemaErrors as errors:
        print(errors.failure_cases.group_by("schema_context", "column", "check").len())
