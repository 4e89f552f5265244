"""The lineitem promises as hand-written Polars queries: the baseline of the benchmark.

One fused select for all that adds up, and an exact group-by for the key. It reads nothing but the
data: no contract, no report, no dates of checks. A CSV file is parsed once, for a scan of it is
dear: the key's columns are kept from the pass of the select.

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


MONEY = pl.Decimal(15, 2)
SCHEMA = {
    "l_orderkey": pl.Int64,
    "l_partkey": pl.Int64,
    "l_suppkey": pl.Int64,
    "l_linenumber": pl.Int32,
    **dict.fromkeys(("l_quantity", "l_extendedprice", "l_discount", "l_tax"), MONEY),
    **dict.fromkeys(("l_returnflag", "l_linestatus"), pl.String),
    **dict.fromkeys(("l_shipdate", "l_commitdate", "l_receiptdate"), pl.Date),
    **dict.fromkeys(("l_shipinstruct", "l_shipmode", "l_comment"), pl.String),
}


def violations(path: str) -> dict[str, object]:
    is_csv = path.endswith(".csv")
    rows = pl.scan_csv(path, schema=SCHEMA).cache() if is_csv else pl.scan_parquet(path)
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
        least, most = (pl.lit(bound).cast(schema[name]) for bound in (low, high))
        asked[f"{name}_range"] = pl.col(name).is_between(least, most).not_().sum()
    for name, values in VALUES.items():
        asked[f"{name}_value"] = pl.col(name).is_in(values).not_().sum()
    if is_csv:
        plans = [rows.select(**asked), rows.select(KEY)]
        counted, kept = pl.collect_all(plans, engine="streaming")
        keys = kept.lazy()
    else:
        counted, keys = rows.select(**asked).collect(engine="streaming"), rows
    found = counted.row(0, named=True)
    repeated = keys.group_by(KEY).len("times").filter(pl.col("times") > 1).select(pl.len())
    return {**found, "repeated": repeated.collect(engine="streaming").item()}


if __name__ == "__main__":
    print(violations(sys.argv[1]))
