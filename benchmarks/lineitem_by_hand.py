"""The limit: what a person writes by hand who knows Polars and the lineitem promises.

One fused select for all that adds up, and an exact group-by for the key. It reads nothing but the
data: no contract, no report, no dates of checks.

Run: python benchmarks/lineitem_by_hand.py FILE
"""

import sys
from datetime import date

import polars as pl

KEY = ["l_orderkey", "l_linenumber"]
RANGES = {
    "l_quantity": (1, 50),
    "l_extendedprice": (0.01, 200_000),
    "l_discount": (0, 0.1),
    "l_tax": (0, 0.08),
    "l_shipdate": (date(1992, 1, 1), date(1998, 12, 31)),
}
VALUES = {
    "l_returnflag": ["A", "N", "R"],
    "l_linestatus": ["O", "F"],
    "l_shipmode": ["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"],
    "l_shipinstruct": ["COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"],
}


def violations(path: str) -> dict[str, object]:
    rows = pl.scan_parquet(path)
    schema = rows.collect_schema()
    comment = pl.col("l_comment")
    asked = {
        "rows": pl.len(),
        "newest": pl.col("l_shipdate").max(),
        "long": (comment.str.len_chars() > 43).sum(),
        "ill_formed": comment.str.contains("^[A-Za-z0-9 ,.;:!?'-]+$").not_().sum(),
    }
    asked |= {f"{name}_null": pl.col(name).is_null().sum() for name in schema}
    for name, (low, high) in RANGES.items():
        bounds = [pl.lit(bound).cast(schema[name]) for bound in (low, high)]
        asked[f"{name}_range"] = pl.col(name).is_between(*bounds).not_().sum()
    for name, values in VALUES.items():
        asked[f"{name}_value"] = pl.col(name).is_in(values).not_().sum()
    found = rows.select(**asked).collect(engine="streaming").row(0, named=True)
    repeated = rows.group_by(KEY).len("times").filter(pl.col("times") > 1).select(pl.len())
    return {**found, "repeated": repeated.collect(engine="streaming").item()}


if __name__ == "__main__":
    print(violations(sys.argv[1]))
