"""Read the file as a Polars frame, for the tools that take one."""

import polars as pl
import promises as told

_MONEY = pl.Decimal(15, 2)
_TYPES = {
    **dict.fromkeys(told.INTEGERS, pl.Int64),
    "l_linenumber": pl.Int32,
    **dict.fromkeys(told.NUMBERS, _MONEY),
    **dict.fromkeys(told.DATES, pl.Date),
    **dict.fromkeys(told.TEXTS, pl.String),
}
SCHEMA = {name: _TYPES[name] for name in told.COLUMNS}


def rows_of(path: str) -> pl.LazyFrame:
    return pl.scan_csv(path, schema=SCHEMA) if path.endswith(".csv") else pl.scan_parquet(path)
