"""Dataframely: a schema, and `filter`, which counts the violations of every rule.

The length is of bytes, as the library has no other; the number of rows and the newest day are rules
over the whole table.

Run: python in_dataframely.py FILE
"""

import sys

import dataframely as dy
import polars as pl
import promises as told
from polars_rows import rows_of


def _column(name: str) -> object:
    key = name in told.KEY
    if name in told.INTEGERS:
        of = dy.Int32 if name == "l_linenumber" else dy.Int64
        return of(primary_key=key)
    if name in told.NUMBERS:
        low, high = told.RANGES[name]
        return dy.Decimal(15, 2, min=low, max=high)
    if name == told.DAYS[0]:
        return dy.Date(min=told.DAYS[1], max=told.DAYS[2])
    if name in told.DATES:
        return dy.Date()
    if name == told.COMMENT:
        return dy.String(max_length=told.LONGEST, regex=told.PATTERN)
    values = list(told.VALUES[name])
    return dy.String(check=lambda column: column.is_in(values))


@dy.rule()
def enough_rows(cls: type[dy.Schema]) -> pl.Expr:
    return pl.len() > told.LEAST_ROWS


@dy.rule()
def fresh(cls: type[dy.Schema]) -> pl.Expr:
    return pl.col(told.DAYS[0]).max() >= told.OLDEST_NEWEST


Lineitem = type(
    "Lineitem",
    (dy.Schema,),
    {
        **{name: _column(name) for name in told.COLUMNS},
        "enough_rows": enough_rows,
        "fresh": fresh,
    },
)

if __name__ == "__main__":
    _, failures = Lineitem.filter(rows_of(sys.argv[1]).collect())
    print(failures.counts())
