"""Pointblank: a chain of steps over a frame; freshness is left out, and length is an expression.

Its bounds are floats, for it takes no decimals.

Run: python in_pointblank.py FILE
"""

import sys

import pointblank as pb
import polars as pl
import promises as told
from polars_rows import SCHEMA, rows_of

if __name__ == "__main__":
    rows = rows_of(sys.argv[1]).collect()
    types = [(name, str(dtype)) for name, dtype in rows.schema.items()]
    assert [name for name, _ in types] == list(SCHEMA)
    steps = pb.Validate(rows).col_schema_match(pb.Schema(columns=types))
    steps = steps.col_vals_not_null(list(told.COLUMNS)).rows_distinct(list(told.KEY))
    steps = steps.row_count_match(told.LEAST_ROWS, inverse=True)
    for name, (low, high) in told.RANGES.items():
        steps = steps.col_vals_between(name, float(low), float(high), na_pass=True)
    steps = steps.col_vals_between(*told.DAYS, na_pass=True)
    for name, values in told.VALUES.items():
        steps = steps.col_vals_in_set(name, list(values))
    steps = steps.col_vals_regex(told.COMMENT, told.PATTERN, na_pass=True)
    steps = steps.col_vals_expr(pl.col(told.COMMENT).str.len_chars() <= told.LONGEST)
    done = steps.interrogate(collect_extracts=False, collect_tbl_checked=False)
    print(done.n_failed())
