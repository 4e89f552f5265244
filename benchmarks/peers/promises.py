"""The lineitem promises as plain values, which each script of this folder translates.

It stands beside them and imports nothing, for each runs in another environment.
"""

from datetime import date
from decimal import Decimal

INTEGERS = ("l_orderkey", "l_partkey", "l_suppkey", "l_linenumber")
NUMBERS = ("l_quantity", "l_extendedprice", "l_discount", "l_tax")
DATES = ("l_shipdate", "l_commitdate", "l_receiptdate")
TEXTS = ("l_returnflag", "l_linestatus", "l_shipinstruct", "l_shipmode", "l_comment")
COLUMNS = (
    *INTEGERS,
    *NUMBERS,
    "l_returnflag",
    "l_linestatus",
    *DATES,
    "l_shipinstruct",
    "l_shipmode",
    "l_comment",
)
"""As the file orders them."""

RANGES = {
    "l_quantity": (Decimal(1), Decimal(50)),
    "l_extendedprice": (Decimal("0.01"), Decimal(200_000)),
    "l_discount": (Decimal(0), Decimal("0.1")),
    "l_tax": (Decimal(0), Decimal("0.08")),
}
DAYS = ("l_shipdate", date(1992, 1, 1), date(1998, 12, 31))
VALUES = {
    "l_returnflag": ("A", "N", "R"),
    "l_linestatus": ("O", "F"),
    "l_shipmode": ("AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"),
    "l_shipinstruct": ("COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"),
}
COMMENT, LONGEST, PATTERN = "l_comment", 43, "^[A-Za-z0-9 ,.;:!?'-]+$"
KEY = ("l_orderkey", "l_linenumber")
LEAST_ROWS = 1000
OLDEST_NEWEST = date(1926, 11, 22)
"""Freshness: the newest ship date is not from before that day (latency of a century)."""
